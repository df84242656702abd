"""The journal that processes have together: numbers go on whoever answers."""

import struct
from typing import Any

import msgspec
from msgspec.structs import replace

from .. import journal
from ..journal import Journal, Kept, LoggedRequest
from .shelf import UNLIMITED, SharedShelf
from .store import Store, encoded

# KEYS: the number of requests, the requests by number, the sum of bytes, the oldest number.
# ARGV: a number, or 0 for the next one, a request, how many and how many bytes are kept.
# Gives its number, or nothing where it was forgotten: another may have its number by now.
_PUT = """
local number = tonumber(ARGV[1])
if number == 0 then
  number = redis.call('INCR', KEYS[1])
else
  local noted = redis.call('HGET', KEYS[2], number)
  if not noted or string.sub(noted, 1, 8) ~= string.sub(ARGV[2], 1, 8) then
    return nil
  end
end
redis.call('DECRBY', KEYS[3], redis.call('HSTRLEN', KEYS[2], number))
redis.call('HSET', KEYS[2], number, ARGV[2])
local size = redis.call('INCRBY', KEYS[3], #ARGV[2])
local newest = tonumber(redis.call('GET', KEYS[1]))
local oldest = tonumber(redis.call('GET', KEYS[4]) or 1)
while oldest < newest and (newest - oldest >= tonumber(ARGV[3]) or size > tonumber(ARGV[4])) do
  size = redis.call('DECRBY', KEYS[3], redis.call('HSTRLEN', KEYS[2], oldest))
  redis.call('HDEL', KEYS[2], oldest)
  oldest = oldest + 1
end
redis.call('SET', KEYS[4], oldest)
return number
"""

# When a request began stands before it, as no two of a number began at once.
_BEGAN = struct.Struct("d")

_NAMES = ("requests:total", "requests", "requests:size", "requests:oldest")


class _Bodies(msgspec.Struct, array_like=True):
    request: bytes
    answer: bytes


class _Far(Kept):
    def name_of(self, _data: bytes) -> str | None:
        """Know no name: to bring what is kept takes longer than to make its name."""
        return None


class SharedJournal(Journal):
    """The newest requests in Redis; as a list it is what there was at the last `refresh`."""

    def __init__(self, store: Store, most: int, image_room: int, exchange_room: int) -> None:
        super().__init__(most, image_room, exchange_room)
        self.images = _Far(SharedShelf(store, "images", bytes, UNLIMITED, image_room))
        self._store = store
        self._bodies = SharedShelf(store, "exchanges", _Bodies, most, exchange_room)
        self._script = store.script(_PUT, *_NAMES)

    def append(self, log: LoggedRequest) -> None:
        """Note a request, and forget the oldest if there are too many."""
        log.number = int(self._put(0, log))

    def keep_request(self, log: LoggedRequest, body: bytes) -> None:
        """Keep the body of a request; it is written with the answer."""
        log.raw_request = body

    def keep_answer(self, log: LoggedRequest, body: bytes) -> None:
        """Keep the body of an answer, and how the request ended."""
        if self._put(log.number, log):
            self._bodies.put(str(log.number), _Bodies(log.raw_request, body))

    def update(self, log: LoggedRequest) -> None:
        """Note how a request stands."""
        self._put(log.number, log)

    def refresh(self) -> None:
        """Read what others noted."""
        total, requests, *_ = map(self._store.key, _NAMES)
        told, rows = self._store.together(("GET", total), ("HGETALL", requests))
        self.total = int(told or 0)
        bodies = self._bodies.by_name()
        self[:] = [self._decoded(number, rows[number], bodies) for number in sorted(rows, key=int)]

    def _put(self, number: int, log: LoggedRequest) -> Any:
        shown = replace(log, key="", raw_request=b"", raw_answer=b"")
        written = _BEGAN.pack(log.began) + encoded(shown)
        return self._script(number, written, self.most, journal.MOST_TEXT)

    def _decoded(self, number: bytes, row: bytes, bodies: dict[str, _Bodies]) -> LoggedRequest:
        log = self._store.decoded(row[_BEGAN.size :], LoggedRequest)
        log.number = int(number)
        if kept := bodies.get(number.decode()):
            log.raw_request, log.raw_answer = kept.request, kept.answer
        return log

    def clear(self) -> None:
        """Forget all, and count anew."""
        super().clear()
        self._bodies.clear()
        self._store.ask("DEL", *map(self._store.key, _NAMES))
