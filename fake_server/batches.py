"""The Batch API without its wire: batches, their requests, and what became of each.

A request is answered as soon as it is added, in order, before the client that added it
hears of it: nobody has to wait, and each run is the same. A test that wants to see a batch
in between holds requests back, and lets them through one by one or all at once.

OBSERVED in the BATCH NOTE, of which `limits` tells: a batch made of a file is empty at first, takes no more
requests, and is cancelled with a message where its file is no good; what is cancelled has
an error for a result; results come in the order of their ids. DISPUTED: there, cancelled
requests were seen to succeed some seconds later; here they stay cancelled, so that each run
is the same. DOC BATCH GUIDE: what is pending when a batch expires is cancelled. ASSUMED: it
has no result; a batch whose requests are all done takes more of them.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any
from weakref import WeakValueDictionary

from msgspec.structs import replace

from llm_grok_vision.limits import BATCH_DAYS, BATCH_PRICE_PERCENT

from .accounting import Usage
from .batch import CANCELLED, FAILED, MOST_BYTES, PENDING, SUCCEEDED, Batch, BatchRequest
from .catalogue import find
from .completion import Completion
from .identity import uuid
from .journal import Journal, LoggedRequest
from .refusals import ApiError, refuse
from .request import ChatRequest
from .service import Service

# 2099-12-31. The fixed clock stands in the past: by a client's own clock every batch of it
# would have expired.
_FIXED_EXPIRY = 4102358400

# OBSERVED 2026-08-28 in the BATCH NOTE.
_CANCELLED_WORDS = "Batch cancelled"

# What is asked in a batch, with the id that its client gave it.
Questions = Iterable[tuple[str | None, ChatRequest]]

# A server that runs for long would fill the machine: the oldest batches go first.
MOST_BATCHES = 1000


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
        self._working: WeakValueDictionary[asyncio.AbstractEventLoop, asyncio.Lock]
        self._working = WeakValueDictionary()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Keep others from changing batches as long as the context lasts, where they are shared."""
        yield

    def create(self, name: str, key: str, file_id: str | None = None) -> Batch:
        """Make an empty batch, and drop the oldest where there are too many."""
        now = self._service.now()
        expires = now + BATCH_DAYS * 86400 if self._service.clock.is_real else _FIXED_EXPIRY
        number = uuid("batch", name, next(reversed(self._batches), ""))
        batch = Batch(f"batch_{number}", name, uuid("key", key), now, expires, file_id)
        batch.size = len(name)
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

    def add(self, batch: Batch, questions: Questions, key: str) -> None:
        """Add questions with their ids, all of them or none; raises ApiError."""
        if batch.file_id is not None:
            raise refuse("batch from a file")
        if batch.ended:
            raise refuse("batch ended", batch=batch.id, ended=batch.ended)
        self._admit(batch, questions, key)

    def fill(self, batch: Batch, questions: Questions, key: str) -> None:
        """Put the questions of its file into a batch, all of them or none; raises ApiError."""
        self._admit(batch, questions, key)

    def _admit(self, batch: Batch, questions: Questions, key: str) -> None:
        added: dict[str, BatchRequest] = {}
        for given, question in questions:
            request = self._request(batch, len(added), given, question, key)
            known = batch.requests.get(request.id) or added.get(request.id)
            if known and known.digest != request.digest:
                raise refuse("batch request twice", request=request.id)
            if not known:
                added[request.id] = request
        batch.take(added)
        self._waiting += [(batch.id, request_id) for request_id in added]
        self._drop_the_oldest()

    def _request(
        self, batch: Batch, before: int, given: str | None, question: ChatRequest, key: str
    ) -> BatchRequest:
        model = find(question.model)
        if model and not model.batches:
            raise refuse("model not for batches", model=question.model)
        number = str(len(batch.requests) + before)
        return BatchRequest(
            id=given or f"batch_request_{uuid('batch request', batch.id, number)}",
            model=question.model,
            key=key,
            created=self._service.now(),
            question=question,
            digest=uuid("question", question.seed),
            is_due=not self._is_holding,
        )

    def _drop_the_oldest(self) -> None:
        """Forget the oldest batches where there are too many, or too much is held of them."""
        size = sum(batch.size for batch in self._batches.values())
        while len(self._batches) > MOST_BATCHES or (size > MOST_BYTES and len(self._batches) > 1):
            size -= self._batches.pop(next(iter(self._batches))).size

    def cancel(self, batch: Batch, problem: str | None = None) -> None:
        """Cancel what is pending, with the problem if its file is no good; a second time changes nothing."""
        if batch.cancelled is not None:
            return
        batch.cancel(self._service.now(), problem)
        self._end(batch, _CANCELLED_WORDS)

    def _end(self, batch: Batch, outcome: str | None = None) -> None:
        """Cancel what is pending."""
        for request in batch.requests.values():
            if request.state == PENDING:
                batch.end(request, CANCELLED, self._service.now(), outcome)

    async def work(self) -> None:
        """Answer the requests that are due, one after the other; end those that are too late."""
        # Without a socket, each test may have a loop of its own. A lock is one loop's for good, and
        # keeps it: there is one as long as anybody has it or waits for it.
        lock = self._working.setdefault(asyncio.get_running_loop(), asyncio.Lock())
        async with lock:
            for batch in self.all():
                if batch.has_expired:
                    self._end(batch)
            for batch, request in self._open():
                if request.is_due and request.question and not batch.ended:
                    await self._answer(batch, request, request.question)
                    # A batch may be long, and others have questions too.
                    await asyncio.sleep(0)
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
            usage = replace(completion.usage, price_percent=BATCH_PRICE_PERCENT)
            outcome, state = replace(completion.whole, usage=usage), SUCCEEDED
            batch.make_room(outcome.size)
            log.status, log.usage = 200, self._write_usage(usage)
        except ApiError as error:
            outcome, state = error.error, FAILED
            batch.size += len(outcome)
            log.status, log.error = error.status, error.error
        self._journal.update(log)
        # While an image was fetched, the batch may have been cancelled, or have expired.
        if not batch.ended:
            batch.end(request, state, self._service.now(), outcome)
            self._drop_the_oldest()

    def hold(self) -> None:
        """Leave pending what is added from now on."""
        self._is_holding = True

    def finish(self, count: int | None = None) -> None:
        """Let through the first so many that are held, or all of them and those to come."""
        if count is not None and count < 1:
            raise ValueError(f"count is a number from 1, not {count!r}")
        if count is None:
            self._is_holding = False
        held = [(batch, request) for batch, request in self._open() if not request.is_due]
        for batch, request in held[:count]:
            batch.release(request)

    def expire(self) -> None:
        """Let every batch expire today."""
        for batch in self.all():
            batch.expire(self._service.now())

    def clear(self) -> None:
        """Forget all batches, and hold nothing back."""
        self._batches.clear()
        self._waiting = []
        self._is_holding = False
