"""POST /v1/responses: writing JSON and server-sent events; `responses_body` reads.

Key order, event order and which keys are absent are those of recorded answers of August
2026.
"""

import struct
from collections import Counter
from collections.abc import Iterator
from typing import Any

import msgspec

from ..accounting import Usage
from ..completion import Completion
from ..refusals import ApiError
from ..server_tools import COUNTERS
from .responses_body import Body, ListedTool, decode, read_tools, to_request
from .responses_items import Event, Fields, Item, items_of

__all__ = [
    "PATH",
    "Body",
    "decode",
    "error_event",
    "to_events",
    "to_json",
    "to_request",
    "usage_json",
]

PATH = "/v1/responses"

# OBSERVED 2026-01 to 2026-08: what an answer names where the request names nothing.
_TEMPERATURE, _TOP_P = 0.7, 0.95

# OBSERVED 2026-01: they come only when there is something to count.
_COUNTED_EARLY = (
    "web_search_calls",
    "x_search_calls",
    "code_interpreter_calls",
    "file_search_calls",
    "mcp_calls",
    "document_search_calls",
)
# OBSERVED since grok-4.6, in vercel/ai #19652.
_COUNTED = (*_COUNTED_EARLY, "image_generation_calls")


def to_json(completion: Completion, body: Body, usage: Fields) -> bytes:
    """Write a whole answer, with its usage as `usage_json` wrote it."""
    return msgspec.json.encode(_ended(completion, body, _items(completion, body), usage))


def to_events(completion: Completion, body: Body) -> Iterator[bytes]:
    """Write an answer as server-sent events, each to be sent as it is.

    DOC OPENAPI says that a stream ends with [DONE]; OBSERVED: none of 43 did.
    """
    events = _events(completion, body, _items(completion, body))
    for number, (kind, fields) in enumerate(events):
        data = msgspec.json.encode({"sequence_number": number, "type": kind, **fields})
        yield b"event: " + kind.encode() + b"\ndata: " + data + b"\n\n"


def _status(completion: Completion) -> str:
    return "incomplete" if completion.finish_reason == "length" else "completed"


def _items(completion: Completion, body: Body) -> list[Item]:
    encrypted = "reasoning.encrypted_content" in (body.include or ())
    return items_of(completion, encrypted=encrypted)


def _events(completion: Completion, body: Body, items: list[Item]) -> Iterator[tuple[str, Fields]]:
    started = (
        _before_usage(completion, body, [], completed_at=None)
        | {"usage": None}
        | _after_usage(completion, body, "in_progress")
    )
    yield "response.created", {"response": started}
    yield "response.in_progress", {"response": started}
    for index, item in enumerate(items):
        yield "response.output_item.added", {"item": item.begun, "output_index": index}
        for event in item.events:
            yield event.type, _within(event, item, index)
        yield "response.output_item.done", {"item": item.done, "output_index": index}
    # OBSERVED 2026-08, in router-for-me/CLIProxyAPI #5113: "response.incomplete".
    ended = _ended(completion, body, items, usage_json(completion.usage))
    yield f"response.{_status(completion)}", {"response": ended}


def _within(event: Event, item: Item, index: int) -> Fields:
    return {**event.before, "item_id": item.done["id"], "output_index": index, **event.after}


def _ended(completion: Completion, body: Body, items: list[Item], usage: Fields) -> Fields:
    output = [item.done for item in items]
    status = _status(completion)
    # OBSERVED 2026-07-09 in GulLabs/any-llm: an answer that was cut short was never completed.
    completed_at = completion.created if status == "completed" else None
    return (
        _before_usage(completion, body, output, completed_at=completed_at)
        | {"usage": usage}
        | _after_usage(completion, body, status)
    )


