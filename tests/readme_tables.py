"""The tables of the README, written from the rows that the code runs on (see `make fix`)."""

import inspect
import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, get_type_hints

from fake_server import FakeServer
from fake_server.cli import server_options
from fake_server.faults import Fault
from fake_server.refusals import REFUSALS
from llm_grok_vision import limits
from llm_grok_vision.errors import GrokError
from llm_grok_vision.limits import LONG_CONTEXT_FACTOR
from llm_grok_vision.options import GrokOptions
from llm_grok_vision.prepare import Preparation, prepare
from llm_grok_vision.tokens import tiled
from tests.deviations import CHOICES, DEVIATIONS

ROOT = Path(__file__).parents[1]
CATALOGUE = Path(limits.__file__).with_name("catalogue.json")

Row = dict[str, Any]


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
    """A sentence: what `shrink` makes of the photo in `examples/` for grok-4, at each detail."""
    data = (ROOT / "examples" / "harbour.jpg").read_bytes()
    before = prepare(data, "harbour.jpg", Preparation()).info
    sizes = []
    for detail in ("high", "low"):
        sent = prepare(data, "harbour.jpg", Preparation("shrink", "tiles", detail, is_news=False))
        tokens = tiled(before.width, before.height, detail).tokens
        assert tokens == tiled(sent.info.width, sent.info.height, detail).tokens
        sizes.append(f"{sent.info.width}x{sent.info.height} pixels ({_kilobytes(sent.data)})")
    return (
        f"For grok-4 it makes {sizes[0]} of the {before.width}x{before.height} pixels"
        f" ({_kilobytes(data)}) of `harbour.jpg`, and at `low` {sizes[1]}."
    )


def _kilobytes(data: bytes) -> str:
    return f"{len(data) / 1000:.0f} kB"


def vision_models() -> list[Row]:
    """The rows of the catalogue for models that read images."""
    return [
        row
        for row in json.loads(CATALOGUE.read_text())
        if row["kind"] == "language" and "image" in row["input_modalities"]
    ]


def models() -> str:
    """One row a model that the plugin registers, and what only some of them take."""
    rows = []
    for row in vision_models():
        name = row.get("name", row["id"])
        names = [row["id"], *row["aliases"]]
        others = [f"`{alias}`" for alias in names if alias != name and alias.startswith("grok")]
        price = row["usd_per_million"]
        rows.append(
            (
                f"`{_id(row)}`",
                ", ".join([f"`{name}`", *others]),
                f"{row['context_length']:,}",
                f"{price['prompt']:g} / {price['completion']:g}",
                row["accounting"],
                "yes" if row["status"] == "current" else "retired",
            )
        )
    head = ("id", "also", "context", "$/M in / out", "images by", "current")
    return f"{table(head, rows)}\n\n{_long_prompts()}\n\n{_takers()}"


def _long_prompts() -> str:
    """One sentence for what a long prompt costs, and from how many tokens on it is one."""
    rows = [row for row in vision_models() if "long_context_threshold" in row]
    [current] = {row["long_context_threshold"] for row in rows if row["status"] == "current"}
    [retired] = {row["long_context_threshold"] for row in rows if row["status"] != "current"}
    always = [_id(row) for row in vision_models() if row not in rows]
    times = {2: "twice"}[LONG_CONTEXT_FACTOR]
    return (
        f"A prompt of {current:,} tokens or more, images included, costs {times} as much, and so does"
        f" its answer; with retired models one of {retired:,}, and with {_listed(always)} none."
    )


def _takers() -> str:
    """One sentence for the parameters that the same few models take."""
    models = vision_models()
    parameters: dict[tuple[str, ...], list[str]] = {}
    for parameter in dict.fromkeys(name for row in models for name in row["refuses"]):
        takers = tuple(_id(row) for row in models if parameter not in row["refuses"])
        parameters.setdefault(takers, []).append(parameter)
    return " ".join(
        f"{_listed(names)} {'are' if len(names) > 1 else 'is'} taken only by {_listed(takers)}."
        for takers, names in parameters.items()
    )


def _id(row: Row) -> str:
    return f"xai/{row.get('name', row['id'])}"


def _listed(names: Sequence[str]) -> str:
    *others, last = (f"`{name}`" for name in names)
    return f"{', '.join(others)} and {last}" if others else last


