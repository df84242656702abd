"""A large body on its way in: the kernel writes it where it stays.

uvicorn copies each piece of a body four times, into new memory each time. An image of 20 MiB takes
longer to copy than to look at.
"""

import asyncio
from collections.abc import Callable

# Bytes still to come from which it is worth the while.
LARGE = 128 * 1024

# Bytes for which memory is set aside on a client's word alone. It is taken as it fills up.
MOST = 1024**3


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
        self._body = bytearray(len(began) + more)
        self._body[: len(began)] = began
        self._free = memoryview(self._body)[len(began) :]

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 (asyncio's)
        """Say where the next bytes go."""
        return self._free

    def buffer_updated(self, nbytes: int) -> None:
        """Hear that so many bytes came."""
        self._free = self._free[nbytes:]
        if not self._free:
            self._free.release()
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
