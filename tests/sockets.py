"""Questions as bytes on a socket, for what no client of HTTP would do."""

import json
import socket
import struct
import time
from collections.abc import Iterable
from urllib.parse import urlsplit

from fake_server import FakeServer
from fake_server.journal import LoggedRequest
from tests.asking import Part, body


def connected(server: FakeServer, *, room: int | None = None) -> socket.socket:
    """Connect to a server, with little room for what it sends if told."""
    address = urlsplit(server.url)
    connection = socket.socket()
    connection.settimeout(30)
    if room:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
    connection.connect((address.hostname, address.port))
    return connection


def question(
    *headers: str,
    path: str = "/v1/chat/completions",
    parts: Iterable[Part] = (),
    **fields: object,
) -> bytes:
    """Write a chat as a whole request, with more headers if told."""
    data = json.dumps(body(*parts, **fields)).encode()
    head = (
        f"POST {path} HTTP/1.1",
        "host: x",
        "authorization: Bearer k",
        "content-type: application/json",
        f"content-length: {len(data)}",
        *headers,
    )
    return "\r\n".join([*head, "", ""]).encode() + data


def read_all(connection: socket.socket) -> bytes:
    """Read until the server closes the connection."""
    return b"".join(iter(lambda: connection.recv(65536), b""))


def reset(connection: socket.socket) -> None:
    """Go away as a process does that was killed in the middle."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def error_of(log: LoggedRequest) -> str:
    """Tell what went wrong with a request, as soon as the server knows that its client is gone."""
    until = time.monotonic() + 10
    while not log.error and time.monotonic() < until:
        time.sleep(0.01)
    return log.error
