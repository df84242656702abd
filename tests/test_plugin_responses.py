"""/v1/responses: when the plugin asks there, what it sends, and how it reads the answer."""

import json
from typing import Any

import llm
import pytest

from llm_grok_vision.errors import (
    ReasoningRefused,
    ServerError,
    StreamInterrupted,
    UnsupportedOption,
)
from llm_grok_vision.server_tools import WebSearch
from tests import recorded
from tests.pictures import data_url, picture
from tests.prompting import BOTH, MODEL, Asked, ask, body_of, image, run_llm, xai_answering
from tests.raw_server import Answer, http, stream

RESPONSES = "/v1/responses"
REASONING = {
    "id": "rs_1",
    "summary": [
        {"text": "A boat,", "type": "summary_text"},
        {"text": " surely.", "type": "summary_text"},
    ],
    "type": "reasoning",
    "status": "completed",
    "encrypted_content": "b3BhcXVl",
}
SEARCH = {
    "id": "ws_1",
    "type": "web_search_call",
    "status": "completed",
    "action": {"type": "search", "query": "tide tables", "sources": []},
}
# What xAI's search found, for xAI alone to read: the item has no text of its own.
FOUND = {
    "id": "tco_1",
    "summary": [],
    "type": "reasoning",
    "status": "completed",
    "encrypted_content": "dGlkZXM=",
}
CITED = {
    "type": "url_citation",
    "url": "https://tides.example",
    "start_index": 5,
    "end_index": 9,
    "title": "1",
}
USAGE = {
    "input_tokens": 220,
    "input_tokens_details": {"cached_tokens": 128},
    "output_tokens": 421,
    "output_tokens_details": {"reasoning_tokens": 375},
    "total_tokens": 641,
    "num_server_side_tools_used": 1,
    "cost_in_usd_ticks": 11931000,
}

# An answer without reasoning has no mark for it.
QUIET = {"usage": {**USAGE, "output_tokens_details": {"reasoning_tokens": 0}}}


def message(text: str, *annotations: dict[str, Any], item_id: str = "msg_1") -> dict[str, Any]:
    """Write the item of a text."""
    part = {"type": "output_text", "text": text, "logprobs": [], "annotations": [*annotations]}
    frame = {"id": item_id, "role": "assistant", "type": "message", "status": "completed"}
    return {"content": [part], **frame}


