"""The tables of the README, written from the rows that the code runs on (see `make fix`)."""

import json
from collections.abc import Iterable
from pathlib import Path

from fake_server.refusals import REFUSALS
from llm_grok_vision import limits
from llm_grok_vision.options import GrokOptions
from llm_grok_vision.prepare import Preparation, prepare
from llm_grok_vision.tokens import tiled

ROOT = Path(__file__).parents[1]
CATALOGUE = Path(limits.__file__).with_name("catalogue.json")


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def options() -> str:
    """One row an option of the plugin."""
    rows = (
        (f"`{name}`", field.description or "") for name, field in GrokOptions.model_fields.items()
    )
    return table(("option", "meaning"), rows)


def shrunk() -> str:
    """One row a detail: what `shrink` makes of the photo in `examples/` for grok-4."""
    data = (ROOT / "examples" / "harbour.jpg").read_bytes()
    before = prepare(data, "harbour.jpg", Preparation()).info
    rows = []
    for detail in limits.IMAGE_DETAILS:
        sent = prepare(data, "harbour.jpg", Preparation("shrink", "tiles", detail, is_news=False))
        tokens = tiled(before.width, before.height, detail).tokens
        assert tokens == tiled(sent.info.width, sent.info.height, detail).tokens
        rows.append(
            (
                f"`{detail}`",
                f"{before.width}x{before.height}, {_kilobytes(data)}",
                f"{sent.info.width}x{sent.info.height}, {_kilobytes(sent.data)}",
                f"{tokens:,}",
            )
        )
    return table(("`image_detail`", "sent as it is", "sent with `shrink`", "tokens of both"), rows)


def _kilobytes(data: bytes) -> str:
    return f"{len(data) / 1000:.0f} kB"


def models() -> str:
    """One row a model that the plugin registers."""
    rows = []
    for row in json.loads(CATALOGUE.read_text()):
        if row["kind"] != "language" or "image" not in row["input_modalities"]:
            continue
        name = row.get("name", row["id"])
        names = [row["id"], *row["aliases"]]
        others = [f"`{alias}`" for alias in names if alias != name and alias.startswith("grok")]
        price = row["usd_per_million"]
        rows.append(
            (
                f"`xai/{name}`",
                ", ".join([f"`{name}`", *others]),
                f"{row['context_length']:,}",
                f"{price['prompt']:g} / {price['completion']:g}",
                row["accounting"],
                ", ".join(f"`{name}`" for name in row["refuses"]),
                "yes" if row["status"] == "current" else "retired",
            )
        )
    return table(
        ("id", "also", "context", "$/M in / out", "images by", "takes no", "current"), rows
    )


def limits_table() -> str:
    """One row a limit that holds for images."""
    rows = [
        (
            "size of an image",
            f"{limits.MAX_IMAGE_BYTES:,} bytes (20 MiB), inclusive",
            "DOC, DISPUTED",
        ),
        ("types, by their bytes", " and ".join(limits.IMAGE_FORMATS), "DOC, DISPUTED"),
        ("number of images", "no limit", "DOC"),
        ("order of text and images", "any", "DOC"),
        ("`detail`", ", ".join(f"`{word}`" for word in limits.IMAGE_DETAILS), "DOC, DISPUTED"),
        ("side of an image", f"at least {limits.MIN_IMAGE_SIDE} pixels", "OBSERVED"),
        (
            "area of an image",
            f"{limits.MIN_IMAGE_PIXELS} to {limits.MAX_IMAGE_PIXELS:,} pixels",
            "OBSERVED",
        ),
        ("fetching an image", f"{limits.FETCH_SECONDS:g} seconds", "DOC"),
        (
            "tokens of an image",
            (
                f"(tiles + 1) * {limits.TOKENS_PER_TILE}; tiles of {limits.TILE_SIDE}x{limits.TILE_SIDE}"
                f" pixels cover it, {limits.MAX_TILES} at most; `low`: {limits.TOKENS_PER_TILE}"
            ),
            "DOC; for `auto` and `low` ASSUMED",
        ),
    ]
    return table(("what", "limit", "how we know"), rows)


def refusals() -> str:
    """One row a thing that the fake refuses, in its order."""
    rows = (
        (
            row.when,
            str(row.status),
            f"`{row.code}`" if row.code else "",
            _cell(row.text),
            row.evidence,
        )
        for row in REFUSALS.values()
    )
    return table(("refused", "status", "`code`", "`error`", "how we know"), rows)


def unknowns() -> str:
    """One line a refusal that nobody has seen as it is answered here."""
    return "\n".join(
        f"- {row.when}: {row.evidence}."
        for row in REFUSALS.values()
        if "ASSUMED" in row.evidence or "DISPUTED" in row.evidence
    )


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace(">", "&gt;")
