"""What is ready together leaves together: the first write wakes the client, the others find it awake.

To wake a process that sleeps takes three times as long as the write itself (measured on Linux
in a virtual machine), and a client with many connections falls asleep between any two answers.
"""

import asyncio
from collections.abc import Callable, Sized
from typing import Any

# Seconds after which nobody else is waited for.
_PATIENCE = 0.001


class Outbox:
    """Keeps what is to be written until others in the same turn of the loop have been answered too."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._writes: list[tuple[Callable[..., None], tuple[Any, ...]]] = []
        self._since = 0.0

    def __len__(self) -> int:
        """Count what waits."""
        return len(self._writes)

    def put(self, write: Callable[..., None], *arguments: Any) -> None:
        """Have something written by the loop, soon; at once, with all before it, if that waited enough."""
        if not self._writes:
            self._since = self._loop.time()
            self._loop.call_soon(self.empty)
        self._writes.append((write, arguments))
        if self._loop.time() - self._since > _PATIENCE:
            self.empty()

    def empty(self) -> None:
        """Write all that waits, in its order."""
        writes, self._writes = self._writes, []
        for write, arguments in writes:
            write(*arguments)


class ByOutbox:
    """A transport whose writes wait in an outbox while there are `others` to be answered."""

    def __init__(self, transport: asyncio.Transport, outbox: Outbox, others: Sized) -> None:
        self._transport, self._outbox, self._others = transport, outbox, others
        self._is_closing = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Write, now or with what others are answered."""
        if self._outbox or len(self._others) > 1:
            self._outbox.put(self._write, data)
        else:
            self._write(data)

    def _write(self, data: bytes) -> None:
        # asyncio warns of each write to a client that is gone.
        if not self._transport.is_closing():
            self._transport.write(data)

    def is_closing(self) -> bool:
        """Whether it is closed, or is going to be."""
        return self._is_closing or self._transport.is_closing()

    def close(self) -> None:
        """Close behind what was written before."""
        self._is_closing = True
        if self._outbox:
            self._outbox.put(self._transport.close)
        else:
            self._transport.close()

    def abort(self) -> None:
        """Break off behind what was written before."""
        self._outbox.empty()
        self._transport.abort()
