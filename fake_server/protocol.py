"""uvicorn's protocol, so that an answer may be nothing but headers on HTTP/2, and one write on HTTP/1.1.

gRPC ends a call that failed that way: a client tries a busy server again only if the
headers of an answer have not come before (https://github.com/grpc/proposal, A6). ASGI has no
word for it. Nor has it one for an answer that is whole: uvicorn writes its headers, its body
and its end one after the other, which is two calls of the system more.
"""

import asyncio
import socket
import struct
from functools import partial
from typing import Any, cast
from weakref import proxy

import zttp
from uvicorn.protocols.http.auto_zttp_impl import AutoZttpProtocol
from uvicorn.protocols.http.zttp_h2_impl import RequestResponseCycle, ZttpH2Protocol
from uvicorn.protocols.http.zttp_impl import ZttpProtocol

from .delivery import AT_ONCE, BREAK
from .grpc import END_WITH_HEADERS
from .headers import Headers
from .large_body import LARGE, MOST, LargeBody
from .outbox import ByOutbox, Outbox

_ANY = bytes(64 * 1024)

# Bytes of answers that a client of HTTP/2 may leave unread: to each of its own small frames there is one.
MOST_UNREAD = 64 * 1024**2

# zttp breaks a connection off, with all that is on it, at its 4,096th request, and at the 256th that
# its client takes back. Long before, the client is asked to go on with another connection.
MOST_REQUESTS = 3000
MOST_TAKEN_BACK = 128

# To go away in peace, from all streams that there may be:
# https://datatracker.ietf.org/doc/html/rfc9113#section-6.8
_NO_ERROR, _ANY_STREAM = 0, 2**31 - 1

# With which TLS begins: https://datatracker.ietf.org/doc/html/rfc8446#section-5.1
_HANDSHAKE = b"\x16"


class _Http2(ZttpH2Protocol):
    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._requests = self._taken_back = 0

    def data_received(self, data: bytes) -> None:
        """Take what came, and let a client go that asks without end and reads nothing."""
        super().data_received(data)
        if self.transport.get_write_buffer_size() > MOST_UNREAD:
            self.transport.abort()
        if self.transport.is_closing():
            # What it asked before it broke the rules is answered to nobody: zttp takes no answer any more.
            for cycle in self.cycles.values():
                cycle.disconnected = True
                cycle.message_event.set()

    def handle_request(self, event: zttp.Request) -> None:
        """Hand the request over; its task starts at the next turn of the loop."""
        self._requests += 1
        if self._requests == MOST_REQUESTS:
            self._ask_to_leave()
        try:
            super().handle_request(event)
        except UnicodeDecodeError:
            # As in HTTP/1.1 below.
            self.conn.stream(event.stream_id).send_response(400, [], end_stream=True)
            return
        # The proxy, because else the request and its scope hold each other.
        cycle = self.cycles[event.stream_id]
        if event.end_stream:
            # zttp tells no more of the end of a body that is none, and uvicorn waits for it.
            cycle.more_body = False
            cycle.message_event.set()
        cycle.scope["extensions"][END_WITH_HEADERS] = partial(_end_with_headers, proxy(cycle))  # type: ignore[assignment] # ASGI leaves its types to its inventor

    def handle_rst_stream(self, event: zttp.RstStream) -> None:
        """Forget a request that its client took back."""
        if event.stream_id in self.cycles:
            self._taken_back += 1
            if self._taken_back == MOST_TAKEN_BACK:
                self._ask_to_leave()
        super().handle_rst_stream(event)

    def _ask_to_leave(self) -> None:
        """Answer all that still comes, and have the client connect anew for what is next."""
        self.conn.close(_NO_ERROR, _ANY_STREAM)