def response(*output: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """Write a whole answer."""
    head = {"id": "r1", "object": "response", "model": "grok-4-0709", "error": None}
    return {**head, "output": [*output], "status": "completed", "usage": USAGE, **fields}


def whole(*output: dict[str, Any], **fields: Any) -> Answer:
    """Write an answer that is not streamed."""
    body = json.dumps(response(*output, **fields)).encode()
    return http(body, headers="content-type: application/json")


def event(kind: str, **fields: Any) -> str:
    """Write an event of a stream."""
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n"


def streamed(*output: dict[str, Any], ends: str = "completed", **fields: Any) -> Answer:
    """Write an answer as xAI streams it: texts word by word, and each item when it is done."""
    events = [event("response.created", response=response(status="in_progress", usage=None))]
    for index, item in enumerate(output):
        at = {"output_index": index, "item_id": item.get("id")}
        events.append(event("response.output_item.added", item={**item, "content": []}, **at))
        for part in [*item.get("summary", ()), *item.get("content", ())]:
            kind = "reasoning_summary_text" if item["type"] == "reasoning" else "output_text"
            for word in part["text"].split(" "):
                spaced = word if part["text"].startswith(word) else f" {word}"
                events.append(event(f"response.{kind}.delta", delta=spaced, **at))
        events.append(event("response.output_item.done", item=item, **at))
    last = response(*output, status=ends, **fields)
    return stream(*events, event(f"response.{ends}", response=last))


WAYS = pytest.mark.parametrize("answer", [whole, streamed], ids=["whole", "streamed"])


def shown(asked: Asked) -> list[tuple[str, str]]:
    """Give the events that say something."""
    joined: list[tuple[str, str]] = []
    for each in asked.events:
        if joined and joined[-1][0] == each.type and each.type in ("text", "reasoning"):
            joined[-1] = (each.type, joined[-1][1] + each.chunk)
        else:
            joined.append((each.type, each.chunk))
    return [pair for pair in joined if pair[1]]


@BOTH
@WAYS
def test_an_answer_is_its_items_in_order(kind: str, answer: Any):
    output = (REASONING, SEARCH, FOUND, message("High tide is at nine."))

    with xai_answering(answer(*output)):
        asked = ask(kind, "When is high tide?", tools=[WebSearch()])

    assert asked.text == "High tide is at nine."
    assert shown(asked) == [
        ("reasoning", "A boat, surely."),
        ("tool_call_name", "web_search"),
        ("tool_call_args", '{"type": "search", "query": "tide tables", "sources": []}'),
        ("tool_result", "completed"),
        ("text", "High tide is at nine."),
    ]


@WAYS
def test_usage_counts_reasoning_once(answer: Any):
    with xai_answering(answer(message("ok"))):
        usage = ask("sync", "Hello", responses=True).usage

    assert (usage.input, usage.output) == (220, 421)
    assert usage.details == {
        "cached_tokens": 128,
        "server_side_tools": 1,
        "reasoning_tokens": 375,
        "cost_usd": 0.0011931,
    }


@WAYS
def test_the_answer_is_logged_as_it_came(answer: Any):
    with xai_answering(answer(message("ok"))):
        asked = ask("sync", "Hello", responses=True)

    assert asked.json == response(message("ok"))
    assert asked.resolved_model == "grok-4-0709"


@BOTH
@WAYS
def test_functions_are_called_and_answered(kind: str, answer: Any):
    call = {
        "arguments": '{"name": "front"}',
        "call_id": "call-7",
        "name": "camera",
        "type": "function_call",
        "id": "fc_1",
        "status": "completed",
    }

    with xai_answering(answer(call)):
        asked = ask(kind, "Who is there?", responses=True)

    assert asked.tool_calls == [llm.ToolCall("camera", {"name": "front"}, "call-7")]


@WAYS
def test_a_call_without_an_id_and_without_arguments_is_one(answer: Any):
    with xai_answering(answer({"type": "function_call", "name": "now"})):
        asked = ask("sync", "What time is it?", responses=True)

    assert asked.tool_calls == [llm.ToolCall("now", {}, "call_0")]


def test_a_chain_sends_calls_and_results_as_items(image_file: Any):
    def camera() -> llm.ToolOutput:
        """Take a picture."""
        return llm.ToolOutput(output="A door.", attachments=[image(16, 32)])

    call = {"arguments": "", "call_id": "call-7", "name": "camera", "type": "function_call"}

    with xai_answering(whole(REASONING, call), whole(message("Nobody."))) as server:
        chain = llm.get_model(MODEL).chain(
            "Who is there?", system="Be brief.", tools=[camera], options={"responses": True}
        )
        assert chain.text() == "Nobody."

    sent = body_of(server.requests[1])
    assert sent["input"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Who is there?"},
        {
            "type": "reasoning",
            "summary": [{"type": "summary_text", "text": "A boat, surely."}],
            "id": "rs_1",
            "encrypted_content": "b3BhcXVl",
        },
        {"type": "function_call", "call_id": "call-7", "name": "camera", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "call-7", "output": "A door."},
        {
            "role": "user",
            "content": [{"type": "input_image", "image_url": data_url(picture(16, 32))}],
        },
    ]
    assert sent["tools"] == [
        {
            "type": "function",
            "name": "camera",
            "description": "Take a picture.",
            "parameters": {"type": "object", "properties": {}},
        }
    ]


@BOTH
def test_what_xai_wrote_goes_back_to_it_in_order(kind: str):
    output = (REASONING, SEARCH, FOUND, message("At nine.", CITED))
    with xai_answering(whole(*output), whole(message("At ten."))) as server:
        model = llm.get_model(MODEL)
        first = model.prompt("When is high tide?", tools=[WebSearch()], stream=False)
        first.text()
        ask(kind, messages=[*first.prompt.messages, *first.messages(), llm.user("Sure?")])

    assert body_of(server.requests[1])["input"] == [
        {"role": "user", "content": "When is high tide?"},
        {
            "type": "reasoning",
            "summary": [{"type": "summary_text", "text": "A boat, surely."}],
            "id": "rs_1",
            "encrypted_content": "b3BhcXVl",
        },
        SEARCH,
        {"type": "reasoning", "summary": [], "id": "tco_1", "encrypted_content": "dGlkZXM="},
        {"role": "assistant", "content": "At nine."},
        {"role": "user", "content": "Sure?"},
    ]


UNREADABLE = json.dumps(
    {
        "code": "invalid-argument",
        "error": "Could not decrypt the provided encrypted_content. Ensure the value is unmodified.",
    }
)


@BOTH
def test_reasoning_that_xai_cannot_read_any_more_is_left_out(
    kind: str, caplog: pytest.LogCaptureFixture
):
    output = (REASONING, SEARCH, FOUND, message("At nine.", CITED))
    refused = http(UNREADABLE.encode(), status="400 Bad Request")
    with xai_answering(whole(*output), refused, whole(message("At ten."))) as server:
        first = llm.get_model(MODEL).prompt("High tide?", tools=[WebSearch()], stream=False)
        first.text()
        messages = [*first.prompt.messages, *first.messages(), llm.user("Sure?")]
        asked = ask(kind, messages=messages)

    assert asked.text == "At ten."
    assert body_of(server.requests[2])["input"] == [
        {"role": "user", "content": "High tide?"},
        SEARCH,
        {"role": "assistant", "content": "At nine."},
        {"role": "user", "content": "Sure?"},
    ]
    assert caplog.records[-1].getMessage() == (
        "Could not decrypt the provided encrypted_content. Ensure the value is unmodified."
        " Asking again without the reasoning of earlier turns."
    )


@BOTH
def test_what_is_no_reasoning_of_earlier_turns_is_not_left_out(kind: str):
    refused = http(UNREADABLE.encode(), status="400 Bad Request")
    with xai_answering(refused) as server, pytest.raises(ReasoningRefused) as caught:
        ask(kind, "Hello")

    assert len(server.requests) == 1
    assert "Begin a new conversation" in str(caught.value)


@BOTH
def test_reasoning_is_left_out_once(kind: str):
    refused = http(UNREADABLE.encode(), status="400 Bad Request")
    with xai_answering(whole(REASONING, message("At nine.")), refused, refused) as server:
        first = llm.get_model(MODEL).prompt("High tide?", responses=True, stream=False)
        first.text()
        messages = [*first.prompt.messages, *first.messages(), llm.user("Sure?")]
        with pytest.raises(ReasoningRefused):
            ask(kind, messages=messages)

    assert len(server.requests) == 3


def test_chat_completions_leave_out_what_only_responses_carry():
    output = (REASONING, SEARCH, message("At nine."))
    with xai_answering(whole(*output), whole(message("At ten."))) as server:
        first = llm.get_model(MODEL).prompt("When?", tools=[WebSearch()], stream=False)
        first.text()
        history = [*first.prompt.messages, *first.messages(), llm.user("Sure?")]
        with pytest.raises(StreamInterrupted):  # The answer has another wire's shape.
            ask("sync", messages=history, responses=False)

    assert b"POST /v1/chat/completions " in server.requests[1]
    assert body_of(server.requests[1])["messages"] == [
        {"role": "user", "content": "When?"},
        {"role": "assistant", "content": "At nine."},
        {"role": "user", "content": "Sure?"},
    ]


def test_text_and_images_keep_the_authors_order():
    first, second = image(16, 32), image(32, 16)
    with xai_answering(whole(message("ok"))) as server:
        ask(
            "sync",
            messages=[llm.user("A:", first, "B:", second)],
            responses=True,
            image_detail="low",
        )

    content = body_of(server.requests[0])["input"][0]["content"]
    assert [part.get("text", part["type"]) for part in content] == [
        "A:",
        "input_image",
        "B:",
        "input_image",
    ]
    assert content[1]["detail"] == "low"


def test_options_and_schema_have_their_names_on_this_wire():
    schema = {"type": "object", "properties": {"name": {"type": "string"}}}
    with xai_answering(whole(message("{}"))) as server:
        options = {"temperature": 0.5, "top_p": 0.9, "max_tokens": 9, "user": "me"}
        llm.get_model("xai/grok-4.6").prompt(
            "Hello",
            stream=False,
            schema=schema,
            options={**options, "reasoning_effort": "low", "responses": True},
        ).text()

    assert body_of(server.requests[0]) == {
        "model": "grok-4.6",
        "input": [{"role": "user", "content": "Hello"}],
        "temperature": 0.5,
        "top_p": 0.9,
        "max_output_tokens": 9,
        "user": "me",
        "reasoning": {"effort": "low"},
        "text": {"format": {"type": "json_schema", "name": "output", "schema": schema}},
        "store": False,
        "include": ["reasoning.encrypted_content"],
        "stream": False,
    }


@pytest.mark.parametrize(
    "option",
    [{"seed": 1}, {"stop": "x"}, {"frequency_penalty": 1}, {"presence_penalty": 1}],
    ids=["seed", "stop", "frequency_penalty", "presence_penalty"],
)
def test_an_option_that_this_wire_lacks_is_refused_before_anything_is_sent(option: dict[str, Any]):
    with xai_answering() as server, pytest.raises(UnsupportedOption, match=next(iter(option))):
        ask("sync", "Hello", responses=True, **option)

    assert server.requests == []


@pytest.mark.parametrize(
    ("model", "options", "path"),
    [
        pytest.param("xai/grok-4", {}, "/v1/chat/completions", id="default"),
        pytest.param("xai/grok-4", {"responses": True}, RESPONSES, id="asked-for"),
        pytest.param("xai/grok-4", {"tools": [WebSearch()]}, RESPONSES, id="own-tools-of-xai"),
        pytest.param(
            "xai/grok-4",
            {"tools": [WebSearch()], "responses": False},
            RESPONSES,
            id="own-tools-cannot-go-elsewhere",
        ),
        pytest.param("xai/grok-4.20-multi-agent-0309", {}, RESPONSES, id="multi-agent"),
    ],
)
def test_a_prompt_goes_where_it_has_to(model: str, options: dict[str, Any], path: str):
    gone = http(b"{}", status="404 Not Found")
    with xai_answering(gone) as server, pytest.raises(llm.ModelError):
        llm.get_model(model).prompt("Hello", **options).text()

    assert server.requests[0].startswith(f"POST {path} ".encode())


@WAYS
def test_an_answer_of_several_messages_becomes_several(answer: Any):
    output = (message("Looking.", item_id="msg_1"), SEARCH, message("At nine.", item_id="msg_2"))
    with xai_answering(answer(*output, **QUIET)):
        response = llm.get_model(MODEL).prompt("When?", tools=[WebSearch()])
        response.text()

    texts = [[part.to_dict().get("text") for part in m.parts] for m in response.messages()]
    assert texts == [["Looking.", None, None], ["At nine."]]


@WAYS
def test_citations_stay_with_the_text(answer: Any):
    with xai_answering(answer(message("At nine.", CITED), **QUIET)):
        response = llm.get_model(MODEL).prompt("When?", responses=True)
        response.text()

    [part] = response.messages()[0].parts
    assert part.provider_metadata == {"xai": {"annotations": [CITED]}}


def test_sources_that_the_text_does_not_show_are_named_on_standard_error(caplog: Any):
    inline = {**CITED, "url": "https://sea.example"}
    text = "At nine.[[2]](https://sea.example)"

    with xai_answering(whole(message(text, CITED, inline))):
        ask("sync", "When?", responses=True)

    assert caplog.messages == ["Sources:\nhttps://tides.example"]


def test_sources_of_a_chat_completion_are_named_too(caplog: Any):
    choice = {"index": 0, "message": {"content": "At nine."}, "finish_reason": "stop"}
    body = {"choices": [choice], "citations": ["https://tides.example"]}
    answer = http(json.dumps(body).encode(), headers="content-type: application/json")

    with xai_answering(answer):
        ask("sync", "When?")

    assert caplog.messages == ["Sources:\nhttps://tides.example"]


CUT_BY = [
    pytest.param(("max_output_tokens", "length", " at the most tokens allowed"), id="tokens"),
    pytest.param(("max_time_limit", "max_time_limit", ": max_time_limit."), id="time"),
]


@BOTH
@WAYS
@pytest.mark.parametrize("cut_by", CUT_BY)
def test_an_answer_cut_off_says_so(
    kind: str, answer: Any, cut_by: tuple[str, str, str], caplog: Any
):
    reason, finish_reason, told = cut_by
    cut = {"incomplete_details": {"reason": reason}}
    fields = {"ends": "incomplete"} if answer is streamed else {"status": "incomplete"}
    with xai_answering(answer(message("At"), **fields, **cut)):
        asked = ask(kind, "When?", responses=True)

    assert asked.usage.details
    assert asked.usage.details["finish_reason"] == finish_reason
    assert f"cut off{told}" in caplog.text


FAILED = {"error": {"code": "server_error", "message": "The model broke."}, "status": "failed"}


@BOTH
@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(
            lambda: stream(event("response.failed", response=response(**FAILED))), id="failed"
        ),
        pytest.param(
            lambda: stream(event("error", code="server_error", message="The model broke.")),
            id="error-event",
        ),
        pytest.param(lambda: whole(**FAILED), id="whole"),
        pytest.param(
            lambda: stream(
                event("response.output_text.delta", delta="At", output_index=0),
                event("response.failed", response=response(**FAILED)),
            ),
            id="failed-after-a-word",
        ),
    ],
)
def test_a_response_that_failed_is_an_error(kind: str, answer: Any):
    with xai_answering(answer()), pytest.raises(llm.ModelError, match=r"The model broke\."):
        ask(kind, "When?", responses=True)


