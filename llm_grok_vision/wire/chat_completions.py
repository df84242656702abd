"""POST /v1/chat/completions: the body of a request, and the reading of its answer.

The fake writes and reads the same format with code of its own, on purpose, in
`fake_server.wire.chat_completions`.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import llm
from llm.parts import (
    AttachmentPart,
    Message,
    Part,
    StreamEvent,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)

from ..errors import ConnectionFailed, StreamInterrupted
from ..limits import TICKS_PER_USD
from ..refusals import api_error, refusal_in

PATH = "/chat/completions"

# LLM's options that have another name on the wire.
_RENAMED = {"max_tokens": "max_completion_tokens"}
# LLM's options that are not for xAI: they say how images are sent.
_NOT_SENT = frozenset({"image_detail", "image_urls", "past_images", "skip_lost_images"})
_DONE = "[DONE]"

ImageUrl = Callable[[llm.Attachment], str]


def request_body(
    model: str,
    messages: list[Message],
    *,
    image_url: ImageUrl,
    options: dict[str, Any],
    tools: list[llm.Tool],
    schema: dict[str, Any] | None,
    stream: bool,
) -> dict[str, Any]:
    """Build the body; `options` are the values that the user gave, by LLM's names."""
    detail = options.get("image_detail")
    body: dict[str, Any] = {
        "model": model,
        "messages": [
            wire
            for message in messages
            for wire in _wire_messages(message, lambda image: _image_part(image_url(image), detail))
        ],
    }
    for option, value in options.items():
        if option not in _NOT_SENT:
            body[_RENAMED.get(option, option)] = value
    if tools:
        body["tools"] = [_function(tool) for tool in tools]
    if schema:
        json_schema = {"name": "output", "schema": schema}
        body["response_format"] = {"type": "json_schema", "json_schema": json_schema}
    body["stream"] = stream
    if stream:
        body["stream_options"] = {"include_usage": True}
    return body


def _wire_messages(
    message: Message, image_part: Callable[[llm.Attachment], dict[str, Any]]
) -> Iterator[dict[str, Any]]:
    """Give one message for a message, but one for each result of a tool."""
    if message.role == "tool":
        for part in message.parts:
            if isinstance(part, ToolResultPart):
                yield {"role": "tool", "tool_call_id": part.tool_call_id, "content": part.output}
        return
    wire: dict[str, Any] = {"role": message.role, "content": _content(message.parts, image_part)}
    calls = [_tool_call(part) for part in message.parts if isinstance(part, ToolCallPart)]
    if calls:
        wire["tool_calls"] = calls
    yield wire


def _content(
    parts: list[Part], image_part: Callable[[llm.Attachment], dict[str, Any]]
) -> str | list[dict[str, Any]]:
    """Give a string for text alone, else the parts in the author's order."""
    if not any(isinstance(part, AttachmentPart) for part in parts):
        return "".join(part.text for part in parts if isinstance(part, TextPart))
    content: list[dict[str, Any]] = []
    for part in parts:
        if isinstance(part, TextPart):
            content.append({"type": "text", "text": part.text})
        elif isinstance(part, AttachmentPart) and part.attachment:
            content.append(image_part(part.attachment))
    return content


def _image_part(url: str, detail: str | None) -> dict[str, Any]:
    image_url = {"url": url}
    if detail:
        image_url["detail"] = detail
    return {"type": "image_url", "image_url": image_url}


def _tool_call(part: ToolCallPart) -> dict[str, Any]:
    function = {"name": part.name, "arguments": json.dumps(part.arguments)}
    return {"id": part.tool_call_id, "type": "function", "function": function}


def _function(tool: llm.Tool) -> dict[str, Any]:
    function = {
        "name": tool.name,
        "description": tool.description or "",
        "parameters": tool.input_schema,
    }
    return {"type": "function", "function": function}


