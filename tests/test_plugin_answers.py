"""What an answer of xAI becomes in LLM: text, reasoning, usage, tool calls and the log."""

import json
from typing import Any

import llm
import pytest

from fake_server import FakeServer
from llm_grok_vision.errors import RequestRefused
from llm_grok_vision.wire.chat_completions import Completion
from tests.prompting import BOTH, DONE, Asked, ask, chunk, image, run_llm, whole, xai_answering
from tests.raw_server import http, stream

STREAMED = pytest.mark.parametrize("streamed", [True, False], ids=["streamed", "whole"])


def _kinds(asked: Asked) -> list[tuple[str, str]]:
    """Join events of a type that follow each other."""
    joined: list[tuple[str, str]] = []
    for event in asked.events:
        before = joined.pop() if joined and joined[-1][0] == event.type else (event.type, "")
        joined.append((event.type, before[1] + event.chunk))
    return joined


@BOTH
@STREAMED
def test_reasoning_comes_before_the_text_and_apart_from_it(
    xai: FakeServer, kind: str, streamed: bool
):
    xai.reply("Two boats, I think.", reasoning="Let me count them.")

    asked = ask(kind, "How many?", stream=streamed)

    assert asked.text == "Two boats, I think."
    assert _kinds(asked) == [("reasoning", "Let me count them."), ("text", "Two boats, I think.")]
    assert xai.requests[0].stream is streamed


@BOTH
@STREAMED
@pytest.mark.parametrize("responses", [False, True], ids=["chat", "responses"])
def test_why_there_is_no_answer_is_shown_in_its_place(
    xai: FakeServer, kind: str, streamed: bool, responses: bool
):
    xai.reply(refusal="I will not.")

    asked = ask(kind, "Hello", stream=streamed, responses=responses)

    assert asked.text == "I will not."
    assert _kinds(asked) == [("text", "I will not.")]
    assert '"refusal": "I will not."' in json.dumps(asked.json)


def test_a_refusal_is_logged_apart_from_what_was_said_before():
    answer = stream(chunk(content="A boat. "), chunk(refusal="No more."), chunk("stop"), DONE)

    with xai_answering(answer):
        asked = ask("sync", "Hello")

    assert asked.text == "A boat. No more."
    assert asked.json
    message = asked.json["choices"][0]["message"]
    assert (message["content"], message["refusal"]) == ("A boat. ", "No more.")


@BOTH
@STREAMED
def test_usage_is_what_the_service_counted(xai: FakeServer, kind: str, streamed: bool):
    """Worked by hand at grok-4's 3 and 15 dollars a million tokens.

    Prompt: 2 words and (1 + 1) * 256 for an image of a tile. Answer: 3 words, and 2 of
    reasoning. (514 * 3 + 5 * 15) / 1,000,000 = 0.001617.
    """
    xai.reply("It is red.", reasoning="Let's see.")

    asked = ask(kind, "What colour?", attachments=[image(16, 32)], stream=streamed)

    assert asked.usage == llm.Usage(
        input=514,
        output=5,
        details={"image_tokens": 512, "reasoning_tokens": 2, "cost_usd": 0.001617},
    )


@BOTH
@STREAMED
def test_the_model_that_answered_is_recorded(xai: FakeServer, kind: str, streamed: bool):
    asked = ask(kind, "Hello", stream=streamed)

    assert asked.resolved_model == "grok-4-0709"


@STREAMED
def test_the_log_holds_the_answer_as_the_service_sends_a_whole_one(xai: FakeServer, streamed: bool):
    xai.reply("Red.", reasoning="Hm.")

    asked = ask("sync", "What colour?", stream=streamed)

    assert asked.json is not None
    assert asked.json["choices"] == [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Red.", "reasoning_content": "Hm."},
            "finish_reason": "stop",
        }
    ]
    sent = json.loads(xai.requests[0].raw_answer.removeprefix(b"data: ").partition(b"\n")[0])
    for name in ("id", "created", "model", "system_fingerprint"):
        assert asked.json[name] == sent[name]
    assert asked.json["usage"]["completion_tokens"] == 1


