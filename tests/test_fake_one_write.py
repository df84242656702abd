"""A whole answer over HTTP/1.1 leaves in one write, and is lost in no case."""

import json
import socket
from urllib.parse import urlsplit

import pytest

from fake_server import FakeServer

MANY = 2000


def _connected(server: FakeServer, *, room: int | None = None) -> socket.socket:
    """Connect to a server, with little room for what it sends if told."""
    client = socket.socket()
    client.settimeout(30)
    if room:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
    client.connect(("127.0.0.1", urlsplit(server.url).port))
    return client


def _request(*more: str) -> bytes:
    messages = [{"role": "user", "content": "Hello"}]
    body = json.dumps({"model": "grok-4", "messages": messages})
    headers = (
        "POST /v1/chat/completions HTTP/1.1",
        "Host: fake",
        "Authorization: Bearer any",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        *more,
    )
    return "\r\n".join([*headers, "", body]).encode()


def _read_all(client: socket.socket) -> bytes:
    return b"".join(iter(lambda: client.recv(65536), b""))


def test_a_whole_answer_comes_with_its_headers_and_its_end(grok_server: FakeServer) -> None:
    with _connected(grok_server) as client:
        client.sendall(_request())
        answer = client.recv(65536)
    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.endswith(b"\r\n0\r\n\r\n")


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/nowhere"])
def test_a_client_that_wants_to_close_gets_its_answer_and_the_end(
    grok_server: FakeServer, path: str
) -> None:
    request = _request("Connection: close").replace(b"/v1/chat/completions", path.encode())
    with _connected(grok_server) as client:
        client.sendall(request)
        answer = _read_all(client)
    status = b"200" if path == "/v1/chat/completions" else b"404"
    assert answer.split(b" ", 2)[1] == status
    assert len(answer.partition(b"\r\n\r\n")[2]) > 0


def test_a_client_that_asks_much_before_it_reads_gets_every_answer(
    grok_server: FakeServer,
) -> None:
    with _connected(grok_server, room=4096) as client:
        client.sendall(_request() * (MANY - 1) + _request("Connection: close"))
        answers = _read_all(client)
    assert answers.count(b"HTTP/1.1 200") == MANY
    assert answers.count(b"\r\n0\r\n\r\n") == MANY
    assert grok_server.requests.total == MANY