def errors() -> str:
    """One line a kind of error, with the kinds of that kind."""
    lines = []
    for kind in GrokError.__subclasses__():
        words = (kind.__doc__ or "").partition("\n")[0]
        narrower = f" Of this kind: {_listed(names)}." if (names := _below(kind)) else ""
        lines.append(f"- `{kind.__name__}`: {words}{narrower}")
    return "\n".join(lines)


def _below(kind: type[GrokError]) -> list[str]:
    return [name for sub in kind.__subclasses__() for name in (sub.__name__, *_below(sub))]


def faults() -> str:
    """One row a fault."""
    annotated = get_type_hints(Fault, include_extras=True)
    rows = ((f"`{name}`", _described(kind)) for name, kind in annotated.items())
    return table(("fault", "meaning"), rows)


def _described(kind: Any) -> str:
    found = [meta.description for meta in kind.__metadata__ if meta.description]
    return str(found[-1])


def settings() -> str:
    """One row a setting of the fake, for its command and for Python."""
    names = inspect.signature(FakeServer).parameters
    rows = []
    for action in server_options()._actions:
        choices = f" {'|'.join(action.choices)}" if action.choices else ""
        value = f" {action.metavar}" if action.metavar else choices
        # What may be repeated is a list in Python.
        name = action.dest if action.dest in names else f"{action.dest}s"
        off = "False" if action.const is False else ""
        rows.append(
            (f"`{_cell(action.option_strings[0] + value)}`", f"`{name}={off}`", action.help or "")
        )
    assert len(rows) == len(names)
    return table(("command", "`FakeServer(…)`", "meaning"), rows)


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


def clients() -> str:
    """One row a client that the tests use, with its version."""
    project = (ROOT / "pyproject.toml").read_text()
    # The name, without extras, and the version, without what Python it is for.
    pinned = dict(re.findall(r'^ *"([\w-]+)(?:\[\w+\])?==([\w.]+)', project, re.MULTILINE))
    package = json.loads((ROOT / "tests" / "node" / "package.json").read_text())["dependencies"]
    for_node = {
        name: [
            version.rpartition("@")[2]
            for key, version in package.items()
            if key == name or f"npm:{name}@" in version
        ]
        for name in ("openai", "ai", "@ai-sdk/xai")
    }
    rows = [
        (name, "Python", pinned[pin], address)
        for name, pin, address in (
            ("xai-sdk", "xai-sdk", '`api_host="localhost:PORT"`'),
            ("openai", "openai", '`base_url="http://127.0.0.1:PORT/v1"`'),
            ("anthropic", "anthropic", '`base_url="http://127.0.0.1:PORT"`'),
            ("langchain-xai", "langchain-xai", '`xai_api_base="http://127.0.0.1:PORT/v1"`'),
            ("pydantic-ai", "pydantic-ai-slim", "its OpenAIProvider, with the client of openai"),
        )
    ]
    rows += [
        (name, "Node", ", ".join(versions), '`baseURL: "http://127.0.0.1:PORT/v1"`')
        for name, versions in for_node.items()
        if name != "ai"
    ]
    return table(("client", "for", "version", "pointed at the fake by"), rows)


def choices() -> str:
    """One row a thing that the contracts do otherwise, with the test that shows it."""
    rows = (
        (row.what, row.documented, f"{row.observed} ({row.evidence})", _test(row.test))
        for row in CHOICES
    )
    return table(("", "documented", "observed", "shown by"), rows)


def deviations() -> str:
    """One row a thing that nobody knows, or that the fake leaves out."""
    rows = ((row.what, row.label, _test(row.test)) for row in DEVIATIONS)
    return table(("what the fake does", "how we know", "shown by"), rows)


def _test(name: str) -> str:
    return f"`{name.partition('::')[2]}`"


def scores() -> str:
    """One row an aspect in which recorded answers were compared with the fake's."""
    committed = json.loads((ROOT / "tests" / "conformance.json").read_text())
    rows = ((aspect, f"{same:,} of {seen:,}") for aspect, (same, seen) in committed.items())
    return table(("the same in", "of the answers that have it"), rows)


def refusals() -> str:
    """One row a thing that the fake refuses, in its order."""
    rows = (
        (
            row.when,
            str(row.status),
            f"`{row.code}`" if row.code else "",
            _cell(row.text),
            f"`{row.grpc}`",
            row.evidence,
        )
        for row in REFUSALS.values()
    )
    return table(("refused", "status", "`code`", "`error`", "gRPC", "how we know"), rows)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace(">", "&gt;")
