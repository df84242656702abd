"""The page at /_fake/: what was asked and answered, as somebody wants to look at it.

The templates are in the folder `templates`. They need no script to be read; `page.js` puts new
rows on top while somebody looks.
"""

from collections.abc import Iterable
from datetime import datetime, timezone
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
import msgspec

from llm_grok_vision.limits import LOW_SIDE, MAX_TILES, PATCH_SIDE, TILE_SIDE

from .journal import Journal, LoggedImage, LoggedRequest

# Nothing that was sent can run here, and nothing is fetched from elsewhere.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

FILES = {
    "page.css": "text/css; charset=utf-8",
    "page.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}

_FOLDER = Path(__file__).with_name("templates")


@cache
def _templates() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_FOLDER),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters |= {
        "time": _time,
        "seconds": _seconds,
        "dollars": _dollars,
        "pretty": _pretty,
    }
    environment.tests["image"] = lambda part: isinstance(part, LoggedImage)
    environment.globals["grid"] = grid
    return environment


def file(name: str) -> bytes:
    """Give a file that the page needs."""
    return (_FOLDER / name).read_bytes()


def journal(requests: Journal) -> str:
    """Write the journal, the newest request first."""
    return _templates().get_template("journal.html").render(requests=requests[::-1])


def rows(requests: Iterable[LoggedRequest], after: int) -> str:
    """Write the rows of what came after a request."""
    newer = [log for log in requests if log.number > after]
    return _templates().get_template("rows.html").render(requests=newer[::-1])


def request(requests: Journal, log: LoggedRequest) -> str:
    """Write one request: the conversation as the model saw it, and the raw exchange."""
    exchange = {
        "request": log.raw_request.decode(errors="replace"),
        "answer": log.raw_answer.decode(errors="replace"),
    }
    kept = {image.sha256 for image in log.images if requests.images.get(image.sha256)}
    template = _templates().get_template("request.html")
    return template.render(log=log, exchange=exchange, kept=kept)


def grid(image: LoggedImage) -> dict[str, Any]:
    """Say how an image was cut: the side of a piece, and a sentence on what it costs."""
    if image.patches:
        longer = max(image.width, image.height)
        scale = max(1, longer / LOW_SIDE) if image.detail == "low" else 1
        side = PATCH_SIDE * scale
        told = f"{image.patches} patches of {side:g} pixels and 2 more = {image.tokens} tokens"
        return {"side": side, "told": told}
    if not image.tiles:
        return {"side": 0, "told": f"seen as a whole = {image.tokens} tokens"}
    covering = -(-image.width // TILE_SIDE) * -(-image.height // TILE_SIDE)
    more = f" (of {covering} that would cover it)" if covering > MAX_TILES else ""
    tiles = "1 tile" if image.tiles == 1 else f"{image.tiles} tiles"
    return {
        "side": TILE_SIDE,
        "told": f"{tiles}{more}, and one more for the whole = {image.tokens} tokens",
    }


def _time(began: float) -> str:
    return datetime.fromtimestamp(began, timezone.utc).strftime("%H:%M:%S")


def _seconds(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def _dollars(amount: float) -> str:
    return f"${amount:.6f}".rstrip("0").rstrip(".")


def _pretty(text: str) -> str:
    """Indent JSON; anything else stays as it is."""
    try:
        return msgspec.json.format(text, indent=2)
    except (msgspec.DecodeError, RecursionError):
        return text
