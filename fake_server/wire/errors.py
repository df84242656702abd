"""How a body is refused, and how a refusal looks over HTTP.

That is xAI's flat JSON, or the plain text of a layer before it.
"""

import re
from collections.abc import Callable
from typing import TypeVar

import msgspec

from ..era import Era
from ..journal import LoggedRequest
from ..refusals import ApiError, refuse

T = TypeVar("T")

_MEDIA_TYPES = {"text": "text/plain; charset=utf-8", "html": "text/html"}
_PATH = re.compile(r" - at `\$\.?(?P<path>.*)`$")


def body(error: ApiError, era: Era, path: str) -> tuple[str, bytes]:
    """Give the content type and the body of a refusal on a path."""
    shape = error.shape
    if error.status == 422 and path.startswith("/v1/responses"):
        # OBSERVED 2026-07 in GulLabs/any-llm, and in the STACK NOTE: JSON here, text elsewhere.
        shape = "bare"
    if shape in ("text", "html"):
        return _MEDIA_TYPES[shape], error.error.encode()
    payloads = {
        "flat": {"code": _code(error.code, era, path), "error": error.error},
        "bare": {"error": error.error},
        "string": error.error,
    }
    return "application/json", msgspec.json.encode(payloads[shape])


def flat_event(error: ApiError) -> bytes:
    """Write an error inside a stream, in the shape of others.

    ASSUMED: nobody recorded one; OpenAI's clients raise at the key `error`.
    """
    return b"data: " + msgspec.json.encode({"code": error.code, "error": error.error}) + b"\n\n"


def _code(code: str, era: Era, path: str) -> str:
    # OBSERVED 2026: /v1/responses had the new codes before chat completions. ASSUMED: always.
    return code if path.startswith("/v1/responses") else era.code(code)


def undecodable(error: Exception) -> ApiError:
    """Make the refusal of a body that msgspec could not read.

    ASSUMED: xAI words these as Rust's serde does; where it adds a line and a column,
    nothing is added here.
    """
    if not isinstance(error, msgspec.ValidationError):
        return refuse("not JSON", problem=problem(error))
    return refuse("wrong shape", problem=problem(error))


def problem(error: Exception) -> str:
    """Say what msgspec could not read, and where."""
    # Python's own words for these are others in each version, and so are msgspec's.
    if isinstance(error, RecursionError):
        return "recursion limit exceeded"
    if is_no_utf8(error):
        return "invalid unicode code point"
    said = str(error)
    if not isinstance(error, msgspec.ValidationError):
        return said
    found = _PATH.search(said)
    where = f"{found['path']}: " if found and found["path"] else ""
    if where.startswith("input"):
        # OBSERVED 2026-07 on /v1/responses in GulLabs/any-llm; what follows "at" is the fake's own.
        where = f"data did not match any variant of untagged enum ModelInput at {where}"
    what = said[: found.start()] if found else said
    for ours, theirs in (
        (r"Object missing required field (`.*`)", r"missing field \1"),
        (r"Expected `(.*)`, got `(.*)`", r"invalid type: \2, expected \1"),
        (r"Invalid enum value '(.*)'", r"unknown variant `\1`"),
    ):
        what = re.sub(ours, theirs, what)
    return where + what


def is_no_utf8(error: Exception) -> bool:
    """Tell whether bytes were no UTF-8: msgspec raises Python's error there, and its own since 0.23."""
    return isinstance(error, UnicodeDecodeError) or str(error) == "Invalid UTF-8 encoded string"


def json_body(log: LoggedRequest, read: Callable[[], T]) -> T:
    """Read a body that has to be declared as JSON, and to be some; raises ApiError."""
    if "json" not in log.headers.get("content-type", "").lower():
        raise refuse("not JSON type")
    try:
        return read()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise undecodable(error) from None
