"""Neither the key nor a byte of an image shows in an error, a log line or a repr."""

import base64
import json
import socket
from typing import Any

import pytest

from fake_server import FakeServer
from llm_grok_vision.download import download
from llm_grok_vision.errors import ApiError, ImageNotReadable, ServerError, StreamInterrupted
from tests.pictures import picture
from tests.prompting import KEY, ask, image, xai_answering
from tests.raw_server import RawServer, http, stream


def _echo(how: str, server: list[Any], connection: socket.socket) -> None:
    """Refuse a request with all that was in it."""
    text = server[0].requests[-1].decode("latin-1")
    picture_alone = text.partition("base64,")[2].partition('"')[0]
    body = {
        "plain": text,
        "json": json.dumps({"code": KEY, "error": text}),
        "nested": json.dumps({"error": {"message": text, "type": KEY}}),
        "base64-alone": json.dumps({"error": f"Cannot decode {picture_alone} for {KEY}."}),
    }[how]
    for piece in http(body.encode(), status="500 Oops"):
        connection.sendall(piece)


@pytest.mark.parametrize("how", ["plain", "json", "nested", "base64-alone"])
@pytest.mark.usefixtures("no_waiting")
def test_key_and_image_never_show_even_if_the_server_echoes_them(
    how: str, caplog: pytest.LogCaptureFixture
):
    server: list[Any] = []
    encoded = base64.b64encode(picture(64, 64)).decode()

    def echo(connection: socket.socket) -> None:
        _echo(how, server, connection)

    with xai_answering(echo, echo, echo) as running:
        server.append(running)
        with pytest.raises(ServerError) as caught:
            ask("sync", "Hello", attachments=[image(64, 64)])

    everything = f"{caught.value!r} {vars(caught.value)} {caplog.text}"
    assert encoded in running.requests[0].decode("latin-1")
    assert len(caplog.records) == 2
    for secret in (KEY, encoded, encoded[:40], encoded[-40:]):
        assert secret not in everything


def test_the_key_never_shows_even_if_a_stream_echoes_it():
    event = json.dumps({"code": KEY, "error": f"Wrong key {KEY}."})

    with xai_answering(stream(f"data: {event}\n\n")), pytest.raises(ApiError) as caught:
        ask("sync", "Hello")

    assert caught.value.error == "Wrong key (your key)."
    assert KEY not in f"{caught.value!r} {vars(caught.value)}"


BROKEN = [
    pytest.param(b"%s\r\n\r\n", id="status-line"),
    pytest.param(b"HTTP/1.1 200 OK\r\n\1: %s\r\n\r\n", id="header-line"),
    pytest.param(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n%s\r\n", id="chunk"),
    pytest.param(
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\n.%s\r\n", id="behind-a-chunk"
    ),
]


@pytest.mark.parametrize("broken", BROKEN)
@pytest.mark.usefixtures("no_waiting")
def test_the_key_never_shows_even_if_what_echoes_it_is_no_http(
    broken: bytes, caplog: pytest.LogCaptureFixture
):
    answer = [broken % KEY.encode()]

    with xai_answering(answer, answer, answer), pytest.raises(StreamInterrupted) as caught:
        ask("sync", "Hello")

    assert len(caplog.records) == 2
    assert (
        KEY[:2]
        not in f"{caught.value!r} {vars(caught.value)} {caplog.text}".partition(" broke:")[2]
    )


@pytest.mark.parametrize("broken", BROKEN)
def test_no_byte_of_a_picture_shows_even_if_its_host_speaks_no_http(broken: bytes):
    data = picture(64, 64)

    with RawServer([broken % data]) as server, pytest.raises(ImageNotReadable) as caught:
        download(f"{server.url}/cat.png")

    assert "\\x89" not in f"{caught.value!r} {vars(caught.value)}"


def test_a_key_is_not_shown_in_the_log_of_the_fake(xai: FakeServer):
    ask("sync", "Hello", key=KEY)

    assert xai.requests[0].key == KEY
    assert KEY not in repr(xai.requests)