class _Http1(ZttpProtocol):
    def data_received(self, data: bytes) -> None:
        """Take what came; a large body that has just begun is read on in another way."""
        before = self.cycle
        super().data_received(data)
        cycle = self.cycle
        # Of one that began before, somebody may have had a part.
        if cycle is not before and cycle.more_body:
            more = _declared_length(self.headers) - len(cycle.body)
            if LARGE <= more <= MOST:
                self._read_large_body(more)

    def connection_lost(self, exc: Exception | None) -> None:
        """Hear that the client is gone; of one that was reset, uvicorn's timer would keep all for a while."""
        super().connection_lost(exc)
        self._unset_keepalive_if_required()

    def handle_events(self, event: zttp.Event) -> None:
        """Take what was read; zttp lets bytes be in a path that uvicorn takes for ASCII."""
        try:
            super().handle_events(event)
        except UnicodeDecodeError:
            self.handle_remote_protocol_error()

    def _should_upgrade(self) -> bool:
        """Go on with HTTP/1.1: uvicorn would warn of each client that offers HTTP/2, as Java's does."""
        return False

    def _read_large_body(self, more: int) -> None:
        began = self.cycle.body
        self.cycle.body = bytearray()
        self.cycle.message_event.clear()
        self.flow.resume_reading()
        done = partial(self._have_large_body, more)
        self.transport.set_protocol(LargeBody(self, began, more, done))

    def _have_large_body(self, more: int, body: bytearray) -> None:
        self.transport.set_protocol(self)
        self.cycle.body = body
        # The parser only has to know how much of the body came.
        event: zttp.Event = zttp.NEED_DATA
        while more > 0:
            event = self.conn.receive_event(_ANY[:more])
            more -= len(_ANY)
            while isinstance(event, zttp.Data):
                event = self.conn.next_event()
        self.handle_events(event)

    def answer_at_once(self, status: int, headers: Headers, body: bytes) -> bool:
        """Send a whole answer in one write; False where the client has to be waited for."""
        cycle = self.cycle
        if cycle.disconnected or self.flow.write_paused or cycle.scope["method"] == "HEAD":
            return False
        if cycle.scope["http_version"] == "1.0":
            headers = _unchunked(headers, len(body), stays=not self.conn.should_close())
        self.conn.send_response(status, headers)
        if body:
            self.conn.send_data(body)
        self.conn.end_message()
        self.transport.write(self.conn.data_to_send())
        cycle.response_started = cycle.response_complete = True
        cycle.message_event.set()
        if not cycle.keep_alive or self.conn.should_close():
            self.transport.close()
        self.on_response_complete()
        return True


class FakeProtocol(AutoZttpProtocol):
    """HTTP/1.1, or HTTP/2 where a client begins with its preface.

    What it writes goes by the outbox of the server. The state of each request has what breaks
    its connection off, and what answers in one write.
    """

    def __init__(self, *args: Any, outbox: Outbox, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._outbox = outbox

    def _switch(self, http2: bool, initial_data: bytes = b"") -> None:
        by_outbox = ByOutbox(self.transport, self._outbox, self.server_state.tasks)
        transport = cast("asyncio.Transport", by_outbox)
        state = {**self.app_state, BREAK: partial(_break_off, transport)}
        kind = _Http2 if http2 else _Http1
        protocol = kind(self.config, self.server_state, state, self.loop)
        if isinstance(protocol, _Http1):
            state[AT_ONCE] = protocol.answer_at_once
        self.transport.set_protocol(protocol)
        protocol.connection_made(transport)
        if isinstance(protocol, _Http1) and initial_data.startswith(_HANDSHAKE):
            # Or the client would wait for the rest of a line.
            protocol.send_400_response("This server speaks http, and no https.")
        else:
            protocol.data_received(initial_data)


def _declared_length(headers: Headers) -> int:
    """Give the declared length of a body, or 0 where it comes in chunks."""
    return next((int(value) for name, value in headers if name == b"content-length"), 0)


def _unchunked(headers: Headers, length: int, *, stays: bool) -> Headers:
    """Say how long an answer is, and whether the connection stays: HTTP/1.0 knows neither of itself."""
    told = [(b"content-length", b"%d" % length)]
    if stays:
        told.append((b"connection", b"keep-alive"))
    framing = (b"transfer-encoding", b"content-length")
    return [*[row for row in headers if row[0] not in framing], *told]


def _break_off(transport: asyncio.Transport, *, reset: bool) -> None:
    """Close a connection, or reset it: then what was sent may not arrive either."""
    if not reset:
        transport.close()
        return
    # Not to linger is what makes an end a reset.
    no_linger = struct.pack("ii", 1, 0)
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, no_linger)
    transport.abort()


def _end_with_headers(cycle: RequestResponseCycle, headers: Headers) -> None:
    cycle.response_started = cycle.body_complete = cycle.response_complete = True
    if cycle.disconnected:
        return
    cycle.stream.send_response(200, headers, end_stream=True)
    cycle.transport.write(cycle.conn.data_to_send())
    cycle.message_event.set()