def test_a_response_that_failed_without_a_word_is_an_error_too():
    with xai_answering(whole(status="failed")), pytest.raises(llm.ModelError, match="failed"):
        ask("sync", "When?", responses=True)


@BOTH
def test_a_stream_that_just_ends_is_an_error(kind: str):
    cut = stream(event("response.output_text.delta", delta="At", output_index=0))

    with xai_answering(cut), pytest.raises(StreamInterrupted) as caught:
        ask(kind, "When?", responses=True)

    assert caught.value.partial_text == "At"


@pytest.mark.parametrize(
    "output",
    [
        pytest.param([{}], id="item-without-a-type"),
        pytest.param([None], id="no-item"),
        pytest.param([{"type": "function_call"}], id="function-without-a-name"),
        pytest.param(None, id="no-output"),
    ],
)
def test_an_unknown_shape_is_an_error_and_no_traceback(output: Any):
    with xai_answering(whole(output=output)), pytest.raises(StreamInterrupted, match="shape"):
        ask("sync", "When?", responses=True)


@pytest.mark.parametrize(
    ("item", "name", "arguments", "result"),
    [
        pytest.param(
            {
                "type": "custom_tool_call",
                "id": "ctc_1",
                "name": "x_keyword_search",
                "input": '{"query": "grok"}',
                "status": "completed",
            },
            "x_keyword_search",
            {"query": "grok"},
            "completed",
            id="custom_tool_call",
        ),
        pytest.param(
            {
                "type": "code_interpreter_call",
                "id": "ci_1",
                "code": "print(6*7)",
                "outputs": [{"type": "logs", "logs": "42"}],
                "status": "completed",
            },
            "code_interpreter",
            {"code": "print(6*7)"},
            '[{"type": "logs", "logs": "42"}]',
            id="code_interpreter_call",
        ),
        pytest.param(
            {
                "type": "mcp_call",
                "id": "mcp_1",
                "name": "read",
                "server_label": "wiki",
                "arguments": "{}",
                "output": "Found.",
            },
            "read",
            {},
            "Found.",
            id="mcp_call",
        ),
        pytest.param(
            {"type": "mcp_call", "id": "mcp_1", "name": "read", "status": "incomplete"},
            "read",
            {},
            "incomplete",
            id="mcp_call-that-tells-its-status-alone",
        ),
    ],
)
def test_each_kind_of_tool_that_xai_runs_is_shown(
    item: dict[str, Any], name: str, arguments: dict[str, Any], result: str
):
    with xai_answering(whole(item, message("ok"), **QUIET)):
        response = llm.get_model(MODEL).prompt("When?", responses=True)
        response.text()

    call, outcome, _ = response.messages()[0].to_dict()["parts"]
    assert (call["name"], call["arguments"], call["server_executed"]) == (name, arguments, True)
    assert (outcome["output"], outcome["server_executed"]) == (result, True)
    assert response.tool_calls() == []


