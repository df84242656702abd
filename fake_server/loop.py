"""A loop of asyncio in a thread of its own, for whoever waits in another."""

import asyncio
import threading
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
        """Do some work there, and wait for what comes of it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    @contextmanager
    def within(self, context: AbstractAsyncContextManager[Any]) -> Iterator[None]:
        """Enter a context there, and leave it at the end."""
        self.wait(context.__aenter__())
        try:
            yield
        finally:
            self.wait(context.__aexit__(None, None, None))

    def close(self) -> None:
        """Cancel what is still to do, and end the thread."""
        self._loop.call_soon_threadsafe(self._closing.set)
        self._thread.join()

    async def _run(self, running: "Future[None]") -> None:
        self._loop, self._closing = asyncio.get_running_loop(), asyncio.Event()
        running.set_result(None)
        await self._closing.wait()
