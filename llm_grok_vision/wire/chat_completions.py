"""POST /v1/chat/completions: the body of a request, and the reading of its answer.

The fake writes and reads the same format with code of its own, on purpose, in
`fake_server.wire.chat_completions`.
"""

import json
from collections.abc import Callable, Iterator
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

from .content import content_of
from .reading import AnswerReader, a_count, an_object, arguments_of

PATH = "/chat/completions"

# LLM's options that have another name on the wire.
_RENAMED = {"max_tokens": "max_completion_tokens"}

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
        if option != "image_detail":
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


def sends(part: Part) -> bool:
    """Tell whether this wire carries a part: no reasoning, and no tools that xAI ran itself."""
    if isinstance(part, TextPart):
        return bool(part.text)
    if isinstance(part, ToolCallPart | ToolResultPart):
        return not part.server_executed
    return isinstance(part, AttachmentPart) and part.attachment is not None


def _wire_messages(
    message: Message, image_part: Callable[[llm.Attachment], dict[str, Any]]
) -> Iterator[dict[str, Any]]:
    """Give one message for a message, but one for each result of a tool."""
    if message.role == "tool":
        for part in message.parts:
            if isinstance(part, ToolResultPart):
                yield {"role": "tool", "tool_call_id": part.tool_call_id, "content": part.output}
        return
    wire: dict[str, Any] = {
        "role": message.role,
        "content": content_of(message, "text", image_part),
    }
    calls = [_tool_call(part) for part in message.parts if isinstance(part, ToolCallPart)]
    if calls:
        wire["tool_calls"] = calls
    yield wire


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


class Completion(AnswerReader):
    """Reads a chat completion, streamed or whole."""

    def __init__(self, key: str | None = None) -> None:
        super().__init__(key)
        self._head: dict[str, Any] = {}
        self._calls: dict[int, dict[str, str]] = {}
        self._refusal = ""

    def _begins(self, chunk: dict[str, Any]) -> bool:
        return any(
            choice.get("finish_reason") or any(_message(choice).get(name) for name in _TOKENS)
            for choice in chunk.get("choices") or []
        )

    def _feed(self, chunk: dict[str, Any]) -> Iterator[StreamEvent]:
        self._head |= {name: chunk[name] for name in _HEAD if chunk.get(name) is not None}
        self._usage = an_object(chunk.get("usage")) or self._usage
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
        # Why there is no answer is one. ASSUMED: it was null in every recorded answer.
        if refusal := message.get("refusal"):
            self.text += refusal
            self._refusal += refusal
            yield StreamEvent(type="text", chunk=refusal)
        for position, call in enumerate(message.get("tool_calls") or []):
            known = self._calls.setdefault(
                call.get("index", position), {"id": "", "name": "", "arguments": ""}
            )
            function = call.get("function") or {}
            known["id"] = call.get("id") or known["id"]
            known["name"] += function.get("name") or ""
            known["arguments"] += function.get("arguments") or ""

    def finish(self) -> Iterator[StreamEvent]:
        """Hand over what comes last, the tool calls too; raises as AnswerReader does."""
        yield from super().finish()
        for index, call in sorted(self._calls.items()):
            call_id = call["id"] or f"call_{index}"
            yield StreamEvent("tool_call_name", call["name"], tool_call_id=call_id)
            arguments = arguments_of(call["arguments"])
            yield StreamEvent("tool_call_args", json.dumps(arguments), tool_call_id=call_id)
            self.tool_calls.append(llm.ToolCall(call["name"], arguments, call_id))

    @property
    def citations(self) -> list[str]:
        """The addresses of the sources that the answer names, in order."""
        citations = self._head.get("citations")
        return [str(url) for url in citations] if isinstance(citations, list) else []

    def _reasoning_tokens(self) -> int:
        details = an_object(self._usage.get("completion_tokens_details"))
        return a_count(details.get("reasoning_tokens")) or 0

    def _counts(self) -> dict[str, int | None]:
        # OBSERVED in 2231 of 2231 recorded answers: completion_tokens leaves reasoning out.
        completion_tokens = a_count(self._usage.get("completion_tokens")) or 0
        return {
            "input": a_count(self._usage.get("prompt_tokens")),
            "output": a_count(completion_tokens + self._reasoning_tokens()),
        }

    def _details(self) -> dict[str, Any]:
        prompt = an_object(self._usage.get("prompt_tokens_details"))
        return {name: a_count(prompt.get(name)) for name in ("image_tokens", "cached_tokens")}

    def as_json(self) -> dict[str, Any]:
        """Give the answer as xAI sends one that is not streamed, for LLM's log."""
        content = self.text.removesuffix(self._refusal)
        message: dict[str, Any] = {"role": "assistant", "content": content}
        if self._refusal:
            message["refusal"] = self._refusal
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
        return {**self._head, "choices": [choice], "usage": self._usage or None}


_TOKENS = ("content", "refusal", "reasoning_content", "tool_calls")
_HEAD = ("id", "created", "model", "system_fingerprint", "service_tier", "citations")


def _message(choice: dict[str, Any]) -> dict[str, Any]:
    """Take what a choice says, streamed or whole."""
    return choice.get("delta") or choice.get("message") or {}
