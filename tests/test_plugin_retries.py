"""What fails before its first event is tried again: how often, how long after, and what never is."""

import socket
from collections.abc import Iterator

import llm
import pytest
import tenacity

from fake_server import FakeServer
from llm_grok_vision import retries
from llm_grok_vision.errors import ConnectionFailed, InvalidAddress, RateLimited, ServerError
from tests.prompting import (
    BOTH,
    DONE,
    ask,
    chunk,
    run_llm,
    shown_error,
    whole,
    xai_answering,
)
from tests.raw_server import stream


class _NoSleep:
    """What may be awaited and takes no time."""

    def __await__(self) -> Iterator[None]:
        return iter(())


@pytest.fixture(autouse=True)
def waited(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Note each wait instead of waiting."""
    waits: list[float] = []

    def note(seconds: float) -> _NoSleep:
        waits.append(seconds)
        return _NoSleep()

    monkeypatch.setattr(retries, "BACKOFF", tenacity.wait_fixed(0.25))
    monkeypatch.setitem(retries.POLICY, "sleep", note)
    return waits


@BOTH
@pytest.mark.parametrize("status", [429, 500, 503, 529])
def test_a_passing_failure_is_tried_again(xai: FakeServer, kind: str, status: int):
    xai.fail(status)
    xai.fail(status)
    xai.reply("Here I am.")

    asked = ask(kind, "Hello")

    assert asked.text == "Here I am."
    assert [request.status for request in xai.requests] == [status, status, 200]


@BOTH
@pytest.mark.parametrize(("status", "error"), [(429, RateLimited), (500, ServerError)])
def test_the_third_failure_is_the_last(
    xai: FakeServer, kind: str, status: int, error: type[Exception], waited: list[float]
):
    for _ in range(3):
        xai.fail(status)

    with pytest.raises(error):
        ask(kind, "Hello")

    assert len(xai.requests) == 3
    assert waited == [0.25, 0.25]


@BOTH
@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_a_refusal_is_never_tried_again(
    xai: FakeServer, kind: str, status: int, waited: list[float]
):
    xai.fail(status, error="No.")

    with pytest.raises(llm.ModelError, match=r"No\."):
        ask(kind, "Hello")

    assert len(xai.requests) == 1
    assert waited == []


def test_a_team_without_credits_is_not_tried_again(xai: FakeServer):
    xai.fail(429, error="Your team has either used all available credits or reached its limit.")

    with pytest.raises(llm.ModelError, match="Add credits"):
        ask("sync", "Hello")

    assert len(xai.requests) == 1


@BOTH
@pytest.mark.parametrize(
    "seconds", [0.0, 1.5, 60.0], ids=["not-at-all", "a-second-and-a-half", "a-minute"]
)
def test_the_wait_that_the_service_asks_for_is_kept(
    xai: FakeServer, kind: str, seconds: float, waited: list[float]
):
    xai.fail(429, retry_after=seconds)

    ask(kind, "Hello")

    assert waited == [seconds]
    assert len(xai.requests) == 2


@BOTH
def test_more_than_a_minute_is_not_waited_for(xai: FakeServer, kind: str, waited: list[float]):
    xai.fail(429, retry_after=61)

    with pytest.raises(RateLimited) as caught:
        ask(kind, "Hello")

    assert caught.value.retry_after == 61
    assert str(caught.value).splitlines()[-1] == "It asks to wait for 61 s."
    assert len(xai.requests) == 1
    assert waited == []


NO_SECONDS = [
    pytest.param("Wed, 21 Oct 2026 07:28:00 GMT", 0.25, id="a-date"),
    pytest.param("soon", 0.25, id="a-word"),
    pytest.param("nan", 0.0, id="nan"),
    pytest.param("-5", 0.0, id="the-past"),
]


@pytest.mark.parametrize(("value", "wait"), NO_SECONDS)
def test_a_retry_after_that_is_no_number_of_seconds_does_no_harm(
    value: str, wait: float, waited: list[float]
):
    busy = f"HTTP/1.1 429 Busy\r\nretry-after: {value}\r\ncontent-length: 0\r\n\r\n".encode()

    with xai_answering([busy], whole(content="ok")):
        asked = ask("sync", "Hello")

    assert asked.text == "ok"
    assert waited == [wait]


def close_at_once(connection: socket.socket) -> None:
    """Close without a word."""


@BOTH
def test_a_connection_that_breaks_before_the_answer_is_tried_again(kind: str, waited: list[float]):
    with xai_answering(close_at_once, stream(end=b""), whole(content="ok")) as server:
        assert ask(kind, "Hello").text == "ok"

    assert len(server.requests) == 3
    assert server.requests[0] == server.requests[2]
    assert waited == [0.25, 0.25]


@BOTH
def test_an_address_that_is_none_is_not_tried_again(
    kind: str, monkeypatch: pytest.MonkeyPatch, waited: list[float]
):
    monkeypatch.setenv("XAI_API_KEY", "x")
    monkeypatch.setenv("XAI_API_BASE", "ftp://127.0.0.1/v1")

    with pytest.raises(InvalidAddress):
        ask(kind, "Hello")

    assert waited == []


@BOTH
def test_a_refused_connection_is_tried_three_times(
    kind: str, monkeypatch: pytest.MonkeyPatch, waited: list[float]
):
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    monkeypatch.setenv("XAI_API_KEY", "x")
    monkeypatch.setenv("XAI_API_BASE", f"http://127.0.0.1:{port}/v1")

    with pytest.raises(ConnectionFailed):
        ask(kind, "Hello")

    assert waited == [0.25, 0.25]


@BOTH
def test_nothing_is_tried_again_after_the_first_event(kind: str, waited: list[float]):
    broken = stream(chunk(content="half"), end=b"")

    with xai_answering(broken, whole(content="ok")) as server, pytest.raises(ConnectionFailed):
        ask(kind, "Hello")

    assert len(server.requests) == 1
    assert waited == []


@BOTH
def test_an_error_before_the_first_token_of_a_stream_is_tried_again(kind: str):
    overloaded = stream(
        'data: {"choices":[{"index":0,"delta":{"role":"assistant"}}]}\n\n',
        'data: {"code":"resource-exhausted","error":"Busy."}\n\n',
        DONE,
    )

    with xai_answering(overloaded, whole(content="ok")) as server:
        answer = ask(kind, "Hello")

    assert answer.text == "ok"
    assert len(server.requests) == 2


@BOTH
def test_an_error_behind_the_first_token_of_a_stream_is_not_tried_again(kind: str):
    overloaded = stream(
        'data: {"choices":[{"index":0,"delta":{"content":"ok"}}]}\n\n',
        'data: {"code":"resource-exhausted","error":"Busy."}\n\n',
        DONE,
    )

    with xai_answering(overloaded, whole(content="ok")) as server, pytest.raises(RateLimited):
        ask(kind, "Hello")

    assert len(server.requests) == 1


@BOTH
@pytest.mark.parametrize(
    "event", ["", '{"choices":[{"index":0,"delta":{}}]}'], ids=["no-data", "empty-delta"]
)
def test_a_stream_that_breaks_before_its_first_token_is_tried_again(kind: str, event: str):
    heartbeat = stream(f"data: {event}\n\n", end=b"")

    with xai_answering(heartbeat, whole(content="ok")) as server:
        answer = ask(kind, "Hello")

    assert answer.text == "ok"
    assert len(server.requests) == 2


def test_the_wait_is_told_once_a_time_without_the_advice(
    xai: FakeServer, caplog: pytest.LogCaptureFixture
):
    xai.fail(503, error="At capacity")
    xai.fail(429, error="Too many requests.", retry_after=2)

    ask("sync", "Hello")

    assert [record.getMessage() for record in caplog.records] == [
        "At capacity. Trying again in 0.2 s.",
        "Too many requests. Trying again in 2.0 s.",
    ]


def test_the_error_of_the_last_attempt_is_the_one_that_is_shown(xai: FakeServer):
    xai.fail(500, error="First.")
    xai.fail(500, error="Second.")
    xai.fail(429, error="Third.")

    result = run_llm("-m", "grok-4", "Hello")

    assert "Error: Third." in shown_error(result)
