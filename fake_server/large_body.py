"""A large body on its way in: the kernel writes it where it stays.

uvicorn copies each piece of a body four times, into new memory each time. An image of 20 MiB takes
longer to copy than to look at.
"""

import asyncio
from collections.abc import Callable

# Bytes still to come from which it is worth the while.
LARGE = 128 * 1024

# The most that is read in this way.
MOST = 1024**3

# How many times the bytes that came are believed to come: who only says how many, and sends none,
# gets no memory for them.
_TRUST = 16


class LargeBody(asyncio.BufferedProtocol):
    """Reads so many more bytes behind those that came, for the protocol of the connection.

    `done` gets the whole body.
    """

    def __init__(
        self,
        protocol: asyncio.Protocol,
        began: bytes | bytearray,
        more: int,
        done: Callable[[bytearray], None],
    ) -> None:
        self._protocol, self._done = protocol, done
        self._size = len(began) + more
        self._body, self._free = bytearray(), memoryview(b"")
        self._take(began)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 (asyncio's)
        """Say where the next bytes go."""
        return self._free

    def buffer_updated(self, nbytes: int) -> None:
        """Hear that so many bytes came."""
        self._free = self._free[nbytes:]
        if self._free:
            return
        self._free.release()
        if len(self._body) < self._size:
            self._take(self._body)
        else:
            self._done(self._body)

    def eof_received(self) -> bool | None:
        """Hear that the client sends no more."""
        return self._protocol.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        """Hear that the client is gone."""
        self._protocol.connection_lost(exc)

    def pause_writing(self) -> None:
        """Hear that the client reads too slowly."""
        self._protocol.pause_writing()

    def resume_writing(self) -> None:
        """Hear that the client reads again."""
        self._protocol.resume_writing()

    def _take(self, came: bytes | bytearray) -> None:
        """Take memory for what comes next, behind what came."""
        self._body = bytearray(min(self._size, max(_TRUST * len(came), LARGE)))
        self._body[: len(came)] = came
        self._free = memoryview(self._body)[len(came) :]
