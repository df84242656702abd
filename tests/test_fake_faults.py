"""Faults on the way of an answer, each as a real client sees it."""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlsplit

import grpc
import httpx2
import openai
import pytest
import xai_sdk
from xai_sdk.chat import user

from fake_server import FakeServer
from fake_server.faults import DONE, Cut, Fault, bent, segments, spoil_json
from tests.asking import BEARER, body, post, respond

HURRIED = httpx2.Timeout(5, read=1)
WORDS = "one two three four five"


@pytest.fixture
def client(grok_server: FakeServer) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=grok_server.url, api_key="xai-test-key", max_retries=0) as client:
        yield client


def streamed(client: openai.OpenAI, **options: Any) -> Iterator[str]:
    for chunk in client.chat.completions.create(**body(stream=True), **options):
        yield chunk.choices[0].delta.content or ""


def heard(client: openai.OpenAI, **options: Any) -> tuple[list[str], Exception | None]:
    """Listen to a stream as long as it goes well."""
    said: list[str] = []
    try:
        said += streamed(client, **options)
    except (openai.APIError, json.JSONDecodeError) as error:
        return said, error
    return said, None


ENDINGS = [
    pytest.param("fin", httpx2.RemoteProtocolError, id="fin"),
    pytest.param("rst", httpx2.ReadError, id="rst"),
]


@pytest.mark.parametrize(("ending", "kind"), ENDINGS)
def test_a_stream_that_is_cut_after_events_ends_in_an_error(client, grok_server, ending, kind):
    grok_server.reply(WORDS, fault={"after_events": 2, "ending": ending})

    said, error = heard(client)

    # What was sent before a reset may be lost with it.
    assert said == ["one", " two"][: len(said)]
    assert isinstance(error, openai.APIConnectionError)
    assert isinstance(error.__cause__, kind)


@pytest.mark.parametrize("ending", ["fin", "rst"])
@pytest.mark.parametrize("stream", [False, True])
def test_a_connection_that_ends_before_an_answer_is_a_connection_error(
    client, grok_server, ending, stream
):
    grok_server.reply(WORDS, fault={"ending": ending})

    with pytest.raises(openai.APIConnectionError):
        client.chat.completions.create(**body(), stream=stream)


def test_a_whole_answer_that_is_cut_after_bytes_is_a_connection_error(client, grok_server):
    grok_server.reply(WORDS, fault={"after_bytes": 40})

    with pytest.raises(openai.APIConnectionError):
        client.chat.completions.create(**body())


def test_a_stream_that_stalls_times_out(client, grok_server):
    grok_server.reply(WORDS, fault={"after_events": 2, "ending": "stall"})

    said, error = heard(client, timeout=HURRIED)

    assert said == ["one", " two"]
    assert isinstance(error, openai.APITimeoutError)


def test_an_answer_that_never_begins_times_out(client, grok_server):
    grok_server.reply(WORDS, fault={"after_bytes": 0, "ending": "stall"})

    with pytest.raises(openai.APITimeoutError):
        client.chat.completions.create(**body(), timeout=HURRIED)


def test_half_an_event_is_never_a_whole_one(client, grok_server):
    grok_server.reply(WORDS, fault={"after_events": 1, "half_event": True})

    said, error = heard(client)

    assert said == ["one"]
    assert isinstance(error, openai.APIConnectionError)


def test_half_an_event_can_be_all_that_comes(client, grok_server):
    grok_server.reply(WORDS, fault={"half_event": True})

    assert heard(client)[0] == []


def test_malformed_json_is_no_answer(client, grok_server):
    grok_server.reply(WORDS, fault={"malformed": True})
    said, error = heard(client)
    grok_server.reply(WORDS, fault={"malformed": True})

    with pytest.raises(json.JSONDecodeError):
        client.chat.completions.create(**body())
    assert (said, type(error)) == ([], json.JSONDecodeError)


def test_an_error_inside_a_stream_is_an_api_error(client, grok_server):
    grok_server.reply(WORDS, fault={"after_events": 2, "ending": "error"})

    said, error = heard(client)

    assert said == ["one", " two"]
    assert isinstance(error, openai.APIError)


