"""The paths below /v1/files: uploading an image once, and naming it in messages.

OBSERVED 2026-08: the answer to an upload. DOC OPENAPI: the paths, and that a file of more
than 50 MB is refused. ASSUMED: the other answers, which are those of OpenAI's own API.
"""

import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
from python_multipart import parse_form
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header

from llm_grok_vision.limits import MAX_FILE_BYTES

from ..files import File
from ..refusals import refuse
from .call import Answer, Call, Route

_PATH = "/v1/files"
_ONE = _PATH + "/{file}"


async def _upload(call: Call) -> Answer:
    name, data = _form(call)
    if len(data) > MAX_FILE_BYTES:
        raise refuse("file too large")
    return _told(_file(call.service.files.put(name, data, call.service.now())))


def _form(call: Call) -> tuple[str, bytes]:
    """Take the field `file` out of a form; raises ApiError."""
    found: list[tuple[str, bytes]] = []

    def keep(uploaded: Any) -> None:
        if uploaded.field_name == b"file":
            uploaded.file_object.seek(0)
            name = (uploaded.file_name or b"").decode(errors="replace")
            found.append((name, uploaded.file_object.read()))

    content_type = call.log.headers.get("content-type", "")
    kind, options = parse_options_header(content_type)
    # The parser takes other types as well.
    if kind != b"multipart/form-data" or b"boundary" not in options:
        problem = "the Content-Type is not multipart/form-data with a boundary"
        raise refuse("not a form", problem=problem)
    headers = {"Content-Type": content_type.encode()}
    try:
        with _silent(logging.getLogger("python_multipart.multipart")):
            parse_form(headers, io.BytesIO(call.data), None, keep)
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


async def _list(call: Call) -> Answer:
    rows = [_file(file) for file in call.service.files.all()]
    return _told({"object": "list", "data": rows, "has_more": False})


async def _get(call: Call) -> Answer:
    return _told(_file(_of(call)))


async def _delete(call: Call) -> Answer:
    file_id = call.blanks["file"]
    call.service.files.delete(file_id)
    return _told({"id": file_id, "object": "file", "deleted": True})


async def _content(call: Call) -> Answer:
    return Answer(_of(call).data, content_type="application/octet-stream")


def _of(call: Call) -> File:
    return call.service.files.get(call.blanks["file"])


def _told(answer: dict[str, Any]) -> Answer:
    return Answer(msgspec.json.encode(answer))


def _file(file: File) -> dict[str, Any]:
    return {
        "bytes": len(file.data),
        "created_at": file.created,
        "expires_at": None,
        "filename": file.name,
        "id": file.id,
        "object": "file",
        # OBSERVED: empty.
        "purpose": "",
    }


ROUTES = (
    Route("POST", _PATH, _upload),
    Route("GET", _PATH, _list),
    Route("GET", _ONE, _get),
    Route("DELETE", _ONE, _delete),
    Route("GET", _ONE + "/content", _content),
)