@BOTH
@STREAMED
def test_tool_calls_arrive_whole(xai: FakeServer, kind: str, streamed: bool):
    def camera(name: str, zoom: int) -> str:
        return f"{name} {zoom}"

    xai.reply(tool_calls=[("camera", {"name": "front", "zoom": 2}), ("camera", {})])

    asked = ask(kind, "Who is there?", tools=[camera], stream=streamed)

    assert [(call.name, call.arguments) for call in asked.tool_calls] == [
        ("camera", {"name": "front", "zoom": 2}),
        ("camera", {}),
    ]
    assert [event.type for event in asked.events] == ["tool_call_name", "tool_call_args"] * 2
    assert asked.events[0].tool_call_id == asked.tool_calls[0].tool_call_id


def _usage(**usage: Any) -> dict[str, Any] | None:
    completion = Completion()
    list(completion.feed(json.dumps({"choices": [], "usage": usage})))
    return completion.usage()


USAGES = [
    pytest.param(
        {
            "prompt_tokens": 280,
            "completion_tokens": 30,
            "prompt_tokens_details": {"image_tokens": 256, "cached_tokens": 8},
            "completion_tokens_details": {"reasoning_tokens": 12},
            "cost_in_usd_ticks": 12_300_000,
        },
        {
            "input": 280,
            "output": 42,
            "details": {
                "image_tokens": 256,
                "cached_tokens": 8,
                "reasoning_tokens": 12,
                "cost_usd": 0.00123,
            },
        },
        id="observed-every-count",
    ),
    pytest.param(
        {
            "prompt_tokens": 7,
            "completion_tokens": 3,
            "prompt_tokens_details": {"image_tokens": 0, "cached_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0},
            "cost_in_usd_ticks": 0,
        },
        {"input": 7, "output": 3, "details": None},
        id="zeros-are-left-out",
    ),
    pytest.param(
        {
            "prompt_tokens": 7,
            "completion_tokens": 3,
            "prompt_tokens_details": None,
            "completion_tokens_details": None,
        },
        {"input": 7, "output": 3, "details": None},
        id="details-that-are-null",
    ),
]


@pytest.mark.parametrize(("usage", "expected"), USAGES)
def test_usage_is_read_as(usage: dict[str, Any], expected: dict[str, Any]):
    assert _usage(**usage) == expected


@BOTH
@STREAMED
def test_an_answer_that_was_cut_off_says_so(
    xai: FakeServer, kind: str, streamed: bool, caplog: pytest.LogCaptureFixture
):
    xai.reply("one two three four")

    asked = ask(kind, "Count", max_tokens=2, stream=streamed)

    assert asked.text == "one two"
    assert asked.usage.details is not None
    assert asked.usage.details["finish_reason"] == "length"
    assert [record.getMessage() for record in caplog.records] == [
        "The answer was cut off at the most tokens allowed; -o max_tokens sets how many."
    ]


@pytest.mark.parametrize("reason", ["content_filter", {"odd": 1}], ids=str)
def test_an_answer_that_something_else_cut_off_says_so_too(
    reason: Any, caplog: pytest.LogCaptureFixture
):
    with xai_answering(whole(reason, content="At")):
        asked = ask("sync", "When?")

    assert asked.usage == llm.Usage(input=None, output=None, details=None)
    assert caplog.messages == [f"The answer was cut off: {reason}."]


@pytest.mark.parametrize("reason", ["stop", "end_turn", "tool_calls"])
def test_an_answer_that_ended_by_itself_says_nothing(reason: str, caplog: pytest.LogCaptureFixture):
    with xai_answering(whole(reason, content="At six.")):
        ask("sync", "When?")

    assert caplog.messages == []


def test_an_answer_that_is_complete_says_nothing(xai: FakeServer, caplog: pytest.LogCaptureFixture):
    asked = ask("sync", "Hello")

    assert "finish_reason" not in (asked.usage.details or {})
    assert caplog.records == []


def test_the_command_shows_usage_with_image_tokens_and_cost(xai: FakeServer):
    xai.reply("It is red.")

    result = run_llm("-m", "grok-4", "Hi", "--at", "https://example.com/a.png", "image/png", "-u")

    assert result.stdout == "It is red.\n"
    assert "image_tokens" in result.stderr
    assert "cost_usd" in result.stderr


def test_the_command_shows_reasoning_on_standard_error_alone(xai: FakeServer):
    xai.reply("It is red.", reasoning="Let's see.")

    result = run_llm("-m", "grok-4", "What colour?")

    assert result.stdout == "It is red.\n"
    assert "Let's see." in result.stderr


@BOTH
def test_a_stream_that_was_asked_for_may_come_as_plain_json(kind: str):
    with xai_answering(whole(content="Hello there")) as server:
        asked = ask(kind, "Hello", stream=True)

    assert asked.text == "Hello there"
    assert len(server.requests) == 1


@BOTH
def test_plain_json_that_was_asked_for_may_come_as_a_stream(kind: str):
    with xai_answering(stream(chunk(content="Hello"), chunk("stop", content=" there"), DONE)):
        asked = ask(kind, "Hello", stream=False)

    assert asked.text == "Hello there"


ODD_TYPES = pytest.mark.parametrize(
    "media_type", ["text/plain", "application/json; charset=utf-16", "text/plain; charset=x", "é"]
)


@BOTH
@ODD_TYPES
def test_json_may_be_declared_as_anything(kind: str, media_type: str):
    body = json.dumps({"choices": [{"message": {"content": "Hi"}, "finish_reason": "stop"}]})

    with xai_answering(http(body.encode(), headers=f"content-type: {media_type}")):
        asked = ask(kind, "Hello")

    assert asked.text == "Hi"
    assert asked.resolved_model is None
    assert asked.usage == llm.Usage(input=None, output=None, details=None)


@BOTH
@ODD_TYPES
def test_a_refusal_may_be_declared_as_anything(kind: str, media_type: str):
    answer = http(b'{"error":"Grapes"}', status="400 Bad", headers=f"content-type: {media_type}")

    with xai_answering(answer), pytest.raises(RequestRefused, match="Grapes"):
        ask(kind, "Hello")


@BOTH
def test_reasoning_that_is_not_shown_is_marked(kind: str):
    body = {
        "choices": [{"index": 0, "message": {"content": "ok"}, "finish_reason": "stop"}],
        "usage": {"completion_tokens_details": {"reasoning_tokens": 7}},
    }

    with xai_answering(http(json.dumps(body).encode(), headers="content-type: application/json")):
        answer = ask(kind, "Hello")

    assert [(event.type, event.redacted) for event in answer.events] == [
        ("text", False),
        ("reasoning", True),
    ]


@BOTH
def test_reasoning_that_is_shown_is_not_marked_again(kind: str, xai: FakeServer):
    xai.reply("ok", reasoning="let me think")

    answer = ask(kind, "Hello")

    assert not any(event.redacted for event in answer.events)


@BOTH
def test_half_a_character_becomes_a_question_mark(kind: str):
    """JSON has escapes for halves of a character, and no text can be printed that has one."""
    said = stream(chunk("stop", role="assistant", content="\ud83d and \U0001f408"), DONE)

    with xai_answering(said):
        asked = ask(kind, "Hello")

    assert asked.text == "? and \U0001f408"


BEYOND_COUNTING = [10**30, -1, 1.5, "7", [1]]


@pytest.mark.parametrize("count", BEYOND_COUNTING, ids=repr)
def test_a_count_that_is_none_is_left_out_of_the_log(count: Any):
    usage = {
        "prompt_tokens": count,
        "completion_tokens": 3,
        "prompt_tokens_details": {"image_tokens": count},
        "completion_tokens_details": {"reasoning_tokens": count},
        "cost_in_usd_ticks": count,
    }
    used = f"data: {json.dumps({'choices': [], 'usage': usage})}\n\n"

    with xai_answering(stream(chunk("stop", content="hi"), used, DONE)):
        result = run_llm("-m", "grok-4", "Hello")

    assert (result.exit_code, result.stdout) == (0, "hi\n")
    (row,) = json.loads(run_llm("logs", "--json").stdout)
    assert (row["input_tokens"], row["output_tokens"], row["token_details"]) == (None, 3, None)
