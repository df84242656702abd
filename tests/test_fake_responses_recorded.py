"""The responses of the fake look like those that the live service was seen to give."""

import json
from itertools import groupby
from typing import Any

import pytest

from fake_server import FakeServer, catalogue
from fake_server.accounting import Usage
from tests.asking import prompt, respond
from tests.recorded import FILE, RESPONSES, Exchange, exchanges, needed, newest, shape

pytestmark = needed

INCLUDE = ["reasoning.encrypted_content"]
TOOL = {"type": "function", "name": "weather", "parameters": {}}
SAID = {"text": "A grey cat.", "reasoning": "It purrs."}
CALLED: dict[str, Any] = {"reasoning": "It purrs.", "tool_calls": [("weather", {})]}
ANSWERED = (
    [exchange for exchange in exchanges(RESPONSES) if exchange.status == 200]
    if FILE.exists()
    else []
)


def recorded(*, streamed: bool, holding: str, lacking: str) -> Exchange:
    return newest(
        "Aug 2026", streamed=streamed, holding=holding, lacking=lacking, endpoint=RESPONSES
    )


def deep(answer: dict[str, Any]) -> list[Any]:
    """Give the shape of an answer and of all its items: `shape` looks at the first alone."""
    return [shape(answer), *(shape(item) for item in answer["output"])]


KINDS = [
    pytest.param(SAID, '"role":"assistant"', "fc_", id="words"),
    pytest.param(CALLED, '"id":"fc_', "msg_", id="function-call"),
]


@pytest.mark.parametrize(("reply", "holding", "lacking"), KINDS)
def test_a_response_has_the_recorded_shape(grok_server, reply, holding, lacking):
    expected = recorded(streamed=False, holding=holding, lacking=lacking)
    grok_server.reply(**reply)

    answer = respond(grok_server, {**expected.request, "input": "Hello"}).json()

    once = [first for first, _ in groupby(deep(json.loads(expected.body)))]
    assert deep(answer) == once


@pytest.mark.parametrize(("reply", "holding", "lacking"), KINDS)
def test_a_stream_has_the_recorded_events_in_order(grok_server, reply, holding, lacking):
    expected = recorded(streamed=True, holding=holding, lacking=lacking)
    grok_server.reply(**reply)
    asked = {**expected.request, "input": "Hello"}

    answer = Exchange("", RESPONSES, 200, asked, (), respond(grok_server, asked).text)

    assert kinds(answer.chunks()) == kinds(expected.chunks())
    assert deep(answer.chunks()[-1]["response"]) == deep(expected.chunks()[-1]["response"])


def kinds(events: list[Any]) -> list[Any]:
    """Give the types and shapes of events, those that repeat once."""
    return [kind for kind, _ in groupby((event["type"], shape(event)) for event in events)]


def test_a_stream_is_framed_as_recorded(grok_server):
    """OBSERVED in all of them: no word ends it."""
    written = recorded(streamed=True, holding="output_text", lacking="no such").body

    for stream in (written, respond(grok_server, prompt(stream=True)).text):
        *events, end = stream.split("\n\n")
        assert end == ""
        for number, event in enumerate(events):
            first, second = event.split("\n")
            kind = first.removeprefix("event: ")
            assert second.startswith(f'data: {{"sequence_number":{number},"type":"{kind}",')


def test_json_is_as_compact_as_recorded(grok_server):
    written = recorded(streamed=False, holding='"message"', lacking="no such").body

    for body in (written, respond(grok_server, prompt()).text):
        compact = json.dumps(json.loads(body), separators=(",", ":"), ensure_ascii=False)
        assert body == compact


def test_ids_have_the_recorded_forms(grok_server):
    expected = json.loads(recorded(streamed=False, holding="_1", lacking='"message"').body)
    grok_server.reply(reasoning="Hm.", tool_calls=[("weather", {}), ("weather", {})])

    answer = respond(grok_server, prompt(tools=[TOOL])).json()

    def forms(answer: Any) -> list[str]:
        reasoning, *calls = answer["output"]
        own = answer["id"]
        ids = [item["id"].replace(own, "<own>") for item in (reasoning, *calls)]
        digits = str.maketrans("0123456789abcdef", "x" * 16)
        return [
            own.translate(digits),
            *ids,
            *(call["call_id"][4:].translate(digits) for call in calls),
        ]

    assert forms(answer) == forms(expected)


# What an answer repeats of its request, or fills in.
REPEATED = (
    "max_output_tokens",
    "parallel_tool_calls",
    "previous_response_id",
    "temperature",
    "text",
    "tool_choice",
    "tools",
    "top_p",
    "user",
    "store",
    "background",
    "service_tier",
    "truncation",
    "top_logprobs",
    "presence_penalty",
    "frequency_penalty",
    "prompt_cache_key",
    "max_tool_calls",
    "safety_identifier",
    "error",
    "instructions",
    "object",
    "incomplete_details",
    "status",
)


