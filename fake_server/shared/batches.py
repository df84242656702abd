"""Batches that processes have together: each reads what others changed, and writes what it changes."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from secrets import token_hex

import msgspec
from msgspec.structs import replace
from redis.exceptions import LockError
from redis.lock import Lock

from ..accounting import Usage
from ..batch import Batch, BatchRequest
from ..batches import Batches
from ..journal import Journal
from ..refusals import StateLost
from ..request import ChatRequest
from ..service import Service
from .store import Store, encoded

# Seconds after which the batches are free again, if who has them is gone.
_PATIENCE = 30

# Seconds between two looks whether they are free.
_PAUSE = 0.01


class _Index(msgspec.Struct):
    """What there is in Redis: which version of each batch, and what waits in all of them."""

    versions: dict[str, str] = {}
    waiting: list[tuple[str, str]] = []
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
        names = ("batches", "batches:rows", "batches:cleared")
        self._index, self._rows, self._cleared = map(store.key, names)

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
        self._store.together(("INCR", self._cleared), ("DEL", self._rows, self._index))

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
        """Read what others changed, and write what changes meanwhile."""
        self._lock = lock
        try:
            cleared, data = self._store.ask("MGET", self._cleared, self._index)
            index = self._store.decoded(data, _Index) if data else _Index()
            self._read(index)
            try:
                yield
            finally:
                self._put_back(index, cleared)
        finally:
            with self._store.reached(), suppress(LockError):
                lock.release()

    def _read(self, index: _Index) -> None:
        found = {
            name: batch
            for name, version in index.versions.items()
            if (batch := self._batches.get(name)) and batch.version == version
        }
        changed = [name for name in index.versions if name not in found]
        rows = self._store.ask("HMGET", self._rows, *changed) if changed else []
        found |= {
            name: self._store.decoded(row, Batch)
            for name, row in zip(changed, rows, strict=True)
            # Else somebody forgot it meanwhile.
            if row is not None
        }
        self._batches = {name: found[name] for name in index.versions if name in found}
        self._waiting, self._is_holding = [*index.waiting], index.is_holding

    def _put_back(self, before: _Index, cleared: bytes | None) -> None:
        batches = self.all()
        changed = [batch for batch in batches if not batch.version]
        for batch in changed:
            batch.version = token_hex(8)
        versions = {batch.id: batch.version for batch in batches}
        index = _Index(versions, self._waiting, self._is_holding)
        if index == before or self._store.ask("GET", self._cleared) != cleared:
            return
        with self._store.reached():
            if not self._lock.owned():
                raise StateLost("the state can't be used: others had the batches meanwhile")
        commands: list[tuple[str | bytes, ...]] = [
            ("HSET", self._rows, batch.id, _row(batch)) for batch in changed
        ]
        if gone := before.versions.keys() - versions.keys():
            commands.append(("HDEL", self._rows, *gone))
        self._store.together(*commands, ("SET", self._index, encoded(index)))


def _row(batch: Batch) -> bytes:
    """Write a batch without the keys of those who asked."""
    requests = {name: replace(request, key="") for name, request in batch.requests.items()}
    return encoded(replace(batch, requests=requests))