def _before_usage(
    completion: Completion, body: Body, output: list[Fields], *, completed_at: int | None
) -> Fields:
    number = _single if body.stream else float
    text: Any = {"format": {"type": "text"}}
    if body.text and body.text.format:
        text = body.text
    return {
        "created_at": completion.created,
        "completed_at": completed_at,
        "id": completion.id,
        "max_output_tokens": body.max_output_tokens,
        "model": completion.model_id,
        "object": "response",
        "output": output,
        "parallel_tool_calls": body.parallel_tool_calls is not False,
        "previous_response_id": body.previous_response_id,
        "reasoning": _reasoning(completion, body),
        "temperature": number(_TEMPERATURE if body.temperature is None else body.temperature),
        "text": text,
        "tool_choice": body.tool_choice or "auto",
        "tools": _tools(body),
        "top_p": number(_TOP_P if body.top_p is None else body.top_p),
    }


def _after_usage(completion: Completion, body: Body, status: str) -> Fields:
    cut = status == "incomplete"
    return {
        "user": body.user,
        "incomplete_details": {"reason": "max_output_tokens"} if cut else None,
        "status": status,
        "store": body.store is not False,
        "metadata": _metadata(completion),
        "background": False,
        "service_tier": completion.service_tier,
        "truncation": "disabled",
        "top_logprobs": 0,
        "presence_penalty": 0.0,
        "frequency_penalty": 0.0,
        "prompt_cache_key": body.prompt_cache_key,
        "max_tool_calls": None,
        "safety_identifier": body.safety_identifier,
        "error": None,
        "instructions": body.instructions,
    }


def _metadata(completion: Completion) -> Fields:
    if not completion.contract.era.tells_context:
        return {}
    return {"system_fingerprint": completion.system_fingerprint}


def _single(number: float) -> float:
    """Round as streams do: 0.7 is 0.699999988079071 there."""
    return float(struct.unpack("f", struct.pack("f", number))[0])


def _reasoning(completion: Completion, body: Body) -> Fields:
    """Name the effort. OBSERVED: where none was asked for, a stream names none."""
    silent = body.stream or "reasoning_effort" in completion.model.refuses
    effort = body.effort or (None if silent else completion.model.default_reasoning_effort)
    return {"effort": effort, "summary": "detailed" if effort else None}


def _tools(body: Body) -> list[Fields]:
    read = zip(read_tools(body), body.tools or (), strict=True)
    return [_tool(tool, sent, streamed=bool(body.stream)) for tool, sent in read]


def _tool(tool: ListedTool, sent: Fields, *, streamed: bool) -> Fields:
    """Repeat a tool. OBSERVED: only a whole answer fills in what was not sent."""
    if tool.type == "function":
        strict = tool.strict if streamed else bool(tool.strict)
        repeated = msgspec.structs.asdict(tool) | {"strict": strict}
        return repeated | {"parameters": tool.parameters or {}}
    if tool.type == "web_search" and not streamed:
        return {**sent, "search_context_size": sent.get("search_context_size", "medium")}
    return sent


def error_event(error: ApiError) -> bytes:
    """Write an error inside a stream. DOC OPENAPI of OpenAI: the keys; ASSUMED of xAI."""
    told = {"type": "error", "code": error.code, "message": error.error, "param": None}
    return b"event: error\ndata: " + msgspec.json.encode(told) + b"\n\n"


def usage_json(usage: Usage) -> Fields:
    """Write usage with every key that recorded answers of 2026 have, in their order."""
    output_tokens = usage.completion_tokens + usage.reasoning_tokens
    written = {
        "input_tokens": usage.prompt_tokens,
        "input_tokens_details": {"cached_tokens": usage.cached_tokens},
        "output_tokens": output_tokens,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
        "total_tokens": usage.total_tokens,
        "num_sources_used": 0,
        "num_server_side_tools_used": len(usage.server_tool_calls),
        "cost_in_usd_ticks": usage.cost_in_usd_ticks,
    }
    if usage.server_tool_calls:
        called = Counter(COUNTERS[name] for name in usage.server_tool_calls)
        counted = _COUNTED if usage.tells_context else _COUNTED_EARLY
        written["server_side_tool_usage_details"] = {name: called[name] for name in counted}
    if usage.tells_context:
        written["context_details"] = {
            "input_tokens": usage.prompt_tokens,
            "output_tokens": output_tokens,
        }
    return written
