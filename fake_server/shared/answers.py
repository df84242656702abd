"""Stored and deferred answers, and files, that processes have together."""

import msgspec

from ..completion import Completion
from ..deferred import MOST_WAITING, Deferred
from ..files import MOST_BYTES as MOST_FILE_BYTES
from ..files import MOST_FILES, File, Files
from ..refusals import refuse
from ..stored import MOST_ANSWERS, MOST_BYTES, Stored, StoredAnswers
from .shelf import UNLIMITED, Shelf
from .store import Store


class SharedStored(StoredAnswers):
    """Stored answers by their id in Redis."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self._store = store
        self._shelf = Shelf(store, "stored", MOST_ANSWERS, MOST_BYTES)

    def put(self, answer: Stored) -> None:
        """Keep an answer, and drop the oldest where there are too many."""
        self._shelf.put(answer.completion.id, msgspec.msgpack.encode(answer))

    def clear(self) -> None:
        """Forget all."""
        self._shelf.clear()

    def _find(self, answer_id: str) -> Stored | None:
        data = self._shelf.get(answer_id)
        return None if data is None else self._store.decoded(data, Stored)

    def _drop(self, answer_id: str) -> bool:
        return self._shelf.delete(answer_id)


class SharedDeferred(Deferred):
    """Completions that wait in Redis for somebody to fetch them."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self._store = store
        self._shelf = Shelf(store, "deferred", MOST_WAITING, UNLIMITED)

    def take(self, request_id: str) -> Completion | None:
        """Hand a completion over, or None the first time; raises ApiError for no such id."""
        data = self._shelf.get(request_id)
        asked_for = self._store.key("deferred:asked")
        if data is not None and self._store.ask("SADD", asked_for, request_id):
            return None
        completion = None if data is None else self._store.decoded(data, Completion)
        # Of two that ask at the same time one gets it.
        if completion is None or not self._shelf.delete(request_id):
            raise refuse("unknown deferred completion", request=request_id)
        self._store.ask("SREM", asked_for, request_id)
        return completion

    def clear(self) -> None:
        """Forget all."""
        self._shelf.clear()
        names = ("deferred:started", "deferred:asked")
        self._store.ask("DEL", *map(self._store.key, names))

    def _count(self) -> int:
        return int(self._store.ask("INCR", self._store.key("deferred:started"))) - 1

    def _keep(self, request_id: str, completion: Completion) -> None:
        self._shelf.put(request_id, msgspec.msgpack.encode(completion))


class SharedFiles(Files):
    """Files by their id in Redis."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self._store = store
        self._shelf = Shelf(store, "files", MOST_FILES, MOST_FILE_BYTES)

    def all(self) -> list[File]:
        """Give every file, the oldest first."""
        return [self._store.decoded(data, File) for data in self._shelf.all()]

    def clear(self) -> None:
        """Forget all."""
        self._shelf.clear()
        self._store.ask("DEL", self._store.key("files:uploaded"))

    def _count(self) -> int:
        return int(self._store.ask("INCR", self._store.key("files:uploaded"))) - 1

    def _keep(self, file: File) -> None:
        self._shelf.put(file.id, msgspec.msgpack.encode(file))

    def _find(self, file_id: str) -> File | None:
        data = self._shelf.get(file_id)
        return None if data is None else self._store.decoded(data, File)

    def _drop(self, file_id: str) -> bool:
        return self._shelf.delete(file_id)
