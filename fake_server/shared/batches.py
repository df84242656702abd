"""Batches that processes have together: whoever is asked takes all of them, and puts them back."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field

from msgspec.structs import replace
from redis.exceptions import LockError
from redis.lock import Lock

from ..accounting import Usage
from ..batches import Batch, Batches, BatchRequest
from ..journal import Journal
from ..refusals import StateLost
from ..request import ChatRequest
from ..service import Service
from .store import Store, encoded

# Seconds after which the batches are free again, if who has them is gone.
_PATIENCE = 30

# Seconds between two looks whether they are free.
_PAUSE = 0.01


@dataclass
class _Written:
    """All batches as they stand in Redis."""

    batches: dict[str, Batch] = field(default_factory=dict)
    waiting: list[tuple[str, str]] = field(default_factory=list)
    is_holding: bool = False


class SharedBatches(Batches):
    """All batches of servers that share their state; they are changed only in a turn."""

    def __init__(
        self,
        service: Service,
        journal: Journal,
        write_usage: Callable[[Usage], dict[str, object]],
        store: Store,
    ) -> None:
        super().__init__(service, journal, write_usage)
        self._store = store
        self._key, self._cleared = store.key("batches"), store.key("batches:cleared")

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Keep others from changing batches as long as the context lasts."""
        lock = self._store.lock("batches:turn", _PATIENCE)
        with self._store.reached():
            # Who has them is another process, which tells nobody when it is done.
            while not lock.acquire(blocking=False):  # noqa: ASYNC110
                await asyncio.sleep(_PAUSE)
        with self._taken(lock):
            yield

    def hold(self) -> None:
        """Leave pending what is added from now on."""
        with self._turn_of_a_thread():
            super().hold()

    def finish(self, count: int | None = None) -> None:
        """Let through the first so many that are held, or all of them and those to come."""
        with self._turn_of_a_thread():
            super().finish(count)

    def expire(self) -> None:
        """Let every batch expire today."""
        with self._turn_of_a_thread():
            self._service.clock.refresh()
            super().expire()

    def clear(self) -> None:
        """Forget all batches; whoever has them now does not put them back."""
        super().clear()
        self._store.together(("INCR", self._cleared), ("DEL", self._key))

    async def _answer(self, batch: Batch, request: BatchRequest, question: ChatRequest) -> None:
        await super()._answer(batch, request, question)
        with self._store.reached():
            self._lock.reacquire()

    @contextmanager
    def _turn_of_a_thread(self) -> Iterator[None]:
        lock = self._store.lock("batches:turn", _PATIENCE)
        with self._store.reached():
            if not lock.acquire(blocking_timeout=_PATIENCE):
                raise StateLost("the state can't be used: another server has the batches")
        with self._taken(lock):
            yield

    @contextmanager
    def _taken(self, lock: Lock) -> Iterator[None]:
        """Read all batches, and write them again if they changed."""
        self._lock = lock
        try:
            cleared, data = self._store.ask("MGET", self._cleared, self._key)
            kept = self._store.decoded(data, _Written) if data else _Written()
            self._batches, self._waiting = kept.batches, kept.waiting
            self._is_holding = kept.is_holding
            try:
                yield
            finally:
                self._put_back(data, cleared)
        finally:
            with self._store.reached(), suppress(LockError):
                lock.release()

    def _put_back(self, before: bytes | None, cleared: bytes | None) -> None:
        changed = self._encoded()
        if changed == before or self._store.ask("GET", self._cleared) != cleared:
            return
        with self._store.reached():
            if not self._lock.owned():
                raise StateLost("the state can't be used: others had the batches meanwhile")
        self._store.ask("SET", self._key, changed)

    def _encoded(self) -> bytes:
        batches = {
            batch.id: replace(batch, requests=_without_keys(batch.requests)) for batch in self.all()
        }
        return encoded(_Written(batches, self._waiting, self._is_holding))


def _without_keys(requests: dict[str, BatchRequest]) -> dict[str, BatchRequest]:
    return {name: replace(request, key="") for name, request in requests.items()}
