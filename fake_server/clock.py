"""What time it is for the fake: always the same, or today; a test may move it on."""

import time
from dataclasses import dataclass

# The clock of all answers unless it is set to real: 2026-01-01 00:00:00 UTC.
FIXED_TIME = 1767225600

_FARTHEST = 10 * 365 * 86400


@dataclass
class Clock:
    """A clock; `moved` is by how many seconds a test moved it on."""

    is_real: bool = False
    moved: float = 0

    def refresh(self) -> None:
        """Look whether others moved it, where it is shared."""

    def now(self) -> int:
        """Seconds since 1970, as answers tell them."""
        return int((time.time() if self.is_real else FIXED_TIME) + self.moved)

    def passed(self) -> float:
        """Seconds since some moment, by which limits are counted: they pass by themselves."""
        return time.monotonic() + self.moved

    def advance(self, seconds: float) -> None:
        """Move on; raises ValueError for a way back, and for the end of time."""
        if not 0 <= seconds <= _FARTHEST - self.moved:
            raise ValueError(f"time is moved on by seconds from 0 to ten years, not {seconds!r}")
        self.moved += seconds

    def clear(self) -> None:
        """Go back to where it was."""
        self.moved = 0