def test_reasoning_of_which_only_the_count_is_shown_is_marked():
    with xai_answering(whole(FOUND, message("ok"))):
        asked = ask("sync", "When?", responses=True)

    assert [each.redacted for each in asked.events if each.type == "reasoning"] == [False, True]


@WAYS
def test_reasoning_of_which_a_summary_is_shown_is_not_marked(answer: Any):
    with xai_answering(answer(REASONING, message("ok"))):
        asked = ask("sync", "When?", responses=True)

    assert {each.redacted for each in asked.events if each.type == "reasoning"} == {False}


def test_a_busy_service_is_asked_again(no_waiting: None):
    busy = stream(event("response.failed", response=response(**BUSY)))
    with xai_answering(busy, whole(message("ok"))) as server:
        assert ask("sync", "When?", responses=True).text == "ok"

    assert len(server.requests) == 2


BUSY = {"error": {"code": "503", "message": "Service temporarily unavailable."}, "status": "failed"}


def test_a_service_that_stays_busy_is_an_error(no_waiting: None):
    answers = [stream(event("response.failed", response=response(**BUSY))) for _ in range(3)]
    with xai_answering(*answers), pytest.raises(ServerError):
        ask("sync", "When?", responses=True)


def test_the_command_continues_a_conversation_with_its_tools_and_reasoning():
    output = (REASONING, SEARCH, message("At nine."))
    with xai_answering(streamed(*output), streamed(message("Yes."))) as server:
        run_llm("-m", "grok-4", "When?", "-T", 'WebSearch(allowed_domains=["tides.example"])')
        result = run_llm("-c", "Sure?")

    assert result.output.strip() == "Yes."
    sent = body_of(server.requests[1])
    assert [item.get("type") or item["role"] for item in sent["input"]] == [
        "user",
        "reasoning",
        "web_search_call",
        "assistant",
        "user",
    ]
    assert sent["tools"] == [{"type": "web_search", "allowed_domains": ["tides.example"]}]


