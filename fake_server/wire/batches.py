"""The paths below /v1/batches: JSON in, JSON out.

OBSERVED 2026-08-10: a batch as JSON, the answer `null` to added requests, a result.
OBSERVED 2026-08-28 in the BATCH NOTE: a batch made of a file, whose answer is
given before the file is read; an error in a result, which is a text, where batch.proto and
@ai-sdk/xai have an object. DOC, the types of xAI's SDK for TypeScript: the metadata of
requests. Headers are ASSUMED to be those of other lists.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from typing import Any, TypeVar

import msgspec

from llm_grok_vision.limits import MAX_BATCH_PAYLOAD

from ..batch import CANCELLED, FAILED, PENDING, SUCCEEDED, Batch, BatchRequest, Result
from ..files import File
from ..refusals import ApiError, refuse
from ..request import ChatRequest
from . import batch_file, chat_completions, errors, responses_body
from .call import Answer, Call, Handler, Route

_PREFIX = "/v1/batches"

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
    image_generation: Any = msgspec.UNSET
    image_edit: Any = msgspec.UNSET
    video_generation: Any = msgspec.UNSET
    video_extension: Any = msgspec.UNSET


class _Item(msgspec.Struct):
    batch_request: _Question
    batch_request_id: str | None = None


class _Add(msgspec.Struct):
    batch_requests: list[_Item]


_create_decoder = msgspec.json.Decoder(_Create)
_add_decoder = msgspec.json.Decoder(_Add)


async def _create(call: Call) -> Answer:
    wanted = call.decode(_create_decoder)
    file_id = wanted.input_file_id
    file = None if file_id is None else call.service.files.get(file_id)
    batch = call.batches.create(wanted.name, call.log.key, file_id)
    answer = Answer(msgspec.json.encode(_batch(batch)))
    if file:
        await _fill(call, batch, file)
    return answer


async def _fill(call: Call, batch: Batch, file: File) -> None:
    try:
        # 50,000 lines take a while, in which others are answered.
        questions = await asyncio.to_thread(batch_file.read, file.data)
        call.batches.fill(batch, questions, call.log.key)
    except (ApiError, batch_file.Unreadable) as error:
        call.batches.cancel(batch, f"JSONL file validation failed: {error}")
    await call.batches.work()


async def _list(call: Call) -> Answer:
    await call.batches.work()
    return _page(call, "batches", call.batches.all(), _batch)


async def _get(call: Call) -> Answer:
    await call.batches.work()
    return Answer(msgspec.json.encode(_batch(_of(call))))


async def _cancel(call: Call) -> Answer:
    call.batches.cancel(_of(call))
    return Answer(msgspec.json.encode(_batch(_of(call))))


async def _add(call: Call) -> Answer:
    batch = _of(call)
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
    return Answer(b"null")


async def _requests(call: Call) -> Answer:
    await call.batches.work()
    return _page(call, "batch_request_metadata", list(_of(call).requests.values()), _metadata)


async def _results(call: Call) -> Answer:
    await call.batches.work()
    return _page(call, "results", sorted(_of(call).results, key=lambda row: row.id), _result)


def _in_turn(handler: Handler) -> Handler:
    async def answered(call: Call) -> Answer:
        async with call.batches.turn():
            return await handler(call)

    return answered


ROUTES = (
    Route("GET", _PREFIX, _in_turn(_list)),
    Route("POST", _PREFIX, _in_turn(_create), _Create),
    Route("GET", f"{_PREFIX}/{{batch}}", _in_turn(_get)),
    Route("POST", f"{_PREFIX}/{{batch}}:cancel", _in_turn(_cancel)),
    Route("GET", f"{_PREFIX}/{{batch}}/requests", _in_turn(_requests)),
    Route("POST", f"{_PREFIX}/{{batch}}/requests", _in_turn(_add), _Add),
    Route("GET", f"{_PREFIX}/{{batch}}/results", _in_turn(_results)),
)


def _of(call: Call) -> Batch:
    return call.batches.get(call.blanks["batch"])


def _page(call: Call, name: str, rows: Sequence[T], write: Callable[[T], Any]) -> Answer:
    page, following = call.page(rows, write)
    return Answer(msgspec.json.encode({name: page, "pagination_token": following}))


def _question(asked: _Question, index: int) -> ChatRequest:
    if asked.chat_get_completion is not None:
        chat = asked.chat_get_completion
        return chat_completions.to_request(chat, msgspec.json.encode(chat))
    if asked.responses is not None:
        return responses_body.to_request(asked.responses, msgspec.json.encode(asked.responses))
    for kind in _OTHER_KINDS:
        if getattr(asked, kind) is not msgspec.UNSET:
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
        "create_api_key_id": batch.key_id,
        "cancel_time": _day(batch.cancelled),
        "cancel_by_xai_message": batch.problem,
        "state": {
            "num_requests": len(batch.requests),
            "num_pending": count[PENDING],
            "num_success": count[SUCCEEDED],
            "num_error": count[FAILED],
            "num_cancelled": count[CANCELLED],
        },
        **({} if batch.file_id is None else {"input_file_id": batch.file_id}),
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
        usage = chat_completions.usage_json(result.outcome.usage)
        answer = chat_completions.to_json(result.outcome, None, usage)
        said = {"response": {"chat_get_completion": msgspec.Raw(answer)}}
    return {"batch_request_id": result.id, "batch_result": said}


def _day(time: int | None) -> str | None:
    return None if time is None else datetime.fromtimestamp(time, timezone.utc).date().isoformat()
