"""POST /v1/messages, by Anthropic's own client for Python."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import anthropic
import pytest

from fake_server import FakeServer
from fake_server.refusals import FAILURES
from tests.asking import BEARER, body, post, send
from tests.pictures import picture

PHOTO = picture(449, 448)
TIDE: Any = {
    "name": "tide",
    "description": "Tell the tide.",
    "input_schema": {"type": "object", "properties": {"place": {"type": "string"}}},
}
INLINE: Any = {
    "type": "image",
    "source": {
        "type": "base64",
        "media_type": "image/png",
        "data": base64.b64encode(PHOTO).decode(),
    },
}
LINKED: Any = {"type": "image", "source": {"type": "url", "url": "https://example.com/cat.png"}}


@pytest.fixture
def client(grok_server: FakeServer) -> Iterator[anthropic.Anthropic]:
    root = grok_server.url.removesuffix("/v1")
    with anthropic.Anthropic(base_url=root, api_key="xai-test-key", max_retries=0) as client:
        yield client


def ask(client: anthropic.Anthropic, *content: Any, **options: Any) -> Any:
    options = {"model": "grok-4", "max_tokens": 1000, **options}
    messages: Any = [{"role": "user", "content": list(content)}]
    return client.messages.create(messages=messages, **options)


def words(text: str) -> Any:
    return {"type": "text", "text": text}


def test_images_are_seen_in_their_order(grok_server, client):
    answer = ask(client, words("A"), INLINE, words("B"), LINKED, system="Be brief.")

    system, a, inline, b, linked = grok_server.requests[0].parts
    assert (system, a, b) == ("Be brief.", "A", "B")
    assert (inline.tokens, inline.declared, inline.source) == (768, "image/png", "data")
    assert (linked.tokens, linked.url) == (1280, "https://example.com/cat.png")
    assert answer.content[0].text.startswith("The fake server saw 2 images.")
    assert answer.usage.input_tokens == 4 + 768 + 1280
    assert answer.stop_reason == "end_turn"


def test_the_key_of_its_own_header_is_the_key(grok_server, client):
    ask(client, words("Hello"))

    assert grok_server.requests[0].key == "xai-test-key"
    assert "x-api-key" not in grok_server.requests[0].headers


def test_the_header_of_its_own_counts_on_no_other_path(grok_server):
    answer = send(grok_server, "GET", "/v1/models", headers={"x-api-key": "xai-test-key"})

    assert answer.status_code == 401


def test_a_stream_is_put_together(grok_server, client):
    grok_server.reply(
        "A boat at sea.", reasoning="Two masts.", tool_calls=[("tide", {"place": "Leith"})]
    )

    with client.messages.stream(
        model="grok-4", max_tokens=99, tools=[TIDE], messages=[{"role": "user", "content": "Hello"}]
    ) as stream:
        spoken = list(stream.text_stream)
        answer: Any = stream.get_final_message()

    assert spoken == ["A", " boat", " at", " sea."]
    thought, said, call = answer.content
    assert (thought.thinking, said.text) == ("Two masts.", "A boat at sea.")
    assert (call.name, call.input) == ("tide", {"place": "Leith"})
    assert (answer.stop_reason, answer.usage.output_tokens) == ("tool_use", 7)


def test_the_events_come_in_order(grok_server):
    grok_server.reply("A boat.")
    asked = {"model": "grok-4", "messages": [{"role": "user", "content": "Hi"}], "stream": True}

    answer = send(grok_server, "POST", "/v1/messages", json=asked, headers={"x-api-key": "k"})

    events = [line.removeprefix("event: ") for line in answer.text.splitlines() if "event:" in line]
    assert events == [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]


def test_an_error_inside_a_stream_is_an_event_of_its_own(grok_server):
    grok_server.reply("A boat.", fault={"after_events": 1, "ending": "error"})
    asked = {"model": "grok-4", "messages": [{"role": "user", "content": "Hi"}], "stream": True}

    answer = send(grok_server, "POST", "/v1/messages", json=asked, headers={"x-api-key": "k"})

    name, data = answer.text.split("\n\n")[1].splitlines()
    assert name == "event: error"
    assert json.loads(data.removeprefix("data: ")) == {
        "type": "error",
        "error": {"type": "overloaded_error", "message": FAILURES[503][1]},
    }


def test_a_tool_is_called_and_told_what_came_of_it(grok_server, client):
    grok_server.reply(tool_calls=[("tide", {"place": "Leith"})])
    first = ask(client, words("The tide?"), tools=[TIDE])
    (call,) = first.content

    client.messages.create(
        model="grok-4",
        max_tokens=99,
        tools=[TIDE],
        messages=[
            {"role": "user", "content": "The tide?"},
            {"role": "assistant", "content": first.content},
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": call.id, "content": [INLINE]},
                    words("And now?"),
                ],
            },
        ],
    )

    asked, called, result, more = grok_server.requests[1].messages
    assert [asked.role, called.role, result.role, more.role] == [
        "user",
        "assistant",
        "tool",
        "user",
    ]
    assert result.parts == grok_server.requests[1].images
    assert more.parts == ["And now?"]


def test_results_of_tools_alone_make_no_empty_message(grok_server, client):
    result: Any = {"type": "tool_result", "tool_use_id": "1", "content": "high"}

    ask(client, result)

    assert [message.role for message in grok_server.requests[0].messages] == ["tool"]


def test_the_result_of_a_tool_may_say_nothing(grok_server, client):
    result: Any = {"type": "tool_result", "tool_use_id": "1"}

    ask(client, result, words("And now?"))

    assert [message.parts for message in grok_server.requests[0].messages] == [[""], ["And now?"]]


@pytest.mark.parametrize("arguments", ["not JSON", "7", '["a"]', ""])
def test_arguments_that_are_no_object_are_none(grok_server, client, arguments):
    grok_server.reply(tool_calls=[("tide", arguments)])

    message = client.messages.create(
        model="grok-4", max_tokens=9, messages=[{"role": "user", "content": "Hi"}]
    )

    assert message.content[0].input == {}


def test_a_tool_that_wants_a_text_is_called_with_one_in_json(grok_server):
    tool = {"type": "function", "function": {"name": "f", "parameters": {"const": "a boat"}}}

    answer = post(grok_server, body(tools=[tool], tool_choice="required"))

    (call,) = answer.json()["choices"][0]["message"]["tool_calls"]
    assert call["function"]["arguments"] == '"a boat"'


def test_an_answer_that_is_cut_says_so(client):
    answer = ask(client, words("Hello"), max_tokens=2)

    assert (answer.content[0].text, answer.stop_reason) == ("The fake", "max_tokens")


def test_a_stop_sequence_ends_the_answer(client):
    answer = ask(client, words("Hello"), model="grok-2-vision", stop_sequences=[" saw"])

    assert answer.content[0].text == "The fake server"


TYPED = [
    (400, anthropic.BadRequestError),
    (401, anthropic.AuthenticationError),
    (403, anthropic.PermissionDeniedError),
    (404, anthropic.NotFoundError),
    (429, anthropic.RateLimitError),
    (503, anthropic.InternalServerError),
]


@pytest.mark.parametrize(("status", "kind"), TYPED, ids=[str(row[0]) for row in TYPED])
def test_a_failure_is_the_exception_for_it(grok_server, client, status, kind):
    grok_server.fail(status)

    with pytest.raises(kind) as failed:
        ask(client, words("Hello"))

    assert failed.value.status_code == status


@pytest.mark.parametrize(
    "block",
    [
        {"type": "video"},
        {"type": "video", "text": "x"},
        {**INLINE, "type": "document"},
        {"type": "text"},
    ],
    ids=["alone", "a-text", "a-source", "no-text"],
)
def test_an_unknown_block_is_refused(client, block):
    with pytest.raises(anthropic.BadRequestError, match=f"type {block['type']} is not supported"):
        ask(client, block)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"model": "grok-4"}, id="no-messages"),
        pytest.param({"model": "grok-4", "messages": [{"role": "tool"}]}, id="no-such-role"),
    ],
)
def test_a_body_of_another_shape_is_refused(grok_server, body):
    answer = send(grok_server, "POST", "/v1/messages", json=body, headers={"x-api-key": "k"})

    assert answer.status_code == 422
    assert answer.text.startswith("Failed to deserialize the JSON body into the target type:")


def test_the_log_has_usage_by_the_names_of_this_path(grok_server, client):
    ask(client, INLINE)

    assert json.dumps(grok_server.requests[0].usage) == (
        '{"input_tokens": 768, "cache_creation_input_tokens": 0,'
        ' "cache_read_input_tokens": 0, "output_tokens": 19}'
    )


def test_a_whole_answer_has_every_field_of_a_message(grok_server):
    asked = {"model": "grok-4", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]}
    grok_server.reply("A boat.")

    answer = send(grok_server, "POST", "/v1/messages", headers=BEARER, json=asked).json()

    assert {name: answer[name] for name in answer if name not in ("id", "usage")} == {
        "type": "message",
        "role": "assistant",
        "content": [{"type": "text", "text": "A boat."}],
        "model": "grok-4-0709",
        "stop_reason": "end_turn",
        "stop_sequence": None,
    }
