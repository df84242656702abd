"""POST /v1/messages: the service in the shape of Anthropic's API.

DOC OPENAPI: the path, the blocks of images and the shape of an answer. ASSUMED: events,
thinking and stop reasons, which are those of Anthropic's own API; that errors look as on
xAI's other paths; that an image is looked at as with detail `auto`, as none can be given.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Literal

import msgspec

from ..accounting import Usage
from ..completion import Completion
from ..refusals import ApiError
from ..request import ChatRequest, ImagePart, Message, Part, TextPart, Tool, UnknownPart, spoken

PATH = "/v1/messages"

Fields = dict[str, Any]

# What a model thought earlier may be sent back. It is taken, and says nothing to the fake.
_SENT_BACK = ("thinking", "redacted_thinking")
_STOP_REASONS = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use"}
_TOOL_CHOICES = {"any": "required", "auto": "auto", "none": "none"}


class _Source(msgspec.Struct):
    """Where an image is: base64, or a web address."""

    type: Literal["base64", "url"]
    media_type: str = ""
    data: str = ""
    url: str = ""

    @property
    def address(self) -> str:
        """The address, or a data URL."""
        return self.url if self.type == "url" else f"data:{self.media_type};base64,{self.data}"


class _Block(msgspec.Struct):
    type: str
    text: str | None = None
    source: _Source | None = None
    content: "str | list[_Block] | None" = None


_Content = str | list[_Block]


class _Message(msgspec.Struct):
    role: Literal["user", "assistant"]
    content: _Content


class _Tool(msgspec.Struct):
    name: str
    input_schema: Fields = {}


class _ToolChoice(msgspec.Struct):
    type: Literal["auto", "any", "tool", "none"]
    name: str = ""


class Body(msgspec.Struct):
    """The fields of a request that mean something here; unknown ones are ignored."""

    model: str
    messages: list[_Message]
    system: _Content = ""
    max_tokens: int | None = None
    stop_sequences: list[str] | None = None
    stream: bool | None = None
    temperature: float | None = None
    top_p: float | None = None
    tools: list[_Tool] | None = None
    tool_choice: _ToolChoice | None = None


_PARAMETERS = {
    "max_tokens": "max_tokens",
    "stop_sequences": "stop",
    "temperature": "temperature",
    "top_p": "top_p",
}
_decoder = msgspec.json.Decoder(Body)


def decode(data: bytes) -> Body:
    """Read a body; raises msgspec.DecodeError, or its ValidationError for a wrong shape."""
    return _decoder.decode(data)


def to_request(body: Body, data: bytes) -> ChatRequest:
    """Translate a body into what the service is asked; `data` are its bytes."""
    values = {ours: getattr(body, name) for name, ours in _PARAMETERS.items()}
    system = [Message("system", _parts("system", body.system))] if body.system else []
    choice = body.tool_choice
    return ChatRequest(
        model=body.model,
        messages=(*system, *(one for message in body.messages for one in _messages(message))),
        parameters={name: value for name, value in values.items() if value is not None},
        seed=data,
        tools=tuple(Tool(tool.name, tool.input_schema) for tool in body.tools or ()),
        tool_choice=_TOOL_CHOICES.get(choice.type, choice.name) if choice else "",
        stream=bool(body.stream),
    )


def _messages(message: _Message) -> Iterator[Message]:
    """Take the results of tools out of a user's message: each is a message of its own here."""
    blocks = [] if isinstance(message.content, str) else message.content
    for block in blocks:
        if block.type == "tool_result":
            yield Message("tool", _parts("tool", block.content or ""))
    if blocks and all(block.type == "tool_result" for block in blocks):
        return
    calls = any(block.type == "tool_use" for block in blocks)
    yield Message(message.role, _parts(message.role, message.content), has_tool_calls=calls)


def _parts(role: str, content: _Content) -> tuple[Part, ...]:
    if isinstance(content, str):
        return spoken(role, content)
    apart = ("tool_result", "tool_use", *_SENT_BACK)
    return tuple(_part(block) for block in content if block.type not in apart)