def test_the_log_shows_what_xai_ran():
    with xai_answering(streamed(SEARCH, message("At nine."))):
        run_llm("-m", "grok-4", "When?", "-T", "WebSearch")

    logged = run_llm("logs").output
    assert "web_search" in logged
    assert "tide tables" in logged


@recorded.needed
def test_every_recorded_response_is_read_to_its_end():
    from llm_grok_vision.wire.responses_answer import ModelResponse

    answers = [each for each in recorded.exchanges(RESPONSES) if each.status == 200]
    assert answers
    for each in answers:
        bodies = [json.dumps(c) for c in each.chunks()] if each.streamed else [each.body]
        reader = ModelResponse()
        events = [event for body in bodies for event in reader.feed(body)]
        events += reader.finish()

        last = reader.as_json()
        said = [part["text"] for item in last["output"] for part in item.get("content") or ()]
        assert reader.text == "".join(said)
        assert reader.usage()["input"] == last["usage"]["input_tokens"]  # type: ignore[index]
        called = [item for item in last["output"] if item["type"] == "function_call"]
        assert len(reader.tool_calls) == len(called)


@WAYS
def test_reasoning_items_that_follow_each_other_stay_apart(answer: Any):
    output = (SEARCH, FOUND, {**FOUND, "id": "tco_2", "encrypted_content": "bW9yZQ=="})
    with xai_answering(answer(*output, message("ok"), **QUIET)):
        response = llm.get_model(MODEL).prompt("When?", tools=[WebSearch()])
        response.text()

    parts = response.messages()[0].to_dict()["parts"]
    kept = [part["provider_metadata"]["xai"] for part in parts if part["type"] == "reasoning"]
    assert [each["id"] for each in kept] == ["tco_1", "tco_2"]