def test_an_error_inside_a_stream_of_a_response_is_an_event(client, grok_server):
    grok_server.reply(WORDS, fault={"after_events": 1, "ending": "error"})

    first, last = client.responses.create(model="grok-4.3", input="Hi", stream=True)

    assert first.type == "response.created"
    assert last.type == "error"
    assert "at capacity" in last.message


def test_an_error_may_be_the_first_event(client, grok_server):
    grok_server.reply(WORDS, fault={"ending": "error"})

    said, error = heard(client)

    assert said == []
    assert isinstance(error, openai.APIError)


def test_events_that_come_twice_are_read_twice(client, grok_server):
    grok_server.reply("one two", fault={"duplicated": True})

    assert heard(client)[0] == ["one", "one", " two", " two", "", ""]


def test_a_stream_without_done_ends_with_its_connection(grok_server):
    grok_server.reply("one two", fault={"no_done": True})

    answer = post(grok_server, body(stream=True))

    assert "two" in answer.text
    assert "[DONE]" not in answer.text


def test_a_wrong_content_type_is_declared(grok_server):
    grok_server.reply("one two", fault={"content_type": "text/html"})

    answer = post(grok_server, body())

    assert answer.headers["content-type"] == "text/html"
    assert answer.json()["choices"][0]["message"]["content"] == "one two"


WAITS = [
    pytest.param({"first_token": 0.3}, 1, id="first-token"),
    pytest.param({"per_token": 0.15}, 3, id="each-token"),
]


@pytest.mark.parametrize(("fault", "after"), WAITS)
def test_a_slow_stream_takes_its_time(client, grok_server, fault, after):
    grok_server.reply(WORDS, fault=fault)
    began = time.monotonic()

    pieces = streamed(client)
    for _ in range(after):
        next(pieces)

    assert time.monotonic() - began >= 0.29
    assert "".join(pieces)


def test_a_failure_may_be_slow_and_cut(client, grok_server):
    grok_server.fail(529, fault={"first_token": 0.2})
    grok_server.fail(529, fault={"ending": "rst"})
    began = time.monotonic()

    with pytest.raises(openai.InternalServerError) as raised:
        client.chat.completions.create(**body())
    waited = time.monotonic() - began
    with pytest.raises(openai.APIConnectionError):
        client.chat.completions.create(**body())

    assert raised.value.status_code == 529
    assert waited >= 0.2


def test_a_failed_fetch_of_an_image_is_told_as_the_service_does(client, grok_server):
    grok_server.fail_image_fetch()

    with pytest.raises(openai.BadRequestError) as raised:
        client.chat.completions.create(**body())
    assert "Fetching image failed" in raised.value.response.text


def test_a_client_recovers_from_a_connection_that_was_cut(grok_server):
    grok_server.fault(ending="rst")
    grok_server.fail(503)
    with openai.OpenAI(base_url=grok_server.url, api_key="k", max_retries=2) as client:
        answer = client.chat.completions.create(**body())

    assert "no image" in (answer.choices[0].message.content or "")
    assert [request.status for request in grok_server.requests] == [200, 503, 200]


def raw(server: FakeServer, asked: dict[str, Any]) -> list[bytes]:
    """Ask over a bare socket, and give what each read of it gave."""
    data = json.dumps(asked).encode()
    address = urlsplit(server.url)
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nhost: {address.netloc}\r\n"
        "authorization: Bearer k\r\ncontent-type: application/json\r\n"
        f"content-length: {len(data)}\r\n\r\n"
    )
    with socket.create_connection((address.hostname, address.port or 0), timeout=10) as connection:
        connection.sendall(head.encode() + data)
        reads: list[bytes] = []
        while not b"".join(reads).endswith(b"\r\n0\r\n\r\n"):
            reads.append(connection.recv(65536))
            assert reads[-1]
    return reads


