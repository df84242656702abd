"""A test says what the server answers, and reads what it was asked."""

import hashlib
import json
import re
from collections.abc import Iterator
from typing import Any

import openai
import pytest

from fake_server import FakeServer
from fake_server.journal import LoggedImage
from tests.asking import body, image, post, text
from tests.pictures import data_url, picture, png_of_bytes

ICON = data_url(picture(128, 128))


@pytest.fixture
def client(grok_server: FakeServer) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=grok_server.url, api_key="xai-test-key", max_retries=0) as client:
        yield client


def create(client: openai.OpenAI, **fields: Any) -> Any:
    return client.chat.completions.create(**body(**fields))


def test_a_scripted_answer_has_text_and_reasoning(client, grok_server):
    grok_server.reply("It is a cat.", reasoning="It purrs.")

    message = create(client).choices[0].message

    assert (message.content, message.reasoning_content) == ("It is a cat.", "It purrs.")


def test_reasoning_streams_before_the_answer(client, grok_server):
    grok_server.reply("A cat.", reasoning="It purrs.")

    deltas = [chunk.choices[0].delta.to_dict() for chunk in create(client, stream=True)]

    assert deltas == [
        {"reasoning_content": "It", "role": "assistant"},
        {"reasoning_content": " purrs."},
        {"content": "A"},
        {"content": " cat."},
        {},
    ]


def test_a_scripted_answer_calls_tools(client, grok_server):
    grok_server.reply(tool_calls=[("look", {"at": "cat"}), ("sleep", {})])

    choice = create(client).choices[0]

    called = [(call.function.name, call.function.arguments) for call in choice.message.tool_calls]
    assert called == [("look", '{"at":"cat"}'), ("sleep", "{}")]
    assert choice.finish_reason == "tool_calls"


def test_a_tool_call_streams_whole_with_its_index(client, grok_server):
    grok_server.reply(tool_calls=[("look", {"at": "cat"}), ("sleep", {})])

    chunks = list(create(client, stream=True))

    calls = [call for chunk in chunks for call in chunk.choices[0].delta.tool_calls or []]
    assert [(call.index, call.function.arguments) for call in calls] == [
        (0, '{"at":"cat"}'),
        (1, "{}"),
    ]
    assert len({call.id for call in calls}) == 2


def test_a_scripted_answer_ends_as_it_is_told(client, grok_server):
    grok_server.reply("It is", finish_reason="content_filter")

    assert create(client).choices[0].finish_reason == "content_filter"


def test_scripts_are_used_up_in_order(client, grok_server):
    grok_server.reply("first")
    grok_server.reply("second")

    answers = [create(client).choices[0].message.content for _ in range(3)]

    assert answers == ["first", "second", "The fake server saw no image."]


FAILURES = [
    pytest.param(400, openai.BadRequestError, "invalid-argument", id="observed-400"),
    pytest.param(
        401, openai.AuthenticationError, "unauthenticated:no-credentials", id="observed-401"
    ),
    pytest.param(403, openai.PermissionDeniedError, "permission-denied", id="observed-403"),
    pytest.param(404, openai.NotFoundError, "not-found", id="observed-404"),
    pytest.param(409, openai.ConflictError, "invalid-argument", id="assumed-409"),
    pytest.param(422, openai.UnprocessableEntityError, "invalid-argument", id="assumed-422"),
    pytest.param(429, openai.RateLimitError, "resource-exhausted", id="observed-429"),
    pytest.param(
        500, openai.InternalServerError, "The service is currently unavailable", id="assumed-500"
    ),
    pytest.param(
        503, openai.InternalServerError, "The service is currently unavailable", id="observed-503"
    ),
]


@pytest.mark.parametrize(("status", "kind", "code"), FAILURES)
def test_a_failure_is_the_exception_of_its_status(client, grok_server, status, kind, code):
    grok_server.fail(status)

    with pytest.raises(kind) as raised:
        create(client)

    assert raised.value.status_code == status
    assert json.loads(raised.value.response.text)["code"] == code
    assert "retry-after" not in raised.value.response.headers


def test_a_failure_names_the_model_and_the_team(grok_server):
    grok_server.fail(429)

    error = post(grok_server, body(model="grok-4"))

    assert re.match(
        r"Too many tokens for team [0-9a-f-]{36} and model grok-4\. Your team's rate limit is",
        error.json()["error"],
    )


def test_a_failure_says_what_it_is_told(grok_server):
    grok_server.fail(429, code="slow-down", error="Wait for {model}.", retry_after=1.5)

    answer = post(grok_server, body(model="grok-4.3"))

    assert answer.json() == {"code": "slow-down", "error": "Wait for grok-4.3."}
    assert answer.headers["retry-after"] == "1.5"


def test_the_client_tries_again_after_a_failure(grok_server):
    grok_server.fail(503, retry_after=0.01)

    with openai.OpenAI(base_url=grok_server.url, api_key="k", max_retries=1) as client:
        answer = create(client).choices[0].message.content

    assert answer == "The fake server saw no image."
    assert [request.status for request in grok_server.requests] == [503, 200]


