"""The answers of the fake look like those that the live service was seen to give."""

import json
from itertools import groupby
from typing import Any

import pytest

from fake_server import catalogue
from fake_server.accounting import Usage
from tests.asking import body, post
from tests.recorded import CHAT, RAW, Exchange, exchanges, needed, newest, shape

pytestmark = needed

TOOL = {"type": "function", "function": {"name": "weather", "parameters": {}}}


def test_an_answer_has_the_recorded_shape(grok_server):
    recorded = newest("Aug 2026", streamed=False, holding='"stop"')
    grok_server.reply("A cat.", reasoning="It purrs.")

    answer = post(grok_server, body(model="grok-4.3"))

    assert shape(answer.json()) == shape(json.loads(recorded.body))


def test_an_answer_that_calls_a_tool_has_the_recorded_shape(grok_server):
    recorded = newest("Aug 2026", streamed=False, holding='"tool_calls":[')
    grok_server.reply(reasoning="It purrs.", tool_calls=[("weather", {})])

    answer = post(grok_server, body(model="grok-4.3", tools=[TOOL]))

    assert shape(answer.json()) == shape(json.loads(recorded.body))
    assert answer.json()["choices"][0]["message"]["content"] == ""


def test_an_answer_without_reasoning_has_the_recorded_shape(grok_server):
    """The newest of them is of May 2026, before there was a service_tier."""
    recorded = next(
        exchange
        for exchange in exchanges(CHAT)
        if exchange.repository == RAW
        and exchange.model == "grok-4-1-fast-non-reasoning"
        and exchange.status == 200
        and "May 2026" in dict(exchange.headers)["date"]
        and not exchange.streamed
        and '"stop"' in exchange.body
    )

    answer = post(grok_server, body(model="grok-4-1-fast-non-reasoning"))

    expected = shape(json.loads(recorded.body))
    assert shape(answer.json()) == [*expected, ("service_tier", "str")]


def test_ids_have_the_recorded_forms(grok_server):
    recorded = json.loads(newest("Aug 2026", streamed=False, holding='"tool_calls":[').body)
    grok_server.reply(tool_calls=[("weather", {})])

    answer = post(grok_server, body(model="grok-4.3")).json()

    def forms(answer: Any) -> list[str]:
        call = answer["choices"][0]["message"]["tool_calls"][0]
        ids = [answer["id"], answer["system_fingerprint"], call["id"]]
        digits = str.maketrans("0123456789abcdef", "x" * 16)
        return [value.removeprefix("call").translate(digits) for value in ids]

    assert forms(answer) == forms(recorded)


def test_json_is_as_compact_as_recorded(grok_server):
    recorded = newest("Aug 2026", streamed=False, holding='"stop"').body
    answer = post(grok_server, body(model="grok-4.3")).text

    for written in (recorded, answer):
        compact = json.dumps(json.loads(written), separators=(",", ":"), ensure_ascii=False)
        assert written == compact


STREAMS = [
    pytest.param(
        {"text": "A grey cat.", "reasoning": "It purrs."}, '"content":', "tool_calls", id="words"
    ),
    pytest.param(
        {"reasoning": "It purrs.", "tool_calls": [("weather", {})]},
        '"tool_calls":[',
        '"content":',
        id="tool-call",
    ),
]


@pytest.mark.parametrize(("reply", "holding", "lacking"), STREAMS)
def test_a_stream_has_the_recorded_chunks_in_order(grok_server, reply, holding, lacking):
    recorded = newest("13 Jun 2026", streamed=True, holding=holding, lacking=lacking)
    grok_server.reply(**reply)

    asked = body(model="grok-4.3", stream=True, stream_options={"include_usage": True})
    answer = post(grok_server, asked)

    heard = Exchange("", CHAT, 200, asked, (), answer.text)
    assert kinds(heard) == kinds(recorded)


def kinds(stream: Exchange) -> list[Any]:
    """Give the shapes of the chunks, those that repeat once."""
    return [kind for kind, _ in groupby(shape(chunk) for chunk in stream.chunks())]


def test_a_stream_is_framed_as_recorded(grok_server):
    recorded = newest("13 Jun 2026", streamed=True, holding='"stop"').body
    answer = post(grok_server, body(model="grok-4.3", stream=True)).text

    for written in (recorded, answer):
        *events, done, end = written.split("\n\n")
        assert all(event.startswith('data: {"id":"') for event in events)
        assert (done, end) == ("data: [DONE]", "")


def test_a_busy_service_says_what_was_recorded(grok_server):
    [recorded] = [exchange for exchange in exchanges(CHAT) if exchange.status == 503]
    grok_server.fail(503)

    assert post(grok_server, body()).text == recorded.body


def test_a_retired_model_is_refused_as_recorded(grok_server):
    """The words are those of 2025, the code is that of 2026."""
    recorded = [exchange for exchange in exchanges(CHAT) if exchange.status == 404]

    answers = [post(grok_server, exchange.request) for exchange in recorded]

    assert [answer.status_code for answer in answers] == [404] * 4
    assert [answer.json()["error"] for answer in answers] == [
        json.loads(exchange.body)["error"] for exchange in recorded
    ]


def test_every_recorded_request_that_was_answered_is_answered(grok_server):
    answered = [exchange for exchange in exchanges(CHAT) if exchange.status == 200]

    statuses = [post(grok_server, exchange.request).status_code for exchange in answered]

    assert statuses == [200] * 300


def test_usage_and_cost_are_computed_as_recorded():
    """Where nothing was cached: the fake has no cache."""
    billed = 0
    for exchange in exchanges(CHAT):
        for model, usage in exchange.usages() if exchange.status == 200 else ():
            found = catalogue.find(model)
            details = usage["prompt_tokens_details"]
            if found is None or details["cached_tokens"] or "cost_in_usd_ticks" not in usage:
                continue
            counted = Usage(
                text_tokens=details["text_tokens"],
                image_tokens=details["image_tokens"],
                completion_tokens=usage["completion_tokens"],
                reasoning_tokens=usage["completion_tokens_details"]["reasoning_tokens"],
                prices=found.usd_per_million,
            )
            billed += 1
            assert counted.prompt_tokens == usage["prompt_tokens"]
            assert counted.total_tokens == usage["total_tokens"]
            assert counted.cost_in_usd_ticks == usage["cost_in_usd_ticks"]

    assert billed == 11


def test_reasoning_was_seen_to_take_none_of_the_tokens_allowed():
    limited = [
        (exchange.request["max_completion_tokens"], usage)
        for exchange in exchanges(CHAT)
        if exchange.status == 200 and exchange.request.get("max_completion_tokens")
        for _, usage in exchange.usages()
    ]

    assert all(usage["completion_tokens"] <= limit for limit, usage in limited)
    thought = [
        limit
        for limit, usage in limited
        if usage["completion_tokens_details"]["reasoning_tokens"] > limit
    ]
    assert len(thought) > 20
