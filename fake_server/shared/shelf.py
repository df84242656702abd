"""Bytes by name, of which the oldest go where there are too many."""

from .store import Store

# As many as Lua counts.
UNLIMITED = 2**53

# KEYS: the bytes by name, the names in order, the sum of bytes.
# ARGV: a name, its bytes, how many names and how many bytes there may be.
_PUT = """
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 1 then
  redis.call('DECRBY', KEYS[3], redis.call('HSTRLEN', KEYS[1], ARGV[1]))
else
  redis.call('RPUSH', KEYS[2], ARGV[1])
end
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


class Shelf:
    """Bytes by name in Redis, no more than `most` names and `room` bytes but for the newest."""

    def __init__(self, store: Store, name: str, most: int, room: int) -> None:
        self._store, self._most, self._room = store, most, room
        names = (name, f"{name}:order", f"{name}:size")
        self._keys = [store.key(one) for one in names]
        self._put = store.script(_PUT, *names)
        self._delete = store.script(_DELETE, *names)
        self._all = store.script(_ALL, *names)

    def put(self, name: str, data: bytes) -> None:
        """Keep some bytes."""
        self._put(name, data, self._most, self._room)

    def get(self, name: str) -> bytes | None:
        """Give what is kept by a name, or None where it is not."""
        data: bytes | None = self._store.ask("HGET", self._keys[0], name)
        return data

    def has(self, name: str) -> bool:
        """Whether something is kept by a name."""
        return bool(self._store.ask("HEXISTS", self._keys[0], name))

    def delete(self, name: str) -> bool:
        """Forget what is kept by a name; whether there was something."""
        return bool(self._delete(name))

    def all(self) -> list[bytes]:
        """Give everything, the oldest first."""
        rows: list[bytes] = self._all()
        return rows

    def by_name(self) -> dict[bytes, bytes]:
        """Give everything by its name."""
        rows: dict[bytes, bytes] = self._store.ask("HGETALL", self._keys[0])
        return rows

    def clear(self) -> None:
        """Forget all."""
        self._store.ask("DEL", *self._keys)
