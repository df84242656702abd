"""Completions that are fetched later, each once.

DOC docs.x.ai/developers/advanced-api-usage/deferred-chat-completions: an answer can be
fetched "exactly once within 24 hours". The fake has it at once; the first time that
somebody asks it says all the same that it is pending, so that every client gets to wait.
"""

from collections import OrderedDict
from dataclasses import dataclass, field

from .completion import Completion
from .identity import uuid
from .refusals import refuse

# A server that runs for long would fill the machine: the oldest go first.
MOST_WAITING = 1000


@dataclass
class Deferred:
    """Completions that wait for somebody to fetch them, by the id of the request."""

    _waiting: "OrderedDict[str, Completion]" = field(default_factory=OrderedDict)
    _asked_for: set[str] = field(default_factory=set)
    _started: int = 0

    def start(self, completion: Completion) -> str:
        """Keep a completion; the result is the id by which it can be fetched."""
        request_id = uuid("deferred", completion.id, str(self._count()))
        self._keep(request_id, completion)
        return request_id

    def take(self, request_id: str) -> Completion | None:
        """Hand a completion over, or None the first time; raises ApiError for no such id."""
        if request_id not in self._waiting:
            raise refuse("unknown deferred completion", request=request_id)
        if request_id not in self._asked_for:
            self._asked_for.add(request_id)
            return None
        return self._drop(request_id)

    def clear(self) -> None:
        """Forget all."""
        self._waiting.clear()
        self._asked_for.clear()
        self._started = 0

    def _count(self) -> int:
        """Give how many were started before."""
        self._started += 1
        return self._started - 1

    def _keep(self, request_id: str, completion: Completion) -> None:
        self._waiting[request_id] = completion
        if len(self._waiting) > MOST_WAITING:
            self._drop(next(iter(self._waiting)))

    def _drop(self, request_id: str) -> Completion:
        self._asked_for.discard(request_id)
        return self._waiting.pop(request_id)
