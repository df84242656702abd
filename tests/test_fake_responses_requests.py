"""What the fake reads, notes and refuses of a request for a response."""

import json
from typing import Any

import pytest

from fake_server import FakeServer
from tests.asking import image, input_image, input_text, post, prompt, respond
from tests.pictures import data_url, picture
from tests.test_fake_refusals import CASES

ICON = data_url(picture(128, 128))


def test_the_log_keeps_settings_tools_and_usage(grok_server):
    look = {"type": "function", "name": "look"}
    settings = {
        "temperature": 0.5,
        "max_output_tokens": 9,
        "reasoning": {"effort": "low", "summary": "auto"},
        "store": False,
        "include": ["reasoning.encrypted_content"],
        "user": "u-1",
    }

    respond(grok_server, prompt(stream=True, tools=[look, {"type": "web_search"}], **settings))

    log = grok_server.requests[0]
    assert (log.method, log.path, log.status) == ("POST", "/v1/responses", 200)
    assert (log.model, log.stream, log.tools) == ("grok-4.3", True, ["look", "web_search"])
    assert log.parameters == settings
    assert (log.usage["input_tokens"], log.usage["total_tokens"]) == (1, 7)


def test_only_what_was_given_is_noted_as_a_setting(grok_server):
    respond(grok_server, prompt(temperature=None, reasoning=None))

    assert grok_server.requests[0].parameters == {}


def test_the_same_request_is_answered_with_the_same_bytes(grok_server):
    include = ["reasoning.encrypted_content"]

    def answer(server: FakeServer, *, stream: bool) -> tuple[Any, bytes]:
        calls = [("web_search", {"query": "cats"})]
        server.reply("A cat.", reasoning="Hm.", server_tool_calls=calls)
        heard = respond(server, prompt(input_image(ICON), stream=stream, include=include))
        return heard.headers.raw, heard.content

    with FakeServer() as another:
        for stream in (False, True):
            assert answer(grok_server, stream=stream) == answer(another, stream=stream)


def test_an_image_part_is_read_with_its_detail(grok_server):
    answer = respond(grok_server, prompt(input_image(ICON, detail="low")))

    [seen] = grok_server.requests[0].images
    assert (seen.width, seen.detail, seen.tokens) == (128, "low", 256)
    assert answer.json()["usage"]["input_tokens"] == 256


OBJECTS = [
    pytest.param(image(ICON), id="observed-2026-of-chat-completions"),
    pytest.param({"type": "input_image", "image_url": {"url": ICON}}, id="assumed-mixed"),
]


@pytest.mark.parametrize("part", OBJECTS)
def test_an_image_that_is_an_object_is_no_input(grok_server, part):
    answer = respond(grok_server, prompt(part))

    assert answer.status_code == 422
    assert "data did not match any variant of untagged enum ModelInput" in answer.json()["error"]


def test_the_image_part_of_chat_completions_is_refused_here(grok_server):
    """OBSERVED 2026-09-12 in the STACK NOTE."""
    answer = respond(grok_server, prompt({"type": "image_url", "image_url": ICON}))

    said = "Invalid request content: Empty content block."
    assert (answer.status_code, answer.json()["error"]) == (400, said)


UNSUPPORTED = [
    pytest.param({"max_tokens": 16}, "max_tokens, use max_output_tokens instead", id="max_tokens"),
    pytest.param({"background": True}, "background", id="background"),
    pytest.param(
        {"include": ["web_search_call.results"]},
        '"web_search_call.results" in "include"',
        id="observed-2026-09-09-include",
    ),
]


@pytest.mark.parametrize(("fields", "argument"), UNSUPPORTED)
def test_arguments_of_other_services_are_refused(grok_server, fields, argument):
    """OBSERVED 2026-09-12 in the STACK NOTE; ASSUMED text."""
    answer = respond(grok_server, prompt(**fields))

    said = {"code": "400", "error": f"Argument not supported: {argument}"}
    assert (answer.status_code, answer.json()) == (400, said)


def test_what_is_not_asked_for_is_no_background(grok_server):
    assert respond(grok_server, prompt(background=False, max_tokens=None)).status_code == 200


@pytest.mark.parametrize("fields", [{}, {"detail": None}], ids=str)
def test_an_image_without_a_detail_is_looked_at_in_auto(grok_server, fields):
    respond(grok_server, prompt(input_image(ICON, **fields)))

    assert grok_server.requests[0].images[0].detail == "auto"


