"""The paths below /v1/batches: JSON in, JSON out.

OBSERVED 2026-08-10: a batch as JSON, the answer `null` to added requests, a result.
DOC, the types of xAI's SDK for TypeScript: the metadata of requests, an error in a result.
DISPUTED: batch.proto has an object with a code and a message for that error; the SDK for
TypeScript speaks this API, and says text. Headers are ASSUMED to be those of other lists.
"""

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, TypeVar
from urllib.parse import parse_qs

import msgspec

from llm_grok_vision.limits import BATCH_PAGE, MAX_BATCH_PAYLOAD

from ..batches import CANCELLED, FAILED, PENDING, SUCCEEDED, Batch, Batches, BatchRequest, Result
from ..identity import uuid
from ..journal import LoggedRequest
from ..refusals import refuse
from ..request import ChatRequest
from . import chat_completions, errors, responses_body

PREFIX = "/v1/batches"

_PATH = re.compile(rf"{PREFIX}(?:/(?P<batch>[^/:]+)(?P<rest>:cancel|/requests|/results|))?")
_TOKEN = re.compile(r"after_(\d{1,9})")

# DOC, the SDK for TypeScript: the name of the endpoint in a request's metadata.
_ENDPOINT = "xai_api.Chat/GetCompletion"

T = TypeVar("T")


class _Create(msgspec.Struct):
    name: str
    input_file_id: str | None = None


# DOC, the SDK for TypeScript: what else a request in a batch may be.
_OTHER_KINDS = ("image_generation", "image_edit", "video_generation", "video_extension")


class _Question(msgspec.Struct):
    chat_get_completion: chat_completions.Body | None = None
    # OBSERVED 2026-08-10: its result is a chat completion all the same.
    responses: responses_body.Body | None = None
    image_generation: msgspec.Raw = msgspec.Raw()
    image_edit: msgspec.Raw = msgspec.Raw()
    video_generation: msgspec.Raw = msgspec.Raw()
    video_extension: msgspec.Raw = msgspec.Raw()


class _Item(msgspec.Struct):
    batch_request: _Question
    batch_request_id: str | None = None


class _Add(msgspec.Struct):
    batch_requests: list[_Item]


_create_decoder = msgspec.json.Decoder(_Create)
_add_decoder = msgspec.json.Decoder(_Add)


@dataclass(frozen=True)
class Call:
    """One HTTP request below /v1/batches; `batch_id` is "" where the path names none."""

    batches: Batches
    log: LoggedRequest
    data: bytes
    batch_id: str

    @property
    def batch(self) -> Batch:
        """The batch that the path names; raises ApiError where it is none."""
        return self.batches.get(self.batch_id)

    def decode(self, decoder: msgspec.json.Decoder[T]) -> T:
        """Read the body; raises ApiError."""
        return errors.json_body(self.log, lambda: decoder.decode(self.data))

    def page(self, name: str, rows: Sequence[T], write: Callable[[T], Any]) -> bytes:
        """Write the page of a list that the query asks for; raises ApiError."""
        query = parse_qs(self.log.query)
        limit, token = query.get("limit", [str(BATCH_PAGE)])[-1], query.get("pagination_token")
        if not re.fullmatch(r"0*[1-9]\d{0,8}", limit, re.ASCII):
            raise refuse("bad limit", limit=limit)
        found = _TOKEN.fullmatch(token[-1]) if token else None
        if token and not found:
            raise refuse("bad pagination token", token=token[-1])
        start = int(found[1]) if found else 0
        end = start + int(limit)
        page = [write(row) for row in rows[start:end]]
        following = f"after_{end}" if end < len(rows) else None
        return msgspec.json.encode({name: page, "pagination_token": following})


Handler = Callable[[Call], Awaitable[bytes]]


def route(method: str, path: str) -> tuple[Handler, str]:
    """Find who answers a path, and the id of the batch in it; raises ApiError."""
    found = _PATH.fullmatch(path)
    if not found:
        raise refuse("no such path", path=path)
    handlers = _HANDLERS[found["rest"]]
    if method not in handlers:
        raise refuse("wrong verb")
    return handlers[method], found["batch"] or ""


