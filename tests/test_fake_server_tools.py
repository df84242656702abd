"""Answers that were found with xAI's own tools, as a test scripts them."""

import json
from typing import Any, get_args

import openai
import pytest
from openai.types.responses import ResponseStreamEvent

from fake_server import FakeServer
from tests.asking import body, post, prompt, respond

CATS, DOGS = "https://example.com/cats_(animals)", "https://example.com/dogs"
# 1 word at 12,500 ticks and one of answer at 25,000; see BILLS in test_fake_chat.
HELLO = 37_500


def output(server: FakeServer, **fields: Any) -> Any:
    return respond(server, prompt(**fields)).json()["output"]


def events(server: FakeServer, **fields: Any) -> list[Any]:
    answer = respond(server, prompt(stream=True, **fields))
    return [json.loads(line[6:]) for line in answer.text.split("\n") if line[:6] == "data: "]


@pytest.mark.parametrize("kind", ["web_search", "x_search", "code_interpreter", "code_execution"])
def test_a_tool_that_is_offered_is_not_used_unasked(grok_server, kind):
    answer = respond(grok_server, prompt(tools=[{"type": kind}], tool_choice="required")).json()

    assert [item["type"] for item in answer["output"]] == ["message"]
    assert "server_side_tool_usage_details" not in answer["usage"]
    assert grok_server.requests[0].tools == [kind]


CALLS: list[tuple[str, Any]] = [
    ("web_search", {"query": "cats", "sources": [{"type": "url", "url": CATS}]}),
    ("x_keyword_search", {"query": "from:xai", "limit": 20}),
    ("web_search", {"type": "open_page", "url": CATS}),
    ("code_interpreter", {"code": "6 * 7", "outputs": [{"type": "logs", "logs": "42"}]}),
]


def test_calls_come_in_their_order_before_the_message(grok_server):
    grok_server.reply("Found.", server_tool_calls=CALLS)

    first, _, second, _, third, _, fourth, _, message = output(grok_server)

    assert first["action"] == {
        "type": "search",
        "query": "cats",
        "sources": [{"type": "url", "url": CATS}],
    }
    assert (second["type"], second["name"]) == ("custom_tool_call", "x_keyword_search")
    assert second["input"] == '{"query":"from:xai","limit":20}'
    # OBSERVED 2026-08-24 in GulLabs/any-llm: xs_ stands in one of its ids alone.
    assert f"xs_{second['id'].split('_')[-1]}" == second["call_id"]
    assert third["action"] == {"type": "open_page", "url": CATS}
    assert (fourth["code"], fourth["outputs"]) == ("6 * 7", [{"type": "logs", "logs": "42"}])
    assert message["content"][0]["text"] == "Found."


def test_what_a_tool_gave_stands_behind_its_call(grok_server):
    """OBSERVED 2026-08-24 in GulLabs/any-llm: sealed, and without the seal unless it is asked for."""
    grok_server.reply("Found.", server_tool_calls=CALLS[:1])

    call, given, _ = output(grok_server)

    assert given == {
        "id": call["id"].replace("ws_", "tco_"),
        "summary": [],
        "type": "reasoning",
        "status": "completed",
    }


def test_what_a_tool_gave_stood_nowhere_in_january_2026():
    with FakeServer(era="2026-01") as server:
        server.reply("Found.", server_tool_calls=CALLS[:1])
        items = output(server)

    assert [item["type"] for item in items] == ["web_search_call", "message"]


def test_calls_are_counted_and_billed(grok_server):
    grok_server.reply("Found.", server_tool_calls=CALLS)

    usage = respond(grok_server, prompt()).json()["usage"]

    assert usage["num_server_side_tools_used"] == 4
    assert usage["server_side_tool_usage_details"] == {
        "web_search_calls": 2,
        "x_search_calls": 1,
        "code_interpreter_calls": 1,
        "file_search_calls": 0,
        "mcp_calls": 0,
        "document_search_calls": 0,
        "image_generation_calls": 0,
    }
    assert usage["cost_in_usd_ticks"] == HELLO + 4 * 50_000_000


def test_a_search_of_x_streams_as_it_was_seen_to(grok_server):
    """OBSERVED 2025-12, in the fixtures of vercel/ai: the keys of each event in order."""
    grok_server.reply("Found.", server_tool_calls=[CALLS[1]])

    added, delta, done, ended = events(grok_server)[2:6]

    item = ["call_id", "input", "name", "type", "id", "status"]
    assert [list(event["item"]) for event in (added, ended)] == [item, item]
    assert (added["item"]["input"], added["item"]["status"]) == ("", "in_progress")
    first = ["sequence_number", "type", "item_id", "output_index"]
    assert (delta["type"], list(delta)) == (
        "response.custom_tool_call_input.delta",
        [*first, "delta"],
    )
    assert (done["type"], list(done)) == ("response.custom_tool_call_input.done", [*first, "input"])
    assert delta["delta"] == done["input"] == ended["item"]["input"]


# What the openai package knows; what it does not know it hands on without a word.
EVENTS = {
    name
    for event in get_args(get_args(ResponseStreamEvent)[0])
    for name in get_args(event.model_fields["type"].annotation)
}