def test_an_empty_detail_is_another_word(grok_server):
    answer = respond(grok_server, prompt(input_image(ICON, detail="")))

    assert answer.status_code == 400


def test_what_an_earlier_answer_held_says_nothing(grok_server):
    asked = prompt()
    held = [
        {"type": "reasoning", "summary": [], "encrypted_content": "c2VjcmV0"},
        {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {}},
        {"type": "custom_tool_call", "call_id": "xs_1", "name": "x_keyword_search", "input": "{}"},
    ]
    asked["input"] += held

    respond(grok_server, asked)

    assert [message.role for message in grok_server.requests[0].messages] == ["user"]


@pytest.mark.parametrize("field", ["content", "encrypted_content"])
def test_reasoning_that_is_sent_back_has_no_null(grok_server, field):
    """OBSERVED 2026 in users' reports."""
    asked = prompt()
    asked["input"] += [{"type": "reasoning", "summary": [], field: None}]

    assert respond(grok_server, asked).status_code == 422


def called(arguments):
    asked = prompt()
    call = {"type": "function_call", "call_id": "1", "name": "look", "arguments": arguments}
    asked["input"] += [call, {"type": "function_call_output", "call_id": "1", "output": "Done."}]
    return asked


@pytest.mark.parametrize("arguments", ["", "null", "[]", '{"a":', "[" * 100_000], ids=len)
def test_arguments_of_a_call_are_a_json_object(grok_server, arguments):
    """OBSERVED 2026 in users' reports; ASSUMED code."""
    answer = respond(grok_server, called(arguments))

    said = {"code": "invalid-argument", "error": "expected JSON object for tool arguments"}
    assert (answer.status_code, answer.json()) == (400, said)
    assert respond(grok_server, called('{"a": 1}')).status_code == 200


@pytest.mark.parametrize("content", ["", None, []], ids=str)
def test_an_answer_of_before_may_be_empty_but_not_missing(grok_server, content):
    asked = prompt()
    asked["input"] += [{"role": "assistant", "content": content}]

    assert respond(grok_server, asked).status_code == (200 if content == "" else 400)


@pytest.mark.parametrize("role", ["system", "developer", "user", "assistant"])
def test_a_message_has_one_of_the_roles(grok_server, role):
    respond(grok_server, prompt(input=[{"type": "message", "role": role, "content": "Hello"}]))

    [message] = grok_server.requests[0].messages
    assert (message.role, message.parts) == (role, ["Hello"])


# What chat completions refuse, asked here: the same rows answer.
SAME = {
    "no messages": prompt(input=[]),
    "retired model": prompt(model="grok-beta"),
    "image model": prompt(model="grok-imagine-image-quality"),
    "live search": prompt(search_parameters={"mode": "auto"}),
    "parameter out of range": prompt(temperature=2.1),
    "tool_choice without tools": prompt(tool_choice="auto"),
    "unknown tool": prompt(
        tool_choice={"type": "function", "name": "fly"},
        tools=[{"type": "function", "name": "walk"}],
    ),
    "no content": prompt(input=[{"role": "user", "content": []}]),
    "empty text": prompt(input_text("")),
    "unknown part": prompt({"type": "input_audio"}),
    "text-only model": prompt(input_image(ICON), model="grok-3"),
    "unknown detail": prompt(input_image(ICON, detail="original")),
    "bad base64": prompt(input_image("data:image/png;base64,?")),
    "side too small": prompt(input_image(data_url(picture(1, 1)))),
    "bad schema": prompt(
        tool_choice="required",
        tools=[{"type": "function", "name": "f", "parameters": {"properties": [1]}}],
    ),
    "context overflow": prompt(input="a " * 32769, model="grok-2-vision-1212"),
}


@pytest.mark.parametrize("name", SAME)
def test_a_response_is_refused_as_a_chat_completion_is(grok_server, name):
    here, there = respond(grok_server, SAME[name]), post(grok_server, CASES[name].json)

    assert here.status_code == CASES[name].status
    assert here.content == there.content


BOTH = [
    pytest.param(prompt(model="grok-5", input=[]), "grok-5", id="model-before-messages"),
    pytest.param(
        prompt(model="grok-5", previous_response_id="1"), "grok-5", id="model-before-previous"
    ),
    pytest.param(
        prompt(model="grok-beta", previous_response_id="1"),
        "No responses could be found",
        id="previous-before-retired-model",
    ),
]


