"""Of two faults in a request the earlier row is answered; each parameter has its range."""

import pytest

from fake_server import FakeServer
from tests.asking import BEARER, body, image, input_image, post, send, text
from tests.pictures import data_url, picture

GOOD = data_url(picture(40, 30))
TINY = data_url(picture(1, 1))
NO_CONTENT = {"role": "user", "content": []}

BOTH = [
    pytest.param(
        body(model="grok-5", messages=[]), "Messages cannot be empty", id="messages-before-model"
    ),
    pytest.param(
        body(model="grok-5", stream=True, deferred=True), "streaming or", id="deferred-before-model"
    ),
    pytest.param(
        body(model="grok-5", temperature=3), "does not exist", id="unknown-model-before-range"
    ),
    pytest.param(
        body(model="grok-beta", tool_choice="auto"), "deprecated", id="retired-model-before-tools"
    ),
    pytest.param(
        body(image(TINY), model="grok-imagine-image"), "image model", id="image-model-before-image"
    ),
    pytest.param(
        body(model="grok-4", stop=["a"] * 5), "not supported", id="unsupported-before-range"
    ),
    pytest.param(
        body(temperature=3, tool_choice="auto"), "temperature", id="range-before-tool-choice"
    ),
    pytest.param(
        body(tool_choice="auto", messages=[NO_CONTENT]), "tool_choice", id="tools-before-content"
    ),
    pytest.param(
        body(
            messages=[{"role": "user", "content": [{"type": "video"}]}, NO_CONTENT],
        ),
        "at least one content element",
        id="content-before-parts",
    ),
    pytest.param(
        body(image(GOOD), {"type": "video"}, model="grok-3"), "type video", id="part-before-model"
    ),
    pytest.param(
        body(image(GOOD, detail="x"), model="grok-3"), "not supported", id="modality-before-detail"
    ),
    pytest.param(
        body(image(TINY), image(GOOD, detail="x")), "detail must be", id="detail-before-images"
    ),
    pytest.param(
        body(image(TINY), image("data:,")), "1x1 are too small", id="first-image-before-second"
    ),
    pytest.param(
        body(image(TINY), text("a " * 40000), model="grok-2-vision"),
        "1x1",
        id="image-before-context",
    ),
]


@pytest.mark.parametrize(("asked", "error"), BOTH)
def test_the_earlier_of_two_faults_is_answered(grok_server, asked, error):
    assert error in post(grok_server, asked).text


OUTER = [
    pytest.param("GET", "/v2/chat", {}, b"", 404, id="path-before-verb"),
    pytest.param("PUT", "/v1/chat/completions", {}, b"", 405, id="verb-before-key"),
    pytest.param("POST", "/v1/chat/completions", {}, b"{", 415, id="assumed-type-before-key"),
    pytest.param("POST", "/v1/chat/completions", BEARER, b"{", 415, id="type-before-json"),
    pytest.param("POST", "/v2/chat", {}, b"x" * 1001, 413, id="size-before-path"),
]


@pytest.mark.parametrize(("method", "path", "headers", "content", "status"), OUTER)
def test_the_outer_layers_come_first(method, path, headers, content, status):
    with FakeServer(max_body=1000) as server:
        answer = send(server, method, path, headers=headers, content=content)

    assert answer.status_code == status


# What is refused before anybody looks at the key.
WITHOUT_KEY = [
    pytest.param("/v1/chat/completions", b"{", 400, "as JSON", id="no-json"),
    pytest.param("/v1/responses", b"{}", 422, "missing field", id="another-shape"),
    pytest.param("/v1/responses", b'{"model": "a", "input": ""}', 400, "not found: a", id="model"),
    pytest.param("/v1/responses", b'{"model": "grok-4", "input": []}', 401, "", id="not-input"),
    pytest.param(
        "/v1/chat/completions", b'{"model": "a", "messages": []}', 401, "", id="assumed-not-model"
    ),
]


@pytest.mark.parametrize(("path", "content", "status", "said"), WITHOUT_KEY)
def test_what_is_no_request_is_refused_whatever_the_key(grok_server, path, content, status, said):
    """OBSERVED 2026-09-12 in the STACK NOTE."""
    typed = {"content-type": "application/json"}

    answer = send(grok_server, "POST", path, headers=typed, content=content)

    assert answer.status_code == status
    assert said in answer.text


