"""What a test tells the server to answer, and the images it makes up."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .refusals import FAILURES, ApiError
from .server_tools import COUNTERS

# What a script may say was used; images are counted by the fake alone.
COUNTS = ("text_tokens", "cached_tokens", "completion_tokens", "reasoning_tokens")


@dataclass(frozen=True)
class Reply:
    """A scripted answer; calls are pairs of a name and its arguments, `usage` is by COUNTS."""

    text: str = ""
    reasoning: str = ""
    tool_calls: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    finish_reason: str = ""
    citations: tuple[str, ...] = ()
    server_tool_calls: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    usage: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("text", "reasoning", "finish_reason"):
            if not isinstance(getattr(self, name), str):
                raise TypeError(f"{name} is a text, not {getattr(self, name)!r}")
        for name in ("tool_calls", "server_tool_calls"):
            for call in getattr(self, name):
                if not isinstance(call, tuple) or [*map(type, call[:1])] != [str] or len(call) != 2:
                    raise TypeError(f"{name} are pairs of a name and its arguments, not {call!r}")
        for called, arguments in self.server_tool_calls:
            _check_server_tool_call(called, arguments)
        _check_usage(self.usage)
        for url in self.citations:
            if not isinstance(url, str) or not url.startswith(("http://", "https://")):
                raise ValueError(f"citations begin with http:// or https://, unlike {url!r}")


def _check_usage(usage: Mapping[str, object]) -> None:
    for name, count in usage.items():
        if name not in COUNTS or not isinstance(count, int) or count < 0:
            known = ", ".join(COUNTS)
            raise ValueError(f"usage is numbers of {known}, unlike {name!r}: {count!r}")


def _check_server_tool_call(name: str, arguments: object) -> None:
    if name not in COUNTERS:
        known = ", ".join(COUNTERS)
        raise ValueError(f"server_tool_calls are calls of {known}, not of {name!r}")
    if not isinstance(arguments, Mapping):
        raise TypeError(f"the arguments of {name} are a mapping, not {arguments!r}")


@dataclass(frozen=True)
class Failure:
    """A scripted error, with the seconds for a Retry-After header if it has one."""

    status: int
    code: str
    error: str
    retry_after: float | None = None

    def as_error(self, model: str, team: str) -> ApiError:
        """Make the error for a request to this model."""
        error = self.error.replace("{model}", model).replace("{team}", team)
        return ApiError(self.status, self.code, error, self.retry_after)


@dataclass
class Scenario:
    """The scripted answers that wait, in order, and the images by their address."""

    waiting: deque[Reply | Failure] = field(default_factory=deque)
    images: dict[str, bytes] = field(default_factory=dict)

    def clear(self) -> None:
        """Forget everything."""
        self.waiting.clear()
        self.images.clear()

    def next(self) -> Reply | Failure | None:
        """Take the next scripted answer, or None where the server answers for itself."""
        return self.waiting.popleft() if self.waiting else None


def failure(status: int, code: str | None, error: str | None, retry_after: float | None) -> Failure:
    """Make a failure with xAI's words for the status, where none are given."""
    if not isinstance(status, int) or not 400 <= status <= 599:
        raise ValueError(f"a failure has a status from 400 to 599, not {status!r}")
    known = FAILURES.get(status, FAILURES[503] if status >= 500 else FAILURES[400])
    return Failure(
        status,
        known[0] if code is None else code,
        known[1] if error is None else error,
        retry_after,
    )
