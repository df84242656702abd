"""The paths below /v1/files: uploading an image once, and naming it in messages.

OBSERVED 2026-08: the answer to an upload. DOC OPENAPI: the paths, and that a file of more
than 50 MB is refused. ASSUMED: the other answers, which are those of OpenAI's own API.
"""

from typing import Any

import msgspec

from llm_grok_vision.limits import MAX_FILE_BYTES

from ..files import File
from ..refusals import refuse
from .call import Answer, Call, Route

_PATH = "/v1/files"
_ONE = _PATH + "/{file}"


async def _upload(call: Call) -> Answer:
    # Few upload files, and the parser of forms takes a while to load.
    from ..form import read_upload

    upload = read_upload(call.data, call.log.headers.get("content-type", ""))
    if len(upload.data) > MAX_FILE_BYTES:
        raise refuse("file too large")
    return _told(_file(call.service.files.put(*upload)))


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
        "expires_at": file.expires,
        "filename": file.name,
        "id": file.id,
        "object": "file",
        # OBSERVED: empty.
        "purpose": "",
    }


ROUTES = (
    Route("POST", _PATH, _upload, upload=True),
    Route("GET", _PATH, _list),
    Route("GET", _ONE, _get),
    Route("DELETE", _ONE, _delete),
    Route("GET", _ONE + "/content", _content),
)
