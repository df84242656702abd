"""Reading an upload: the file in a form, as browsers and clients send it."""

import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from python_multipart import parse_form
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header

from .refusals import refuse


def file_of(body: bytes, content_type: str) -> tuple[str, bytes]:
    """Give the name and the bytes of the field `file`; raises ApiError."""
    found: list[tuple[str, bytes]] = []

    def keep(uploaded: Any) -> None:
        if uploaded.field_name == b"file":
            uploaded.file_object.seek(0)
            name = (uploaded.file_name or b"").decode(errors="replace")
            found.append((name, uploaded.file_object.read()))

    kind, options = parse_options_header(content_type)
    # The parser takes other types as well.
    if kind != b"multipart/form-data" or b"boundary" not in options:
        problem = "the Content-Type is not multipart/form-data with a boundary"
        raise refuse("not a form", problem=problem)
    headers = {"Content-Type": content_type.encode()}
    try:
        with _silent(logging.getLogger("python_multipart.multipart")):
            parse_form(headers, io.BytesIO(body), None, keep)
    except FormParserError as error:
        raise refuse("not a form", problem=error) from None
    if not found:
        raise refuse("not a form", problem="missing field `file`")
    return found[0]


@contextmanager
def _silent(logger: logging.Logger) -> Iterator[None]:
    """Keep the parser from logging what the client is told."""
    was, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = was
