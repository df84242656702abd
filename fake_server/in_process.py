"""The fake without a socket: transports for httpx and httpx2, whose clients then talk to it alone.

An answer streams here too, is cut as a fault says, and times out as the client was told to.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from typing import Any

from .delivery import BREAK
from .loop import SharedLoop

App = Callable[..., Awaitable[None]]
Message = dict[str, Any]


# Seconds in which an answer is to hear that nobody waits for it.
_A_MOMENT = 0.05


class _Broken(Exception):
    """The connection was closed, or reset, in the middle of an answer."""

    def __init__(self, *, reset: bool) -> None:
        super().__init__(reset)
        self.reset = reset


class _Exchange:
    """One request to an application, and the messages of its answer as they come."""

    def __init__(self, app: App, request: Any, body: bytes) -> None:
        self._messages: asyncio.Queue[Message | _Broken] = asyncio.Queue()
        self._gone = asyncio.Event()
        self._body: list[bytes] = [body]
        self._is_head = request.method == "HEAD"
        self.seconds: float | None = request.extensions.get("timeout", {}).get("read")
        url = request.url
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": request.method,
            "scheme": url.scheme,
            "path": url.path,
            "raw_path": url.raw_path.partition(b"?")[0],
            "query_string": url.query,
            "headers": [(name.lower(), value) for name, value in request.headers.raw],
            "client": ("127.0.0.1", 0),
            "server": (url.host, url.port),
            "state": {BREAK: self._break_off},
        }
        self._task = asyncio.ensure_future(app(scope, self._receive, self._messages.put))

    async def _receive(self) -> Message:
        if self._body:
            return {"type": "http.request", "body": self._body.pop(), "more_body": False}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    def _break_off(self, *, reset: bool) -> None:
        self._messages.put_nowait(_Broken(reset=reset))
        self._gone.set()

    async def next(self) -> Message:
        """Give the next message; raises _Broken, or TimeoutError after the client's patience."""
        message = await asyncio.wait_for(self._messages.get(), self.seconds)
        if isinstance(message, _Broken):
            raise message
        # As a server does, whatever the application sends.
        return message | {"body": b""} if self._is_head else message

    async def leave(self) -> None:
        """Go away, whether the answer was complete or not."""
        self._gone.set()
        # Who waits for nothing but the client ends by itself; a function of a test may not.
        await asyncio.wait((self._task,), timeout=_A_MOMENT)
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task


def _error(library: Any, error: Exception, request: Any) -> Exception:
    """Make the error that the library has for a connection that broke or was too slow."""
    if not isinstance(error, _Broken):
        return library.ReadTimeout("The fake server gave no answer in time.", request=request)  # type: ignore[no-any-return] # whichever library it is
    kind = library.ReadError if error.reset else library.RemoteProtocolError
    return kind("The fake server broke the connection off.", request=request)  # type: ignore[no-any-return]


def async_transport(app: App, library: Any) -> Any:
    """Make an AsyncBaseTransport of httpx or httpx2, whichever module is given."""

    class Body(library.AsyncByteStream):  # type: ignore[misc]
        def __init__(self, exchange: _Exchange, request: Any) -> None:
            self.exchange, self.request = exchange, request

        async def __aiter__(self) -> AsyncIterator[bytes]:
            more = True
            while more:
                message = await _next(library, self.exchange, self.request)
                more = message.get("more_body", False)
                yield message["body"]

        async def aclose(self) -> None:
            await self.exchange.leave()

    class Transport(library.AsyncBaseTransport):  # type: ignore[misc]
        async def handle_async_request(self, request: Any) -> Any:
            exchange = _Exchange(app, request, await request.aread())
            start = await _next(library, exchange, request)
            stream = Body(exchange, request)
            return library.Response(start["status"], headers=start["headers"], stream=stream)

    return Transport()


def transport(app: App, library: Any, loop: SharedLoop) -> Any:
    """Make a BaseTransport of httpx or httpx2, whichever module is given; the loop is the application's."""

    class Body(library.SyncByteStream):  # type: ignore[misc]
        def __init__(self, exchange: _Exchange, request: Any) -> None:
            self.exchange, self.request = exchange, request

        def __iter__(self) -> Iterator[bytes]:
            more = True
            while more:
                message = loop.wait(_next(library, self.exchange, self.request))
                more = message.get("more_body", False)
                yield message["body"]

        def close(self) -> None:
            if loop.is_open:
                loop.wait(self.exchange.leave())

    class Transport(library.BaseTransport):  # type: ignore[misc]
        def handle_request(self, request: Any) -> Any:
            exchange = loop.wait(_begun(app, request, request.read()))
            start = loop.wait(_next(library, exchange, request))
            stream = Body(exchange, request)
            return library.Response(start["status"], headers=start["headers"], stream=stream)

    return Transport()


async def _begun(app: App, request: Any, body: bytes) -> _Exchange:
    return _Exchange(app, request, body)


async def _next(library: Any, exchange: _Exchange, request: Any) -> Message:
    """Give the next message of an answer, or raise the library's error where there is none."""
    try:
        return await exchange.next()
    except (_Broken, asyncio.TimeoutError) as error:
        await exchange.leave()
        raise _error(library, error, request) from None
    except asyncio.CancelledError:
        # Who gives up, or is interrupted, before the headers has no answer to close.
        await exchange.leave()
        raise
