"""What a request asks for is what it gets: so many answers, so long, a tool, JSON."""

import json
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from jsonschema import Draft202012Validator

from fake_server import FakeServer
from tests.asking import body, post

# A model that refuses none of the parameters here.
TALKER = "grok-4.20-0309-non-reasoning"
WORDS = "one two three four five"
WEATHER = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer", "minimum": 2}},
    "required": ["city", "days"],
    "additionalProperties": False,
}


@pytest.fixture
def client(grok_server: FakeServer) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=grok_server.url, api_key="xai-test-key", max_retries=0) as client:
        yield client


def ask(client: openai.OpenAI, **fields: Any) -> Any:
    return client.chat.completions.create(**body(**fields))


def tool(name: str) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "parameters": WEATHER}}


@pytest.mark.parametrize(
    ("model", "effort"),
    [
        pytest.param("grok-4.6", "minimal", id="observed-in-llmgateway-3669"),
        pytest.param("grok-4.5", "xhigh", id="disputed"),
        pytest.param("grok-4.3", "none", id="doc"),
        pytest.param("grok-build-0.1", "none", id="assumed-of-unknown-ones"),
    ],
)
def test_another_effort_than_the_documented_ones_is_taken(client, model, effort):
    assert ask(client, model=model, reasoning_effort=effort).choices[0].message.content


@pytest.mark.parametrize(
    "effort",
    [
        pytest.param("max", id="observed-in-llmgateway-3669"),
        pytest.param("", id="assumed-empty"),
        pytest.param("HIGH", id="assumed-capitals"),
    ],
)
def test_an_effort_that_there_is_not_is_refused(grok_server, effort):
    answer = post(grok_server, body(model="grok-4.6", reasoning_effort=effort))

    assert (answer.status_code, answer.json()["error"]) == (400, "Invalid reasoning effort.")


def test_n_answers_are_told_apart_by_index(client, grok_server):
    grok_server.reply("yes")

    completion = ask(client, n=3)

    assert [(c.index, c.message.content) for c in completion.choices] == [
        (0, "yes"),
        (1, "yes"),
        (2, "yes"),
    ]
    assert completion.usage.completion_tokens == 3


def test_n_answers_stream_side_by_side(client, grok_server):
    grok_server.reply("a b")

    chunks = list(ask(client, n=2, stream=True))

    heard = [(c.choices[0].index, c.choices[0].delta.content) for c in chunks]
    assert heard == [(0, "a"), (1, "a"), (0, " b"), (1, " b"), (0, None), (1, None)]
    assert [chunk.usage.completion_tokens for chunk in chunks] == [2, 2, 4, 4, 4, 4]


@pytest.mark.parametrize(
    ("stop", "left"),
    [(" three", "one two"), (["four", "two"], "one "), ("six", WORDS)],
    ids=["string", "earliest-of-a-list", "never-said"],
)
def test_an_answer_ends_before_a_stop_sequence(client, grok_server, stop, left):
    grok_server.reply(WORDS)

    choice = ask(client, model=TALKER, stop=stop).choices[0]

    assert (choice.message.content, choice.finish_reason) == (left, "stop")


LIMITS = [
    pytest.param({"max_tokens": 2}, "one two", "length", id="max-tokens"),
    pytest.param({"max_completion_tokens": 3}, "one two three", "length", id="max-completion"),
    pytest.param({"max_tokens": 4, "max_completion_tokens": 1}, "one", "length", id="the-smaller"),
    pytest.param({"max_tokens": 5}, WORDS, "stop", id="just-enough"),
]


@pytest.mark.parametrize(("limits", "left", "reason"), LIMITS)
def test_an_answer_is_no_longer_than_allowed(client, grok_server, limits, left, reason):
    grok_server.reply(WORDS)

    choice = ask(client, **limits).choices[0]

    assert (choice.message.content, choice.finish_reason) == (left, reason)


@pytest.mark.parametrize("limit", ["max_tokens", "max_completion_tokens"])
def test_reasoning_takes_none_of_the_tokens_allowed(client, grok_server, limit):
    """OBSERVED 2025-09 to 2026-09."""
    grok_server.reply(WORDS, reasoning="let me think about that for long")

    choice = ask(client, **{limit: 3}).choices[0]

    assert choice.message.reasoning_content == "let me think about that for long"
    assert (choice.message.content, choice.finish_reason) == ("one two three", "length")


def test_a_schema_beside_a_required_tool_gets_json_and_no_call(client):
    """OBSERVED 2026-09-02, as lm15 notes it."""
    wanted = {"type": "json_schema", "json_schema": {"name": "w", "schema": WEATHER}}
    asked = {"tools": [tool("first")], "tool_choice": "required", "response_format": wanted}

    choice = ask(client, **asked).choices[0]

    assert (choice.message.tool_calls, choice.finish_reason) == (None, "stop")
    assert "city" in json.loads(choice.message.content)


def test_a_choice_of_some_tools_is_no_more_than_auto(client):
    """OBSERVED 2026-09-02, as lm15 notes it."""
    some = {"mode": "required", "tools": [{"type": "function", "function": {"name": "first"}}]}
    chosen = {"type": "allowed_tools", "allowed_tools": some}

    choice = ask(client, tools=[tool("first")], tool_choice=chosen).choices[0]

    assert (choice.message.tool_calls, choice.finish_reason) == (None, "stop")


@pytest.mark.parametrize(
    ("choice", "name"),
    [("required", "first"), ({"type": "function", "function": {"name": "second"}}, "second")],
    ids=["required", "named"],
)
def test_a_required_tool_is_called_with_valid_arguments(client, choice, name):
    completion = ask(client, tools=[tool("first"), tool("second")], tool_choice=choice)

    [call] = completion.choices[0].message.tool_calls
    Draft202012Validator(WEATHER).validate(json.loads(call.function.arguments))
    assert call.function.name == name
    assert completion.choices[0].message.content == ""
    assert completion.choices[0].finish_reason == "tool_calls"


@pytest.mark.parametrize("choice", ["auto", "none"])
def test_no_tool_is_called_unasked(client, choice):
    completion = ask(client, tools=[tool("first")], tool_choice=choice)

    assert completion.choices[0].message.tool_calls is None
    assert completion.choices[0].finish_reason == "stop"


@pytest.mark.parametrize(
    ("wanted", "answer"),
    [
        (
            {"type": "json_schema", "json_schema": {"name": "w", "schema": WEATHER}},
            ["city", "days"],
        ),
        ({"type": "json_object"}, []),
    ],
    ids=["json-schema", "json-object"],
)
def test_an_answer_is_json_where_json_is_asked_for(client, wanted, answer):
    content = ask(client, response_format=wanted).choices[0].message.content

    assert list(json.loads(content)) == answer