def chunks(reads: list[bytes]) -> list[bytes]:
    """Give the chunks of a chunked body."""
    rest = b"".join(reads).split(b"\r\n\r\n", 1)[1]
    found = []
    while rest:
        size, rest = rest.split(b"\r\n", 1)
        found.append(rest[: int(size, 16)])
        rest = rest[int(size, 16) + 2 :]
    return found[:-1]


def test_each_event_leaves_as_a_piece_of_its_own(grok_server):
    grok_server.reply(WORDS)

    pieces = chunks(raw(grok_server, body(stream=True)))

    assert [piece[:6] for piece in pieces] == [b"data: "] * 7
    assert pieces[-1] == DONE


def test_an_answer_may_leave_byte_by_byte(client, grok_server):
    grok_server.reply("naïve 🐈", fault={"segment": 1})
    grok_server.reply("naïve 🐈", fault={"segment": 1})

    pieces = chunks(raw(grok_server, body(stream=True)))

    assert {len(piece) for piece in pieces} == {1}
    assert "".join(heard(client)[0]) == "naïve 🐈"


def test_characters_may_be_cut_in_two(client, grok_server):
    grok_server.reply("naïve 🐈", fault={"split_utf8": True})
    grok_server.reply("naïve 🐈", fault={"split_utf8": True})

    pieces = chunks(raw(grok_server, body(stream=True)))

    assert any(piece.endswith("ï".encode()[:1]) for piece in pieces)
    assert any(piece.endswith("🐈".encode()[:1]) for piece in pieces)
    assert "".join(heard(client)[0]) == "naïve 🐈"


CALLED = [
    pytest.param({"ending": "rst"}, grpc.StatusCode.UNAVAILABLE, id="rst"),
    pytest.param({"ending": "fin"}, grpc.StatusCode.UNAVAILABLE, id="fin"),
    pytest.param({"after_events": 2}, grpc.StatusCode.UNAVAILABLE, id="cut"),
    pytest.param({"after_events": 2, "ending": "error"}, grpc.StatusCode.UNAVAILABLE, id="error"),
    pytest.param({"malformed": True}, grpc.StatusCode.INTERNAL, id="malformed"),
    pytest.param(
        {"after_events": 1, "ending": "stall"}, grpc.StatusCode.DEADLINE_EXCEEDED, id="stall"
    ),
]


@pytest.mark.parametrize(("fault", "code"), CALLED)
def test_a_call_of_grpc_has_the_same_faults(grok_server, fault, code):
    grok_server.when().reply(WORDS, fault=fault)
    client = xai_sdk.Client(
        api_key="xai-test-key",
        api_host=grok_server.api_host,
        timeout=1 if fault.get("ending") == "stall" else 30,
        channel_options=[("grpc.enable_retries", 0)],
    )
    chat = client.chat.create(model="grok-4.3", messages=[user("Hi")])

    with pytest.raises(grpc.RpcError) as raised:
        for _ in chat.stream():
            pass

    assert raised.value.code() == code
    client.close()


def test_a_slow_call_of_grpc_that_fails_takes_its_time(grok_server):
    grok_server.fail(404, fault={"first_token": 0.2})
    client = xai_sdk.Client(api_key="xai-test-key", api_host=grok_server.api_host)
    began = time.monotonic()

    with pytest.raises(grpc.RpcError) as raised:
        client.chat.create(model="grok-4.3", messages=[user("Hi")]).sample()

    assert raised.value.code() == grpc.StatusCode.NOT_FOUND
    assert time.monotonic() - began >= 0.2
    client.close()


@pytest.mark.parametrize(
    ("ending", "code"),
    [
        pytest.param("fin", grpc.StatusCode.UNAVAILABLE, id="fin"),
        pytest.param("stall", grpc.StatusCode.DEADLINE_EXCEEDED, id="stall"),
    ],
)
def test_a_failure_of_grpc_may_be_cut(grok_server, ending, code):
    grok_server.when().fail(404, fault={"ending": ending})
    client = xai_sdk.Client(
        api_key="xai-test-key",
        api_host=grok_server.api_host,
        timeout=1 if ending == "stall" else 30,
        channel_options=[("grpc.enable_retries", 0)],
    )

    with pytest.raises(grpc.RpcError) as raised:
        client.chat.create(model="grok-4.3", messages=[user("Hi")]).sample()

    assert raised.value.code() == code
    client.close()


