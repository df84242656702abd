"""A batch: what was asked in it, what came of it, and how much of it is held."""

from collections import Counter

import msgspec

from .completion import Completion
from .refusals import refuse
from .request import ChatRequest

PENDING, SUCCEEDED, FAILED, CANCELLED = "pending", "succeeded", "failed", "cancelled"

# Bytes of a batch, and of all together.
MOST_BYTES = 256 * 1024**2

# Bytes that a request takes beside its id, its model and its answer.
_BESIDE = 2000


class BatchRequest(msgspec.Struct):
    """A request in a batch; times are seconds since 1970.

    `is_due` is False while a test holds it back. `question` is None when it has ended,
    because its images are large; `digest` tells it from others all the same.
    """

    id: str
    model: str
    key: str
    created: int
    question: ChatRequest | None
    digest: str
    is_due: bool
    state: str = PENDING
    finished: int | None = None

    @property
    def size(self) -> int:
        """About how many bytes it takes when it has ended."""
        return _BESIDE + len(self.id) + len(self.model)


class Result(msgspec.Struct, frozen=True):
    """What became of a request that was answered: a completion, or the words of an error."""

    id: str
    outcome: Completion | str


class Batch(msgspec.Struct):
    """A batch with its requests by id, and their results in the order in which they came.

    `file_id` is the file that it was made of, `problem` what was wrong with that. `size` is
    about how many bytes are held, `version` what servers that share it call it, or "" since it
    changed.
    """

    id: str
    name: str
    key_id: str
    created: int
    expires: int
    file_id: str | None = None
    problem: str | None = None
    cancelled: int | None = None
    has_expired: bool = False
    requests: dict[str, BatchRequest] = {}
    results: list[Result] = []
    size: int = 0
    version: str = ""

    @property
    def ended(self) -> str:
        """Why nothing more is done in this batch, or "" where it goes on."""
        if self.cancelled is not None:
            return "was cancelled"
        return "has expired" if self.has_expired else ""

    def count(self) -> Counter[str]:
        """Count the requests in each state."""
        return Counter(request.state for request in self.requests.values())

    def take(self, requests: dict[str, BatchRequest]) -> None:
        """Take requests by their ids; raises the ApiError where there is no room for all."""
        self.make_room(sum(request.size for request in requests.values()))
        self.requests.update(requests)
        self.version = ""

    def release(self, request: BatchRequest) -> None:
        """Hold a request back no more."""
        request.is_due = True
        self.version = ""

    def end(
        self, request: BatchRequest, state: str, now: int, outcome: Completion | str | None = None
    ) -> None:
        """Note how a request ended, and its result if it has one; drop the question."""
        request.state, request.finished, request.question = state, now, None
        if outcome is not None:
            self.results.append(Result(request.id, outcome))
        self.version = ""

    def cancel(self, now: int, problem: str | None = None) -> None:
        """Take no more requests, because somebody or something was against it."""
        self.cancelled, self.problem = now, problem
        self.size += len(problem or "")
        self.version = ""

    def expire(self, now: int) -> None:
        """Take no more requests, because its time is over."""
        self.expires, self.has_expired = now, True
        self.version = ""

    def make_room(self, size: int) -> None:
        """Count bytes that are to be held; raises the ApiError where they are too many."""
        if self.size + size > MOST_BYTES:
            raise refuse("batch full", most=MOST_BYTES)
        self.size += size
