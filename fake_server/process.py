"""The fake as all that a process does."""

import asyncio
import ctypes
import errno
import gc
import logging
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from .signals import ignore, on_signal

if TYPE_CHECKING:
    from .server import FakeServer

_logger = logging.getLogger("fake_server")

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8

# The most that glibc allows: an image of 20 MiB in base64 is smaller.
_LARGE_BLOCK = 32 * 1024**2

# Seconds without a large request after which memory is given back.
_PAUSE = 0.1

# Objects that are made before the collector looks at them: those of some hundred answers.
_NEW_OBJECTS = 20_000

# Open files, of which each connection is one: as many as macOS gives to a process that asks.
_MOST_FILES = 10_240

_ENDING = (signal.SIGINT, signal.SIGTERM)

# Seconds that answers on their way have when the process is told to end.
_PATIENCE = 3


@contextmanager
def uncollected() -> Iterator[None]:
    """Have what is loaded meanwhile left alone by the collector: nearly all of it stays."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def settle(server: "FakeServer") -> None:
    """Have a process that does nothing else keep memory between large requests, and no longer.

    glibc gives a large block back as soon as it is free, and takes it anew for the next request:
    then it takes longer to get at the memory than to look at what is in it.
    https://man7.org/linux/man-pages/man3/mallopt.3.html
    """
    # Another C library has no such functions, or another system no such library.
    with suppress(OSError, AttributeError, TypeError):
        library = ctypes.CDLL(None)
        set_option, trim = library.mallopt, library.malloc_trim
        set_option(_M_MMAP_THRESHOLD, _LARGE_BLOCK)
        set_option(_M_TRIM_THRESHOLD, 16 * _LARGE_BLOCK)
        # What a thread has freed is of use to the others.
        set_option(_M_ARENA_MAX, 1)
        server.app.after_large = _Pause(partial(trim, 0)).begin


class _Pause:
    """Does something when nothing has begun a pause again for a moment."""

    def __init__(self, work: Callable[[], object]) -> None:
        self._work = work
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        if self._timer:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(_PAUSE, self._work)


def _allow_many_connections() -> None:
    """Ask the system for more open files than the few hundred that a process has unasked."""
    # Windows has no such limit; another system may not let anybody change it.
    with suppress(ImportError, OSError, ValueError):
        import resource

        infinite = resource.RLIM_INFINITY
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        most = _MOST_FILES if hard == infinite else min(hard, _MOST_FILES)
        if soft != infinite and soft < most:
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _tell(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Say in a sentence that nobody else can connect, and leave other troubles to the loop."""
    error = context.get("exception")
    if isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE):
        _logger.warning(
            "As many connections are open as this system allows (see `ulimit -n`); others wait."
        )
    else:
        loop.default_exception_handler(context)


async def serve(
    server: "FakeServer",
    ready: Callable[[], object],
    shared: socket.socket | None = None,
    until: int | None = None,
) -> None:
    """Listen until SIGINT or SIGTERM, or until something can be read from the file `until`.

    `ready` is called when it listens, on the `shared` socket if there is one.
    """
    _allow_many_connections()
    asyncio.get_running_loop().set_exception_handler(_tell)
    stop = asyncio.Event()
    for number in _ENDING:
        on_signal(number, stop.set)
    if until is not None:
        asyncio.get_running_loop().add_reader(until, stop.set)
    async with server.running(_PATIENCE, shared):
        # What is there by now stays, and what answers make goes by itself: there is little to collect.
        gc.freeze()
        gc.set_threshold(_NEW_OBJECTS)
        ready()
        await stop.wait()
    # Whoever ends a group of processes tells each twice: by itself, and by who started it.
    ignore(_ENDING)
