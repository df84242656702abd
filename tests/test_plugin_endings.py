"""However an answer ends, nothing that arrived is lost and nobody waits for more."""

import json
import socket

import pytest

from llm_grok_vision.errors import GrokError, StreamInterrupted
from tests.prompting import BOTH, DONE, ask, chunk, xai_answering
from tests.raw_server import Answer, http, stream

END = chunk("stop")


@BOTH
def test_a_connection_that_breaks_behind_the_end_loses_nothing(kind: str):
    complete = stream(chunk(content="all of it"), END, DONE, end=b"")

    with xai_answering(complete):
        answer = ask(kind, "Hello")

    assert answer.text == "all of it"


@BOTH
def test_a_connection_that_breaks_before_done_but_behind_the_end_loses_nothing(kind: str):
    complete = stream(chunk(content="all of it"), END, end=b"")

    with xai_answering(complete):
        answer = ask(kind, "Hello")

    assert answer.text == "all of it"


@BOTH
def test_nobody_waits_for_a_server_that_does_not_hang_up(kind: str):
    def keep_open(connection: socket.socket) -> None:
        for piece in stream(chunk(content="all of it"), END, DONE, end=b""):
            connection.sendall(piece)
        # The client is the one that hangs up.
        assert connection.recv(1) == b""

    with xai_answering(keep_open):
        answer = ask(kind, "Hello")

    assert answer.text == "all of it"


STRANGE = [
    pytest.param({"choices": [None]}, id="no-choice"),
    pytest.param({"choices": [{"message": "hello", "finish_reason": "stop"}]}, id="no-message"),
    pytest.param(
        {"choices": [{"message": {"content": [{"text": "hello"}]}, "finish_reason": "stop"}]},
        id="content-in-parts",
    ),
    pytest.param({"choices": 7}, id="choices-that-are-none"),
]


@BOTH
@pytest.mark.parametrize("answer", STRANGE)
def test_an_answer_of_another_shape_is_an_error_of_ours(kind: str, answer: object):
    strange = http(json.dumps(answer).encode(), headers="content-type: application/json")

    with xai_answering(strange), pytest.raises(GrokError, match="shape that this plugin"):
        ask(kind, "Hello")


@BOTH
def test_usage_of_another_shape_is_left_out(kind: str):
    body = {
        "choices": [{"message": {"content": "ok"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1, "prompt_tokens_details": "none", "cost_in_usd_ticks": "3"},
    }

    with xai_answering(http(json.dumps(body).encode(), headers="content-type: application/json")):
        answer = ask(kind, "Hello")

    assert (answer.text, answer.usage.input, answer.usage.details) == ("ok", 1, None)


def answer_without_end() -> Answer:
    body = {"choices": [{"index": 0, "message": {"content": "half"}}]}
    return http(json.dumps(body).encode(), headers="content-type: application/json")


@BOTH
def test_a_whole_answer_without_an_end_is_kept_in_the_error(kind: str):
    with xai_answering(answer_without_end()), pytest.raises(StreamInterrupted) as caught:
        ask(kind, "Hello", stream=False)

    assert caught.value.partial_text == "half"


OTHER = [
    pytest.param('{"choices":[{"delta":"hello"}]}', "shape that this plugin", id="no-delta"),
    pytest.param("null", "shape that this plugin", id="null"),
    pytest.param("[1]", "shape that this plugin", id="a-list"),
    pytest.param("[" * 10_000, "not JSON", id="lists-too-deep-to-read"),
]


@BOTH
@pytest.mark.parametrize(("data", "words"), OTHER)
def test_a_stream_of_another_shape_is_an_error_of_ours(kind: str, data: str, words: str):
    strange = stream(chunk(content="half"), f"data: {data}\n\n", DONE)

    with xai_answering(strange), pytest.raises(StreamInterrupted, match=words) as caught:
        ask(kind, "Hello")

    assert caught.value.partial_text == "half"


@BOTH
def test_an_event_of_another_shape_is_no_heartbeat_to_ask_again_after(kind: str):
    strange = stream('data: {"choices":[{"delta":"hello"}]}\n\n')

    with xai_answering(strange) as server, pytest.raises(StreamInterrupted, match="shape that"):
        ask(kind, "Hello")

    assert len(server.requests) == 1


@BOTH
def test_what_came_before_an_error_of_xais_is_kept_in_the_error(kind: str):
    failing = stream(chunk(content="half"), 'data: {"code":"x","error":"Broken."}\n\n', DONE)

    with xai_answering(failing), pytest.raises(GrokError, match="Broken") as caught:
        ask(kind, "Hello")

    assert caught.value.partial_text == "half"


@BOTH
def test_what_the_library_says_ends_with_one_full_stop(kind: str):
    with xai_answering([], [], []), pytest.raises(StreamInterrupted) as caught:
        ask(kind, "Hello")

    assert str(caught.value).endswith(" broke: Server disconnected without sending a response.")
