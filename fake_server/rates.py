"""How many requests and tokens a minute a model takes, and what its headers say of it.

OBSERVED 2026-02 to 2026-08: the headers of limits are told before the request itself is
taken off, and by team and model. OBSERVED 2025: the text for too many tokens. ASSUMED: the
text for too many requests, and that a minute begins with the first request in it.
"""

from dataclasses import dataclass, field

import msgspec

from .clock import Clock
from .refusals import refuse

MINUTE = 60

# OBSERVED 2026-08 of grok-4.3.
MOST_REQUESTS, MOST_TOKENS = 1800, 10_000_000


class Told(msgspec.Struct, frozen=True, cache_hash=True):
    """What the headers of an answer say: the limits of a minute, and what was left of them."""

    limit_requests: int = MOST_REQUESTS
    remaining_requests: int = MOST_REQUESTS
    limit_tokens: int = MOST_TOKENS
    remaining_tokens: int = MOST_TOKENS


_UNLIMITED = Told()


class _Minute(msgspec.Struct):
    began: float
    requests: int = 0
    tokens: int = 0


@dataclass
class Rates:
    """Counts requests and tokens by model, where a limit was set.

    Without a limit nothing is counted, and the headers are always the same.
    """

    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    _minutes: dict[str, _Minute] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("requests_per_minute", "tokens_per_minute"):
            value = getattr(self, name)
            if value is not None and (not isinstance(value, int) or value < 0):
                raise ValueError(f"{name} is a number from 0, not {value!r}")

    def admit(self, model: str, team: str, clock: Clock) -> Told:
        """Count a request that is about to be answered; raises ApiError if it is too many."""
        most, most_tokens = self.requests_per_minute, self.tokens_per_minute
        if most is None and most_tokens is None:
            return _UNLIMITED
        requests, tokens = self._take(model, clock.passed())
        if most is not None and requests >= most:
            actual = requests + 1
            raise refuse("too many requests", model=model, team=team, actual=actual, limit=most)
        if most_tokens is not None and tokens >= most_tokens:
            raise refuse(
                "too many tokens", model=model, team=team, actual=tokens, limit=most_tokens
            )
        return Told(
            MOST_REQUESTS if most is None else most,
            MOST_REQUESTS if most is None else most - requests,
            MOST_TOKENS if most_tokens is None else most_tokens,
            MOST_TOKENS if most_tokens is None else most_tokens - tokens,
        )

    def spend(self, model: str, tokens: int, clock: Clock) -> None:
        """Count the tokens of an answer."""
        if self.tokens_per_minute is not None:
            self._spend(model, clock.passed(), tokens)

    def clear(self) -> None:
        """Begin anew."""
        self._minutes.clear()

    def _take(self, model: str, now: float) -> tuple[int, int]:
        """Count a request if there is room for it; give what was counted before."""
        minute = self._minute(model, now)
        before = minute.requests, minute.tokens
        if self._has_room(*before):
            minute.requests += 1
        return before

    def _has_room(self, requests: int, tokens: int) -> bool:
        most, most_tokens = self.requests_per_minute, self.tokens_per_minute
        return (most is None or requests < most) and (most_tokens is None or tokens < most_tokens)

    def _spend(self, model: str, now: float, tokens: int) -> None:
        self._minute(model, now).tokens += tokens

    def _minute(self, model: str, now: float) -> _Minute:
        minute = self._minutes.get(model)
        if minute is None or now - minute.began >= MINUTE:
            minute = self._minutes[model] = _Minute(now)
        return minute
