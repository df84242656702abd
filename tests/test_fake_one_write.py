"""A whole answer over HTTP/1.1 leaves in one write, and is lost in no case."""

from typing import Any

import pytest

from fake_server import FakeServer
from tests.sockets import connected, question, read_all

MANY = 2000


def test_a_whole_answer_comes_with_its_headers_and_its_end(grok_server: FakeServer) -> None:
    with connected(grok_server) as client:
        client.sendall(question())
        answer = client.recv(65536)
    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.endswith(b"\r\n0\r\n\r\n")


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/nowhere"])
def test_a_client_that_wants_to_close_gets_its_answer_and_the_end(
    grok_server: FakeServer, path: str
) -> None:
    with connected(grok_server) as client:
        client.sendall(question("connection: close", path=path))
        answer = read_all(client)
    status = b"200" if path == "/v1/chat/completions" else b"404"
    assert answer.split(b" ", 2)[1] == status
    assert len(answer.partition(b"\r\n\r\n")[2]) > 0


def _in_http_1_0(*headers: str, **fields: Any) -> bytes:
    return question(*headers, **fields).replace(b"HTTP/1.1", b"HTTP/1.0")


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/nowhere", "/_fake/requests"])
def test_a_client_of_http_1_0_gets_the_length_of_its_answer_and_the_end(
    grok_server: FakeServer, path: str
) -> None:
    with connected(grok_server) as client:
        client.sendall(_in_http_1_0(path=path))
        head, _, body = read_all(client).partition(b"\r\n\r\n")
    assert b"\r\ncontent-length: %d\r\n" % len(body) in head + b"\r\n"
    assert b"transfer-encoding" not in head
    assert b"keep-alive" not in head


def test_a_client_of_http_1_0_that_wants_to_stay_may_ask_again(grok_server: FakeServer) -> None:
    asked = _in_http_1_0("connection: keep-alive")
    with connected(grok_server) as client:
        for _ in range(2):
            client.sendall(asked)
            assert b"\r\nconnection: keep-alive\r\n" in client.recv(65536)


def test_a_client_of_http_1_0_is_told_by_the_connection_that_a_stream_has_ended(
    grok_server: FakeServer,
) -> None:
    with connected(grok_server) as client:
        client.sendall(_in_http_1_0("connection: keep-alive", stream=True))
        answer = read_all(client)
    assert b"data: [DONE]" in answer
    assert b"\r\nconnection: close\r\n" in answer


def test_a_client_that_asks_much_before_it_reads_gets_every_answer(
    grok_server: FakeServer,
) -> None:
    with connected(grok_server, room=4096) as client:
        client.sendall(question() * (MANY - 1) + question("connection: close"))
        answers = read_all(client)
    assert answers.count(b"HTTP/1.1 200") == MANY
    assert answers.count(b"\r\n0\r\n\r\n") == MANY
    assert grok_server.requests.total == MANY
