"""Connections that fail: what is raised, and with what had come."""

import socket
from contextlib import ExitStack

import httpx2
import pytest

from llm_grok_vision import connection
from llm_grok_vision.errors import (
    ConnectionFailed,
    GrokError,
    InvalidSetting,
    StreamInterrupted,
    TimedOut,
)
from tests.prompting import BOTH, DONE, KEY, ask, chunk, whole, xai_answering
from tests.raw_server import Answer, http, stream

pytestmark = pytest.mark.usefixtures("no_waiting")


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take a silence of a fifth of a second for a stall."""
    monkeypatch.setattr(connection, "TIMEOUT", httpx2.Timeout(0.2))


def say_nothing(connection: socket.socket) -> None:
    """Wait until the client has had enough."""
    assert connection.recv(1) == b""


def say_half(connection: socket.socket) -> None:
    """Begin an answer, and wait until the client has had enough."""
    head, event, _ = stream(chunk(content="half"))
    connection.sendall(head + event)
    assert connection.recv(1) == b""


@BOTH
def test_a_refused_connection_names_the_address(kind: str, nobody: str):
    with pytest.raises(ConnectionFailed) as caught:
        ask(kind, "Hello")

    assert str(caught.value).startswith(f"Could not connect to {nobody}: ")
    assert caught.value.partial_text == ""


BAD_BASES = [
    "nonsense",
    "ftp://api.x.ai/v1",
    "http://",
    "https://[::1",
    "http://api.x.ai:port/v1",
    "http://127.0.0.1:99999/v1",
    "http://127.0.0.1:1/v1?key=x",
    "http://127.0.0.1:1/v1#x",
]


@BOTH
@pytest.mark.parametrize("name", ["HTTP_PROXY", "ALL_PROXY"])
@pytest.mark.usefixtures("no_waiting")
def test_a_proxy_that_cannot_be_reached_is_told_of(
    kind: str, name: str, nobody: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("XAI_API_BASE", "http://api.invalid/v1")
    monkeypatch.setenv(name, nobody.replace("http://", "http://me:PASSWORD@"))

    with pytest.raises(ConnectionFailed) as caught:
        ask(kind, "Hello")

    assert str(caught.value).startswith(
        "Could not connect to http://api.invalid through the proxy of this machine's settings: "
    )
    assert "PASSWORD" not in str(caught.value)


@pytest.mark.usefixtures("no_waiting")
def test_a_proxy_that_is_not_asked_is_not_told_of(nobody: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")

    with pytest.raises(ConnectionFailed, match=f"^Could not connect to {nobody}: "):
        ask("sync", "Hello")


@BOTH
@pytest.mark.parametrize("base", BAD_BASES)
def test_a_bad_address_is_named_by_its_setting(
    kind: str, base: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("XAI_API_KEY", KEY)
    monkeypatch.setenv("XAI_API_BASE", base)

    with pytest.raises(InvalidSetting) as caught:
        ask(kind, "Hello")

    assert str(caught.value) == "XAI_API_BASE is not an address like https://api.x.ai/v1."


def test_a_host_that_no_resolver_takes_is_a_bad_address(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("XAI_API_KEY", KEY)
    monkeypatch.setenv("XAI_API_BASE", "http://api..ai/v1")

    with pytest.raises(InvalidSetting, match="XAI_API_BASE is not an address"):
        ask("sync", "Hello")


def test_white_space_and_a_slash_around_the_address_do_no_harm(monkeypatch: pytest.MonkeyPatch):
    with xai_answering(http(b'{"error":"found"}', status="400 Bad")) as server:
        monkeypatch.setenv("XAI_API_BASE", f" {server.url}/ \n")
        with pytest.raises(GrokError, match="found"):
            ask("sync", "Hello")

    assert server.requests[0].startswith(b"POST /v1/chat/completions HTTP/1.1\r\n")


@BOTH
@pytest.mark.usefixtures("impatient")
def test_a_silent_server_is_timed_out_and_not_asked_again(kind: str):
    answers = say_nothing, whole(content="late")

    with xai_answering(*answers) as server, pytest.raises(TimedOut, match="fell silent"):
        ask(kind, "Hello")

    assert len(server.requests) == 1


@BOTH
@pytest.mark.usefixtures("impatient")
def test_a_server_that_takes_no_more_of_a_request_is_told_of(
    kind: str, monkeypatch: pytest.MonkeyPatch
):
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        monkeypatch.setenv("XAI_API_KEY", KEY)
        monkeypatch.setenv("XAI_API_BASE", f"{url}/v1")
        with pytest.raises(TimedOut) as caught:
            ask(kind, "x" * 20_000_000)

    assert str(caught.value) == f"{url} took nothing of the request for 0 seconds."


@BOTH
@pytest.mark.usefixtures("impatient")
def test_a_server_too_busy_to_take_a_connection_is_told_of(
    kind: str, monkeypatch: pytest.MonkeyPatch
):
    with socket.create_server(("127.0.0.1", 0), backlog=0) as busy, ExitStack() as waiting:
        for _ in range(4):
            client = waiting.enter_context(socket.socket())
            client.settimeout(0)
            client.connect_ex(busy.getsockname())
        monkeypatch.setenv("XAI_API_KEY", KEY)
        monkeypatch.setenv("XAI_API_BASE", f"http://127.0.0.1:{busy.getsockname()[1]}/v1")

        with pytest.raises(ConnectionFailed, match="did not answer"):
            ask(kind, "Hello")


@BOTH
@pytest.mark.usefixtures("impatient")
def test_a_stall_in_the_middle_keeps_what_had_come(kind: str):
    with xai_answering(say_half) as server, pytest.raises(TimedOut) as caught:
        ask(kind, "Hello")

    assert caught.value.partial_text == "half"
    assert len(server.requests) == 1


LARGE = "word " * 500_000
ONE_EVENT = [
    pytest.param(whole(content=LARGE), id="whole"),
    pytest.param(list(stream(chunk(content=LARGE), chunk("stop"), DONE)), id="streamed"),
]


@BOTH
@pytest.mark.parametrize("answer", ONE_EVENT)
def test_an_answer_of_some_megabytes_comes_whole(kind: str, answer: Answer):
    with xai_answering(answer):
        assert ask(kind, "Hello").text == LARGE


CUTS = [
    pytest.param(stream(chunk(content="half"), end=b""), id="the-connection-closes"),
    pytest.param(stream(chunk(content="half"), end=b"zz\r\n"), id="no-http-any-more"),
    pytest.param(stream(chunk(content="half")), id="the-stream-ends-without-a-reason"),
    pytest.param(stream(chunk(content="half"), DONE), id="done-without-a-reason"),
    pytest.param(stream(chunk(content="half"), "data: {oops\n\n"), id="an-event-that-is-not-json"),
]


@pytest.mark.parametrize("answer", CUTS)
def test_an_answer_that_is_cut_off_keeps_what_had_come(answer: list[bytes]):
    with xai_answering(answer) as server, pytest.raises(StreamInterrupted) as caught:
        ask("sync", "Hello")

    assert caught.value.partial_text == "half"
    assert len(server.requests) == 1


def test_an_async_answer_that_is_cut_off_keeps_what_had_come():
    answer = stream(chunk(content="half"), end=b"")

    with xai_answering(answer) as server, pytest.raises(StreamInterrupted) as caught:
        ask("async", "Hello")

    assert caught.value.partial_text == "half"
    assert len(server.requests) == 1


@BOTH
def test_an_answer_shorter_than_declared_is_an_error(kind: str):
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{"

    with xai_answering([head], [head], [head]), pytest.raises(StreamInterrupted) as caught:
        ask(kind, "Hello")

    assert caught.value.partial_text == ""


def test_a_password_in_the_address_is_refused_and_not_shown(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("XAI_API_KEY", KEY)
    monkeypatch.setenv("XAI_API_BASE", "http://me:hunter2@127.0.0.1:1/v1")

    with pytest.raises(InvalidSetting, match="holds a user name or a password") as caught:
        ask("sync", "Hello")

    assert "hunter2" not in str(caught.value)
