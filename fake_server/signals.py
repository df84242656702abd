"""Signals that a loop hears of at once, wherever it waits."""

import asyncio
import signal
from collections.abc import Callable


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