def test_the_journal_says_what_went_wrong_on_purpose(grok_server):
    grok_server.reply("one two three", fault={"after_events": 1, "ending": "fin"})

    with pytest.raises(httpx2.RemoteProtocolError):
        post(grok_server, body(stream=True))

    assert str(grok_server.requests[0].fault) == "after_events=1, ending='fin'"


def test_a_fault_after_the_end_changes_nothing(grok_server):
    grok_server.reply("one", fault={"after_events": 99})
    grok_server.reply("one", fault={"after_bytes": 10**6})

    assert post(grok_server, body()).json() == post(grok_server, body()).json()


def test_a_response_has_faults_too(grok_server):
    grok_server.reply("one", fault={"after_bytes": 3})

    with pytest.raises(httpx2.RemoteProtocolError):
        respond(grok_server, {"model": "grok-4.3", "input": "Hi"})


BENT = [
    pytest.param(Fault(after_bytes=5), [b"abc", b"de", Cut("fin")], id="within-an-event"),
    pytest.param(Fault(after_bytes=3), [b"abc", Cut("fin")], id="between-events"),
    pytest.param(Fault(after_bytes=6), [b"abc", b"def"], id="at-the-end"),
    pytest.param(Fault(after_events=1, ending="rst"), [b"abc", Cut("rst")], id="events"),
    pytest.param(Fault(half_event=True), [b"a", Cut("fin")], id="half"),
]


@pytest.mark.parametrize(("fault", "pieces"), BENT)
def test_an_answer_is_bent_where_it_was_told(fault, pieces):
    assert list(bent([b"abc", b"def"], fault, spoil_json)) == pieces


def test_an_event_without_a_brace_can_not_be_spoiled():
    assert spoil_json(DONE) == DONE


def test_segments_are_the_whole_event():
    event = "data: {naïve 🐈}".encode()

    for fault in (Fault(), Fault(segment=2), Fault(split_utf8=True)):
        assert b"".join(segments(event, fault)) == event


WRONG = [
    pytest.param({"after_events": -1}, "Expected `int` >= 0 - at `.*after_events`", id="events"),
    pytest.param({"segment": 0}, "Expected `int` >= 1 - at `.*segment`", id="segment"),
    pytest.param({"first_token": "1"}, "Expected `float`, got `str` - at", id="type"),
    pytest.param({"ending": "bang"}, "Invalid enum value 'bang'", id="ending"),
    pytest.param(
        {"after_events": 1, "after_bytes": 1}, "after_bytes or after_events, not both", id="both"
    ),
]


@pytest.mark.parametrize(("fault", "told"), WRONG)
def test_a_fault_that_there_is_not_is_an_error_at_once(grok_server, fault, told):
    with pytest.raises(ValueError, match=told):
        grok_server.fault(**fault)


def test_a_header_of_a_fault_reaches_a_client_of_a_failure(grok_server):
    grok_server.fail(429, retry_after=3, fault={"first_token": 0.01})

    answer = httpx2.post(
        f"{grok_server.url}/chat/completions", json=body(), headers=BEARER, trust_env=False
    )

    assert (answer.status_code, answer.headers["retry-after"]) == (429, "3")


def test_the_journal_tells_what_a_stop_of_the_server_cut_short():
    with ExitStack() as stack:
        client = stack.enter_context(
            httpx2.Client(trust_env=False, headers=BEARER, timeout=HURRIED)
        )
        with FakeServer() as server:
            server.reply(WORDS, fault={"per_token": 60})
            url = f"{server.url}/chat/completions"
            got = stack.enter_context(client.stream("POST", url, json=body(stream=True)))
            # Without a name it would be forgotten, and the connection closed.
            pieces = got.iter_raw()
            next(pieces)

    (cut,) = server.requests
    assert cut.error == "The server was stopped before its answer was complete."
