"""uvicorn's protocol, so that an answer may be nothing but headers on HTTP/2.

gRPC ends a call that failed that way: a client tries a busy server again only if the
headers of an answer have not come before (https://github.com/grpc/proposal, A6). ASGI has no
word for it.
"""

from functools import partial

import zttp
from uvicorn.protocols.http.auto_zttp_impl import AutoZttpProtocol
from uvicorn.protocols.http.zttp_h2_impl import RequestResponseCycle, ZttpH2Protocol

from .grpc import END_WITH_HEADERS
from .headers import Headers


class _Http2(ZttpH2Protocol):
    def handle_request(self, event: zttp.Request) -> None:
        """Hand the request over; its task starts at the next turn of the loop."""
        super().handle_request(event)
        cycle = self.cycles[event.stream_id]
        cycle.scope["extensions"][END_WITH_HEADERS] = partial(_end_with_headers, cycle)  # type: ignore[assignment] # ASGI leaves its types to its inventor


class FakeProtocol(AutoZttpProtocol):
    """HTTP/1.1, or HTTP/2 where a client begins with its preface."""

    def _switch(self, http2: bool, initial_data: bytes = b"") -> None:
        if not http2:
            super()._switch(http2, initial_data)
            return
        protocol = _Http2(self.config, self.server_state, self.app_state, self.loop)
        self.transport.set_protocol(protocol)
        protocol.connection_made(self.transport)
        protocol.data_received(initial_data)


def _end_with_headers(cycle: RequestResponseCycle, headers: Headers) -> None:
    cycle.response_started = cycle.body_complete = cycle.response_complete = True
    if cycle.disconnected:
        return
    cycle.stream.send_response(200, headers, end_stream=True)
    cycle.transport.write(cycle.conn.data_to_send())
    cycle.message_event.set()
