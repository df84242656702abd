"""GET and DELETE /v1/responses/{id}, and its input items: the answers that are kept.

DOC OPENAPI: the paths, and what DELETE answers. OBSERVED in the STACK NOTE: an answer is kept
without its reasoning and its instructions. ASSUMED: the shape of the list of input items,
which is that of OpenAI's own API.
"""

from typing import Any

import msgspec
from msgspec.structs import replace

from ..identity import uuid
from ..request import FilePart, ImagePart, Message, TextPart
from ..stored import Stored
from . import responses, responses_body
from .call import Answer, Call, Route

_PATH = responses.PATH + "/{response}"


def _of(call: Call) -> Stored:
    return call.service.stored.get(call.blanks["response"])


async def _get(call: Call) -> Answer:
    kept = _of(call)
    # It may have been asked for on another wire, such as gRPC.
    body = kept.request.echo or responses_body.Body(kept.request.model, "")
    # Where it was stored in another process, it is what JSON makes of it.
    body = msgspec.convert(msgspec.to_builtins(body), responses_body.Body)
    shown = replace(body, stream=False, instructions=None)
    usage = responses.usage_json(kept.completion.usage)
    return Answer(responses.to_json(replace(kept.completion, reasoning=[]), shown, usage))


async def _delete(call: Call) -> Answer:
    answer_id = call.blanks["response"]
    call.service.stored.delete(answer_id)
    told = {"id": answer_id, "object": "response", "deleted": True}
    return Answer(msgspec.json.encode(told))


async def _input_items(call: Call) -> Answer:
    kept = _of(call)
    items = [
        _item(message, uuid("item", kept.completion.id, str(index)))
        for index, message in enumerate(kept.request.messages)
    ]
    ids = [item["id"] for item in items]
    return Answer(
        msgspec.json.encode(
            {
                "object": "list",
                "data": items,
                "first_id": ids[0] if ids else None,
                "last_id": ids[-1] if ids else None,
                "has_more": False,
            }
        )
    )


def _item(message: Message, number: str) -> dict[str, Any]:
    kind = "output_text" if message.role == "assistant" else "input_text"
    content: list[dict[str, Any]] = []
    for part in message.parts:
        if isinstance(part, TextPart):
            content.append({"type": kind, "text": part.text})
        elif isinstance(part, ImagePart):
            content.append({"type": "input_image", "image_url": part.url, "detail": part.detail})
        elif isinstance(part, FilePart):
            named = {"type": "input_image", "file_id": part.file_id, "detail": part.detail}
            content.append(named)
    return {"id": f"msg_{number}", "type": "message", "role": message.role, "content": content}


ROUTES = (
    Route("GET", _PATH, _get),
    Route("DELETE", _PATH, _delete),
    Route("GET", _PATH + "/input_items", _input_items),
)
