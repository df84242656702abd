"""Limits of a minute that processes count together."""

from dataclasses import dataclass, field

from ..rates import MINUTE, Rates
from .store import Store

# KEYS: when the minutes of models began, their requests, their tokens. ARGV: a model, the
# time, seconds of a minute, the most requests and tokens or -1, tokens to count or -1.
# The result is the requests and tokens of the minute before this.
_COUNT = """
local began = tonumber(redis.call('HGET', KEYS[1], ARGV[1]))
if not began or tonumber(ARGV[2]) - began >= tonumber(ARGV[3]) then
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
  redis.call('HDEL', KEYS[2], ARGV[1])
  redis.call('HDEL', KEYS[3], ARGV[1])
end
local requests = tonumber(redis.call('HGET', KEYS[2], ARGV[1]) or 0)
local tokens = tonumber(redis.call('HGET', KEYS[3], ARGV[1]) or 0)
local most, most_tokens = tonumber(ARGV[4]), tonumber(ARGV[5])
if tonumber(ARGV[6]) >= 0 then
  redis.call('HINCRBY', KEYS[3], ARGV[1], ARGV[6])
elseif (most < 0 or requests < most) and (most_tokens < 0 or tokens < most_tokens) then
  redis.call('HINCRBY', KEYS[2], ARGV[1], 1)
end
return {requests, tokens}
"""

_NAMES = ("rates:began", "rates:requests", "rates:tokens")


@dataclass
class SharedRates(Rates):
    """Counts requests and tokens by model in Redis, where a limit was set."""

    store: Store = field(kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._count = self.store.script(_COUNT, *_NAMES)

    def clear(self) -> None:
        """Begin anew."""
        self.store.ask("DEL", *map(self.store.key, _NAMES))

    def _take(self, model: str, now: float) -> tuple[int, int]:
        requests, tokens = self._counted(model, now, -1)
        return requests, tokens

    def _spend(self, model: str, now: float, tokens: int) -> None:
        self._counted(model, now, tokens)

    def _counted(self, model: str, now: float, tokens: int) -> list[int]:
        limits = (self.requests_per_minute, self.tokens_per_minute)
        most = [-1 if limit is None else limit for limit in limits]
        counted: list[int] = self._count(model, repr(now), MINUTE, *most, tokens)
        return counted