def test_the_log_keeps_text_and_images_in_order(grok_server):
    url = "https://example.com/cat.png"
    asked = body(text("first"), image(ICON, detail="low"), text("then"), image(url))

    post(grok_server, asked)

    parts = grok_server.requests[0].parts
    assert parts[0] == "first"
    assert parts[1] == LoggedImage(
        format="PNG",
        width=128,
        height=128,
        size=len(picture(128, 128)),
        detail="low",
        tiles=0,
        tokens=256,
        source="data",
        declared="image/png",
        sha256=hashlib.sha256(picture(128, 128)).hexdigest(),
    )
    assert parts[2] == "then"
    assert isinstance(parts[3], LoggedImage)
    assert (parts[3].url, parts[3].source) == (url, "placeholder")


def test_the_log_keeps_messages_settings_and_tools(grok_server):
    look = {"type": "function", "function": {"name": "look"}}
    system = {"role": "system", "content": "Be brief."}
    asked = body(temperature=0.5, seed=7, tools=[look], stream=True)

    post(grok_server, {**asked, "messages": [system, *asked["messages"]]})

    log = grok_server.requests[0]
    assert (log.method, log.path, log.status) == ("POST", "/v1/chat/completions", 200)
    assert (log.model, log.stream, log.tools) == ("grok-4", True, ["look"])
    assert log.parameters == {"temperature": 0.5, "seed": 7}
    assert [(message.role, message.parts) for message in log.messages] == [
        ("system", ["Be brief."]),
        ("user", ["Hello"]),
    ]
    assert log.usage["prompt_tokens"] == 3


def test_the_key_is_kept_out_of_what_is_printed(grok_server):
    post(grok_server, body())

    log = grok_server.requests[0]
    assert log.key == "xai-test-key"
    assert "authorization" not in log.headers
    assert "xai-test-key" not in repr(log)


def test_a_tool_may_answer_with_an_image(grok_server):
    """OBSERVED 2026-08-10: an image in a tool's message is looked at and counted."""
    call = {"id": "call-1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
    asked = body()
    asked["messages"] += [
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call-1", "content": [text("Here"), image(ICON)]},
    ]

    answer = post(grok_server, asked)

    assert answer.json()["usage"]["prompt_tokens_details"]["image_tokens"] == 512


SPELLINGS = [
    pytest.param({"type": "image_url", "image_url": {"url": ICON, "detail": "low"}}, id="guide"),
    pytest.param({"type": "image_url", "image_url": ICON, "detail": "low"}, id="assumed-mixed"),
]


@pytest.mark.parametrize("part", SPELLINGS)
def test_an_image_part_is_read_however_it_is_spelled(grok_server, part):
    post(grok_server, body(part))

    [seen] = grok_server.requests[0].images
    assert (seen.width, seen.detail, seen.tokens) == (128, "low", 256)


def test_a_hundred_images_are_all_seen(grok_server):
    """DOC: "Maximum number of images: No limit"."""
    answer = post(grok_server, body(*[image(ICON)] * 100))

    assert answer.json()["usage"]["prompt_tokens_details"]["image_tokens"] == 51_200
    assert answer.json()["choices"][0]["message"]["content"].startswith("The fake server saw 100")


def test_an_image_of_20_mib_is_seen(grok_server):
    answer = post(grok_server, body(image(data_url(png_of_bytes(20 * 1024**2)))))

    assert answer.status_code == 200
    assert grok_server.requests[0].images[0].size == 20_971_520


MISTAKES = [
    pytest.param(lambda server: server.reply(None), TypeError, "text is a text", id="no-text"),
    pytest.param(
        lambda server: server.fail(400, code=5), TypeError, "code is a text, not 5", id="no-code"
    ),
    pytest.param(
        lambda server: server.reply(tool_calls=["f"]), TypeError, "pairs of a name", id="no-pair"
    ),
    pytest.param(lambda server: server.fail(200), ValueError, "from 400 to 599", id="no-failure"),
    pytest.param(lambda server: server.fail("busy"), ValueError, "from 400 to 599", id="no-status"),
    pytest.param(
        lambda server: server.serve_image("example.com/a.png", b""),
        ValueError,
        "begins with http",
        id="no-address",
    ),
]


@pytest.mark.parametrize(("mistake", "kind", "words"), MISTAKES)
def test_a_mistake_in_a_script_is_told_where_it_is_made(grok_server, mistake, kind, words):
    with pytest.raises(kind, match=words):
        mistake(grok_server)


def test_an_image_may_be_given_as_a_file(grok_server, photo):
    grok_server.serve_image("https://example.com/a.jpg", photo)

    post(grok_server, body(image("https://example.com/a.jpg")))

    assert grok_server.requests[0].images[0].width == 1344


def test_a_server_that_does_not_run_has_no_address():
    with pytest.raises(RuntimeError, match="with FakeServer"):
        FakeServer().url  # noqa: B018
