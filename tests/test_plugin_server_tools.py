"""xAI's own tools: what each sends, what it refuses, and what became of live search."""

import json
from typing import Any

import llm
import pytest

from llm_grok_vision.errors import InvalidTool, RequestRefused
from llm_grok_vision.server_tools import CodeExecution, WebSearch, XSearch
from tests.prompting import ask, body_of, run_llm, run_process, xai_answering
from tests.raw_server import Answer, http

OUTPUT = {"type": "message", "content": [{"type": "output_text", "text": "ok"}]}


def answer() -> Answer:
    body = json.dumps({"object": "response", "output": [OUTPUT], "status": "completed"})
    return http(body.encode(), headers="content-type: application/json")


@pytest.mark.parametrize(
    ("tool", "spec"),
    [
        pytest.param(WebSearch(), {"type": "web_search"}, id="web"),
        pytest.param(
            WebSearch(
                excluded_domains=["spam.example"],
                enable_image_understanding=True,
                enable_image_search=False,
            ),
            {
                "type": "web_search",
                "excluded_domains": ["spam.example"],
                "enable_image_understanding": True,
                "enable_image_search": False,
            },
            id="web-with-parameters",
        ),
        pytest.param(XSearch(), {"type": "x_search"}, id="x"),
        pytest.param(
            XSearch(
                allowed_x_handles=["@xai", "simonw"],
                from_date="2026-01-01",
                to_date="2026-01-31",
                enable_image_understanding=True,
                enable_video_understanding=True,
            ),
            {
                "type": "x_search",
                "allowed_x_handles": ["xai", "simonw"],
                "from_date": "2026-01-01",
                "to_date": "2026-01-31",
                "enable_image_understanding": True,
                "enable_video_understanding": True,
            },
            id="x-with-parameters",
        ),
        pytest.param(CodeExecution(), {"type": "code_interpreter"}, id="code"),
        pytest.param(
            llm.ServerSideTool({"type": "mcp", "server_url": "https://wiki.example"}),
            {"type": "mcp", "server_url": "https://wiki.example"},
            id="raw",
        ),
    ],
)
def test_a_tool_is_sent_as_xai_names_it(tool: llm.ServerSideTool, spec: dict[str, Any]):
    with xai_answering(answer()) as server:
        ask("sync", "Hello", tools=[tool], stream=False)

    assert body_of(server.requests[0])["tools"] == [spec]


def test_functions_go_along_with_xais_own_tools():
    def tide() -> str:
        """Tell the tide."""
        return "high"

    with xai_answering(answer()) as server:
        ask("sync", "Hello", tools=[WebSearch(), tide], stream=False)

    kinds = [tool["type"] for tool in body_of(server.requests[0])["tools"]]
    assert sorted(kinds) == ["function", "web_search"]


WRONG = [
    pytest.param(
        lambda: WebSearch(allowed_domains=["a.b"], excluded_domains=["c.d"]),
        "allowed_domains and excluded_domains cannot be given together; choose one.",
        id="both-lists-of-domains",
    ),
    pytest.param(
        lambda: XSearch(allowed_x_handles=["a"], excluded_x_handles=["b"]),
        "allowed_x_handles and excluded_x_handles cannot be given together; choose one.",
        id="both-lists-of-handles",
    ),
    pytest.param(
        lambda: WebSearch(allowed_domains=["a.b"] * 6),
        "allowed_domains takes 5 names at most, got 6.",
        id="six-domains",
    ),
    pytest.param(
        lambda: XSearch(excluded_x_handles=["a"] * 11),
        "excluded_x_handles takes 10 names at most, got 11.",
        id="eleven-handles",
    ),
    pytest.param(
        lambda: WebSearch(allowed_domains="a.b"),  # type: ignore[arg-type]
        "allowed_domains is a list of names, not 'a.b'.",
        id="a-text-for-a-list",
    ),
    pytest.param(
        lambda: XSearch(from_date="last week"),
        "from_date is a date like 2026-01-31, not 'last week'.",
        id="no-date",
    ),
    pytest.param(
        lambda: XSearch(enable_image_understanding="yes"),  # type: ignore[arg-type]
        "enable_image_understanding is true or false, not 'yes'.",
        id="no-flag",
    ),
]


@pytest.mark.parametrize(("make", "sentence"), WRONG)
def test_a_wrong_parameter_is_refused_in_a_sentence(make: Any, sentence: str):
    with pytest.raises(InvalidTool) as caught:
        make()

    assert str(caught.value) == sentence


def test_a_wrong_parameter_is_no_traceback_on_the_command_line():
    result = run_process("-m", "grok-4", "Hello", "-T", 'XSearch(from_date="soon")', "--key", "k")

    assert result.returncode == 1
    assert result.stderr == b"Error: from_date is a date like 2026-01-31, not 'soon'.\n"


def test_the_tools_are_listed():
    listed = run_llm("tools", "-m", "grok-4").output

    for name in ("WebSearch(", "XSearch(", "CodeExecution(", "ServerSideTool("):
        assert name in listed


@pytest.mark.parametrize(
    "option", ["search_mode", "search_parameters", "return_citations", "max_search_results"]
)
def test_an_option_of_live_search_names_what_replaced_it(option: str):
    result = run_llm("-m", "grok-4", "Hello", "-o", option, "on", "--key", "k")

    assert result.exit_code == 1
    assert result.output == (
        f"Error: {option}\n"
        "  xAI ended live search; its own tools replaced it: -T WebSearch, -T XSearch\n"
    )


def test_options_of_live_search_are_not_listed():
    assert "search_mode" not in run_llm("models", "-m", "xai/grok-4", "--options").output


def test_xais_word_on_live_search_comes_with_advice():
    gone = b'{"error": "Live search is deprecated. Please switch to the Agent Tools API."}'
    with xai_answering(http(gone, status="410 Gone")), pytest.raises(RequestRefused) as caught:
        ask("sync", "Hello")

    assert str(caught.value).splitlines() == [
        "Live search is deprecated. Please switch to the Agent Tools API.",
        "Search with xAI's own tools instead: -T WebSearch, -T XSearch.",
    ]
