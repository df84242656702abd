"""The `openai` client, a stranger, reads the answers of the fake, whole and streamed."""

import asyncio
from collections.abc import Iterator
from typing import Any

import openai
import pytest

from fake_server import FakeServer
from tests.asking import body, image, text
from tests.pictures import data_url, picture

PHOTO = data_url(picture(1344, 896, "JPEG"), "image/jpeg")
ICON = data_url(picture(128, 128))
WORDS = "one two three four five"


@pytest.fixture
def client(grok_server: FakeServer) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=grok_server.url, api_key="xai-test-key", max_retries=0) as client:
        yield client


def ask(client: openai.OpenAI, *parts: Any, **fields: Any) -> Any:
    return client.chat.completions.create(**body(*parts, **fields))


def stream(client: openai.OpenAI, *parts: Any, **fields: Any) -> Any:
    return list(client.chat.completions.create(stream=True, **body(*parts, **fields)))


def said(chunks: list[Any]) -> str:
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)


def test_an_answer_says_what_was_seen(client):
    completion = ask(client, image(PHOTO, detail="high"), text("What is this?"), image(ICON))

    size = f"{len(picture(1344, 896, 'JPEG')):,}"
    icon = f"{len(picture(128, 128)):,}"
    assert completion.choices[0].message.content == (
        "The fake server saw 2 images."
        f" Image 1: JPEG, 1344x896 pixels, {size} bytes, detail high, 6 tiles, 1792 tokens."
        f" Image 2: PNG, 128x128 pixels, {icon} bytes, detail auto, 1 tile, 512 tokens."
    )
    assert completion.choices[0].finish_reason == "stop"


def test_an_answer_to_words_alone_saw_no_image(client):
    completion = ask(client, text("Hello"))

    assert completion.choices[0].message.content == "The fake server saw no image."


def test_an_answer_names_the_model_behind_an_alias(client):
    assert ask(client, model="grok-4").model == "grok-4-0709"


def test_a_stream_says_the_same_word_by_word(client):
    chunks = stream(client, image(ICON))

    words = [c.choices[0].delta.content for c in chunks[:6]]
    assert words == ["The", " fake", " server", " saw", " 1", " image."]
    assert said(chunks) == ask(client, image(ICON)).choices[0].message.content


def test_the_role_is_on_the_first_chunk_alone(client):
    roles = [chunk.choices[0].delta.role for chunk in stream(client)]

    assert roles == ["assistant", *[None] * (len(roles) - 1)]


def test_the_end_of_a_stream_is_a_chunk_of_its_own(client):
    *others, last = stream(client)

    assert [chunk.choices[0].finish_reason for chunk in others] == [None] * len(others)
    assert last.choices[0].finish_reason == "stop"
    assert last.choices[0].delta.content is None


def test_the_image_tokens_of_a_stream_are_on_its_first_chunk(client):
    """As the guide reads them: next(stream).usage.prompt_tokens_details.image_tokens."""
    chunks = client.chat.completions.create(stream=True, **body(image(PHOTO), image(ICON)))

    assert next(chunks).usage.prompt_tokens_details.image_tokens == 1792 + 512
    chunks.close()


def test_words_that_say_why_there_is_no_answer_are_counted_as_they_come(client, grok_server):
    grok_server.reply(refusal="I will not")

    usages = [chunk.usage.completion_tokens for chunk in stream(client, text("a b"))]

    assert usages == [1, 2, 3, 3]


def test_without_include_usage_every_chunk_counts_what_was_said_so_far(client, grok_server):
    grok_server.reply(WORDS, reasoning="let me think")

    usages = [chunk.usage for chunk in stream(client, text("a b"))]

    assert [usage.completion_tokens for usage in usages] == [0, 0, 0, 1, 2, 3, 4, 5, 5]
    thought = [u.completion_tokens_details.reasoning_tokens for u in usages]
    assert thought == [1, 2, 3, 3, 3, 3, 3, 3, 3]
    assert [usage.total_tokens for usage in usages] == [3, 4, 5, 6, 7, 8, 9, 10, 10]


def test_with_include_usage_it_comes_once_and_last(client):
    *others, last = stream(client, image(ICON), stream_options={"include_usage": True})

    assert [chunk.usage for chunk in others] == [None] * len(others)
    assert last.choices == []
    assert last.usage.prompt_tokens == 512


# Prices in US dollars a million tokens: grok-4-0709 3 and 15, grok-4.3 1.25 and 2.50;
# a dollar is 10,000,000,000 ticks. 4 words and a tile are 516 tokens of prompt; "one ...
# five" are 5 of answer, "let me think" 3 of reasoning.
BILLS = [
    # 516 * 30,000 + 8 * 150,000
    pytest.param("grok-4", 16_680_000, id="observed-2025-prices-grok-4"),
    # 516 * 12,500 + 8 * 25,000
    pytest.param("grok-4.3", 6_650_000, id="observed-2026-prices-grok-4.3"),
]


@pytest.mark.parametrize(("model", "ticks"), BILLS)
def test_usage_adds_up(client, grok_server, model, ticks):
    grok_server.reply(WORDS, reasoning="let me think")

    usage = ask(client, image(ICON), text("What do you see?"), model=model).usage

    assert usage.to_dict() == {
        "prompt_tokens": 516,
        "completion_tokens": 5,
        "total_tokens": 524,
        "prompt_tokens_details": {
            "text_tokens": 4,
            "audio_tokens": 0,
            "image_tokens": 512,
            "cached_tokens": 0,
        },
        "completion_tokens_details": {
            "reasoning_tokens": 3,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
        "num_sources_used": 0,
        "cost_in_usd_ticks": ticks,
    }


def test_the_async_client_streams_too(grok_server):
    async def heard() -> str:
        async with openai.AsyncOpenAI(base_url=grok_server.url, api_key="xai-test-key") as client:
            chunks = await client.chat.completions.create(stream=True, **body(image(ICON)))
            return "".join([chunk.choices[0].delta.content or "" async for chunk in chunks])

    assert asyncio.run(heard()).startswith("The fake server saw 1 image.")
