"""The fake as a running server: in a thread for Python, in the main thread for the command.

`running` is both: the sockets and uvicorn's own start-up, without the waits that make
uvicorn slow to stop.
"""

import asyncio
import os
import socket
import threading
from collections.abc import AsyncIterator, Iterable, Mapping
from concurrent.futures import Future
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import uvicorn

from .app import App
from .contract import BY_NAME
from .era import NEWEST, Era
from .fetch import Sources
from .journal import LoggedRequest
from .protocol import FakeProtocol
from .scenario import Reply, Scenario, failure
from .service import Service
from .settings import CLOCKS, CONTRACTS

if TYPE_CHECKING:
    from typing_extensions import Self


class FakeServer:
    """A fake of xAI's API on a port of this machine.

        with FakeServer() as server:
            client = openai.OpenAI(base_url=server.url, api_key="anything")

    `url` is the base URL that clients need, and `api_host` what xai-sdk needs. `requests` is
    what came in. `reply` and `fail`
    script the next answers, in order; without a script the answer says what was seen.
    `clear` forgets scripts, mapped images, requests, batches, files, stored and deferred answers.

    Requests of a batch are answered as they are added, unless `hold_batches` was called;
    `finish_batches` and `expire_batches` show when the client next asks for a batch.

    `images` is a folder with DIR/host/path for https://host/path; `allow_hosts` may be
    fetched over the network; any other address is answered by a built-in picture, or
    refused without `placeholder`.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        images: str | os.PathLike[str] | None = None,
        allow_hosts: Iterable[str] = (),
        placeholder: bool = True,
        contract: str = "documented",
        api_key: str | None = None,
        max_body: int | None = None,
        clock: str = "fixed",
        era: str = NEWEST,
    ) -> None:
        if contract not in CONTRACTS:
            raise ValueError(f"contract is one of {', '.join(CONTRACTS)}, not {contract!r}")
        if clock not in CLOCKS:
            raise ValueError(f"clock is one of {', '.join(CLOCKS)}, not {clock!r}")
        if images is not None and not Path(images).is_dir():
            raise ValueError(f"images is no folder: {os.fspath(images)}")
        self._host, self._port = host, port
        self._scenario = Scenario()
        rules = replace(BY_NAME[contract], era=Era(era))
        sources = Sources(
            mapped=self._scenario.images,
            images=None if images is None else Path(images),
            allow_hosts=frozenset(name.lower() for name in allow_hosts),
            placeholder=placeholder,
            max_image_bytes=rules.max_image_bytes,
        )
        service = Service(sources, self._scenario, rules, real_clock=clock == "real")
        self.requests: list[LoggedRequest] = []
        self.app = App(
            service,
            self.requests,
            api_key=api_key,
            max_body=rules.max_body if max_body is None else max_body,
        )
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None

    @property
    def url(self) -> str:
        """The base URL that clients need, such as http://127.0.0.1:51234/v1."""
        if not self._port:
            raise RuntimeError("FakeServer has no address yet: use `with FakeServer() as server`")
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._port}/v1"

    @property
    def api_host(self) -> str:
        """What xai-sdk wants to know: localhost:51234, which it asks for no certificate."""
        loopback = self._host in ("127.0.0.1", "::1", "localhost")
        return f"localhost:{self._port}" if loopback else urlsplit(self.url).netloc

    def reply(
        self,
        text: str = "",
        *,
        reasoning: str = "",
        tool_calls: Iterable[tuple[str, Mapping[str, Any]]] = (),
        finish_reason: str = "",
        citations: Iterable[str] = (),
        server_tool_calls: Iterable[tuple[str, Mapping[str, Any]]] = (),
        usage: Mapping[str, int] | None = None,
    ) -> None:
        """Answer the next request that passes the checks with this.

        `tool_calls` are pairs of a function's name and its arguments. `citations` are web
        addresses: `citations` of a chat completion, annotations of a response, which point
        at "[[1]](address)" where the text has it. `server_tool_calls` are the calls of
        xAI's own tools, in order: ("web_search", {"query": ..., "sources": ...}),
        ("code_interpreter", {"code": ..., "outputs": ...}), or a function of the search of
        X, such as ("x_keyword_search", {"query": ...}). Only a response shows them; a chat
        completion is billed for them too. `usage` says what was used in place of the fake's
        own count: text_tokens, cached_tokens (of these), completion_tokens, reasoning_tokens.
        """
        self._scenario.waiting.append(
            Reply(
                text,
                reasoning,
                tuple(tool_calls),
                finish_reason,
                tuple(citations),
                tuple(server_tool_calls),
                dict(usage or {}),
            )
        )

    def fail(
        self,
        status: int,
        *,
        code: str | None = None,
        error: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        """Fail the next request that passes the checks; xAI's words unless others are given."""
        self._scenario.waiting.append(failure(status, code, error, retry_after))

    def serve_image(self, url: str, data: bytes | os.PathLike[str]) -> None:
        """Put these bytes, or this file, behind a web address."""
        if not url.startswith(("http://", "https://")):
            raise ValueError(f"the address of an image begins with http:// or https://: {url}")
        self._scenario.images[url] = data if isinstance(data, bytes) else Path(data).read_bytes()

    def hold_batches(self) -> None:
        """Leave the requests of batches pending that are added from now on."""
        self.app.batches.hold()

    def finish_batches(self, count: int | None = None) -> None:
        """Answer the next `count` requests that are held; without a count all, and hold no more."""
        self.app.batches.finish(count)

    def expire_batches(self) -> None:
        """Let every batch expire; what is pending in them stays so."""
        self.app.batches.expire()

    def clear(self) -> None:
        """Forget scripts, mapped images, requests, batches, files, stored and deferred answers."""
        self._scenario.clear()
        self.requests.clear()
        self.app.batches.clear()
        self.app.service.clear()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Listen as long as the context lasts; raises OSError if the port is taken."""
        with _listening(self._host, self._port) as listener:
            self._port = listener.getsockname()[1]
            server = await _started(self.app, listener)
            try:
                yield
            finally:
                await _stop(server)

    def __enter__(self) -> "Self":
        ready: Future[None] = Future()
        self._thread = threading.Thread(target=self._run, args=(ready,), daemon=True)
        self._thread.start()
        ready.result()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._loop and self._stopping and self._thread:
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join()

    def _run(self, ready: "Future[None]") -> None:
        try:
            asyncio.run(self._serve(ready))
        except Exception as error:
            # Before it is ready, the thread that waits has to hear of it.
            if ready.done():
                raise
            ready.set_exception(error)

    async def _serve(self, ready: "Future[None]") -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        async with self.running():
            ready.set_result(None)
            await self._stopping.wait()


def _listening(host: str, port: int) -> socket.socket:
    """Listen on an address; raises OSError if it is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Only of a socket that names its protocol does asyncio know that it is TCP: it then
    # sends small pieces at once, where a client would wait 40 ms for each answer.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(1024)
    except OverflowError:
        listener.close()
        raise
    except OSError as error:
        listener.close()
        raise OSError(error.errno, f"{error.strerror}: {host}, port {port}") from None
    return listener


async def _started(app: App, listener: socket.socket) -> uvicorn.Server:
    """Start uvicorn on a socket that listens already."""
    config = uvicorn.Config(
        app,
        http=FakeProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=75,
    )
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    await server.startup(sockets=[listener])
    return server


async def _stop(server: uvicorn.Server) -> None:
    """Stop at once: uvicorn's own shutdown waits a tenth of a second, twice."""
    # asyncio takes a few turns of the loop to make a connection of one that it accepted;
    # if the listener is closed meanwhile, asyncio of Python 3.11 loses the socket.
    for _ in range(3):
        await asyncio.sleep(0)
    for listening in server.servers:
        listening.close()
    for connection in list(server.server_state.connections):
        if connection.transport is not None:
            connection.transport.abort()
    # One turn of the loop, in which each connection hears that it is lost.
    await asyncio.sleep(0)
    for task in list(server.server_state.tasks):
        task.cancel()