def last_of(exchange: Exchange) -> Any:
    return exchange.chunks()[-1]["response"] if exchange.streamed else json.loads(exchange.body)


def test_every_recorded_request_gets_the_recorded_settings_back(grok_server):
    for exchange in ANSWERED:
        heard = respond(grok_server, exchange.request)
        got = last_of(Exchange("", RESPONSES, heard.status_code, None, (), heard.text))
        expected = last_of(exchange)
        assert {name: got[name] for name in REPEATED} == {name: expected[name] for name in REPEATED}
        # Retired models were answered for by another one, whose efforts differ.
        if exchange.model == expected["model"]:
            assert got["reasoning"] == expected["reasoning"]

    assert len(ANSWERED) == 42


def search(server: FakeServer, url: str, **fields: Any) -> Any:
    server.reply(
        f"Prism.[[1]]({url})",
        citations=[url],
        server_tool_calls=[("web_search", {"query": "AI models"})],
        reasoning="I shall look." if "include" in fields else "",
    )
    return respond(server, prompt(tools=[{"type": "web_search"}], **fields))


def test_a_search_of_the_web_streams_as_recorded():
    """OBSERVED 2026-01: answers of that month lack what later ones have."""
    [expected] = [row for row in ANSWERED if row.streamed and '"web_search"' in row.body]

    with FakeServer(era="2026-01") as server:
        heard = search(server, "https://example.com/prism", stream=True)

    got = Exchange("", RESPONSES, 200, None, (), heard.text).chunks()
    assert kinds(got[2:-1]) == kinds(expected.chunks()[2:-1])
    assert deep(got[-1]["response"])[1:] == deep(expected.chunks()[-1]["response"])[1:]


def test_a_search_of_the_web_is_made_of_the_recorded_items(grok_server):
    """They stand in a recorded request, which sends an answer back."""
    [replay] = [row for row in ANSWERED if "tco_" in json.dumps(row.request)]
    sent = {item["id"].split("_")[0]: item for item in replay.request["input"] if "id" in item}
    sent["rs"] = replay.request["input"][1]

    answer = search(grok_server, "https://example.com/ruby", include=INCLUDE).json()

    got = {item["id"].split("_")[0]: item for item in answer["output"]}
    assert list(got) == list(sent) == ["rs", "ws", "tco", "msg"]
    for kind in ("rs", "tco", "msg"):
        assert shape(got[kind]) == shape(sent[kind])
    assert list(got["ws"]) == list(sent["ws"])
    own = answer["id"]
    assert got["tco"]["encrypted_content"].startswith(f"tco_{own}_call-")
    assert got["tco"]["id"] == got["ws"]["id"].replace("ws_", "tco_")


def test_annotations_point_at_links_as_recorded(grok_server):
    [expected] = [row for row in ANSWERED if row.streamed and '"web_search"' in row.body]
    part = last_of(expected)["output"][-1]["content"][0]
    [note] = part["annotations"]
    grok_server.reply(part["text"], citations=[note["url"]])

    answer = respond(grok_server, prompt()).json()

    assert answer["output"][-1]["content"] == [part]


def test_usage_and_cost_are_computed_as_recorded():
    """The fake has no cache: what the cache saved is taken off by hand."""
    for exchange in ANSWERED:
        answer = last_of(exchange)
        usage, prices = answer["usage"], catalogue.get(answer["model"]).usd_per_million
        reasoning = usage["output_tokens_details"]["reasoning_tokens"]
        counted = Usage(
            text_tokens=usage["input_tokens"],
            image_tokens=0,
            completion_tokens=usage["output_tokens"] - reasoning,
            reasoning_tokens=reasoning,
            prices=prices,
            server_tool_calls=("web_search",) * usage["num_server_side_tools_used"],
        )
        cached = usage["input_tokens_details"]["cached_tokens"]
        saved = round(cached * (prices.prompt - prices.cached) * 10_000)
        assert counted.total_tokens == usage["total_tokens"]
        assert counted.cost_in_usd_ticks - saved == usage["cost_in_usd_ticks"]


def test_an_unknown_model_is_refused_as_recorded(grok_server):
    [expected] = [row for row in exchanges(RESPONSES) if "Model not found" in row.body]

    answer = respond(grok_server, expected.request)

    assert (answer.status_code, answer.json()) == (400, json.loads(expected.body))


def test_a_wrong_key_is_refused_as_recorded():
    [expected, _] = [row for row in exchanges(RESPONSES) if "API key" in row.body]

    with FakeServer(api_key="xai-another-key") as server:
        answer = respond(server, expected.request)

    assert (answer.status_code, answer.json()) == (400, json.loads(expected.body))
