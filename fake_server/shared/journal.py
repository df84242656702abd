"""The journal that processes have together: numbers go on whoever answers."""

import msgspec
from msgspec.structs import replace

from ..journal import Journal, Kept, LoggedRequest
from .shelf import UNLIMITED, SharedShelf
from .store import Store

# KEYS: the number of requests, the requests. ARGV: a request, how many are kept.
_APPEND = """
local number = redis.call('INCR', KEYS[1])
redis.call('HSET', KEYS[2], number, ARGV[1])
redis.call('HDEL', KEYS[2], number - ARGV[2])
return number
"""

# KEYS: as above. ARGV: a number, a request.
_UPDATE = """
if redis.call('HEXISTS', KEYS[2], ARGV[1]) == 1 then
  redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
end
"""

_NAMES = ("requests:total", "requests")


class _Bodies(msgspec.Struct, array_like=True):
    request: bytes
    answer: bytes


class SharedJournal(Journal):
    """The newest requests in Redis; as a list it is what there was at the last `refresh`."""

    def __init__(self, store: Store, most: int, image_room: int, exchange_room: int) -> None:
        super().__init__(most, image_room, exchange_room)
        self.images = Kept(SharedShelf(store, "images", bytes, UNLIMITED, image_room))
        self._store = store
        self._bodies = SharedShelf(store, "exchanges", _Bodies, most, exchange_room)
        self._append = store.script(_APPEND, *_NAMES)
        self._update = store.script(_UPDATE, *_NAMES)

    def append(self, log: LoggedRequest) -> None:
        """Note a request, and forget the oldest if there are too many."""
        log.number = self._append(_encoded(log), self.most)

    def keep_request(self, log: LoggedRequest, body: bytes) -> None:
        """Keep the body of a request; it is written with the answer."""
        log.raw_request = body

    def keep_answer(self, log: LoggedRequest, body: bytes) -> None:
        """Keep the body of an answer, and how the request ended."""
        self._bodies.put(str(log.number), _Bodies(log.raw_request, body))
        self.update(log)

    def update(self, log: LoggedRequest) -> None:
        """Note how a request stands."""
        self._update(log.number, _encoded(log))

    def refresh(self) -> None:
        """Read what others noted."""
        total, rows = self._store.together(*((verb, self._store.key(name)) for verb, name in _READ))
        self.total = int(total or 0)
        bodies = self._bodies.by_name()
        self[:] = [self._decoded(number, rows[number], bodies) for number in sorted(rows, key=int)]

    def _decoded(self, number: bytes, row: bytes, bodies: dict[str, _Bodies]) -> LoggedRequest:
        log = self._store.decoded(row, LoggedRequest)
        log.number = int(number)
        if kept := bodies.get(number.decode()):
            log.raw_request, log.raw_answer = kept.request, kept.answer
        return log

    def clear(self) -> None:
        """Forget all, and count anew."""
        super().clear()
        self._bodies.clear()
        self._store.ask("DEL", *map(self._store.key, _NAMES))


_READ = tuple(zip(("GET", "HGETALL"), _NAMES, strict=True))


def _encoded(log: LoggedRequest) -> bytes:
    return msgspec.msgpack.encode(replace(log, key="", raw_request=b"", raw_answer=b""))