async def _create(call: Call) -> bytes:
    wanted = call.decode(_create_decoder)
    if wanted.input_file_id is not None:
        raise refuse("batch from a file")
    return msgspec.json.encode(_batch(call.batches.create(wanted.name, call.log.key)))


async def _list(call: Call) -> bytes:
    await call.batches.work()
    return call.page("batches", call.batches.all(), _batch)


async def _get(call: Call) -> bytes:
    await call.batches.work()
    return msgspec.json.encode(_batch(call.batch))


async def _cancel(call: Call) -> bytes:
    call.batches.cancel(call.batch)
    return msgspec.json.encode(_batch(call.batch))


async def _add(call: Call) -> bytes:
    batch = call.batch
    if len(call.data) > MAX_BATCH_PAYLOAD:
        raise refuse("batch payload too large")
    items = call.decode(_add_decoder).batch_requests
    questions = errors.json_body(
        call.log,
        lambda: [
            (item.batch_request_id, _question(item.batch_request, index))
            for index, item in enumerate(items)
        ],
    )
    call.batches.add(batch, questions, call.log.key)
    await call.batches.work()
    return b"null"


async def _requests(call: Call) -> bytes:
    await call.batches.work()
    return call.page("batch_request_metadata", list(call.batch.requests.values()), _metadata)


async def _results(call: Call) -> bytes:
    await call.batches.work()
    return call.page("results", call.batch.results, _result)


_HANDLERS: dict[str | None, dict[str, Handler]] = {
    None: {"GET": _list, "POST": _create},
    "": {"GET": _get},
    ":cancel": {"POST": _cancel},
    "/requests": {"GET": _requests, "POST": _add},
    "/results": {"GET": _results},
}


def _question(asked: _Question, index: int) -> ChatRequest:
    if asked.chat_get_completion is not None:
        chat = asked.chat_get_completion
        return chat_completions.to_request(chat, msgspec.json.encode(chat))
    if asked.responses is not None:
        return responses_body.to_request(asked.responses, msgspec.json.encode(asked.responses))
    for kind in _OTHER_KINDS:
        if bytes(getattr(asked, kind)):
            raise refuse("batch request of another kind", kind=kind)
    # In the words in which msgspec tells of a field that is missing.
    problem = "Object missing required field `chat_get_completion`"
    where = f"$.batch_requests[{index}].batch_request"
    raise errors.undecodable(msgspec.ValidationError(f"{problem} - at `{where}`"))


def _batch(batch: Batch) -> dict[str, Any]:
    count = batch.count()
    return {
        "batch_id": batch.id,
        "name": batch.name,
        "create_time": _day(batch.created),
        "expire_time": _day(batch.expires),
        "create_api_key_id": uuid("key", batch.key),
        "cancel_time": _day(batch.cancelled),
        "cancel_by_xai_message": None,
        "state": {
            "num_requests": len(batch.requests),
            "num_pending": count[PENDING],
            "num_success": count[SUCCEEDED],
            "num_error": count[FAILED],
            "num_cancelled": count[CANCELLED],
        },
    }


def _metadata(request: BatchRequest) -> dict[str, Any]:
    return {
        "batch_request_id": request.id,
        "endpoint": _ENDPOINT,
        "model": request.model,
        "state": request.state,
        "create_time": _day(request.created),
        "finish_time": _day(request.finished),
    }


def _result(result: Result) -> dict[str, Any]:
    if isinstance(result.outcome, str):
        said: dict[str, Any] = {"error": result.outcome}
    else:
        answer = msgspec.Raw(chat_completions.completion_json(result.outcome))
        said = {"response": {"chat_get_completion": answer}}
    return {"batch_request_id": result.id, "batch_result": said}


def _day(time: int | None) -> str | None:
    return None if time is None else datetime.fromtimestamp(time, timezone.utc).date().isoformat()
