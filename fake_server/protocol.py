"""uvicorn's protocol, so that an answer may be nothing but headers on HTTP/2.

gRPC ends a call that failed that way: a client tries a busy server again only if the
headers of an answer have not come before (https://github.com/grpc/proposal, A6). ASGI has no
word for it.
"""

import asyncio
import socket
import struct
from functools import partial

import zttp
from uvicorn.protocols.http.auto_zttp_impl import AutoZttpProtocol
from uvicorn.protocols.http.zttp_h2_impl import RequestResponseCycle, ZttpH2Protocol
from uvicorn.protocols.http.zttp_impl import ZttpProtocol

from .delivery import BREAK
from .grpc import END_WITH_HEADERS
from .headers import Headers


class _Http2(ZttpH2Protocol):
    def handle_request(self, event: zttp.Request) -> None:
        """Hand the request over; its task starts at the next turn of the loop."""
        super().handle_request(event)
        cycle = self.cycles[event.stream_id]
        cycle.scope["extensions"][END_WITH_HEADERS] = partial(_end_with_headers, cycle)  # type: ignore[assignment] # ASGI leaves its types to its inventor


class FakeProtocol(AutoZttpProtocol):
    """HTTP/1.1, or HTTP/2 where a client begins with its preface.

    The state of each request has what breaks its connection off.
    """

    def _switch(self, http2: bool, initial_data: bytes = b"") -> None:
        kind = _Http2 if http2 else ZttpProtocol
        state = {**self.app_state, BREAK: partial(_break_off, self.transport)}
        protocol = kind(self.config, self.server_state, state, self.loop)
        self.transport.set_protocol(protocol)
        protocol.connection_made(self.transport)
        protocol.data_received(initial_data)


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