@pytest.mark.parametrize("header", ["", "Bearer", "Basic eGFpOg==", "xai-test-key"])
def test_what_is_no_bearer_key_is_no_key(grok_server, header):
    answer = send(
        grok_server,
        "POST",
        "/v1/chat/completions",
        json=body(),
        headers={"authorization": header} if header else {},
    )

    assert answer.status_code == 401


def test_the_name_of_the_scheme_may_be_in_small_letters(grok_server):
    headers = {"authorization": "bearer xai-test-key"}

    answer = send(grok_server, "POST", "/v1/chat/completions", json=body(), headers=headers)

    assert answer.status_code == 200


# DOC OPENAPI: the ranges, both ends.
IN_RANGE = [
    {"temperature": 0},
    {"temperature": 2},
    {"top_p": 1},
    {"top_p": 0.01},
    {"frequency_penalty": -2},
    {"presence_penalty": 2},
    {"n": 1},
    {"n": 128},
    {"max_tokens": 1},
    {"max_completion_tokens": 1},
    {"stop": ["a", "b", "c", "d"]},
    {"temperature": None},
    {"unheard_of": 1},
]
# A model that refuses none of these.
TALKER = "grok-4-fast-non-reasoning"


@pytest.mark.parametrize("fields", IN_RANGE, ids=str)
def test_a_parameter_at_the_end_of_its_range_is_taken(grok_server, fields):
    assert post(grok_server, body(model=TALKER, **fields)).status_code == 200


FUNCTION = {"type": "function", "function": {"name": "look"}}

OUT_OF_RANGE = [
    pytest.param({"temperature": -0.1}, "temperature must be between 0 and 2.", id="cold"),
    pytest.param({"temperature": 2.1}, "temperature must be between 0 and 2.", id="hot"),
    pytest.param({"top_p": 0}, "top_p must be above 0 and at most 1.", id="top-p-of-zero"),
    pytest.param({"top_p": 1.1}, "top_p must be above 0 and at most 1.", id="top-p-above-one"),
    pytest.param(
        {"frequency_penalty": 2.1}, "frequency_penalty must be between -2 and 2.", id="frequency"
    ),
    pytest.param(
        {"presence_penalty": -2.1}, "presence_penalty must be between -2 and 2.", id="presence"
    ),
    pytest.param({"n": 0}, "n must be between 1 and 128.", id="no-choices"),
    pytest.param({"n": 129}, "n must be between 1 and 128.", id="assumed-129-choices"),
    pytest.param({"stop": list("abcde")}, "stop must be at most 4 sequences.", id="five-stops"),
    pytest.param(
        {"tools": [FUNCTION] * 351}, "tools must be at most 350 functions.", id="351-tools"
    ),
]


@pytest.mark.parametrize(("fields", "error"), OUT_OF_RANGE)
def test_a_parameter_out_of_its_range_is_refused(grok_server, fields, error):
    answer = post(grok_server, body(model=TALKER, **fields))

    assert answer.status_code == 400
    assert answer.json() == {
        "code": "invalid-argument",
        "error": f"Invalid request content: {error}",
    }


@pytest.mark.parametrize("parameter", ["max_tokens", "max_completion_tokens"])
def test_no_tokens_at_all_are_refused(grok_server, parameter):
    answer = post(grok_server, body(model=TALKER, **{parameter: 0}))

    said = f"Maximum number of tokens {parameter} must be positive but {parameter} = 0"
    assert answer.json() == {"code": "invalid-argument", "error": said}
    assert post(grok_server, body(model=TALKER, **{parameter: 1})).status_code == 200


def test_a_tool_of_xai_is_none_of_chat_completions(grok_server):
    """OBSERVED 2025-11-10 in manutej/ai-dialogue."""
    answer = post(grok_server, body(tools=[{"type": "web_search"}]))

    assert answer.status_code == 422
    assert answer.text.endswith(
        "unknown variant `web_search`, expected `function` or `live_search`"
    )


LIVE_SEARCH = [
    pytest.param({"web_search_options": {}}, id="observed-2026-09-12-options"),
    pytest.param({"tools": [{"type": "live_search"}]}, id="assumed-tool"),
]


@pytest.mark.parametrize("fields", LIVE_SEARCH)
def test_live_search_is_gone_however_it_is_spelled(grok_server, fields):
    assert post(grok_server, body(**fields)).status_code == 410


@pytest.mark.parametrize("part", [input_image(GOOD), {"type": "image_url"}], ids=["other", "none"])
def test_the_image_part_of_responses_is_refused_here(grok_server, part):
    """OBSERVED 2026-09-12 in the STACK NOTE; ASSUMED where there is no image at all."""
    answer = post(grok_server, body(part))

    assert answer.json()["error"] == "Invalid request content: Empty content block."


