"""The fake as all that a process does."""

import asyncio
import ctypes
import gc
import signal
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from .signals import on_signal

if TYPE_CHECKING:
    from .server import FakeServer

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3

# Larger than what asyncio makes room for at each read, which would be mapped anew each time.
_LARGE_BLOCK = 1024**2

# Seconds that answers on their way have when the process is told to end.
_PATIENCE = 3


def give_memory_back() -> None:
    """Have large blocks given back as soon as they are free: glibc keeps them after the first.

    https://man7.org/linux/man-pages/man3/mallopt.3.html: a threshold that is set stays as it is.
    """
    # Another C library has no such function, or another system no such library.
    with suppress(OSError, AttributeError, TypeError):
        set_option = ctypes.CDLL(None).mallopt
        set_option(_M_MMAP_THRESHOLD, _LARGE_BLOCK)
        set_option(_M_TRIM_THRESHOLD, 2 * _LARGE_BLOCK)


async def serve(
    server: "FakeServer",
    ready: Callable[[], object],
    shared: socket.socket | None = None,
    until: int | None = None,
) -> None:
    """Listen until SIGINT or SIGTERM, or until something can be read from the file `until`.

    `ready` is called when it listens, on the `shared` socket if there is one.
    """
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        on_signal(number, stop.set)
    if until is not None:
        asyncio.get_running_loop().add_reader(until, stop.set)
    async with server.running(_PATIENCE, shared):
        # What is there by now stays: the collector need not look at it between two answers.
        gc.freeze()
        ready()
        await stop.wait()
