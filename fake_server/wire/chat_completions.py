"""POST /v1/chat/completions: reading the body, writing JSON and server-sent events.

Key order, chunk order and which keys are absent are those of recorded answers of
August 2026. The plugin reads and writes the same format with code of its own, on
purpose, in `llm_grok_vision.wire.chat_completions`.
"""

from collections.abc import Iterator
from typing import Any, Literal

import msgspec

from ..accounting import Usage, words
from ..completion import Completion, ToolCall
from ..request import ChatRequest, Message, Tool
from .content import Content, Types, parts_of
from .errors import flat_event

PATH = "/v1/chat/completions"

Role = Literal["system", "user", "assistant", "tool", "function"]


class _Message(msgspec.Struct):
    role: Role
    content: Content = None
    tool_calls: list[dict[str, Any]] | None = None


class _Function(msgspec.Struct):
    name: str
    parameters: dict[str, Any] | None = None


class _Tool(msgspec.Struct):
    type: str = "function"
    function: _Function | None = None

    def __post_init__(self) -> None:
        # OBSERVED 2025-11-10 in manutej/ai-dialogue, and in the STACK NOTE.
        if self.type not in ("function", "live_search"):
            raise ValueError(f"unknown variant `{self.type}`, expected `function` or `live_search`")


class _JsonSchema(msgspec.Struct):
    schema: dict[str, Any]


class _ResponseFormat(msgspec.Struct):
    type: str
    json_schema: _JsonSchema | None = None


class _StreamOptions(msgspec.Struct):
    include_usage: bool | None = None


class Body(msgspec.Struct):
    """The fields of a request that mean something here; unknown ones are ignored.

    OBSERVED: the service ignores unknown fields too.
    """

    model: str
    messages: list[_Message]
    stream: bool | None = None
    stream_options: _StreamOptions | None = None
    deferred: bool | None = None
    temperature: float | None = None
    top_p: float | None = None
    n: int | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    seed: int | None = None
    stop: str | list[str] | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    reasoning_effort: str | None = None
    service_tier: str | None = None
    user: str | None = None
    search_parameters: dict[str, Any] | None = None
    web_search_options: dict[str, Any] | None = None
    tools: list[_Tool] | None = None
    tool_choice: str | dict[str, Any] | None = None
    response_format: _ResponseFormat | None = None


# Where the parameters are among the fields, and what they are if none was given.
_PARAMETERS = slice(
    Body.__struct_fields__.index("temperature"), Body.__struct_fields__.index("tools")
)
_NONE = (None,) * len(Body.__struct_fields__[_PARAMETERS])
# DOC OPENAPI: results of tools may be called as on /v1/responses.
_TYPES = (
    Types(("text", "input_text"), ("image_url",)),
    Types(("text", "input_text"), ("image_url", "input_image")),
)
_decoder = msgspec.json.Decoder(Body)


def decode(data: bytes) -> Body:
    """Read a body; raises msgspec.DecodeError, or its ValidationError for a wrong shape."""
    return _decoder.decode(data)


def to_request(body: Body, data: bytes) -> ChatRequest:
    """Translate a body into what the service is asked; `data` are its bytes."""
    parameters = _given(body)
    if isinstance(body.stop, str):
        parameters["stop"] = [body.stop]
    if body.tools and "live_search" in [tool.type for tool in body.tools]:
        # ASSUMED: it went with the parameter that does the same.
        parameters.setdefault("search_parameters", {})
    return ChatRequest(
        model=body.model,
        messages=tuple([_message(message) for message in body.messages]),
        parameters=parameters,
        seed=data,
        tools=_functions(body.tools) if body.tools else (),
        tool_choice=_tool_choice(body.tool_choice),
        schema=_schema(body.response_format),
        deferred=bool(body.deferred),
        stream=bool(body.stream),
    )


def _functions(tools: list[_Tool]) -> tuple[Tool, ...]:
    functions = [tool.function for tool in tools if tool.function]
    return tuple([Tool(function.name, function.parameters or {}) for function in functions])


def _given(body: Body) -> dict[str, Any]:
    values = msgspec.structs.astuple(body)[_PARAMETERS]
    if values == _NONE:
        return {}
    names = Body.__struct_fields__[_PARAMETERS]
    return {name: value for name, value in zip(names, values, strict=True) if value is not None}


def _message(message: _Message) -> Message:
    parts = parts_of(message.role, message.content, _TYPES[message.role in ("tool", "function")])
    return Message(message.role, parts, has_tool_calls=bool(message.tool_calls))


def _tool_choice(choice: str | dict[str, Any] | None) -> str:
    if isinstance(choice, dict):
        if choice.get("type") == "allowed_tools":
            # OBSERVED 2026-09-02, as lm15 notes it: taken, and no more than "auto".
            return "auto"
        function = choice.get("function")
        return str(function.get("name", "required")) if isinstance(function, dict) else "required"
    return choice or ""


def _schema(wanted: _ResponseFormat | None) -> dict[str, Any] | None:
    if wanted is None or wanted.type == "text":
        return None
    return wanted.json_schema.schema if wanted.json_schema else {"type": "object"}


