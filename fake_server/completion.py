"""An answer to a question, whoever asked and however it is written."""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from .accounting import Usage, words
from .catalogue import Model
from .contract import DOCUMENTED, Contract
from .rates import Told


class ToolCall(msgspec.Struct, frozen=True):
    """A call that the answer asks for; `arguments` is JSON text."""

    id: str
    name: str
    arguments: str


class ServerToolCall(msgspec.Struct, frozen=True):
    """A call of a tool that ran at xAI; `name` is one of `server_tools.COUNTERS`."""

    id: str
    name: str
    arguments: Mapping[str, Any]


class Completion(msgspec.Struct, frozen=True):
    """An answer; `words` and `reasoning` are the pieces in which it streams.

    `citations` are the web addresses that it is based on, each once; `contract` is the one it
    was made under, `said_model` the model that it names, if not its own. `refusal` is why the
    model would not answer, `limits` what headers tell of rate limits.
    """

    id: str
    created: int
    model: Model
    words: list[str]
    reasoning: list[str]
    tool_calls: list[ToolCall]
    finish_reason: str
    choices: int
    usage: Usage
    server_tool_calls: list[ServerToolCall] = []
    citations: list[str] = []
    contract: Contract = DOCUMENTED
    said_model: str = ""
    refusal: str = ""
    limits: Told = Told()

    def used(self, said: int, thought: int) -> Usage:
        """Give what was used when so many pieces have come."""
        return replace(
            self.usage,
            completion_tokens=self.choices * said,
            reasoning_tokens=self.choices * thought,
        )

    @property
    def whole(self) -> "Completion":
        """The same in one piece, for what is kept and does not stream: pieces take ten times the room."""
        return replace(self, words=_joined(self.words), reasoning=_joined(self.reasoning))

    @property
    def size(self) -> int:
        """About how many bytes a whole one holds, beside what each does."""
        arguments = [call.arguments for call in self.tool_calls]
        return sum(map(len, [*self.words, *self.reasoning, *arguments, self.refusal]))

    @property
    def model_id(self) -> str:
        """The id of the model that the answer says."""
        return self.said_model or self.model.id

    @property
    def spoken(self) -> list[str]:
        """The pieces of the answer, or of why there is none, where a format has no refusals."""
        return self.words or words(self.refusal)

    @property
    def thinks_silently(self) -> bool:
        """Whether it was thought about without a word, as far as the contract tells apart."""
        silent = self.usage.reasoning_tokens > 0 and not self.reasoning
        return self.contract.by_model and silent

    @property
    def ends_with_calls(self) -> bool:
        """Whether the last delta of a stream has the calls of tools."""
        return self.contract.by_model and self.model.ends_with_calls and bool(self.tool_calls)

    @property
    def streams_empty_text(self) -> bool:
        """Whether a stream that says nothing has a delta with an empty text."""
        says_nothing = not (self.words or self.tool_calls)
        return self.contract.by_model and self.model.streams_empty_text and says_nothing

    @property
    def service_tier(self) -> str:
        """The tier that answered, DOC "default" where another that there is not was asked for."""
        return "priority" if self.usage.is_prioritized else "default"

    @property
    def system_fingerprint(self) -> str:
        """The fingerprint of the model, as long as it was in the era."""
        return self.contract.era.fingerprint(self.model.system_fingerprint)


def _joined(pieces: list[str]) -> list[str]:
    return ["".join(pieces)] if pieces else []