@pytest.mark.parametrize(("asked", "error"), BOTH)
def test_the_earlier_of_two_faults_is_answered(grok_server, asked, error):
    assert error in respond(grok_server, asked).text


OUT_OF_RANGE = [
    pytest.param({"max_output_tokens": 0}, "be positive but max_output_tokens = 0", id="no-answer"),
    pytest.param(
        {"tools": [{"type": "web_search"}] * 351}, "at most 350 functions.", id="351-tools"
    ),
]


@pytest.mark.parametrize(("fields", "error"), OUT_OF_RANGE)
def test_a_parameter_out_of_its_range_is_refused(grok_server, fields, error):
    answer = respond(grok_server, prompt(**fields))

    assert answer.status_code == 400
    assert error in answer.json()["error"]


EFFORTS = [
    pytest.param({"reasoning": {"effort": "low"}}, "reasoning.effort", id="observed-2026"),
    pytest.param({"reasoning_effort": "low"}, "reasoningEffort", id="doc-flat"),
]


@pytest.mark.parametrize(("fields", "name"), EFFORTS)
def test_an_effort_is_refused_by_a_model_that_takes_none(grok_server, fields, name):
    answer = respond(grok_server, prompt(model="grok-4", **fields))

    assert answer.json()["error"] == f"Argument not supported on this model: {name}"


@pytest.mark.parametrize("reasoning", [{}, {"effort": None}, {"summary": "detailed"}], ids=str)
def test_reasoning_without_an_effort_is_taken_by_every_model(grok_server, reasoning):
    answer = respond(grok_server, prompt(model="grok-4", reasoning=reasoning))

    assert answer.json()["reasoning"] == {"effort": None, "summary": None}


@pytest.mark.parametrize(
    ("model", "effort"),
    [
        pytest.param("grok-4.5", "high", id="observed-2026-08-24-in-any-llm"),
        pytest.param("grok-4.3", "low", id="observed-2026-08"),
    ],
)
def test_without_an_effort_it_is_that_of_the_model(grok_server, model, effort):
    answer = respond(grok_server, prompt(model=model)).json()

    assert answer["reasoning"] == {"effort": effort, "summary": "detailed"}


def test_an_effort_is_refused_however_it_is_spelled(grok_server):
    for fields in ({"reasoning": {"effort": "none"}}, {"reasoning_effort": "none"}):
        answer = respond(grok_server, prompt(model="grok-4.6", **fields))

        assert answer.status_code == 400
        assert "`reasoning_effort` value `none`" in answer.json()["error"]


def test_an_effort_counts_that_stands_in_the_object_alone(grok_server):
    """DOC OPENAPI: the flat spelling counts without the other."""
    fields = {"reasoning": {"effort": "low"}, "reasoning_effort": "none"}

    assert respond(grok_server, prompt(model="grok-4.6", **fields)).status_code == 200


def test_an_effort_is_repeated_however_it_is_spelled(grok_server):
    for fields in ({"reasoning": {"effort": "high"}}, {"reasoning_effort": "high"}):
        answer = respond(grok_server, prompt(**fields))

        assert answer.json()["reasoning"] == {"effort": "high", "summary": "detailed"}


INPUT = "data did not match any variant of untagged enum ModelInput at "
SHAPES = [
    pytest.param(
        {"input": 7}, f"{INPUT}input: invalid type: int, expected str | array", id="number"
    ),
    pytest.param(
        {"input": [{"role": "robot", "content": "Hello"}]},
        f"{INPUT}input[0].role: unknown variant `robot`",
        id="unknown-role",
    ),
    pytest.param(
        {"input": [{"content": "Hello"}]}, f"{INPUT}input[0]: missing field `role`", id="no-role"
    ),
    pytest.param(
        {"input": [{"type": "item_reference", "id": "rs_1"}]},
        f"{INPUT}input[0]: unknown variant `item_reference`",
        id="unknown-item",
    ),
    pytest.param(
        {"input": [{"type": "function_call_output", "call_id": "call-1"}]},
        f"{INPUT}input[0]: missing field `output`",
        id="no-output",
    ),
    pytest.param(
        {"input": [{"type": "function_call", "call_id": "call-1", "name": "f"}]},
        f"{INPUT}input[0]: missing field `arguments`",
        id="no-arguments",
    ),
    pytest.param(
        {"tools": [{"type": "function", "function": {"name": "f"}}]},
        "tools[0]: missing field `name`",
        id="tool-of-chat-completions",
    ),
    pytest.param(
        {"tools": [{"type": "websearch"}]}, "tools[0]: unknown variant `websearch`", id="no-tool"
    ),
    pytest.param({"tools": [{"name": "f"}]}, "tools[0]: missing field `type`", id="untyped-tool"),
    pytest.param(
        {"text": {"format": {"type": "json_schema", "name": "n"}}},
        "text.format: missing field `schema`",
        id="no-schema",
    ),
    pytest.param({"model": None}, "model: invalid type: null, expected str", id="no-model"),
]


