"""Bytes on a connection that are nearly HTTP, the same for the same dice: requests and answers."""

import logging
import socket
from collections.abc import Iterator
from contextlib import suppress
from unittest.mock import patch

import msgspec
import tenacity
import zttp

from fake_server import FakeServer
from llm_grok_vision.errors import ApiError, ConnectionFailed
from llm_grok_vision.retries import ATTEMPTS, POLICY
from tests.fuzzing import QUESTIONS, Dice, call, torn
from tests.prompting import DONE, ask, chunk, xai_answering
from tests.sockets import connected, question, read_all, reset

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

# Of a frame of HTTP/2: its length, its kind, its flags and its stream.
_HEAD = 9

# Behind so many streams that are taken back, a server may take a client for hostile.
_FLOOD = 300

_ODD_HEADERS = (
    "connection: close",
    "connection: upgrade\r\nupgrade: h2c",
    "expect: 100-continue",
    "te: trailers",
    "content-length: 3",
    "transfer-encoding: chunked",
    "transfer-encoding: gzip",
    "x: a\r\n b",
)

_CHOICE = {"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}
_ANSWERS = (
    (msgspec.json.encode({"model": "grok-4", "choices": [_CHOICE]}), "application/json"),
    (f"{chunk(content='hi')}{chunk('stop')}{DONE}".encode(), "text/event-stream"),
    (b'{"code": "x", "error": "no"}', "application/json"),
)
_STATUSES = ("302 Found", "304 Same", "204 Empty", "101 Other", "400 Bad", "429 Slow", "503 Busy")
_MEDIA_TYPES = (
    "text/html",
    "application/json; charset=utf-16",
    "text/event-stream; charset=x",
    "\xff",
)
_ODD_ANSWER_HEADERS = (
    "content-encoding: gzip",
    "content-encoding: zstd, x",
    "location: http://[::1",
    "location: /v1/elsewhere",
    "retry-after: 0",
    "retry-after: nan",
    "retry-after: Wed, 21 Oct 2015 07:28:00 GMT",
    "set-cookie: a=b; max-age=99999999999999999999",
)


def answer(dice: Dice) -> None:
    """Answer one of the plugin's two models with what is nearly an answer."""
    sent = [[_answer(dice)] for _ in range(ATTEMPTS)]
    kind, streamed, responses = dice.choice(["sync", "async"]), dice.random(), dice.random()
    with (
        xai_answering(*sent),
        patch.dict(POLICY, wait=tenacity.wait_none()),
        suppress(ApiError, ConnectionFailed),
    ):
        ask(kind, "Hi", stream=streamed < 0.6, responses=responses < 0.3)


def _answer(dice: Dice) -> bytes:
    body, media_type = dice.choice(_ANSWERS)
    heads = [f"HTTP/1.1 {dice.choice(['200 OK', '200 OK', '200 OK', *_STATUSES])}"]
    heads.append(f"content-type: {dice.choice([media_type, media_type, *_MEDIA_TYPES])}")
    heads += dice.sample(_ODD_ANSWER_HEADERS, dice.choice([0, 0, 0, 1, 2]))
    sent = _framed(heads, body, dice)
    return torn(sent, dice) if dice.random() < 0.6 else sent


def _framed(heads: list[str], body: bytes, dice: Dice) -> bytes:
    """Put a head before a body, which comes in chunks, or is about as long as is said."""
    if dice.random() < 0.3:
        heads.append("transfer-encoding: chunked")
        body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    else:
        heads.append(f"content-length: {len(body) + dice.choice([0, 0, 0, 0, 1, -1])}")
    return "\r\n".join([*heads, "", ""]).encode("latin-1") + body


class Wires(logging.Handler):
    """Connections to a server that listens, each with bytes of its own."""

    def __init__(self, server: FakeServer) -> None:
        super().__init__(logging.ERROR)
        self.server = server
        self.errors: list[str] = []
        logging.getLogger().addHandler(self)

    def close(self) -> None:
        """Hear of errors no more."""
        logging.getLogger().removeHandler(self)
        super().close()

    def emit(self, record: logging.LogRecord) -> None:
        """Note an error of the server's."""
        self.errors.append(self.format(record))

    def http1(self, dice: Dice) -> None:
        """Send requests in a row that are nearly right, or torn."""
        asked = b"".join(_request(dice) for _ in range(dice.randint(1, 4)))
        self._send(torn(asked, dice) if dice.random() < 0.7 else asked, dice)

    def http2(self, dice: Dice) -> None:
        """Send frames of requests: others between them, in another order, or torn."""
        frames = list(_frames(_streams(dice)))
        for _ in range(dice.choice([0, 0, 1, 4])):
            frames.insert(dice.randint(0, len(frames)), _any_frame(dice))
        if dice.random() < 0.1:
            dice.shuffle(frames)
        sent = b"".join(frames)
        self._send(_PREFACE + (torn(sent, dice) if dice.random() < 0.4 else sent), dice)

    def _send(self, data: bytes, dice: Dice) -> None:
        """Send it, in two pieces, and leave in some way; the next client is answered all the same."""
        at = dice.randint(0, len(data))
        with connected(self.server) as connection:
            with suppress(ConnectionError):
                connection.sendall(data[:at])
                connection.sendall(data[at:])
            leave = dice.random()
            if leave < 0.1:
                reset(connection)
            elif leave < 0.8:
                _read_to_the_end(connection)
        with connected(self.server) as connection:
            connection.sendall(question("connection: close"))
            assert read_all(connection).startswith(b"HTTP/1.1 200")
        assert not self.errors, self.errors


def _read_to_the_end(connection: socket.socket) -> None:
    """Send no more, and wait until the server closes; raises TimeoutError if it does not."""
    # It may have done so already.
    with suppress(OSError):
        connection.shutdown(socket.SHUT_WR)
    with suppress(ConnectionError):
        read_all(connection)


def _request(dice: Dice) -> bytes:
    """Write a request of HTTP/1.1, or nearly of that version."""
    method, path, body = _question(dice)
    heads = [f"{method} {path} HTTP/1.{dice.choice('1111110')}", "host: x"]
    heads += ["authorization: Bearer k", "content-type: application/json"]
    heads += dice.sample(_ODD_HEADERS, dice.choice([0, 0, 0, 1, 2]))
    return _framed(heads, body, dice)


def _streams(dice: Dice) -> bytes:
    """Write requests and calls of HTTP/2, some of which are taken back, behind the preface."""
    client = zttp.Connection(zttp.CLIENT, zttp.HTTP2)
    client.initiate_connection()
    is_flood = dice.random() < 0.01
    for _ in range(_FLOOD if is_flood else dice.randint(1, 12)):
        is_call = dice.random() < 0.3
        method, path, body = ("POST", *call(dice)) if is_call else _question(dice)
        headers = [(b"host", b"x"), (b"authorization", b"Bearer k"), (b"te", b"trailers")]
        headers.append((b"content-type", b"application/grpc" if is_call else b"application/json"))
        if dice.random() < 0.1:
            headers.append((b"content-length", b"%d" % dice.randint(0, 2000)))
        stream = client.send_request(method.encode(), path.encode(), b"HTTP/2", headers)
        if body:
            stream.send_data(body)
        stream.end_message()
        if is_flood or dice.random() < 0.2:
            stream.reset()
    return client.data_to_send().removeprefix(_PREFACE)


def _question(dice: Dice) -> tuple[str, str, bytes]:
    method, path, asked = dice.choice(QUESTIONS)
    return method, path, b"" if asked is None else msgspec.json.encode(asked)


def _frames(data: bytes) -> Iterator[bytes]:
    """Cut what a client of HTTP/2 sends into its frames."""
    while data:
        size = _HEAD + int.from_bytes(data[:3], "big")
        yield data[:size]
        data = data[size:]


def _any_frame(dice: Dice) -> bytes:
    """Make a frame of any kind: flags, stream and content are as the dice fall."""
    size = dice.choice([0, 4, 5, 6, 8, dice.randint(0, 100)])
    kind, flags = dice.randrange(12), dice.choice([0, 1, 4, 5, 8, 0x20, 0xFF])
    stream = dice.choice([0, 0, 1, 2, 3, 2**31 - 1])
    head = size.to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big")
    return head + dice.randbytes(size)
