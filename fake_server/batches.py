"""The Batch API without its wire: batches, their requests, and what became of each.

A request is answered as soon as it is added, in order, before the client that added it
hears of it: nobody has to wait, and each run is the same. A test that wants to see a batch
in between holds requests back, and lets them through one by one or all at once.

ASSUMED throughout, as nobody wrote down what the service does: a batch whose requests are
all done takes more of them; cancelling is immediate and spares what is done; what is
pending when a batch expires stays pending; results come in the order of the requests.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from msgspec.structs import replace

from llm_grok_vision.limits import BATCH_DAYS, BATCH_PRICE_PERCENT

from .accounting import Usage
from .catalogue import find
from .completion import Completion
from .identity import uuid
from .journal import Journal, LoggedRequest
from .refusals import ApiError, refuse
from .request import ChatRequest
from .service import Service

PENDING, SUCCEEDED, FAILED, CANCELLED = "pending", "succeeded", "failed", "cancelled"

# 2099-12-31. The fixed clock stands in the past: by a client's own clock every batch of it
# would have expired.
_FIXED_EXPIRY = 4102358400


# A server that runs for long would fill the machine: the oldest batches go first.
MOST_BATCHES = 1000
MOST_BATCH_REQUESTS = 100_000


class BatchRequest(msgspec.Struct):
    """A request in a batch; times are seconds since 1970.

    `is_due` is False while a test holds it back. `question` is None when it has ended,
    because its images are large.
    """

    id: str
    model: str
    key: str
    created: int
    question: ChatRequest | None
    is_due: bool
    state: str = PENDING
    finished: int | None = None

    def end(self, state: str, now: int) -> None:
        """Note how it ended, and drop the question."""
        self.state, self.finished, self.question = state, now, None


class Result(msgspec.Struct, frozen=True):
    """What became of a request that was answered: a completion, or the words of an error."""

    id: str
    outcome: Completion | str


class Batch(msgspec.Struct):
    """A batch with its requests by id, and their results in the order in which they came."""

    id: str
    name: str
    key_id: str
    created: int
    expires: int
    cancelled: int | None = None
    has_expired: bool = False
    requests: dict[str, BatchRequest] = {}
    results: list[Result] = []

    @property
    def ended(self) -> str:
        """Why nothing more is done in this batch, or "" where it goes on."""
        if self.cancelled is not None:
            return "was cancelled"
        return "has expired" if self.has_expired else ""

    def count(self) -> Counter[str]:
        """Count the requests in each state."""
        return Counter(request.state for request in self.requests.values())


class Batches:
    """All batches of a server.

    Coroutines and what changes batches run in the server's loop; `hold`, `finish`, `expire`
    and `clear` are called from any thread, and only mark what the loop is to do.
    """

    def __init__(
        self,
        service: Service,
        journal: Journal,
        write_usage: Callable[[Usage], dict[str, Any]],
    ) -> None:
        self._service, self._journal, self._write_usage = service, journal, write_usage
        self._batches: dict[str, Batch] = {}
        self._waiting: list[tuple[str, str]] = []
        self._is_holding = False
        self._working = asyncio.Lock()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Keep others from changing batches as long as the context lasts, where they are shared."""
        yield

    def create(self, name: str, key: str) -> Batch:
        """Make an empty batch, and drop the oldest where there are too many."""
        now = self._service.now()
        expires = now + BATCH_DAYS * 86400 if self._service.clock.is_real else _FIXED_EXPIRY
        number = uuid("batch", name, next(reversed(self._batches), ""))
        batch = Batch(f"batch_{number}", name, uuid("key", key), now, expires)
        self._batches[batch.id] = batch
        self._drop_the_oldest()
        return batch

    def all(self) -> list[Batch]:
        """Give every batch, the oldest first."""
        return list(self._batches.values())

    def get(self, batch_id: str) -> Batch:
        """Give a batch; raises the ApiError for an id that is none."""
        if batch_id not in self._batches:
            raise refuse("unknown batch", batch=batch_id)
        return self._batches[batch_id]

    def add(
        self, batch: Batch, questions: Iterable[tuple[str | None, ChatRequest]], key: str
    ) -> None:
        """Add questions with their ids, all of them or none; raises ApiError."""
        if batch.ended:
            raise refuse("batch ended", batch=batch.id, ended=batch.ended)
        added: dict[str, BatchRequest] = {}
        for given, question in questions:
            number = len(batch.requests) + len(added)
            request_id = given or uuid("batch request", batch.id, str(number))
            if request_id in batch.requests or request_id in added:
                raise refuse("batch request twice", request=request_id)
            model = find(question.model)
            if model and not model.batches:
                raise refuse("model not for batches", model=question.model)
            added[request_id] = BatchRequest(
                id=request_id,
                model=question.model,
                key=key,
                created=self._service.now(),
                question=question,
                is_due=not self._is_holding,
            )
        batch.requests.update(added)
        self._waiting += [(batch.id, request_id) for request_id in added]
        self._drop_the_oldest()

    def _drop_the_oldest(self) -> None:
        """Forget the oldest batches where there are too many, or too many requests in them."""
        requests = sum(len(batch.requests) for batch in self._batches.values())
        while len(self._batches) > MOST_BATCHES or (
            requests > MOST_BATCH_REQUESTS and len(self._batches) > 1
        ):
            oldest = self._batches.pop(next(iter(self._batches)))
            requests -= len(oldest.requests)

    def cancel(self, batch: Batch) -> None:
        """Cancel what is pending; a second time changes nothing."""
        if batch.cancelled is not None:
            return
        batch.cancelled = self._service.now()
        for request in batch.requests.values():
            if request.state == PENDING:
                request.end(CANCELLED, batch.cancelled)

    async def work(self) -> None:
        """Answer the requests that are due, one after the other."""
        async with self._working:
            for batch, request in self._open():
                if request.is_due and request.question and not batch.ended:
                    await self._answer(batch, request, request.question)
            self._waiting = [(batch.id, request.id) for batch, request in self._open()]

    def _open(self) -> list[tuple[Batch, BatchRequest]]:
        """Give the requests that are still to be answered, held or due, in their order."""
        waiting = [
            (batch, batch.requests[request_id])
            for batch_id, request_id in self._waiting
            if (batch := self._batches.get(batch_id))
        ]
        return [
            (batch, request)
            for batch, request in waiting
            if request.state == PENDING and not batch.ended
        ]

    async def _answer(self, batch: Batch, request: BatchRequest, question: ChatRequest) -> None:
        log = LoggedRequest(
            method="POST",
            path="/v1/chat/completions",
            headers={},
            key=request.key,
            batch_request_id=request.id,
        )
        self._journal.append(log)
        outcome: Completion | str
        try:
            completion = await self._service.complete(question, log)
        except ApiError as error:
            outcome, state = error.error, FAILED
            log.status, log.error = error.status, error.error
        else:
            usage = replace(completion.usage, price_percent=BATCH_PRICE_PERCENT)
            outcome, state = replace(completion, usage=usage), SUCCEEDED
            log.status, log.usage = 200, self._write_usage(usage)
        self._journal.update(log)
        # While an image was fetched, the batch may have been cancelled, or have expired.
        if not batch.ended:
            request.end(state, self._service.now())
            batch.results.append(Result(request.id, outcome))

    def hold(self) -> None:
        """Leave pending what is added from now on."""
        self._is_holding = True

    def finish(self, count: int | None = None) -> None:
        """Let through the first so many that are held, or all of them and those to come."""
        if count is not None and count < 1:
            raise ValueError(f"count is a number from 1, not {count!r}")
        if count is None:
            self._is_holding = False
        held = [request for _, request in self._open() if not request.is_due]
        for request in held[:count]:
            request.is_due = True

    def expire(self) -> None:
        """Let every batch expire today."""
        for batch in self.all():
            batch.expires, batch.has_expired = self._service.now(), True

    def clear(self) -> None:
        """Forget all batches, and hold nothing back."""
        self._batches.clear()
        self._waiting = []
        self._is_holding = False