def test_the_result_of_a_tool_may_hold_the_image_part_of_responses(grok_server):
    """DOC OPENAPI."""
    result = {"role": "tool", "tool_call_id": "1", "content": [input_image(GOOD)]}
    asked = body()
    asked["messages"] += [result]

    assert post(grok_server, asked).status_code == 200
    assert grok_server.requests[0].images[0].width == 40


def test_350_tools_are_taken(grok_server):
    assert post(grok_server, body(tools=[FUNCTION] * 350)).status_code == 200


# OBSERVED 2026: the service's own words for what it does not take.
UNSUPPORTED = [
    pytest.param(
        "grok-4.6", {"presence_penalty": 0}, "presencePenalty", id="observed-4.6-presence"
    ),
    pytest.param("grok-4.7", {"frequency_penalty": 0}, "frequency_penalty", id="assumed-4.7"),
    pytest.param("grok-4", {"stop": "a"}, "stop", id="doc-grok-4-stop"),
    pytest.param(
        "grok-code-fast-1",
        {"reasoning_effort": "low"},
        "reasoningEffort",
        id="observed-2025-effort",
    ),
]


@pytest.mark.parametrize(("model", "fields", "name"), UNSUPPORTED)
def test_a_parameter_that_a_model_does_not_take_is_refused(grok_server, model, fields, name):
    answer = post(grok_server, body(model=model, **fields))

    assert answer.json() == {
        "code": "invalid-argument",
        "error": f"Argument not supported on this model: {name}",
    }


SHAPES = [
    pytest.param({"messages": {}}, "messages: invalid type: object, expected array", id="object"),
    pytest.param({"model": None}, "model: invalid type: null, expected str", id="no-model"),
    pytest.param({"n": "two"}, "n: invalid type: str, expected int | null", id="string-for-number"),
    pytest.param(
        {"messages": [{"role": "robot", "content": "Hello"}]},
        "messages[0].role: unknown variant `robot`",
        id="unknown-role",
    ),
    pytest.param(
        {"messages": [{"role": "user", "content": 7}]},
        "messages[0].content: invalid type: int, expected str | array | null",
        id="number-for-content",
    ),
]


@pytest.mark.parametrize(("fields", "problem"), SHAPES)
def test_a_field_of_the_wrong_type_is_named(grok_server, fields, problem):
    answer = post(grok_server, body(**fields))

    assert answer.status_code == 422
    assert answer.text == (f"Failed to deserialize the JSON body into the target type: {problem}")


NO_JSON = [
    pytest.param(b"", id="nothing"),
    pytest.param(b"{", id="cut-short"),
    pytest.param(b"\xef\xbb\xbf{}", id="byte-order-mark"),
    pytest.param(b'{"model": "\xff", "messages": []}', id="not-utf-8"),
    pytest.param(
        b'{"tools": [{"function": {"name": "a", "parameters": ' + b'{"a":' * 100_000,
        id="nested-without-end",
    ),
    pytest.param(b'{"unheard_of": ' + b"[" * 100_000 + b"}", id="unknown-nested-without-end"),
]


@pytest.mark.parametrize("content", NO_JSON)
def test_a_body_that_is_no_json_is_refused(grok_server, content):
    headers = {**BEARER, "content-type": "application/json; charset=utf-8"}

    answer = send(grok_server, "POST", "/v1/chat/completions", headers=headers, content=content)

    assert answer.status_code == 400
    assert answer.text.startswith("Failed to parse the request body as JSON: ")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        pytest.param(b'{"a":' * 100_000, "recursion limit exceeded", id="nested-without-end"),
        pytest.param(b'{"model": "\xff"}', "invalid unicode code point", id="not-utf-8"),
    ],
)
def test_what_versions_of_python_and_msgspec_word_differently_is_refused_in_serdes_words(
    grok_server, content, problem
):
    headers = {**BEARER, "content-type": "application/json"}

    answer = send(grok_server, "POST", "/v1/chat/completions", headers=headers, content=content)

    assert answer.text == f"Failed to parse the request body as JSON: {problem}"


@pytest.mark.parametrize("part", [{"type": "text"}, {"type": "text", "text": None}])
def test_a_part_without_what_its_type_names_is_refused(grok_server, part):
    answer = post(grok_server, body(part))

    assert answer.status_code == 400
    assert answer.json()["error"] == (
        f"Invalid request content: Content part of type {part['type']} is not supported."
    )
