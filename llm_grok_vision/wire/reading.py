"""What reading an answer has in common, whichever wire format it comes in."""

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import llm
from llm.parts import StreamEvent

from ..errors import ConnectionFailed, StreamInterrupted
from ..limits import TICKS_PER_USD
from ..refusals import api_error, refusal_in

_DONE = "[DONE]"
_UNKNOWN_SHAPE = "xAI's answer has a shape that this plugin does not know."

# How an answer ends that is complete. DOC OPENAPI: `end_turn`, which was never seen.
_COMPLETE = (None, "stop", "end_turn", "tool_calls")

# What LLM's log can hold: SQLite's integers have 64 bits.
_COUNTABLE = range(2**63)


class AnswerReader(ABC):
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
        self._reasoning = ""
        self._usage: dict[str, Any] = {}

    def begins(self, data: str) -> bool:
        """Tell whether an event holds a first token: the role and heartbeats do not."""
        if data.strip() in ("", _DONE):
            return data.strip() == _DONE
        chunk = self._chunk(data)
        try:
            return self._begins(chunk)
        except (AttributeError, TypeError):
            # Whatever this is, it is no heartbeat; `feed` says what is wrong with it.
            return True

    def feed(self, data: str) -> Iterator[StreamEvent]:
        """Read one event, or one whole answer; an event without data says nothing."""
        if data.strip() in ("", _DONE):
            self.done = self.done or data.strip() == _DONE
            return
        try:
            yield from self._feed(self._chunk(data))
        except (AttributeError, KeyError, TypeError, ValueError):
            raise StreamInterrupted(_UNKNOWN_SHAPE, self.text) from None

    def _chunk(self, data: str) -> dict[str, Any]:
        try:
            chunk = _decoded(data)
        except (ValueError, RecursionError):
            raise StreamInterrupted(
                "xAI sent something that is not JSON in the middle of an answer.", self.text
            ) from None
        if refusal_in(chunk):
            raise api_error(200, data, self._key)
        if not isinstance(chunk, dict):
            raise StreamInterrupted(_UNKNOWN_SHAPE, self.text)
        return chunk

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

        That is a mark for reasoning of which xAI shows only the count.
        """
        if self.finish_reason is None:
            raise StreamInterrupted(
                "xAI's answer stopped before its end; what had arrived is not all of it.",
                self.text,
            )
        if not self._reasoning and self._reasoning_tokens():
            yield StreamEvent(type="reasoning", chunk="", redacted=True)

    def usage(self) -> dict[str, Any] | None:
        """Give LLM's `input`, `output` and `details`, or None if xAI counted nothing.

        `output` includes reasoning, as it does for LLM's other models.
        """
        if not self._usage:
            return None
        ticks = a_count(self._usage.get("cost_in_usd_ticks"))
        details = {
            **self._details(),
            "reasoning_tokens": self._reasoning_tokens(),
            "cost_usd": ticks / TICKS_PER_USD if ticks is not None else None,
            "finish_reason": self.cut_by,
        }
        return {
            **self._counts(),
            "details": {name: value for name, value in details.items() if value} or None,
        }

    @property
    def cut_by(self) -> str | None:
        """What cut the answer off, such as "length", or None where it is complete."""
        return None if self.finish_reason in _COMPLETE else str(self.finish_reason)

    @property
    def model(self) -> str | None:
        """The model that answered: an alias comes back as the model it stands for."""
        model = self.as_json().get("model")
        return str(model) if model else None

    @property
    @abstractmethod
    def citations(self) -> list[str]:
        """The addresses of the sources that the answer names, in order."""

    @abstractmethod
    def as_json(self) -> dict[str, Any]:
        """Give the answer as xAI sends one that is not streamed, for LLM's log."""

    @abstractmethod
    def _begins(self, chunk: dict[str, Any]) -> bool: ...

    @abstractmethod
    def _feed(self, chunk: dict[str, Any]) -> Iterator[StreamEvent]: ...

    @abstractmethod
    def _counts(self) -> dict[str, int | None]:
        """Give LLM's `input` and `output`."""

    @abstractmethod
    def _details(self) -> dict[str, Any]:
        """Give the details of the usage that this wire format alone has."""

    @abstractmethod
    def _reasoning_tokens(self) -> int: ...


def an_object(value: Any) -> dict[str, Any]:
    """Take a JSON object as it is, and anything else, null above all, as an empty one."""
    return value if isinstance(value, dict) else {}


def a_count(value: Any) -> int | None:
    """Take a number of tokens, or the like, as it is, and what can be none as None."""
    return value if isinstance(value, int) and value in _COUNTABLE else None


def _decoded(text: str) -> Any:
    """Decode JSON; half a character, which nobody can print or keep, becomes a question mark."""
    value = json.loads(text)
    if "\\ud" not in text.lower():
        return value
    return json.loads(json.dumps(value, ensure_ascii=False).encode(errors="replace"))


def arguments_of(text: str) -> dict[str, Any]:
    """Decode the arguments of a tool call; none, or null, are an empty object."""
    try:
        arguments = _decoded(text or "{}")
    except (ValueError, RecursionError):
        return {"_raw": text}
    if arguments is None:
        return {}
    # LLM's own convention for arguments that are no JSON object.
    return arguments if isinstance(arguments, dict) else {"_raw": text}
