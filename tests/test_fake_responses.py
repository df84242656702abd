"""The `openai` client, a stranger, asks the fake for responses, whole and streamed."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import openai
import pydantic
import pytest

from fake_server import FakeServer
from tests.asking import input_image, input_text, prompt
from tests.pictures import data_url, picture

PHOTO = data_url(picture(1344, 896, "JPEG"), "image/jpeg")
ICON = data_url(picture(128, 128))
WORDS = "one two three four five"
TOOL: Any = {
    "type": "function",
    "name": "weather",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    },
    "strict": True,
}


@pytest.fixture
def client(grok_server: FakeServer) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=grok_server.url, api_key="xai-test-key", max_retries=0) as client:
        yield client


def ask(client: openai.OpenAI, *parts: Any, **fields: Any) -> Any:
    return client.responses.create(**prompt(*parts, **fields))


def test_a_response_says_what_was_seen(client):
    response = ask(client, input_image(PHOTO, detail="high"), input_text("What?"))

    size = f"{len(picture(1344, 896, 'JPEG')):,}"
    assert response.output_text == (
        "The fake server saw 1 image."
        f" Image 1: JPEG, 1344x896 pixels, {size} bytes, detail high, 6 tiles, 1792 tokens."
    )
    assert response.status == "completed"


def test_a_response_names_the_model_behind_an_alias(client):
    assert ask(client, model="grok-4").model == "grok-4-0709"


def test_input_may_be_a_plain_text(client, grok_server):
    client.responses.create(model="grok-4.3", input="Hello", instructions="Be brief.")

    seen = [(message.role, message.parts) for message in grok_server.requests[0].messages]
    assert seen == [("system", ["Be brief."]), ("user", ["Hello"])]


# Prices of grok-4.3 in US dollars a million tokens: 1.25 and 2.50; a dollar is
# 10,000,000,000 ticks. 4 words and two tiles are 516 tokens: 516 * 12,500 + 8 * 25,000.
def test_usage_adds_up(client, grok_server):
    grok_server.reply(WORDS, reasoning="let me think")

    usage = ask(client, input_image(ICON), input_text("What do you see?")).usage

    assert usage.to_dict() == {
        "input_tokens": 516,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": 8,
        "output_tokens_details": {"reasoning_tokens": 3},
        "total_tokens": 524,
        "num_sources_used": 0,
        "num_server_side_tools_used": 0,
        "cost_in_usd_ticks": 6_650_000,
        "context_details": {"input_tokens": 516, "output_tokens": 8},
    }


def test_a_stream_says_the_same_word_by_word(client):
    with client.responses.stream(**prompt(input_image(ICON))) as stream:
        words = [event.delta for event in stream if event.type == "response.output_text.delta"]
        final = stream.get_final_response()

    assert words[:6] == ["The", " fake", " server", " saw", " 1", " image."]
    assert "".join(words) == final.output_text == ask(client, input_image(ICON)).output_text


def test_reasoning_streams_before_the_answer(client, grok_server):
    grok_server.reply("A cat.", reasoning="It purrs.")

    with client.responses.stream(**prompt()) as stream:
        events = [*stream]
        reasoning, message = stream.get_final_response().output

    deltas = [event.delta for event in events if event.type.endswith("_text.delta")]
    parts = [event.part.text for event in events if "summary_part" in event.type]
    assert parts == ["", "It purrs."]
    assert deltas == ["It", " purrs.", "A", " cat."]
    assert reasoning.summary[0].text == "It purrs."
    assert message.content[0].text == "A cat."


def test_encrypted_reasoning_comes_if_it_is_asked_for(client, grok_server):
    def secret(**fields: Any) -> Any:
        grok_server.reply("A cat.", reasoning="It purrs.")
        return ask(client, **fields).output[0].encrypted_content

    include = ["reasoning.encrypted_content"]
    assert secret() is None
    assert secret(include=["message.output_text.logprobs"]) is None
    assert secret(include=include) == secret(include=include)
    assert secret(include=include) != secret(include=include, temperature=1)


def test_a_model_of_september_2026_always_encrypts_its_reasoning(client, grok_server):
    """DOC xAI, as coder/xum #4320 of 2026-09-21 has it."""
    grok_server.reply("A cat.", reasoning="Hm.")

    assert ask(client, model="grok-4.7").output[0].encrypted_content


def test_a_required_tool_is_called_with_valid_arguments(client):
    response = ask(client, tools=[TOOL], tool_choice="required")

    [call] = response.output
    assert (call.type, call.name, list(json.loads(call.arguments))) == (
        "function_call",
        "weather",
        ["city"],
    )


@pytest.mark.parametrize(
    "choice",
    [
        {"type": "function", "name": "second"},
        {"type": "function", "function": {"name": "second"}},
    ],
    ids=["doc-flat", "doc-nested"],
)
def test_a_named_tool_is_called(client, choice):
    tools = [TOOL, TOOL | {"name": "second"}]

    [call] = ask(client, tools=tools, tool_choice=choice).output

    assert call.name == "second"


