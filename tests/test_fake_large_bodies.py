"""A large body is read another way, and comes to the same."""

import asyncio
import hashlib
import socket
import time

import pytest

from fake_server import FakeServer
from fake_server.large_body import LARGE, MOST, LargeBody
from tests.asking import image
from tests.pictures import data_url, png_of_bytes
from tests.sockets import connected, error_of, question

PICTURE = png_of_bytes(700_000)
HASH = hashlib.sha256(PICTURE).hexdigest()
ASKED = question(parts=[image(data_url(PICTURE))])
HEAD, _, BODY = ASKED.partition(b"\r\n\r\n")


def answers(client: socket.socket, count: int) -> bytes:
    """Read so many answers."""
    read = b""
    while read.count(b"\r\n0\r\n\r\n") < count:
        piece = client.recv(65536)
        assert piece, read
        read += piece
    return read


@pytest.mark.parametrize(
    "cuts",
    [
        [],
        [10],
        [len(HEAD) + 2],
        [len(HEAD) + 4],
        [len(HEAD) + 5],
        [len(HEAD) + 4 + 70_000, len(HEAD) + 4 + 70_001],
        [len(ASKED) - LARGE],
        [len(ASKED) - LARGE + 1],
        [len(ASKED) - 1],
        [len(HEAD) + 4, len(ASKED) - 1],
    ],
    ids=[
        "whole",
        "in the first line",
        "in the empty line",
        "behind the headers",
        "behind the first byte",
        "a byte alone",
        "as much as is large",
        "a byte less",
        "before the last byte",
        "nothing but the body",
    ],
)
def test_it_is_read_whole_wherever_it_is_cut(grok_server: FakeServer, cuts: list[int]) -> None:
    with connected(grok_server) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for start, end in zip([0, *cuts], [*cuts, len(ASKED)], strict=True):
            client.sendall(ASKED[start:end])
            time.sleep(0.02)
        assert answers(client, 1).startswith(b"HTTP/1.1 200")

    assert [seen.sha256 for seen in grok_server.requests[0].images] == [HASH]


def test_what_stands_behind_it_is_the_next_question(grok_server: FakeServer) -> None:
    with connected(grok_server) as client:
        client.sendall(ASKED + question() + ASKED + ASKED)
        assert answers(client, 4).count(b"HTTP/1.1 200") == 4

    assert [len(log.images) for log in grok_server.requests] == [1, 0, 1, 1]
    assert {seen.sha256 for log in grok_server.requests for seen in log.images} == {HASH}


def test_a_client_that_goes_away_in_it_harms_nobody(grok_server: FakeServer) -> None:
    with connected(grok_server) as client:
        client.sendall(ASKED[:300_000])
    with connected(grok_server) as client:
        client.sendall(ASKED)
        assert answers(client, 1).startswith(b"HTTP/1.1 200")

    gone, answered = grok_server.requests
    assert error_of(gone) == "The client went away before its request was complete."
    assert answered.status == 200


def test_a_client_that_says_no_more_in_the_middle_of_it_is_let_go(grok_server: FakeServer) -> None:
    with connected(grok_server) as client:
        client.sendall(ASKED[:300_000])
        client.shutdown(socket.SHUT_WR)
        assert client.recv(1000) == b""


def test_a_client_that_waits_for_a_word_gets_it(grok_server: FakeServer) -> None:
    with connected(grok_server) as client:
        client.sendall(HEAD + b"\r\nexpect: 100-continue\r\n\r\n")
        assert client.recv(1000).startswith(b"HTTP/1.1 100")
        client.sendall(BODY)
        assert answers(client, 1).startswith(b"HTTP/1.1 200")


def test_a_body_in_chunks_is_read_as_ever(grok_server: FakeServer) -> None:
    lines = [line for line in HEAD.split(b"\r\n") if not line.startswith(b"content-length")]
    head = b"\r\n".join([*lines, b"transfer-encoding: chunked", b"", b""])
    with connected(grok_server) as client:
        client.sendall(head + b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY))
        assert answers(client, 1).startswith(b"HTTP/1.1 200")


def test_one_that_is_too_large_is_refused_when_it_is_there() -> None:
    with FakeServer(max_body=500_000) as server, connected(server) as client:
        client.sendall(ASKED + question())
        said = answers(client, 1)

    assert said.startswith(b"HTTP/1.1 413")
    assert b"HTTP/1.1 200" in said


def test_who_only_says_how_much_comes_gets_no_memory_for_it() -> None:
    large = LargeBody(asyncio.Protocol(), b"{", MOST - 1, lambda _body: None)

    sizes = []
    came = 1
    while came < 4 * 1024**2:
        free = large.get_buffer(-1)
        sizes.append((came + len(free)) / max(came, LARGE))
        came += len(free)
        large.buffer_updated(len(free))

    assert max(sizes) <= 16


def test_who_sends_what_was_said_is_read_to_the_last_byte() -> None:
    sent, had = bytes(range(256)) * 20_000, bytearray()
    large = LargeBody(asyncio.Protocol(), sent[:7], len(sent) - 7, had.extend)

    at = 7
    while at < len(sent):
        piece = sent[at : at + min(50_001, len(large.get_buffer(-1)))]
        large.get_buffer(-1)[: len(piece)] = piece
        large.buffer_updated(len(piece))
        at += len(piece)

    assert had == sent
