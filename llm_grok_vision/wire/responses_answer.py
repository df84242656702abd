"""The answer of POST /v1/responses: items of output, streamed or whole, into LLM's events."""

import json
from collections.abc import Iterator
from typing import Any

import llm
from llm.parts import StreamEvent

from ..refusals import api_error
from .reading import AnswerReader, a_count, an_object, arguments_of

_ENDS = ("response.completed", "response.incomplete", "response.failed")
_REASONING = ("response.reasoning_summary_text.delta", "response.reasoning_text.delta")
# Why there is no answer is one. ASSUMED: it comes as OpenAI's own API sends it.
_TEXT = ("response.output_text.delta", "response.refusal.delta")
_ITEM = "response.output_item.done"

# What the parts of a message say, by their type.
_SAID = {"output_text": "text", "refusal": "refusal"}

# In the item of a tool that xAI ran: what says which call it was, and what came of it.
_FRAME = ("type", "id", "call_id", "status", "name")
_OUTCOME = ("output", "outputs", "results", "result", "error")


class ModelResponse(AnswerReader):
    """Reads a response: each item of its output becomes a part of its own."""

    def __init__(self, key: str | None = None) -> None:
        super().__init__(key)
        self._response: dict[str, Any] = {}
        self._done_items: set[int] = set()
        self._streamed: set[int] = set()
        self._messages: list[int] = []
        self._annotations: list[dict[str, Any]] = []

    def _begins(self, chunk: dict[str, Any]) -> bool:
        self._check(chunk)
        return chunk.get("object") == "response" or chunk.get("type") in (
            *_REASONING,
            *_ENDS,
            *_TEXT,
            _ITEM,
        )

    def _check(self, chunk: dict[str, Any]) -> None:
        """Raise the ApiError that an event, or a whole answer, is."""
        response = an_object(chunk.get("response")) or chunk
        failed = response.get("status") == "failed"
        if failed or chunk.get("type") == "error":
            # It names its error as a refused request does, or is one itself.
            error = response.get("error") if failed else chunk
            raise api_error(200, json.dumps({"error": error or "failed"}), self._key)

    def _feed(self, chunk: dict[str, Any]) -> Iterator[StreamEvent]:
        self._check(chunk)
        match chunk.get("type"):
            case kind if kind in _ENDS:
                yield from self._whole(chunk["response"])
            case kind if kind in _REASONING:
                yield self._reasoned(chunk["output_index"], chunk["delta"])
            case kind if kind in _TEXT:
                yield self._said(chunk["output_index"], chunk["delta"])
            case kind if kind == _ITEM:
                yield from self._item(chunk["output_index"], chunk["item"])
            case None:
                yield from self._whole(chunk)

    def _whole(self, response: dict[str, Any]) -> Iterator[StreamEvent]:
        for index, item in enumerate(response["output"]):
            if index not in self._done_items:
                yield from self._item(index, item)
        self._response = response
        self._usage = an_object(response.get("usage"))
        self.finish_reason = _finish_reason(response)
        self.done = True

    def _item(self, index: int, item: dict[str, Any]) -> Iterator[StreamEvent]:
        self._done_items.add(index)
        match item["type"]:
            case "reasoning":
                yield from self._reasoning_item(index, item)
            case "message":
                yield from self._message_item(index, item)
            case "function_call":
                yield from self._function_call(index, item)
            case _:
                yield from self._server_tool(index, item)

    def _reasoning_item(self, index: int, item: dict[str, Any]) -> Iterator[StreamEvent]:
        texts = [part["text"] for part in (item.get("summary") or item.get("content") or [])]
        if index not in self._streamed and "".join(texts):
            yield self._reasoned(index, "".join(texts))
        if encrypted := item.get("encrypted_content"):
            kept = {"id": item.get("id"), "encrypted_content": encrypted}
            yield self._event("reasoning", "", index, provider_metadata={"xai": kept})

    def _message_item(self, index: int, item: dict[str, Any]) -> Iterator[StreamEvent]:
        parts = item.get("content") or []
        if index not in self._streamed:
            for part in parts:
                if (field := _SAID.get(part.get("type"))) is not None:
                    yield self._said(index, part[field])
        annotations = [each for part in parts for each in part.get("annotations") or []]
        if annotations:
            self._annotations += annotations
            kept = {"annotations": annotations}
            yield self._event("text", "", index, provider_metadata={"xai": kept})

    def _function_call(self, index: int, item: dict[str, Any]) -> Iterator[StreamEvent]:
        call_id, name = item.get("call_id") or f"call_{index}", item["name"]
        arguments = arguments_of(item.get("arguments") or "")
        yield self._event("tool_call_name", name, index, tool_call_id=call_id)
        yield self._event("tool_call_args", json.dumps(arguments), index, tool_call_id=call_id)
        self.tool_calls.append(llm.ToolCall(name, arguments, call_id))

    def _server_tool(self, index: int, item: dict[str, Any]) -> Iterator[StreamEvent]:
        """Show a tool that xAI ran; the item itself is kept, to be sent back as it came."""
        name = item.get("name") or item["type"].removesuffix("_call")
        ran: dict[str, Any] = {
            "tool_call_id": item.get("id") or f"call_{index}",
            "server_executed": True,
        }
        kept = {"xai": {"item": item}}
        arguments = json.dumps(_asked(item))
        yield self._event("tool_call_name", name, index, provider_metadata=kept, **ran)
        yield self._event("tool_call_args", arguments, index, **ran)
        outcome = next((item[field] for field in _OUTCOME if item.get(field)), None)
        outcome = outcome or item.get("status") or "completed"
        text = outcome if isinstance(outcome, str) else json.dumps(outcome)
        result = self._event("tool_result", text, index, tool_name=name, **ran)
        # A result is a part of its own, which LLM keeps behind the call's.
        result.part_index = 2 * index + 1
        yield result

    def _reasoned(self, index: int, text: str) -> StreamEvent:
        self._streamed.add(index)
        self._reasoning += text
        return self._event("reasoning", text, index)

    def _said(self, index: int, text: str) -> StreamEvent:
        self._streamed.add(index)
        self.text += text
        if index not in self._messages:
            self._messages.append(index)
        return self._event("text", text, index)

    def _event(self, kind: Any, chunk: str, index: int, **more: Any) -> StreamEvent:
        # What stands between two messages belongs to the first of them, as in LLM itself.
        message = max(0, len(self._messages) - 1)
        return StreamEvent(kind, chunk, part_index=2 * index, message_index=message, **more)

    @property
    def citations(self) -> list[str]:
        """The addresses of the sources that the answer names, in order."""
        listed = self._response.get("citations")
        urls = [note.get("url") for note in self._annotations]
        urls += listed if isinstance(listed, list) else []
        return [str(url) for url in dict.fromkeys(urls) if url]

    def as_json(self) -> dict[str, Any]:
        """Give the answer as xAI sends one that is not streamed, for LLM's log."""
        return self._response

    def _reasoning_tokens(self) -> int:
        details = an_object(self._usage.get("output_tokens_details"))
        return a_count(details.get("reasoning_tokens")) or 0

    def _counts(self) -> dict[str, int | None]:
        # OBSERVED in 122 of 122 recorded answers: output_tokens includes reasoning here.
        return {
            "input": a_count(self._usage.get("input_tokens")),
            "output": a_count(self._usage.get("output_tokens")),
        }

    def _details(self) -> dict[str, Any]:
        details = an_object(self._usage.get("input_tokens_details"))
        return {
            "cached_tokens": a_count(details.get("cached_tokens")),
            "server_side_tools": a_count(self._usage.get("num_server_side_tools_used")),
        }


def _finish_reason(response: dict[str, Any]) -> str:
    if response.get("status") != "incomplete":
        return "stop"
    reason = an_object(response.get("incomplete_details")).get("reason") or "incomplete"
    return "length" if reason == "max_output_tokens" else str(reason)


def _asked(item: dict[str, Any]) -> dict[str, Any]:
    """Give what a tool that xAI ran was asked: `action`, decoded arguments, or what there is."""
    if isinstance(item.get("action"), dict):
        return an_object(item["action"])
    for field in ("arguments", "input"):
        if isinstance(item.get(field), str):
            return arguments_of(item[field])
    return {name: value for name, value in item.items() if name not in (*_FRAME, *_OUTCOME)}
