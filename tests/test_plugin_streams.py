"""A stream means the same however its bytes are cut, and what is missing in it does no harm."""

import json
import socket
import threading
from typing import Any

import llm
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_grok_vision.errors import StreamInterrupted
from llm_grok_vision.wire.chat_completions import Completion
from tests.prompting import BOTH, DONE, MODEL, ask, chunk, whole, xai_answering
from tests.raw_server import Answer, stream

USAGE = 'data: {"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 2}}\n\n'


def _said(text: str) -> str:
    """Write an event as xAI does, in UTF-8 and not escaped."""
    body = {"choices": [{"delta": {"content": text}}]}
    return f"data: {json.dumps(body, ensure_ascii=False)}\n\n"


WORDS = _said("Grüße ") + _said("an 🌍") + chunk("stop") + USAGE + DONE


def _in_chunks(body: bytes, size: int) -> Answer:
    """Send a stream in chunks of so many bytes."""
    yield b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    for at in range(0, len(body), size):
        piece = body[at : at + size]
        yield f"{len(piece):x}\r\n".encode() + piece + b"\r\n"
    yield b"0\r\n\r\n"


STREAMS = [
    pytest.param(WORDS, 100_000, id="in-one-piece"),
    pytest.param(WORDS, 1, id="byte-by-byte"),
    pytest.param(WORDS, 7, id="cut-at-odd-places"),
    pytest.param(WORDS.replace("\n", "\r\n"), 100_000, id="crlf"),
    pytest.param(WORDS.replace("\n", "\r\n"), 1, id="crlf-byte-by-byte"),
    pytest.param(WORDS.replace("\n", "\r"), 1, id="cr-byte-by-byte"),
    pytest.param(": keep-alive\n\n" + WORDS.replace("\n\n", "\n\n:\n\n"), 1, id="with-comments"),
    pytest.param(WORDS.replace("data: ", "data:"), 1, id="no-space-behind-the-colon"),
    pytest.param(WORDS.replace("data: ", "id: 1\nevent: message\ndata: "), 1, id="with-names"),
    pytest.param("event: ping\n\nretry: 1000\n\n" + WORDS, 1, id="events-without-data"),
    pytest.param(WORDS.replace('"choices"', '\ndata: "choices"'), 1, id="data-on-two-lines"),
    pytest.param(WORDS.removesuffix("\n\n"), 1, id="no-line-end-at-the-end"),
    pytest.param(WORDS.removesuffix(DONE), 1, id="without-done"),
    pytest.param(WORDS.replace(USAGE, chunk() + USAGE), 1, id="a-delta-behind-the-reason"),
]


@BOTH
@pytest.mark.parametrize(("body", "size"), STREAMS)
def test_a_stream_means_the_same_however_it_is_written(kind: str, body: str, size: int):
    with xai_answering(_in_chunks(body.encode(), size)):
        asked = ask(kind, "Hello")

    assert asked.text == "Grüße an 🌍"
    assert (asked.usage.input, asked.usage.output) == (7, 2)


def test_text_is_handed_over_while_the_rest_is_still_to_come():
    heard = threading.Event()
    head, *rest = stream(_said("one "), _said("two"), chunk("stop"), DONE)

    def wait_in_the_middle(connection: socket.socket) -> None:
        connection.sendall(head + rest[0])
        if heard.wait(30):
            connection.sendall(b"".join(rest[1:]))

    with xai_answering(wait_in_the_middle):
        answer = iter(llm.get_model(MODEL).prompt("Hello"))
        first = next(answer)
        heard.set()
        others = list(answer)

    assert (first, others) == ("one ", ["two"])


