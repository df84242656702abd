"""Things by name in Redis, of which the oldest go where there are too many."""

from typing import TypeVar

from ..shelf import Shelf
from .store import Store, encoded

T = TypeVar("T")

# As many as Lua counts.
UNLIMITED = 2**53

# KEYS: the things by name, the names in order, the sum of bytes.
# ARGV: a name, its bytes, how many names and how many bytes there may be.
_PUT = """
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 1 then
  redis.call('DECRBY', KEYS[3], redis.call('HSTRLEN', KEYS[1], ARGV[1]))
  redis.call('LREM', KEYS[2], 1, ARGV[1])
end
redis.call('RPUSH', KEYS[2], ARGV[1])
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
local size = redis.call('INCRBY', KEYS[3], #ARGV[2])
local count = redis.call('LLEN', KEYS[2])
while count > 1 and (count > tonumber(ARGV[3]) or size > tonumber(ARGV[4])) do
  local oldest = redis.call('LPOP', KEYS[2])
  size = redis.call('DECRBY', KEYS[3], redis.call('HSTRLEN', KEYS[1], oldest))
  redis.call('HDEL', KEYS[1], oldest)
  count = count - 1
end
"""

_DELETE = """
redis.call('DECRBY', KEYS[3], redis.call('HSTRLEN', KEYS[1], ARGV[1]))
redis.call('LREM', KEYS[2], 1, ARGV[1])
return redis.call('HDEL', KEYS[1], ARGV[1])
"""

_ALL = """
local all = {}
for _, name in ipairs(redis.call('LRANGE', KEYS[2], 0, -1)) do
  table.insert(all, redis.call('HGET', KEYS[1], name))
end
return all
"""


class SharedShelf(Shelf[T]):
    """Things of one kind by name in Redis; they are as large as they are written.

    Raises StateLost where Redis can't be reached, and for what another version wrote.
    """

    def __init__(self, store: Store, name: str, kind: type[T], most: int, room: int) -> None:
        super().__init__(most, room)
        self._store, self._kind = store, kind
        names = (name, f"{name}:order", f"{name}:size")
        self._keys = [*map(store.key, names), store.key(f"{name}:numbers")]
        self._put = store.script(_PUT, *names)
        self._delete = store.script(_DELETE, *names)
        self._all = store.script(_ALL, *names)

    def __contains__(self, name: str) -> bool:
        return bool(self._store.ask("HEXISTS", self._keys[0], name))

    def put(self, name: str, thing: T) -> None:
        """Keep something, and forget the oldest where there is too much."""
        self._put(name, encoded(thing), self.most, self.room)

    def get(self, name: str) -> T | None:
        """Give what is kept by a name, or None where it is not."""
        data = self._store.ask("HGET", self._keys[0], name)
        return None if data is None else self._store.decoded(data, self._kind)

    def pop(self, name: str) -> T | None:
        """Forget what is kept by a name, and give it to nobody else; None where it is not."""
        thing = self.get(name)
        return thing if self._delete(name) else None

    def all(self) -> list[T]:
        """Give everything, the oldest first."""
        return [self._store.decoded(data, self._kind) for data in self._all()]

    def by_name(self) -> dict[str, T]:
        """Give everything by its name."""
        rows: dict[bytes, bytes] = self._store.ask("HGETALL", self._keys[0])
        return {name.decode(): self._store.decoded(data, self._kind) for name, data in rows.items()}

    def number(self) -> int:
        """Give the next number, from 0: each once, until all is forgotten."""
        return int(self._store.ask("INCR", self._keys[3])) - 1

    def clear(self) -> None:
        """Forget all."""
        self._store.ask("DEL", *self._keys)
