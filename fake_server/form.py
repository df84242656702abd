"""Reading an upload: the file in a form, as browsers and clients send it."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from python_multipart import create_form_parser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header

from llm_grok_vision.limits import MAX_FILE_SECONDS, MIN_FILE_SECONDS

from .refusals import refuse


class Upload(NamedTuple):
    """A file with its name, and for how many seconds it is to stay, if not for good."""

    name: str
    data: bytes
    seconds: int | None


def read_form(body: bytes, content_type: str) -> Upload:
    """Read the fields `file` and `expires_after`; raises ApiError."""
    found: list[tuple[str, bytes]] = []
    lifetimes: list[bytes] = []

    def keep(uploaded: Any) -> None:
        if uploaded.field_name == b"file":
            uploaded.file_object.seek(0)
            name = (uploaded.file_name or b"").decode(errors="replace")
            found.append((name, uploaded.file_object.read()))

    def note(sent: Any) -> None:
        if sent.field_name == b"expires_after":
            lifetimes.append(b"" if found else sent.value or b"")

    kind, options = parse_options_header(content_type)
    # The parser takes other types as well.
    if kind != b"multipart/form-data" or b"boundary" not in options:
        problem = "the Content-Type is not multipart/form-data with a boundary"
        raise refuse("not a form", problem=problem)
    headers = {"Content-Type": content_type.encode()}
    try:
        with _silent(logging.getLogger("python_multipart.multipart")):
            # Else it would leave what is large in files that nobody closes.
            parser = create_form_parser(headers, note, keep, {"MAX_MEMORY_FILE_SIZE": len(body)})
            parser.write(body)
            parser.finalize()
    except FormParserError as error:
        raise refuse("not a form", problem=error) from None
    if not found:
        raise refuse("not a form", problem="missing field `file`")
    return Upload(*found[0], _seconds(lifetimes[0]) if lifetimes else None)


def _seconds(given: bytes) -> int:
    """Read a number of seconds. OBSERVED 2026-08 in vercel/ai #20038: it stands before the file."""
    is_number = given.isdigit() and len(given) <= len(str(MAX_FILE_SECONDS))
    if not is_number or not MIN_FILE_SECONDS <= int(given) <= MAX_FILE_SECONDS:
        raise refuse("bad lifetime")
    return int(given)


@contextmanager
def _silent(logger: logging.Logger) -> Iterator[None]:
    """Keep the parser from logging what the client is told."""
    was, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = was
