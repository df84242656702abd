"""Completions that are fetched later, each once.

DOC docs.x.ai/developers/advanced-api-usage/deferred-chat-completions: an answer can be
fetched "exactly once within 24 hours". The fake has it at once; the first time that
somebody asks it says all the same that it is pending, so that every client gets to wait.
"""

from dataclasses import dataclass, field

from .completion import Completion
from .identity import uuid
from .refusals import refuse
from .shelf import Shelf

MOST_WAITING = 1000
MOST_BYTES = 64 * 1024**2


def _size(completion: Completion) -> int:
    return completion.size


@dataclass
class Deferred:
    """Completions that wait for somebody to fetch them, by the id of the request.

    `asked_for` has the ids for which somebody came already.
    """

    waiting: Shelf[Completion] = field(
        default_factory=lambda: Shelf(MOST_WAITING, MOST_BYTES, _size)
    )
    asked_for: Shelf[bool] = field(default_factory=lambda: Shelf(MOST_WAITING))

    def start(self, completion: Completion) -> str:
        """Keep a completion; the result is the id by which it can be fetched."""
        request_id = uuid("deferred", completion.id, str(self.waiting.number()))
        self.waiting.put(request_id, completion.whole)
        return request_id

    def take(self, request_id: str) -> Completion | None:
        """Hand a completion over, or None the first time; raises ApiError for no such id."""
        if request_id in self.waiting and request_id not in self.asked_for:
            self.asked_for.put(request_id, thing=True)
            return None
        # Of two that ask at the same time one gets it.
        completion = self.waiting.pop(request_id)
        if completion is None:
            raise refuse("unknown deferred completion", request=request_id)
        self.asked_for.pop(request_id)
        return completion

    def clear(self) -> None:
        """Forget all."""
        self.waiting.clear()
        self.asked_for.clear()
