"""Usage that a script gives: shown by whoever asks, and billed by the recorded formula."""

import json

import pytest

from fake_server import FakeServer
from fake_server.accounting import Usage, count_text_tokens, words
from fake_server.catalogue import get
from tests.asking import body, image, post, prompt, respond
from tests.pictures import data_url, picture
from tests.protocols import EVERY

PHOTO = data_url(picture(449, 448))
USED = {"text_tokens": 200, "cached_tokens": 128, "completion_tokens": 9, "reasoning_tokens": 40}


@pytest.mark.parametrize("ask", EVERY.values(), ids=EVERY)
def test_whoever_asks_is_told_what_was_used(grok_server: FakeServer, ask):
    grok_server.reply("A boat.", reasoning="Two masts.", usage=USED)

    got = ask(grok_server, body(image(PHOTO), model="grok-4.3"))

    assert got.answer_tokens == 49
    # What was cached is none of the input of /v1/messages.
    assert got.prompt_tokens in (200 + 768, 200 + 768 - 128)
    # 72 fresh tokens and 768 of the image, 128 cached, 49 of the answer.
    assert got.cost in (None, (72 + 768) * 12_500 + 128 * 2_000 + 49 * 25_000)


def test_what_was_cached_is_shown(grok_server):
    grok_server.reply("A boat.", usage=USED)

    usage = post(grok_server, body()).json()["usage"]

    assert usage["prompt_tokens_details"] == {
        "text_tokens": 200,
        "audio_tokens": 0,
        "image_tokens": 0,
        "cached_tokens": 128,
    }
    assert usage["total_tokens"] == 249


def test_what_the_script_leaves_out_is_counted(grok_server):
    grok_server.reply("A boat at sea.", usage={"text_tokens": 200})

    usage = post(grok_server, body()).json()["usage"]

    assert (usage["prompt_tokens"], usage["completion_tokens"]) == (200, 4)


LONG = [
    pytest.param(199_999, 1, id="doc-below-the-threshold"),
    pytest.param(200_000, 2, id="doc-at-the-threshold"),
]


@pytest.mark.parametrize(("text_tokens", "times"), LONG)
@pytest.mark.parametrize("ask", EVERY.values(), ids=EVERY)
def test_a_long_prompt_costs_twice_as_much(grok_server: FakeServer, ask, text_tokens, times):
    """DOC docs.x.ai/developers/rest-api-reference/inference/models: "at or above" a threshold."""
    used = {"text_tokens": text_tokens, "cached_tokens": 1000, "completion_tokens": 10}
    grok_server.reply("A boat.", usage=used)

    got = ask(grok_server, body(model="grok-4.3"))

    fresh = text_tokens - 1000
    assert got.cost in (None, times * (fresh * 12_500 + 1000 * 2_000 + 10 * 25_000))


def test_images_make_a_prompt_long_too(grok_server):
    grok_server.reply("A boat.", usage={"text_tokens": 199_300, "completion_tokens": 10})

    usage = post(grok_server, body(image(PHOTO), model="grok-4.3")).json()["usage"]

    assert usage["prompt_tokens"] == 200_068
    assert usage["cost_in_usd_ticks"] == 2 * (200_068 * 12_500 + 10 * 25_000)


def test_calls_of_xais_tools_cost_the_same_in_a_long_prompt(grok_server):
    calls = [("web_search", {"query": "boats"})]
    used = {"text_tokens": 200_000, "completion_tokens": 10}
    grok_server.reply("A boat.", usage=used, server_tool_calls=calls)

    usage = respond(grok_server, prompt(tools=[{"type": "web_search"}])).json()["usage"]

    assert usage["cost_in_usd_ticks"] == 2 * (200_000 * 12_500 + 10 * 25_000) + 50_000_000


# Recorded usages with their ticks: text, cached, image, completion and reasoning tokens.
RECORDED = [
    pytest.param("grok-4.3", (140, 128, 18, 58, 468), 13_781_000, id="observed-2026-06-08-image"),
    pytest.param("grok-2-vision-1212", (15, 0, 256, 57, 0), 11_120_000, id="observed-2026-02-10"),
    pytest.param("grok-4.3", (220, 128, 0, 46, 375), 11_931_000, id="observed-2026-08-10"),
]


@pytest.mark.parametrize(("model", "tokens", "ticks"), RECORDED)
def test_a_recorded_usage_costs_what_it_did(model, tokens, ticks):
    text, cached, image, completion, reasoning = tokens

    usage = Usage(
        text, image, completion, reasoning, get(model).usd_per_million, cached_tokens=cached
    )

    assert usage.cost_in_usd_ticks == ticks


def test_more_cached_than_sent_costs_no_less_than_nothing():
    usage = Usage(10, 0, 0, 0, get("grok-4.3").usd_per_million, cached_tokens=64)

    assert usage.cost_in_usd_ticks == 64 * 2_000


@pytest.mark.parametrize(
    "usage",
    [{"image_tokens": 1}, {"text_tokens": -1}, {"text_tokens": "9"}],
    ids=["images", "negative", "text"],
)
def test_a_usage_that_can_not_be_is_a_mistake_of_the_test(grok_server, usage):
    with pytest.raises(ValueError, match="usage is numbers of text_tokens, cached_tokens"):
        grok_server.reply("A boat.", usage=usage)


def test_a_stream_ends_with_what_was_used(grok_server):
    grok_server.reply("A boat.", usage=USED)

    lines = post(grok_server, body(stream=True)).text.splitlines()

    *_, last = (json.loads(line[6:]) for line in lines if line.startswith("data: {"))
    assert last["usage"]["completion_tokens"] == 9


LETTERS = 1024**2


@pytest.mark.parametrize("first", ["", "x", " ", "xx ", " \n"])
@pytest.mark.parametrize(
    "word", ["ab ", "abc", "a  ", "\u3000x"], ids=["spaced", "one", "two", "wide"]
)
def test_the_words_of_a_long_text_are_counted_as_those_of_a_short_one(first, word):
    text = first + word * (3 * LETTERS // len(word))

    assert count_text_tokens(text) == len(text.split())


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        pytest.param("", [], id="nothing"),
        pytest.param(" \n", [" \n"], id="space-alone"),
        pytest.param(" A  boat.", [" A", "  boat."], id="space-before-words"),
        pytest.param("A boat. \n\n", ["A", " boat. \n\n"], id="space-behind-words"),
        pytest.param("Ein\u00a0Boot\u2003", ["Ein", "\u00a0Boot\u2003"], id="other-spaces"),
    ],
)
def test_space_goes_with_the_word_behind_it_and_at_the_end_with_the_last(text, pieces):
    assert words(text) == pieces


def test_space_without_end_is_a_token_like_any_other(grok_server):
    grok_server.reply("A" + " " * 1_000_000)

    answer = post(grok_server, body()).json()

    assert answer["usage"]["completion_tokens"] == 1
