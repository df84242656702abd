"""Reading a form with files, as browsers and clients send it, and an upload in one."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from python_multipart import FormParser, create_form_parser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header

from llm_grok_vision.limits import MAX_FILE_SECONDS, MIN_FILE_SECONDS

from .refusals import refuse

# Parts of a form: an upload has three. A million small ones would keep everybody waiting for seconds.
_MOST_PARTS = 1000


class NoForm(ValueError):
    """What is no form; says why."""


class Sent(NamedTuple):
    """What was sent in a form: a field, or a file, which has a `file_name`."""

    name: str
    data: bytes
    file_name: str | None = None


class Upload(NamedTuple):
    """A file with its name, and for how many seconds it is to stay, if not for good."""

    name: str
    data: bytes
    seconds: int | None


def read_upload(body: bytes, content_type: str) -> Upload:
    """Read the fields `file` and `expires_after`; raises ApiError."""
    try:
        form = read_form(body, content_type)
    except NoForm as error:
        raise refuse("not a form", problem=error) from None
    files: list[Sent] = []
    lifetimes: list[bytes] = []
    for sent in form:
        if sent.name == "file" and sent.file_name is not None:
            files.append(sent)
        elif sent.name == "expires_after" and sent.file_name is None:
            lifetimes.append(b"" if files else sent.data)
    if not files:
        raise refuse("not a form", problem="missing field `file`")
    seconds = _seconds(lifetimes[0]) if lifetimes else None
    return Upload(files[0].file_name or "", files[0].data, seconds)


def _seconds(given: bytes) -> int:
    """Read a number of seconds. OBSERVED 2026-08 in vercel/ai #20038: it stands before the file."""
    is_number = given.isdigit() and len(given) <= len(str(MAX_FILE_SECONDS))
    if not is_number or not MIN_FILE_SECONDS <= int(given) <= MAX_FILE_SECONDS:
        raise refuse("bad lifetime")
    return int(given)


def read_form(body: bytes, content_type: str) -> list[Sent]:
    """Read all parts in their order; raises NoForm."""
    kind, options = parse_options_header(content_type)
    # The parser takes other types as well.
    if kind != b"multipart/form-data" or b"boundary" not in options:
        raise NoForm("the Content-Type is not multipart/form-data with a boundary")
    form: list[Sent] = []

    def take(sent: Sent) -> None:
        if len(form) == _MOST_PARTS:
            raise NoForm(f"more than {_MOST_PARTS:,} parts")
        form.append(sent)

    def note(field: Any) -> None:
        take(Sent(_text(field.field_name), field.value or b""))

    def keep(file: Any) -> None:
        file.file_object.seek(0)
        take(Sent(_text(file.field_name), file.file_object.read(), _text(file.file_name)))

    headers = {"Content-Type": content_type.encode()}
    try:
        with _silent(logging.getLogger("python_multipart.multipart")):
            # Else it would leave what is large in files that nobody closes.
            parser = create_form_parser(headers, note, keep, {"MAX_MEMORY_FILE_SIZE": len(body)})
            _parse(parser, body)
    except FormParserError as error:
        raise NoForm(str(error)) from None
    return form


def _parse(parser: FormParser, body: bytes) -> None:
    try:
        parser.write(body)
        parser.finalize()
    finally:
        # Its halves hold each other, and the last file until the collector comes.
        parser.parser = None


def _text(name: bytes | None) -> str:
    return (name or b"").decode(errors="replace")


@contextmanager
def _silent(logger: logging.Logger) -> Iterator[None]:
    """Keep the parser from logging what the client is told."""
    was, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = was
