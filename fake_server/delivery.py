"""How an answer leaves: its pieces one by one, with the faults that a test asked for."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, MutableMapping
from typing import Any

import msgspec

from .faults import Cut, Ending, Fault, bent, segments, spoil_json
from .headers import Headers

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

# Where the state of a request has what breaks its connection, and what answers in one write
# (see `protocol`).
BREAK = "fake_server.break"
AT_ONCE = "fake_server.at_once"


def _cannot_break(*, reset: bool) -> None:
    raise ConnectionResetError(f"this server can't {'reset' if reset else 'close'} a connection")


def _not_at_once(_status: int, _headers: Headers, _body: bytes) -> bool:
    return False


def _unheard(_data: bytes, *, is_last: bool) -> None:
    pass


class Line(msgspec.Struct):
    """The connection on which an answer leaves; `break_off` closes or resets it.

    `at_once` sends a whole answer in one write, and says whether it could. `hear` is told of
    each piece of a body, and whether it is the last, before the client gets it. A client that
    `knows_no_chunks` learns from the end of the connection that an answer has ended.
    """

    receive: Receive
    send: Send
    break_off: Callable[..., None] = _cannot_break
    at_once: Callable[[int, Headers, bytes], bool] = _not_at_once
    hear: Callable[..., None] = _unheard
    knows_no_chunks: bool = False

    @classmethod
    def of(
        cls, scope: Scope, receive: Receive, send: Send, hear: Callable[..., None] = _unheard
    ) -> "Line":
        """Make the line of a request."""
        state = scope.get("state", {})
        break_off, at_once = state.get(BREAK, _cannot_break), state.get(AT_ONCE, _not_at_once)
        return cls(receive, send, break_off, at_once, hear, scope.get("http_version") == "1.0")

    async def start(self, answer: "Outgoing", content_type: str | None) -> None:
        """Send the headers, with another content type than their own if told."""
        headers = _declared(answer.headers, content_type)
        if self.knows_no_chunks:
            headers = [*headers, (b"connection", b"close")]
        await self.send(
            {
                "type": "http.response.start",
                "status": answer.status,
                "headers": headers,
                "trailers": answer.trailers is not None,
            }
        )

    async def whole(self, status: int, headers: Headers, body: bytes) -> None:
        """Send an answer at once."""
        self.hear(body, is_last=True)
        if not self.at_once(status, headers, body):
            await self.start(Outgoing(status, headers, ()), None)
            await self.send({"type": "http.response.body", "body": body})

    async def end(self, trailers: Headers | None) -> None:
        """Send the end of the body, and what stands behind it."""
        self.hear(b"", is_last=True)
        await self.send({"type": "http.response.body", "body": b""})
        if trailers is not None:
            await self.send({"type": "http.response.trailers", "headers": trailers})

    async def piece(self, data: bytes) -> None:
        """Send a piece of the body."""
        self.hear(data, is_last=False)
        await self.send({"type": "http.response.body", "body": data, "more_body": True})

    async def close(self, ending: Ending) -> None:
        """End the connection in the middle of an answer, or wait until the client does."""
        if ending != "stall":
            self.hear(b"", is_last=True)
            self.break_off(reset=ending == "rst")
        await self._left()

    async def while_there(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something to its end; raises ConnectionResetError if the client goes away before."""
        working, leaving = asyncio.ensure_future(work), asyncio.ensure_future(self._left())
        try:
            await asyncio.wait((working, leaving), return_when=asyncio.FIRST_COMPLETED)
            is_done = working.done()
        finally:
            leaving.cancel()
            working.cancel()
        if not is_done:
            await asyncio.wait((working,))
            raise ConnectionResetError
        await working

    async def _left(self) -> None:
        """Wait until the client is gone."""
        while (await self.receive())["type"] != "http.disconnect":
            pass


class Outgoing(msgspec.Struct, frozen=True):
    """An answer on its way out.

    `error` is what is sent where the fault is an error inside the stream, if the format has
    such. `trailers` stand behind the body: those of a good end, and those of an error.
    """

    status: int
    headers: Headers
    pieces: Iterable[bytes]
    error: bytes = b""
    spoil: Callable[[bytes], bytes] = spoil_json
    trailers: tuple[Headers, Headers] | None = None


async def deliver(line: Line, answer: Outgoing, fault: Fault | None) -> None:
    """Send an answer, with its faults; raises ConnectionResetError if nobody waits for them."""
    if fault is None:
        await _deliver(line, answer)
    else:
        await line.while_there(_deliver_faulty(line, answer, fault))


async def _deliver(line: Line, answer: Outgoing) -> None:
    await line.start(answer, None)
    for event in answer.pieces:
        await _leave(line, event)
    await line.end(answer.trailers[0] if answer.trailers else None)


async def _deliver_faulty(line: Line, answer: Outgoing, fault: Fault) -> None:
    if fault.is_before_headers:
        await asyncio.sleep(fault.first_token)
        await line.close(fault.ending or "fin")
        return
    await line.start(answer, fault.content_type)
    if fault.first_token:
        await asyncio.sleep(fault.first_token)
    failed = False
    for event in bent(answer.pieces, fault, answer.spoil):
        if not isinstance(event, Cut):
            await _send(line, event, fault)
        elif event.ending != "error":
            await line.close(event.ending)
            return
        else:
            failed = True
            if answer.error:
                await _send(line, answer.error, fault)
    await line.end(answer.trailers[failed] if answer.trailers else None)


async def _send(line: Line, event: bytes, fault: Fault) -> None:
    for segment in segments(event, fault):
        await _leave(line, segment)
    if fault.per_token:
        await asyncio.sleep(fault.per_token)


async def _leave(line: Line, piece: bytes) -> None:
    await line.piece(piece)
    # One turn of the loop, so that each leaves by itself: a burst is no stream.
    await asyncio.sleep(0)


def _declared(headers: Headers, content_type: str | None) -> Headers:
    if content_type is None:
        return headers
    declared = (b"content-type", content_type.encode())
    return [declared if name == b"content-type" else (name, value) for name, value in headers]


async def read_body(receive: Receive, most: int) -> bytes | None:
    """Read the whole body; None if it was larger than allowed.

    Raises ConnectionResetError if the client goes away before its end.
    """
    chunks: list[bytes] = []
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionResetError
        chunk, more = message.get("body", b""), message.get("more_body", False)
        size += len(chunk)
        if size > most:
            chunks.clear()
        elif more or chunks:
            chunks.append(chunk)
    if size > most:
        return None
    return b"".join(chunks) if chunks else chunk