def to_json(completion: Completion, _body: Body | None, usage: dict[str, Any]) -> bytes:
    """Write a whole answer, whatever it answers, with its usage as `usage_json` wrote it."""
    message: dict[str, Any] = {"role": "assistant", "content": "".join(completion.words)}
    if completion.reasoning:
        message["reasoning_content"] = "".join(completion.reasoning)
    if completion.tool_calls:
        message["tool_calls"] = [_tool_call(call) for call in completion.tool_calls]
    message["refusal"] = completion.refusal or None
    choices = [
        {"index": index, "message": message, "finish_reason": completion.finish_reason}
        for index in range(completion.choices)
    ]
    answer = _envelope(completion, "chat.completion")
    answer |= {"choices": choices, "usage": usage, **_citations(completion)}
    return msgspec.json.encode(answer)


def to_events(completion: Completion, body: Body) -> Iterator[bytes]:
    """Write an answer as server-sent events, each to be sent as it is.

    With `stream_options.include_usage`, usage comes once and last, as recorded. Without it
    the contract tells: no chunk carries usage, as recorded, or every chunk what was used so
    far, because the guide reads it off the first one.
    """
    include_usage = bool(body.stream_options and body.stream_options.include_usage)
    on_every_chunk = completion.contract.usage_on_every_chunk and not include_usage
    envelope = _envelope(completion, "chat.completion.chunk")
    deltas = list(_deltas(completion))
    last_delta = deltas.pop() if completion.ends_with_calls else {}
    said = thought = 0
    for delta in deltas:
        thought += "reasoning_content" in delta
        said += "content" in delta or "refusal" in delta
        usage = completion.used(said, thought) if on_every_chunk else None
        for index in range(completion.choices):
            choice = {"index": index, "delta": delta}
            yield _event(_filled(envelope, [choice], _counted(usage)))
    ends: list[list[dict[str, Any]]] = [
        [{"index": index, "delta": last_delta, "finish_reason": completion.finish_reason}]
        for index in range(completion.choices)
    ]
    chunks = [(end, completion.usage if on_every_chunk else None) for end in ends]
    if include_usage:
        chunks.append(([], completion.usage))
    *events, last = [_filled(envelope, choices, _counted(usage)) for choices, usage in chunks]
    yield from map(_event, events)
    yield _event(last | _citations(completion))
    yield b"data: [DONE]\n\n"


def _deltas(completion: Completion) -> Iterator[dict[str, Any]]:
    """Put the role on the first delta alone, behind what it says, but before calls of tools."""
    deltas: list[dict[str, Any]] = [{"reasoning_content": word} for word in completion.reasoning]
    if completion.thinks_silently:
        # OBSERVED of grok-4 and grok-4-fast: the role at once, and empty deltas meanwhile.
        deltas += [{}, {}]
    said = [""] if completion.streams_empty_text else completion.words
    deltas += [{"content": word} for word in said]
    # ASSUMED: as OpenAI's own API streams it.
    deltas += [{"refusal": word} for word in words(completion.refusal)]
    deltas += [
        {"tool_calls": [_tool_call(call, index)]}
        for index, call in enumerate(completion.tool_calls)
    ]
    first, *others = deltas or [{}]
    role = {"role": "assistant"}
    yield role | first if "tool_calls" in first else first | role
    yield from others


def _tool_call(call: ToolCall, index: int | None = None) -> dict[str, Any]:
    wire: dict[str, Any] = {
        "id": call.id,
        "function": {"name": call.name, "arguments": call.arguments},
    }
    if index is not None:
        wire["index"] = index
    wire["type"] = "function"
    return wire


def _event(chunk: dict[str, Any]) -> bytes:
    return b"data: " + msgspec.json.encode(chunk) + b"\n\n"


def _counted(usage: Usage | None) -> dict[str, Any] | None:
    return usage_json(usage) if usage else None


def _envelope(completion: Completion, kind: str) -> dict[str, Any]:
    """Write what every chunk says, with room for its choices and usage."""
    envelope = {
        "id": completion.id,
        "object": kind,
        "created": completion.created,
        "model": completion.model_id,
        "choices": [],
        "usage": None,
        "system_fingerprint": completion.system_fingerprint,
    }
    if completion.contract.era.has_service_tier:
        envelope["service_tier"] = completion.service_tier
    return envelope


def _filled(
    envelope: dict[str, Any], choices: list[dict[str, Any]], usage: dict[str, Any] | None
) -> dict[str, Any]:
    filled = {**envelope, "choices": choices, "usage": usage}
    if usage is None:
        del filled["usage"]
    return filled


def _citations(completion: Completion) -> dict[str, Any]:
    # DOC OPENAPI: on a whole answer, and of a stream "Only populated for the last chunk".
    # ASSUMED: as the last key.
    return {"citations": completion.citations} if completion.citations else {}


error_event = flat_event


def usage_json(usage: Usage) -> dict[str, Any]:
    """Write usage with every key that recorded answers of its era have, in their order."""
    written = {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.total_tokens,
        "prompt_tokens_details": {
            "text_tokens": usage.text_tokens,
            "audio_tokens": 0,
            "image_tokens": usage.image_tokens,
            "cached_tokens": usage.cached_tokens,
        },
        "completion_tokens_details": {
            "reasoning_tokens": usage.reasoning_tokens,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
        "num_sources_used": 0,
    }
    if usage.tells_cost:
        written["cost_in_usd_ticks"] = usage.cost_in_usd_ticks
    return written
