"""Signals that a loop hears of at once, wherever it waits, until it ends."""

import asyncio
import os
import signal
from collections.abc import Callable, Collection


def on_signal(number: int, heard: Callable[[], object]) -> None:
    """Call this in the running loop each time that a signal comes.

    A handler of Python's alone is not enough: a signal that comes just before the loop begins
    to wait is handled when it has waited.
    """
    loop = asyncio.get_running_loop()
    try:
        loop.add_signal_handler(number, heard)
    except NotImplementedError:
        # On Windows, whose loop wakes up for Python's handlers.
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(heard))


def ignore(numbers: Collection[int]) -> None:
    """Ignore signals from now on, in the running loop: while it closes it can't be told, and would say so."""
    if os.name != "posix":
        for number in numbers:
            signal.signal(number, signal.SIG_IGN)
        return
    # asyncio sets what a signal does unasked, which is to end the process.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    for number in numbers:
        asyncio.get_running_loop().remove_signal_handler(number)
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_SETMASK, before)