def test_tool_calls_stream_whole_after_the_text(client, grok_server):
    grok_server.reply("Wait.", tool_calls=[("weather", {"city": "Rome"}), ("weather", {})])

    with client.responses.stream(**prompt(tools=[TOOL])) as stream:
        deltas = [event.delta for event in stream if event.type.endswith("arguments.delta")]
        output = stream.get_final_response().output

    assert deltas == ['{"city":"Rome"}', "{}"]
    assert [item.type for item in output] == ["message", "function_call", "function_call"]
    assert len({item.call_id for item in output[1:]}) == 2
    assert {item.status for item in output} == {"completed"}


def test_the_output_of_a_response_may_be_sent_back(client, grok_server):
    grok_server.reply("Wait.", reasoning="Hm.", tool_calls=[("weather", {"city": "Rome"})])
    first = ask(client, tools=[TOOL], include=["reasoning.encrypted_content"])
    result = {
        "type": "function_call_output",
        "call_id": first.output[2].call_id,
        "output": [input_text("Sunny"), input_image(ICON)],
    }

    second = client.responses.create(
        model="grok-4.3",
        input=[*prompt()["input"], *(item.to_dict() for item in first.output), result],
        tools=[TOOL],
    )

    seen = [(message.role, len(message.parts)) for message in grok_server.requests[1].messages]
    assert seen == [("user", 1), ("assistant", 1), ("assistant", 0), ("tool", 2)]
    assert grok_server.requests[1].images[0].tokens == 512
    assert second.output_text.startswith("The fake server saw 1 image.")


class Boat(pydantic.BaseModel):
    name: str
    masts: int


def test_an_answer_is_parsed_by_its_schema(client):
    request = prompt()

    response = client.responses.parse(
        model=request["model"], input=request["input"], text_format=Boat
    )

    assert isinstance(response.output_parsed, Boat)
    assert response.text.format.name == "Boat"


def test_an_answer_is_json_where_json_is_asked_for(client):
    response = ask(client, text={"format": {"type": "json_object"}})

    assert json.loads(response.output_text) == {}


LIMITS = [
    pytest.param(2, "one two", "incomplete", id="doc-fewer"),
    pytest.param(5, WORDS, "completed", id="observed-reasoning-does-not-count"),
]


@pytest.mark.parametrize(("most", "left", "status"), LIMITS)
def test_an_answer_is_no_longer_than_allowed(client, grok_server, most, left, status):
    grok_server.reply(WORDS, reasoning="let me think")

    response = ask(client, max_output_tokens=most)

    assert (response.output_text, response.status) == (left, status)
    # OBSERVED 2026-07-09: what was said is complete, and the response never was.
    assert response.output[-1].status == "completed"
    assert (response.completed_at is None) is (status == "incomplete")
    reason = response.incomplete_details and response.incomplete_details.reason
    assert reason == ("max_output_tokens" if status == "incomplete" else None)
    assert response.usage.output_tokens_details.reasoning_tokens == 3


def test_a_stream_that_was_cut_off_says_so_at_its_end(client, grok_server):
    grok_server.reply(WORDS)

    *_, last = ask(client, stream=True, max_output_tokens=2)

    assert (last.type, last.response.status) == ("response.incomplete", "incomplete")


def test_an_empty_answer_is_an_empty_message(client, grok_server):
    grok_server.reply("")

    [message] = ask(client).output

    assert message.content[0].text == ""


def test_a_part_is_added_before_its_text(client, grok_server):
    grok_server.reply(WORDS)

    events = [*ask(client, stream=True)]

    [added] = [event for event in events if event.type == "response.content_part.added"]
    [done] = [event for event in events if event.type == "response.content_part.done"]
    assert (added.part.type, added.part.text) == ("output_text", "")
    assert (done.part.type, done.part.text) == ("output_text", WORDS)


def test_the_async_client_streams_too(grok_server):
    async def heard() -> str:
        async with openai.AsyncOpenAI(base_url=grok_server.url, api_key="xai-test-key") as client:
            events = await client.responses.create(stream=True, **prompt(input_image(ICON)))
            deltas = [event async for event in events if event.type == "response.output_text.delta"]
            return "".join(event.delta for event in deltas)

    assert asyncio.run(heard()).startswith("The fake server saw 1 image.")


def test_a_refusal_streams_and_is_a_part_of_its_own(grok_server, client):
    grok_server.reply(refusal="I will not.")

    events = [*ask(client, input_text("Hi"), stream=True)]

    assert [event.type for event in events[3:5]] == [
        "response.content_part.added",
        "response.refusal.delta",
    ]
    assert (events[3].part.type, events[3].part.refusal) == ("refusal", "")
    assert {event.content_index for event in events[3:-2]} == {0}
    *deltas, done = [event for event in events if event.type.startswith("response.refusal.")]
    assert [event.delta for event in deltas] == ["I", " will", " not."]
    assert (done.type, done.refusal) == ("response.refusal.done", "I will not.")
    (message,) = events[-1].response.output
    (part,) = message.content
    assert message.status == "completed"
    assert (part.type, part.refusal) == ("refusal", "I will not.")
