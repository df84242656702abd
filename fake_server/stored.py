"""The answers that are kept, so that a later request can go on from one by its id.

DOC docs.x.ai/docs/guides/chat: they are kept for 30 days, whoever asked, and the whole
conversation is billed again. Here they are kept until there are too many.
"""

from collections import OrderedDict
from dataclasses import dataclass, field

import msgspec

from .completion import Completion
from .journal import BESIDE_TEXT
from .refusals import refuse
from .request import ChatRequest, ImagePart, Message, Part, TextPart, spoken

# A server that runs for long would fill the machine: the oldest answers go first. The
# newest stays, however large its images are.
MOST_ANSWERS = 1000
MOST_BYTES = 64 * 1024**2


class Stored(msgspec.Struct, frozen=True):
    """What was asked, and the answer to it; `request` has the earlier turns too."""

    request: ChatRequest
    completion: Completion

    @property
    def messages(self) -> tuple[Message, ...]:
        """The conversation, this answer included."""
        parts = spoken("assistant", "".join(self.completion.words))
        answer = Message("assistant", parts, has_tool_calls=bool(self.completion.tool_calls))
        return (*self.request.messages, answer)

    @property
    def size(self) -> int:
        """About how many bytes are held: inline images and texts are what weighs."""
        many = len(self.request.messages) + len(self.request.parts)
        return sum(map(_weight, self.request.parts)) + BESIDE_TEXT * many


def _weight(part: Part) -> int:
    if isinstance(part, ImagePart):
        return len(part.url)
    return len(part.text) if isinstance(part, TextPart) else 0


@dataclass
class StoredAnswers:
    """Answers by their id, the oldest first."""

    _answers: "OrderedDict[str, Stored]" = field(default_factory=OrderedDict)
    _size: int = 0

    def put(self, answer: Stored) -> None:
        """Keep an answer, and drop the oldest where there are too many."""
        self._drop(answer.completion.id)
        self._answers[answer.completion.id] = answer
        self._size += answer.size
        while len(self._answers) > MOST_ANSWERS or (
            self._size > MOST_BYTES and len(self._answers) > 1
        ):
            self._drop(next(iter(self._answers)))

    def get(self, answer_id: str) -> Stored:
        """Give an answer; raises the ApiError for an id that is none."""
        answer = self._find(answer_id)
        if answer is None:
            raise refuse("unknown response")
        return answer

    def delete(self, answer_id: str) -> None:
        """Forget an answer; raises the ApiError for an id that is none."""
        if not self._drop(answer_id):
            raise refuse("unknown response")

    def clear(self) -> None:
        """Forget all."""
        self._answers.clear()
        self._size = 0

    def _find(self, answer_id: str) -> Stored | None:
        return self._answers.get(answer_id)

    def _drop(self, answer_id: str) -> bool:
        answer = self._answers.pop(answer_id, None)
        self._size -= answer.size if answer else 0
        return answer is not None
