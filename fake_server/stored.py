"""The answers that are kept, so that a later request can go on from one by its id.

DOC docs.x.ai/docs/guides/chat: they are kept for 30 days, whoever asked, and the whole
conversation is billed again. Here they are kept until there are too many.
"""

from dataclasses import dataclass, field

import msgspec

from .completion import Completion
from .journal import BESIDE_TEXT
from .refusals import refuse
from .request import ChatRequest, Message, spoken
from .shelf import Shelf

MOST_ANSWERS = 1000
MOST_BYTES = 64 * 1024**2


class Stored(msgspec.Struct, frozen=True):
    """What was asked, and the answer to it; `request` has the earlier turns too.

    `asked` is about how many bytes all that is, but for the answer.
    """

    request: ChatRequest
    completion: Completion
    asked: int

    @property
    def messages(self) -> tuple[Message, ...]:
        """The conversation, this answer included."""
        parts = spoken("assistant", "".join(self.completion.words))
        answer = Message("assistant", parts, has_tool_calls=bool(self.completion.tool_calls))
        return (*self.request.messages, answer)

    @property
    def size(self) -> int:
        """About how many bytes are held."""
        many = len(self.request.messages) + len(self.request.parts)
        return self.asked + self.completion.size + BESIDE_TEXT * many


def _size(answer: Stored) -> int:
    return answer.size


@dataclass
class StoredAnswers:
    """Answers by their id, the oldest first."""

    shelf: Shelf[Stored] = field(default_factory=lambda: Shelf(MOST_ANSWERS, MOST_BYTES, _size))

    def put(self, answer: Stored) -> None:
        """Keep an answer."""
        self.shelf.put(answer.completion.id, answer)

    def get(self, answer_id: str) -> Stored:
        """Give an answer; raises the ApiError for an id that is none."""
        return _there(self.shelf.get(answer_id))

    def delete(self, answer_id: str) -> None:
        """Forget an answer; raises the ApiError for an id that is none."""
        _there(self.shelf.pop(answer_id))

    def clear(self) -> None:
        """Forget all."""
        self.shelf.clear()


def _there(answer: Stored | None) -> Stored:
    if answer is None:
        raise refuse("unknown response")
    return answer
