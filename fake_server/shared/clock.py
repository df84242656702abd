"""The clock that processes have together: a test moves it on for all of them."""

import time
from dataclasses import dataclass, field

from ..clock import Clock
from .store import Store


@dataclass
class SharedClock(Clock):
    """A clock; by how much it was moved on stands in Redis."""

    store: Store = field(kw_only=True)

    def refresh(self) -> None:
        """Read by how much others moved it on."""
        self.moved = float(self.store.ask("GET", self._key) or 0)

    def passed(self) -> float:
        """Seconds since 1970: machines have no other moment together."""
        return time.time() + self.moved

    def advance(self, seconds: float) -> None:
        """Move on; raises ValueError for a way back, and for the end of time."""
        self.refresh()
        super().advance(seconds)
        self.store.ask("INCRBYFLOAT", self._key, seconds)

    def clear(self) -> None:
        """Go back to where it was."""
        super().clear()
        self.store.ask("DEL", self._key)

    @property
    def _key(self) -> str:
        return self.store.key("clock")
