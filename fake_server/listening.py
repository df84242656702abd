"""The socket and the server on it: uvicorn's own start-up, without the waits that make it slow to stop."""

import asyncio
import os
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import uvicorn

from .front import Front
from .outbox import Outbox
from .protocol import FakeProtocol

# Connections that the kernel keeps until somebody accepts them.
_BACKLOG = 1024


@asynccontextmanager
async def listening(app: Front, door: socket.socket, patience: float) -> AsyncIterator[None]:
    """Answer who connects to a socket, as long as the context lasts.

    At its end, answers that are on their way have so many seconds to finish.
    """
    outbox = Outbox(asyncio.get_running_loop())
    server = await _started(app, door, outbox)
    try:
        yield
    finally:
        await _stop(server, app, outbox, patience)


def listener(host: str, port: int) -> socket.socket:
    """Listen on an address; raises OSError if it is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Only of a socket that names its protocol does asyncio know that it is TCP: it then
    # sends small pieces at once, where a client would wait 40 ms for each answer.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except OverflowError:
        listener.close()
        raise
    except OSError as error:
        listener.close()
        raise OSError(error.errno, f"{error.strerror}: {host}, port {port}") from None
    return listener


async def _started(app: Front, listener: socket.socket, outbox: Outbox) -> uvicorn.Server:
    """Start uvicorn on a socket that listens already."""
    config = uvicorn.Config(
        app,
        http=partial(FakeProtocol, outbox=outbox),  # type: ignore[arg-type] # it is called as a class is
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        # Nobody stands between the fake and its clients.
        proxy_headers=False,
        timeout_keep_alive=75,
        # Of several processes with one socket, none is to take all who wait: one at a time.
        backlog=1,
    )
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    await server.startup(sockets=[listener])
    # asyncio has told the kernel of its own backlog.
    listener.listen(_BACKLOG)
    return server


async def _stop(server: uvicorn.Server, app: Front, outbox: Outbox, patience: float) -> None:
    """Stop at once, or when answers are out: uvicorn's own shutdown waits a tenth of a second, twice."""
    # asyncio takes a few turns of the loop to make a connection of one that it accepted;
    # if the listener is closed meanwhile, asyncio of Python 3.11 loses the socket.
    for _ in range(3):
        await asyncio.sleep(0)
    for listening in server.servers:
        listening.close()
    until = time.monotonic() + patience
    # Who writes to a socket tells nobody when it has taken everything.
    while time.monotonic() < until and _is_busy(server, app, outbox):  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    for connection in list(server.server_state.connections):
        if connection.transport is not None:
            connection.transport.abort()
    # One turn of the loop, in which each connection hears that it is lost before its task does: of
    # one that is in the middle of a stream, uvicorn would tell that it ended without an end.
    await asyncio.sleep(0)
    for task in list(server.server_state.tasks):
        task.cancel()
    await asyncio.sleep(0)


def _is_busy(server: uvicorn.Server, app: Front, outbox: Outbox) -> bool:
    """Whether an answer is on its way; a question that is still coming does not count."""
    transports = (connection.transport for connection in server.server_state.connections)
    return (
        app.app.answering > 0
        or len(outbox) > 0
        or any(
            transport is not None and transport.get_write_buffer_size() > 0
            for transport in transports
        )
    )