def test_the_openai_client_hears_of_every_call(grok_server):
    grok_server.reply("Found.", server_tool_calls=CALLS, reasoning="I shall look.")

    asked = prompt(include=["reasoning.encrypted_content"])
    with (
        openai.OpenAI(base_url=grok_server.url, api_key="xai-test-key", max_retries=0) as client,
        client.responses.stream(**asked) as stream,
    ):
        heard = [*stream]
        response = stream.get_final_response()

    kinds = [event.type for event in heard]
    added, done = (
        [event.item for event in heard if event.type == f"response.output_item.{step}"]
        for step in ("added", "done")
    )
    assert [item.type for item in response.output] == [
        *("reasoning", "web_search_call"),
        *("reasoning", "custom_tool_call"),
        *("reasoning", "web_search_call"),
        *("reasoning", "code_interpreter_call"),
        *("reasoning", "message"),
    ]
    assert set(kinds) <= EVENTS
    assert {item.status for item in added} == {"in_progress"}
    assert {item.status for item in done} == {"completed"}
    assert kinds.count("response.web_search_call.searching") == 2
    [code] = [event.code for event in heard if event.type.endswith("_call_code.done")]
    assert [event.delta for event in heard if event.type.endswith("_call_code.delta")] == [code]
    codes = [(item.code, item.outputs) for item in added if item.type == "code_interpreter_call"]
    assert (code, codes) == ("6 * 7", [("", [])])
    assert response.output_text == "Found."


def test_citations_point_at_the_links_in_the_text(grok_server):
    text = f"Purr.[[1]]({CATS}) Bark.[[2]]({DOGS}) Purr.[[1]]({CATS})"
    grok_server.reply(text, citations=[DOGS, CATS, DOGS])

    [message] = output(grok_server)

    notes = message["content"][0]["annotations"]
    assert [(note["url"], note["title"]) for note in notes] == [
        (CATS, "1"),
        (DOGS, "2"),
        (CATS, "1"),
    ]
    assert [text[note["start_index"] : note["end_index"]] for note in notes] == [
        f"[[1]]({CATS})",
        f"[[2]]({DOGS})",
        f"[[1]]({CATS})",
    ]


def test_a_link_that_is_not_cited_is_text(grok_server):
    grok_server.reply(f"Purr.[[1]]({CATS})")

    assert output(grok_server)[0]["content"][0]["annotations"] == []


def test_citations_without_a_link_have_no_place_in_the_text(grok_server):
    """OBSERVED 2026-07, in the fixtures of vercel/ai."""
    grok_server.reply("Purr.", citations=[CATS])

    [message] = output(grok_server)

    assert message["content"][0]["annotations"] == [
        {"type": "url_citation", "url": CATS, "start_index": 0, "end_index": 0, "title": CATS}
    ]


def test_an_annotation_streams_behind_what_it_points_at(grok_server):
    grok_server.reply(f"Purr.[[1]]({CATS}) Bark.", citations=[DOGS, CATS])

    heard = [
        event.get("delta") or event["annotation"]["url"]
        for event in events(grok_server)
        if event["type"].endswith(("text.delta", "annotation.added"))
    ]

    assert heard == [f"Purr.[[1]]({CATS})", CATS, " Bark.", DOGS]


def test_a_chat_completion_lists_its_citations(grok_server):
    grok_server.reply("Purr.", citations=[CATS, DOGS, CATS], server_tool_calls=CALLS[:1])

    answer = post(grok_server, body(model="grok-4.3")).json()

    assert answer["citations"] == [CATS, DOGS]
    assert answer["choices"][0]["message"]["content"] == "Purr."
    assert answer["usage"]["cost_in_usd_ticks"] == HELLO + 50_000_000


STREAMS = [
    pytest.param({}, id="usage-on-every-chunk"),
    pytest.param({"stream_options": {"include_usage": True}}, id="usage-at-the-end"),
    pytest.param({"n": 2}, id="two-answers"),
]


@pytest.mark.parametrize("fields", STREAMS)
def test_a_streamed_chat_completion_lists_them_on_its_last_chunk(grok_server, fields):
    """DOC: "Only populated for the last chunk"."""
    grok_server.reply("Purr.", citations=[CATS])

    answer = post(grok_server, body(stream=True, **fields)).text

    chunks = [json.loads(line[6:]) for line in answer.split("\n") if line.startswith("data: {")]
    assert [chunk.get("citations") for chunk in chunks] == [*[None] * (len(chunks) - 1), [CATS]]


MISTAKES = [
    pytest.param({"server_tool_calls": ["web_search"]}, TypeError, "pairs of a name", id="no-pair"),
    pytest.param(
        {"server_tool_calls": [("websearch", {})]}, ValueError, "not of 'websearch'", id="no-tool"
    ),
    pytest.param(
        {"server_tool_calls": [("web_search", "cats")]}, TypeError, "a mapping", id="no-mapping"
    ),
    pytest.param({"citations": [7]}, ValueError, "unlike 7", id="no-address"),
    pytest.param({"citations": CATS}, ValueError, "unlike 'h'", id="one-address"),
]


@pytest.mark.parametrize(("script", "kind", "words"), MISTAKES)
def test_a_mistake_in_a_script_is_told_where_it_is_made(grok_server, script, kind, words):
    with pytest.raises(kind, match=words):
        grok_server.reply("Found.", **script)
