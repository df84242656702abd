"""When a request is tried again: on 429, on 5xx and when the connection fails, ATTEMPTS times in all.

What waited in vain for an answer is not: the next silence would be as long.
"""

import logging
from collections.abc import Callable
from typing import Any, TypeVar

import tenacity

from .errors import ApiError, ConnectionFailed, RateLimited, ServerError, TimedOut

ATTEMPTS = 3
LONGEST_WAIT = 60.0
BACKOFF = tenacity.wait_exponential(multiplier=0.5, max=8.0) + tenacity.wait_random(0, 0.5)

_logger = logging.getLogger("llm_grok_vision")

_Value = TypeVar("_Value")


def again_if_it_may_pass(attempt: Callable[[], _Value]) -> _Value:
    """Try something as often, and after the same failures, as an `Answer` is tried."""
    return tenacity.Retrying(**POLICY)(attempt)


def _again(error: BaseException) -> bool:
    if isinstance(error, ApiError):
        wait = error.retry_after or 0.0
        return isinstance(error, RateLimited | ServerError) and wait <= LONGEST_WAIT
    return isinstance(error, ConnectionFailed) and not isinstance(error, TimedOut)


def _wait(state: tenacity.RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    asked = error.retry_after if isinstance(error, ApiError) else None
    return BACKOFF(state) if asked is None else asked


def _announce(state: tenacity.RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    reason = str(error).partition("\n")[0].rstrip(".")
    _logger.warning("%s. Trying again in %.1f s.", reason, state.upcoming_sleep)


POLICY: dict[str, Any] = {
    "stop": tenacity.stop_after_attempt(ATTEMPTS),
    "retry": tenacity.retry_if_exception(_again),
    "wait": _wait,
    "before_sleep": _announce,
    "reraise": True,
}