@WAYS
def test_a_result_stands_behind_its_call(answer: Any):
    output = (SEARCH, {**SEARCH, "id": "ws_2"})
    with xai_answering(answer(*output, message("ok"), **QUIET)):
        response = llm.get_model(MODEL).prompt("When?", tools=[WebSearch()])
        response.text()

    parts = response.messages()[0].to_dict()["parts"]
    assert [part.get("tool_call_id") for part in parts] == ["ws_1", "ws_1", "ws_2", "ws_2", None]


def test_a_tool_may_add_to_the_request():
    class Sourced(WebSearch):
        """Search, and list the sources."""

        def prepare_request(self, model: Any, kwargs: dict[str, Any]) -> None:
            kwargs["include"].append("web_search_call.action.sources")

    with xai_answering(whole(message("ok"))) as server:
        ask("sync", "When?", tools=[Sourced()])

    assert body_of(server.requests[0])["include"][1:] == ["web_search_call.action.sources"]


def test_nothing_is_waited_for_behind_the_last_event():
    head, *rest = streamed(message("ok"))

    def never_ending(connection: Any) -> None:
        for piece in (head, *rest[:-1]):
            connection.sendall(piece)
        connection.recv(1)  # until the plugin hangs up

    with xai_answering(never_ending):
        assert ask("sync", "When?", responses=True).text == "ok"


