"""How many requests run at once: fewer, and later, when xAI says that it is too much."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

import tenacity

from ..errors import RateLimited

# After a rate limit, all wait so long (seconds), and twice as long each time that it
# comes again before an answer does; or as long as xAI asks for, if that is longer.
FIRST_WAIT = 1.0
LONGEST_WAIT = 60.0

# A request that is refused for so long (seconds) is given up, and the run with it.
GIVE_UP_AFTER = 3600.0

_Value = TypeVar("_Value")


def passes(error: BaseException) -> bool:
    """Tell a rate limit that can be waited for from all other failures."""
    if not isinstance(error, RateLimited):
        return False
    return (error.retry_after or 0.0) < GIVE_UP_AFTER


def patiently(attempt: Callable[[], _Value], say: Callable[[str], None]) -> _Value:
    """Do what may be rate limited, one thing at a time; raises the RateLimited that lasts."""
    backoff = tenacity.wait_exponential(multiplier=FIRST_WAIT, max=LONGEST_WAIT)

    def wait(state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = error.retry_after if isinstance(error, RateLimited) else None
        return max(asked or 0.0, backoff(state))

    def announce(state: tenacity.RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        words = error.error if isinstance(error, RateLimited) else ""
        say(f"{words} Going on in {state.upcoming_sleep:.0f} s.")

    return tenacity.Retrying(
        retry=tenacity.retry_if_exception(passes),
        stop=tenacity.stop_after_delay(GIVE_UP_AFTER),
        wait=wait,
        before_sleep=announce,
        reraise=True,
    )(attempt)


class Pace:
    """Takes turns for requests; after a rate limit one at a time, and slowly more again."""

    def __init__(self, most: int, say: Callable[[str], None]) -> None:
        self._most = most
        self._limit = float(most)
        self._running = 0
        self._until = 0.0
        # Each pause begins a new round; what was sent in an older one says nothing new.
        self._round = 0
        self._refused_in_a_row = 0
        self._changed = asyncio.Condition()
        self._say = say

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a turn, and hold it; a RateLimited from inside slows all down."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._running < int(self._limit))
            self._running += 1
        try:
            # Others may lengthen the pause meanwhile.
            while (wait := self._until - time.monotonic()) > 0:  # noqa: ASYNC110 (a time, no event)
                await asyncio.sleep(wait)
            sent_in = self._round
            try:
                yield
            except RateLimited as error:
                self._slow_down(sent_in, error)
                raise
            self._speed_up(sent_in)
        finally:
            self._running -= 1
            async with self._changed:
                self._changed.notify_all()

    def _slow_down(self, sent_in: int, error: RateLimited) -> None:
        asked = error.retry_after or 0.0
        if sent_in == self._round:
            wait = max(asked, min(FIRST_WAIT * 2**self._refused_in_a_row, LONGEST_WAIT))
            self._round += 1
            self._refused_in_a_row += 1
            self._limit = 1.0
            self._say(f"{error.error} All wait {wait:.0f} s, then go on more slowly.")
        else:
            wait = asked
        self._until = max(self._until, time.monotonic() + wait)

    def _speed_up(self, sent_in: int) -> None:
        if sent_in == self._round:
            self._refused_in_a_row = 0
            # One more for as many answers as now run at once.
            self._limit = min(self._most, self._limit + 1 / self._limit)