@BOTH
def test_arguments_of_tools_come_in_fragments_by_index(kind: str):
    def part(index: int, **fields: Any) -> dict[str, Any]:
        return {"index": index, **fields}

    events = [
        chunk(tool_calls=[part(1, id="b", function={"name": "second", "arguments": ""})]),
        chunk(tool_calls=[part(0, id="a", function={"name": "first", "arguments": '{"x"'})]),
        chunk(tool_calls=[part(1, function={"arguments": '{"y": 2}'})]),
        chunk(tool_calls=[part(0, id=None, function={"name": None, "arguments": ": 1}"})]),
        chunk("tool_calls"),
        DONE,
    ]

    with xai_answering(stream(*events)):
        asked = ask(kind, "Hello")

    assert [(call.tool_call_id, call.name, call.arguments) for call in asked.tool_calls] == [
        ("a", "first", {"x": 1}),
        ("b", "second", {"y": 2}),
    ]


ARGUMENTS = [
    pytest.param("", {}, id="no-text"),
    pytest.param("{}", {}, id="no-arguments"),
    pytest.param(None, {}, id="null"),
    pytest.param('{"x": ', {"_raw": '{"x": '}, id="cut-short"),
    pytest.param("[1]", {"_raw": "[1]"}, id="a-list"),
    pytest.param("null", {}, id="the-word-null"),
]


@BOTH
@pytest.mark.parametrize(("arguments", "expected"), ARGUMENTS)
def test_arguments_that_are_no_object_do_no_harm(
    kind: str, arguments: str | None, expected: dict[str, Any]
):
    call = {"id": "a", "type": "function", "function": {"name": "f", "arguments": arguments}}

    with xai_answering(whole("tool_calls", content=None, tool_calls=[call])):
        asked = ask(kind, "Hello")

    assert [call.arguments for call in asked.tool_calls] == [expected]


def test_calls_without_ids_get_one_each():
    calls = [{"function": {"name": name, "arguments": "{}"}} for name in ("f", "g")]

    with xai_answering(whole("tool_calls", tool_calls=calls)):
        asked = ask("sync", "Hello")

    ids = [call.tool_call_id for call in asked.tool_calls]
    assert [call.name for call in asked.tool_calls] == ["f", "g"]
    assert len(set(ids)) == 2
    assert [event.tool_call_id for event in asked.events] == [ids[0], ids[0], ids[1], ids[1]]


NULLS = [
    pytest.param({"delta": None, "message": None}, id="delta"),
    pytest.param({"delta": {"content": None}}, id="content"),
    pytest.param({"delta": {"tool_calls": None}}, id="tool-calls"),
    pytest.param({"delta": {"reasoning_content": None}}, id="reasoning"),
    pytest.param({"delta": {"tool_calls": [{"function": None}]}, "ignored": True}, id="function"),
]


@pytest.mark.parametrize("choice", NULLS)
def test_null_is_taken_for_nothing(choice: dict[str, Any]):
    completion = Completion()

    events = list(completion.feed(json.dumps({"choices": [choice], "usage": None})))

    assert events == []
    assert completion.text == ""
    assert completion.usage() is None


def test_choices_may_be_null():
    completion = Completion()

    assert list(completion.feed('{"choices": null, "error": null, "model": null}')) == []
    assert completion.model is None


@given(st.lists(st.text(min_size=1), min_size=1), st.booleans())
def test_a_stream_holds_what_was_said_in_it(pieces: list[str], ascii_only: bool):
    completion = Completion()
    events = [
        event.chunk
        for piece in pieces
        for event in completion.feed(
            json.dumps({"choices": [{"delta": {"content": piece}}]}, ensure_ascii=ascii_only)
        )
    ]
    list(completion.feed('{"choices": [{"delta": {}, "finish_reason": "stop"}]}'))

    assert events == pieces
    assert list(completion.finish()) == []
    assert completion.as_json()["choices"][0]["message"]["content"] == "".join(pieces)


@given(st.text())
def test_what_is_not_json_ends_the_answer_and_keeps_what_came(noise: str):
    completion = Completion()
    list(completion.feed('{"choices": [{"delta": {"content": "half"}}]}'))

    with pytest.raises(StreamInterrupted) as caught:
        list(completion.feed("{{" + noise))

    assert caught.value.partial_text == "half"