def test_an_option_that_responses_lack_takes_the_conversation_back():
    choice = {"index": 0, "message": {"content": "Two."}, "finish_reason": "stop"}
    chat = http(
        json.dumps({"choices": [choice]}).encode(), headers="content-type: application/json"
    )
    with xai_answering(whole(REASONING, message("A boat.")), chat) as server:
        first = llm.get_model(MODEL).prompt("What is it?", responses=True, stream=False)
        first.text()
        history = [*first.prompt.messages, *first.messages(), llm.user("Sure?")]
        assert ask("sync", messages=history, seed=7).text == "Two."

    assert b"POST /v1/chat/completions " in server.requests[1]


def test_empty_texts_are_not_sent():
    with xai_answering(whole(message("ok"))) as server:
        ask("sync", "", attachments=[image(16, 32)], responses=True)

    [sent] = body_of(server.requests[0])["input"]
    assert [part["type"] for part in sent["content"]] == ["input_image"]


def test_an_image_that_the_caller_puts_into_an_answer_is_sent_too():
    history = [llm.user("Draw a boat."), llm.assistant("Here:", image(16, 32)), llm.user("More.")]

    with xai_answering(whole(message("ok"))) as server:
        ask("sync", messages=history, responses=True)

    _, text, drawn, _ = body_of(server.requests[0])["input"]
    assert text == {"role": "assistant", "content": "Here:"}
    assert drawn["role"] == "assistant"
    assert [part["type"] for part in drawn["content"]] == ["input_image"]
