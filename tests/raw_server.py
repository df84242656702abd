"""A server that sends exactly the bytes it is told to, and closes: for broken answers."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Self

Answer = Iterable[bytes]


def http(
    body: bytes, *, status: str = "200 OK", headers: str = "content-type: text/plain"
) -> Answer:
    """Give the pieces of a whole answer with a length."""
    head = f"HTTP/1.1 {status}\r\n{headers}\r\ncontent-length: {len(body)}\r\n\r\n"
    return [head.encode() + body]


def stream(*events: str, end: bytes = b"0\r\n\r\n") -> Answer:
    """Give the pieces of a stream of events, chunked; without `end` it is cut off."""
    yield b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    for event in events:
        data = event.encode()
        yield f"{len(data):x}\r\n".encode() + data + b"\r\n"
    yield end


class RawServer:
    """Answers each connection with the next of its answers; `requests` are the raw bytes.

    An answer is an iterable of pieces, or a function that is handed the connection. With `tls`
    it is spoken to by https; who does not trust it uses up an answer.
    """

    def __init__(
        self,
        *answers: Answer | Callable[[socket.socket], None],
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.requests: list[bytes] = []
        self._answers = list(answers)
        self._listener = socket.create_server(("127.0.0.1", 0))
        scheme = "https" if tls else "http"
        self.url = f"{scheme}://127.0.0.1:{self._listener.getsockname()[1]}/v1"
        if tls:
            self._listener = tls.wrap_socket(self._listener, server_side=True)
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "Self":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with suppress(OSError):  # it has closed by itself behind the last answer
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(10)

    def wait(self) -> bool:
        """Wait until all answers were given; tell whether they were."""
        self._thread.join(30)
        return not self._thread.is_alive()

    def _run(self) -> None:
        for answer in self._answers:
            try:
                connection, _ = self._listener.accept()
            except ssl.SSLError:
                continue
            except OSError:
                return
            # A client that has heard enough hangs up.
            with connection, suppress(ConnectionError):
                self.requests.append(_read_request(connection))
                if callable(answer):
                    answer(connection)
                    continue
                for piece in answer:
                    connection.sendall(piece)
        # Who asks once too often is refused, and does not wait for nobody.
        self._listener.close()


def _read_request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(
        (
            int(line[15:])
            for line in head.lower().split(b"\r\n")
            if line.startswith(b"content-length:")
        ),
        0,
    )
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body