@pytest.mark.parametrize(("fields", "problem"), SHAPES)
def test_a_field_of_the_wrong_shape_is_named(grok_server, fields, problem):
    answer = respond(grok_server, prompt(**fields))

    assert answer.status_code == 422
    said = f"Failed to deserialize the JSON body into the target type: {problem}"
    assert answer.json() == {"error": said}


def test_unknown_fields_are_ignored(grok_server):
    asked = prompt(unheard_of=1, background=None, metadata={"a": "b"})
    asked["input"][0]["unheard_of"] = 1

    assert respond(grok_server, asked).status_code == 200


def test_numbers_stream_as_single_floats(grok_server):
    """OBSERVED: 0.7 is 0.699999988079071 in streams, and 0.7 in whole answers."""
    whole = respond(grok_server, prompt(temperature=0.2)).text
    streamed = respond(grok_server, prompt(temperature=0.2, stream=True)).text

    assert '"temperature":0.2,' in whole
    assert '"temperature":0.20000000298023224,' in streamed
    assert '"top_p":0.949999988079071,' in streamed


SETTINGS: dict[str, Any] = {
    "instructions": "Be brief.",
    "max_output_tokens": 99,
    "parallel_tool_calls": False,
    "prompt_cache_key": "key-1",
    "safety_identifier": "user-1",
    "store": False,
    "temperature": 0.5,
    "text": {"format": {"type": "json_schema", "name": "n", "schema": {"type": "object"}}},
    "tool_choice": "none",
    "top_p": 0.25,
    "user": "u-1",
}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_settings_are_repeated(grok_server, stream):
    """OBSERVED of all but the keys, the schema and the user: ASSUMED to be like them."""
    answer = last(respond(grok_server, prompt(stream=stream, tools=[TOOL], **SETTINGS)).text)

    assert {name: answer[name] for name in SETTINGS} == SETTINGS


def last(answer: str) -> Any:
    """Read a whole answer, or the one at the end of a stream."""
    read = json.loads(answer.strip().split("\ndata: ")[-1])
    return read.get("response", read)


TOOL = {"type": "function", "name": "f", "description": "d", "parameters": {"type": "object"}}
REPEATED = [
    pytest.param(TOOL, False, TOOL | {"strict": False}, id="observed-2026-08-function"),
    pytest.param(TOOL, True, TOOL | {"strict": None}, id="observed-2026-08-function-streamed"),
    pytest.param(
        TOOL | {"strict": True}, False, TOOL | {"strict": True}, id="assumed-strict-function"
    ),
    pytest.param(
        {"type": "web_search", "search_context_size": "high"},
        False,
        {"type": "web_search", "search_context_size": "high"},
        id="assumed-search-of-a-size",
    ),
    pytest.param(
        {"type": "function", "name": "f"},
        False,
        {"type": "function", "description": None, "name": "f", "parameters": {}, "strict": False},
        id="assumed-bare-function",
    ),
    pytest.param(
        {"type": "web_search"},
        False,
        {"type": "web_search", "search_context_size": "medium"},
        id="observed-2026-08-search",
    ),
    pytest.param(
        {"type": "web_search"}, True, {"type": "web_search"}, id="observed-2026-01-search-streamed"
    ),
    pytest.param(
        {"type": "x_search", "allowed_x_handles": ["xai"]},
        False,
        {"type": "x_search", "allowed_x_handles": ["xai"]},
        id="observed-2025-12-x",
    ),
]


@pytest.mark.parametrize(("tool", "stream", "repeated"), REPEATED)
def test_a_tool_is_repeated(grok_server, tool, stream, repeated):
    answer = last(respond(grok_server, prompt(tools=[tool], stream=stream)).text)

    assert answer["tools"] == [repeated]
