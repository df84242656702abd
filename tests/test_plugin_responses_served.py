"""/v1/responses from one end to the other: the plugin asks, the fake answers."""

import json
from pathlib import Path
from typing import Any

import llm
import pytest

from fake_server import FakeServer
from llm_grok_vision.errors import ImageError, RequestRefused
from llm_grok_vision.server_tools import CodeExecution, WebSearch, XSearch
from tests.prompting import BOTH, MODEL, ask, image, run_llm, shape

STREAMED = pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])
TIDES = "https://tides.example/leith"


@BOTH
@STREAMED
def test_images_texts_and_tools_arrive_and_are_counted(kind: str, stream: bool, xai: FakeServer):
    asked = ask(
        kind,
        "When is high tide here?",
        system="Be brief.",
        attachments=[image(448, 448)],
        tools=[WebSearch(allowed_domains=["tides.example"]), XSearch(), CodeExecution()],
        stream=stream,
    )

    [request] = xai.requests
    assert request.path == "/v1/responses"
    assert shape(request) == [
        ("system", ["Be brief."]),
        ("user", ["When is high tide here?", "448x448"]),
    ]
    assert request.tools == ["web_search", "x_search", "code_interpreter"]
    assert request.stream is stream
    assert "1 image" in asked.text
    assert asked.usage.input
    assert asked.usage.input > 512


@BOTH
@STREAMED
def test_what_xai_ran_is_kept_with_reasoning_and_sources(
    kind: str, stream: bool, xai: FakeServer, caplog: pytest.LogCaptureFixture
):
    xai.reply(
        "High tide is at nine.",
        reasoning="Where is this?",
        server_tool_calls=[("web_search", {"type": "search", "query": "tide Leith"})],
        citations=[TIDES],
    )

    asked = ask(kind, "When is high tide?", tools=[WebSearch()], stream=stream)

    assert asked.text == "High tide is at nine."
    kinds = [event.type for event in asked.events]
    assert kinds.index("reasoning") < kinds.index("tool_call_name") < kinds.index("text")
    assert asked.tool_calls == []
    assert asked.usage.details
    assert asked.usage.details["server_side_tools"] == 1
    assert caplog.messages == [f"Sources:\n{TIDES}"]


@STREAMED
def test_a_chain_of_functions_runs(stream: bool, xai: FakeServer):
    def tide(place: str) -> llm.ToolOutput:
        """Tell the tide."""
        return llm.ToolOutput(output=f"high in {place}", attachments=[image(16, 32)])

    xai.reply(tool_calls=[("tide", {"place": "Leith"}), ("tide", {"place": "Oban"})])
    xai.reply("High in both.")

    chain = llm.get_model(MODEL).chain(
        "And the tide?", tools=[tide], stream=stream, options={"responses": True}
    )

    assert chain.text() == "High in both."
    assert shape(xai.requests[1])[-3:] == [
        ("tool", ["high in Leith"]),
        ("tool", ["high in Oban"]),
        ("user", ["16x32", "16x32"]),
    ]


@BOTH
@STREAMED
def test_a_schema_is_followed(kind: str, stream: bool, xai: FakeServer):
    schema = llm.schema_dsl("name, masts int")

    asked = ask(kind, "Describe it", schema=schema, responses=True, stream=stream)

    assert json.loads(asked.text) == {"name": "text", "masts": 1}


def test_encrypted_reasoning_comes_back_over_llm_c(xai: FakeServer, photo: Path):
    xai.reply("A boat.", reasoning="Masts.")
    xai.reply("Two.")

    run_llm("-m", "grok-4.3", "What is it?", "-a", photo, "-o", "responses", "1")
    result = run_llm("-c", "How many masts?")

    assert result.stdout == "Two.\n"
    assert xai.requests[1].path == "/v1/responses"
    assert shape(xai.requests[1]) == [
        ("user", ["What is it?", "1344x896"]),
        ("assistant", ["A boat."]),
        ("user", ["How many masts?"]),
    ]


def test_a_conversation_may_go_back_to_chat_completions(xai: FakeServer):
    xai.reply("A boat.", reasoning="Masts.")
    xai.reply("Two.")

    run_llm("-m", "grok-4.3", "What is it?", "-o", "responses", "1")
    run_llm("-c", "How many masts?", "-o", "responses", "0")

    assert xai.requests[1].path == "/v1/chat/completions"
    assert [role for role, _ in shape(xai.requests[1])] == ["user", "assistant", "user"]


def test_the_multi_agent_model_is_asked_where_it_answers(xai: FakeServer):
    run_llm("-m", "grok-4.20-multi-agent", "Hello")

    assert xai.requests[0].path == "/v1/responses"


@pytest.mark.parametrize(
    ("options", "error"),
    [
        pytest.param(
            {"attachments": [llm.Attachment(type="image/png", content=b"no")]},
            ImageError,
            id="ours",
        ),
        pytest.param(
            {
                "attachments": [llm.Attachment(type="image/png", url="https://gone.invalid/x.png")],
                "image_urls": "pass",
            },
            RequestRefused,
            id="theirs",
        ),
    ],
)
def test_an_image_that_cannot_be_sent_is_refused(
    options: dict[str, Any], error: type[Exception], xai: FakeServer
):
    with pytest.raises(error):
        ask("sync", "What is it?", responses=True, **options)


def test_an_answer_that_is_cut_off_says_so(xai: FakeServer, caplog: pytest.LogCaptureFixture):
    xai.reply("one two three")

    asked = ask("sync", "Count", responses=True, max_tokens=2)

    assert asked.text == "one two"
    assert "cut off" in caplog.text


def test_reasoning_is_shown_unless_it_is_hidden(xai: FakeServer):
    for _ in range(2):
        xai.reply("Two.", reasoning="Counting.")

    shown = run_llm("-m", "grok-4", "How many?", "-o", "responses", "1")
    hidden = run_llm("-m", "grok-4", "How many?", "-o", "responses", "1", "-R")

    assert (shown.stdout, hidden.stdout) == ("Two.\n", "Two.\n")
    assert "Counting." in shown.stderr
    assert hidden.stderr == ""