def _part(block: _Block) -> Part:
    if block.type == "text" and block.text is not None:
        return TextPart(block.text)
    if block.type == "image" and block.source:
        return ImagePart(block.source.address)
    return UnknownPart(block.type)


def to_json(completion: Completion, _body: Body, usage: Fields) -> bytes:
    """Write a whole answer, with its usage as `usage_json` wrote it."""
    return msgspec.json.encode(_answer(completion, _blocks(completion), usage))


def to_events(completion: Completion, _body: Body) -> Iterator[bytes]:
    """Write an answer as server-sent events, each to be sent as it is."""
    for event in _events(completion):
        yield (
            b"event: " + event["type"].encode() + b"\ndata: " + msgspec.json.encode(event) + b"\n\n"
        )


def _events(completion: Completion) -> Iterator[Fields]:
    usage = usage_json(completion.usage) | {"output_tokens": 0}
    begun = _answer(completion, [], usage) | {"stop_reason": None}
    yield {"type": "message_start", "message": begun}
    for index, (block, empty, deltas) in enumerate(_streamed(completion)):
        yield {"type": "content_block_start", "index": index, "content_block": block | empty}
        for delta in deltas:
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    yield {
        "type": "message_delta",
        "delta": {"stop_reason": _stop_reason(completion), "stop_sequence": None},
        "usage": {"output_tokens": _output_tokens(completion.usage)},
    }
    yield {"type": "message_stop"}


def _streamed(completion: Completion) -> Iterator[tuple[Fields, Fields, Iterable[Fields]]]:
    """Give each block, what is empty when it begins, and the pieces in which it comes."""
    for block in _blocks(completion):
        if block["type"] == "thinking":
            thoughts = [{"type": "thinking_delta", "thinking": w} for w in completion.reasoning]
            yield block, {"thinking": ""}, thoughts
        elif block["type"] == "text":
            words = [{"type": "text_delta", "text": word} for word in completion.spoken]
            yield block, {"text": ""}, words
        else:
            arguments = msgspec.json.encode(block["input"]).decode()
            yield block, {"input": {}}, [{"type": "input_json_delta", "partial_json": arguments}]


def _blocks(completion: Completion) -> list[Fields]:
    blocks: list[Fields] = []
    if completion.reasoning:
        thought = "".join(completion.reasoning)
        blocks.append({"type": "thinking", "thinking": thought, "signature": ""})
    if completion.spoken or not completion.tool_calls:
        blocks.append({"type": "text", "text": "".join(completion.spoken)})
    blocks += [
        {
            "type": "tool_use",
            "id": call.id,
            "name": call.name,
            "input": _input(call.arguments),
        }
        for call in completion.tool_calls
    ]
    return blocks


def _input(arguments: str) -> Fields:
    """Read the arguments of a call; what a script made no object of is none."""
    try:
        return msgspec.json.decode(arguments, type=Fields)
    except (msgspec.DecodeError, RecursionError):
        return {}


def _answer(completion: Completion, blocks: list[Fields], usage: Fields) -> Fields:
    return {
        "id": completion.id,
        "type": "message",
        "role": "assistant",
        "content": blocks,
        "model": completion.model_id,
        "stop_reason": _stop_reason(completion),
        "stop_sequence": None,
        "usage": usage,
    }


def _stop_reason(completion: Completion) -> str:
    if completion.refusal:
        return "refusal"
    return _STOP_REASONS.get(completion.finish_reason, completion.finish_reason)


def _output_tokens(usage: Usage) -> int:
    return usage.completion_tokens + usage.reasoning_tokens


def error_event(error: ApiError) -> bytes:
    """Write an error inside a stream, as Anthropic's own API does."""
    told = {"type": "error", "error": {"type": "overloaded_error", "message": error.error}}
    return b"event: error\ndata: " + msgspec.json.encode(told) + b"\n\n"


def usage_json(usage: Usage) -> Fields:
    """Write usage. DOC OPENAPI: the keys.

    ASSUMED: reasoning is part of the output, and what was cached is none of the input, as in
    Anthropic's own API.
    """
    return {
        "input_tokens": usage.prompt_tokens - usage.cached_tokens,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": usage.cached_tokens,
        "output_tokens": _output_tokens(usage),
    }
