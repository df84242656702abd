"""A loop of asyncio in a thread of its own, for whoever waits in another."""

import asyncio
import threading
import weakref
from collections.abc import Coroutine, Iterator
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import Any, TypeVar

T = TypeVar("T")


class Loop:
    """Runs from the start until it is closed."""

    def __init__(self) -> None:
        running: Future[None] = Future()
        work = self._run(running)
        self._thread = threading.Thread(target=asyncio.run, args=(work,), daemon=True)
        self._thread.start()
        running.result()

    def wait(self, work: Coroutine[Any, Any, T]) -> T:
        """Do some work there, and wait for what comes of it; raises RuntimeError if it is asked there."""
        if threading.current_thread() is self._thread:
            work.close()
            raise RuntimeError("whoever answers can't ask the same server, which waits for it")
        waiting = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return waiting.result()
        except BaseException:
            # Whoever is interrupted wants it no more.
            waiting.cancel()
            raise

    @contextmanager
    def within(self, context: AbstractAsyncContextManager[Any]) -> Iterator[None]:
        """Enter a context there, and leave it at the end."""
        self.wait(context.__aenter__())
        try:
            yield
        finally:
            self.wait(context.__aexit__(None, None, None))

    def end(self) -> None:
        """Have the thread end soon, and cancel what is still to do."""
        self._loop.call_soon_threadsafe(self._closing.set)

    def close(self) -> None:
        """End, and wait until the thread has."""
        self.end()
        self._thread.join()

    async def _run(self, running: "Future[None]") -> None:
        self._loop, self._closing = asyncio.get_running_loop(), asyncio.Event()
        running.set_result(None)
        await self._closing.wait()


class SharedLoop:
    """A loop for all who have this: it ends when nobody has it any more, or with the program."""

    def __init__(self) -> None:
        loop = Loop()
        self.wait = loop.wait
        self._end = weakref.finalize(self, loop.end)

    @property
    def is_open(self) -> bool:
        """Whether it still runs; what is thrown away as the program ends may come later."""
        return self._end.alive
