"""GET /v1/chat/deferred-completion/{request_id}: fetching what was asked for with `deferred`.

DOC OPENAPI and docs.x.ai/developers/advanced-api-usage/deferred-chat-completions: an id
at first, 202 without a body while it is pending, then the answer, once.
"""

import msgspec

from . import chat_completions
from .call import Answer, Call, Route


def started(request_id: str) -> Answer:
    """Answer the request that starts it."""
    return Answer(msgspec.json.encode({"request_id": request_id}))


async def _fetch(call: Call) -> Answer:
    completion = call.service.deferred.take(call.blanks["request"])
    if completion is None:
        return Answer(b"", 202)
    usage = chat_completions.usage_json(completion.usage)
    return Answer(chat_completions.to_json(completion, None, usage))


ROUTES = (Route("GET", "/v1/chat/deferred-completion/{request}", _fetch),)
