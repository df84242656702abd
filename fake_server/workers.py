"""Several processes that answer on one port: each by itself, or all as one by a shared state."""

import asyncio
import multiprocessing
import os
import signal
import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any

from .listening import listener
from .process import serve, settle
from .server import FakeServer
from .signals import on_signal

_SPAWN = multiprocessing.get_context("spawn")


@dataclass(frozen=True)
class _Worker:
    """A process; it tells by the line that it listens, and ends when the line does."""

    process: SpawnProcess
    line: Connection


def serve_together(count: int, options: Mapping[str, Any]) -> int:
    """Answer in so many processes until a signal; the first line printed is the base URL.

    The result is an exit status. Raises what FakeServer does, ValueError for what several can't
    do, and OSError for a taken port.
    """
    if os.name != "posix":
        raise ValueError(
            "several processes on one port are for Unix: this system takes no --workers"
        )
    if options["record"] is not None:
        raise ValueError("recordings are numbered by one process: --record takes no --workers")
    with listener(options["host"], options["port"]) as shared:
        given = {**options, "port": shared.getsockname()[1]}
        # Whatever is wrong with the options is said once, and before anybody starts.
        url = FakeServer(**given).url
        workers: list[_Worker] = []
        try:
            # Ctrl-C that comes meanwhile is heard at the end of it, when all that were started can be ended.
            with _undisturbed():
                workers.extend(_started(given, shared) for _ in range(count))
            if _all_listen(workers):
                return asyncio.run(_watched(workers, url))
            return _lost()
        finally:
            for worker in workers:
                worker.process.terminate()
            for worker in workers:
                worker.process.join()


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Have those who are started meanwhile never hear Ctrl-C: they are told when to end."""
    # It is started with the first of them otherwise, and lets Ctrl-C through to all.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _started(options: Mapping[str, Any], shared: socket.socket) -> _Worker:
    line, other_end = _SPAWN.Pipe()
    process = _SPAWN.Process(target=_work, args=(options, shared, other_end))
    process.start()
    other_end.close()
    return _Worker(process, line)


def _work(options: Mapping[str, Any], shared: socket.socket, line: Connection) -> None:
    server = FakeServer(**options)
    settle(server)

    def tell() -> None:
        # Whoever started it may be gone: the line ends then, and so does this.
        with suppress(BrokenPipeError):
            line.send(obj=True)

    asyncio.run(serve(server, tell, shared, line.fileno()))


def _all_listen(workers: list[_Worker]) -> bool:
    """Wait until all of them listen, or one has ended, and its line with it."""
    silent = list(workers)
    while silent:
        heard = wait([worker.line for worker in silent])
        for worker in [worker for worker in silent if worker.line in heard]:
            try:
                worker.line.recv()
            except EOFError:
                return False
            silent.remove(worker)
    return True


async def _watched(workers: list[_Worker], url: str) -> int:
    """Wait for a signal, or until a process is lost; the result is an exit status."""
    end = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        on_signal(number, end.set)
    for worker in workers:
        asyncio.get_running_loop().add_reader(worker.process.sentinel, end.set)
    print(url, flush=True)
    await end.wait()
    ended = [worker.process for worker in workers if wait([worker.process.sentinel], timeout=0)]
    for process in ended:
        # Its files are closed a moment before it can be asked how it ended.
        process.join()
    return _lost() if any(process.exitcode for process in ended) else 0


def _lost() -> int:
    print("fake_server: a worker has ended, and with it all others", file=sys.stderr)
    return 1