class Completion:
    """Collects an answer, streamed or whole, and turns what arrives into LLM's events.

    `feed` takes each event's data (a whole answer is one), `finish` the end of the
    stream; both raise an ApiError for an error that arrives under a status of 200.
    """

    def __init__(self, key: str | None = None) -> None:
        self.text = ""
        self.tool_calls: list[llm.ToolCall] = []
        self.finish_reason: str | None = None
        self.done = False
        self._key = key
        self._head: dict[str, Any] = {}
        self._reasoning = ""
        self._calls: dict[int, dict[str, str]] = {}
        self._usage: dict[str, Any] | None = None

    def begins(self, data: str) -> bool:
        """Tell whether an event holds a first token: the role and heartbeats do not."""
        if data.strip() in ("", _DONE):
            return data.strip() == _DONE
        choices = self._chunk(data).get("choices") or []
        try:
            return any(
                choice.get("finish_reason") or any(_message(choice).get(name) for name in _TOKENS)
                for choice in choices
            )
        except (AttributeError, TypeError):
            # Whatever this is, it is no heartbeat; `feed` says what is wrong with it.
            return True

    def feed(self, data: str) -> Iterator[StreamEvent]:
        """Read one chunk, or one whole answer; an event without data says nothing."""
        if data.strip() in ("", _DONE):
            self.done = self.done or data.strip() == _DONE
            return
        try:
            yield from self._feed(self._chunk(data))
        except (AttributeError, TypeError, ValueError):
            raise StreamInterrupted(
                "xAI's answer has a shape that this plugin does not know.", self.text
            ) from None

    def _chunk(self, data: str) -> dict[str, Any]:
        try:
            chunk = json.loads(data)
        except ValueError:
            raise StreamInterrupted(
                "xAI sent something that is not JSON in the middle of an answer.", self.text
            ) from None
        if refusal_in(chunk) or not isinstance(chunk, dict):
            raise api_error(200, data, self._key)
        return chunk

    def _feed(self, chunk: dict[str, Any]) -> Iterator[StreamEvent]:
        self._head |= {name: chunk[name] for name in _HEAD if chunk.get(name) is not None}
        self._usage = _object(chunk.get("usage")) or self._usage
        for choice in chunk.get("choices") or []:
            yield from self._feed_message(_message(choice))
            self.finish_reason = choice.get("finish_reason") or self.finish_reason

    def _feed_message(self, message: dict[str, Any]) -> Iterator[StreamEvent]:
        if reasoning := message.get("reasoning_content"):
            self._reasoning += reasoning
            yield StreamEvent(type="reasoning", chunk=reasoning)
        if content := message.get("content"):
            self.text += content
            yield StreamEvent(type="text", chunk=content)
        for position, call in enumerate(message.get("tool_calls") or []):
            known = self._calls.setdefault(
                call.get("index", position), {"id": "", "name": "", "arguments": ""}
            )
            function = call.get("function") or {}
            known["id"] = call.get("id") or known["id"]
            known["name"] += function.get("name") or ""
            known["arguments"] += function.get("arguments") or ""

    @contextmanager
    def may_break_at_its_end(self) -> Iterator[None]:
        """Let a connection break once the answer is complete: nothing of it is lost."""
        try:
            yield
        except ConnectionFailed:
            if self.finish_reason is None:
                raise

    def finish(self) -> Iterator[StreamEvent]:
        """Hand over what comes last; raise StreamInterrupted if the answer has no end.

        Those are the tool calls, and a mark for reasoning of which xAI shows only the count.
        """
        if self.finish_reason is None:
            raise StreamInterrupted(
                "xAI's answer stopped before its end; what had arrived is not all of it.",
                self.text,
            )
        if not self._reasoning and self._reasoning_tokens():
            yield StreamEvent(type="reasoning", chunk="", redacted=True)
        for index, call in sorted(self._calls.items()):
            call_id = call["id"] or f"call_{index}"
            yield StreamEvent("tool_call_name", call["name"], tool_call_id=call_id)
            yield StreamEvent("tool_call_args", call["arguments"], tool_call_id=call_id)
            self.tool_calls.append(llm.ToolCall(call["name"], _arguments(call), call_id))

    def _reasoning_tokens(self) -> int:
        completion = _object(_object(self._usage).get("completion_tokens_details"))
        return completion.get("reasoning_tokens") or 0

    @property
    def model(self) -> str | None:
        """The model that answered: an alias comes back as the model it stands for."""
        model = self._head.get("model")
        return str(model) if model else None

    def usage(self) -> dict[str, Any] | None:
        """Give LLM's `input`, `output` and `details`, or None if xAI counted nothing.

        `output` includes reasoning, as it does for LLM's other models; xAI's
        `completion_tokens` leaves it out (OBSERVED in 2231 of 2231 recorded answers).
        """
        if self._usage is None:
            return None
        prompt = _object(self._usage.get("prompt_tokens_details"))
        reasoning = self._reasoning_tokens()
        ticks = self._usage.get("cost_in_usd_ticks")
        details = {
            "image_tokens": prompt.get("image_tokens"),
            "cached_tokens": prompt.get("cached_tokens"),
            "reasoning_tokens": reasoning,
            "cost_usd": ticks / TICKS_PER_USD if isinstance(ticks, int) else None,
            "finish_reason": self.finish_reason if self.finish_reason == "length" else None,
        }
        return {
            "input": self._usage.get("prompt_tokens"),
            "output": (self._usage.get("completion_tokens") or 0) + reasoning,
            "details": {name: value for name, value in details.items() if value} or None,
        }

    def as_json(self) -> dict[str, Any]:
        """Give the answer as xAI sends one that is not streamed, for LLM's log."""
        message: dict[str, Any] = {"role": "assistant", "content": self.text}
        if self._reasoning:
            message["reasoning_content"] = self._reasoning
        if self._calls:
            message["tool_calls"] = [
                {
                    "id": call["id"],
                    "function": {"name": call["name"], "arguments": call["arguments"]},
                    "type": "function",
                }
                for _, call in sorted(self._calls.items())
            ]
        choice = {"index": 0, "message": message, "finish_reason": self.finish_reason}
        return {**self._head, "choices": [choice], "usage": self._usage}


_TOKENS = ("content", "reasoning_content", "tool_calls")
_HEAD = ("id", "created", "model", "system_fingerprint", "service_tier", "citations")


def _message(choice: dict[str, Any]) -> dict[str, Any]:
    """Take what a choice says, streamed or whole."""
    return choice.get("delta") or choice.get("message") or {}


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _arguments(call: dict[str, str]) -> dict[str, Any]:
    try:
        arguments = json.loads(call["arguments"] or "{}")
    except ValueError:
        arguments = None
    # LLM's own convention for arguments that are no JSON object.
    return arguments if isinstance(arguments, dict) else {"_raw": call["arguments"]}
