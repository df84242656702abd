"""xAI's refusals: each becomes its class, xAI's own words and one line of advice."""

import json
import socket

import click
import llm
import pytest

from llm_grok_vision.errors import (
    ApiError,
    GrokError,
    InvalidKey,
    NotFound,
    PermissionDenied,
    RateLimited,
    RequestRefused,
    ServerError,
)
from llm_grok_vision.refusals import api_error
from tests.prompting import BOTH, DONE, MODEL, ask, chunk, xai_answering
from tests.raw_server import http, stream

SET_A_KEY = (
    "Set a key with 'llm keys set xai', or in XAI_API_KEY; keys come from https://console.x.ai."
)
CREDITS = "Add credits or raise the limit on https://console.x.ai."
MAY_DO = "See on https://console.x.ai what this key may do."
LISTS = "'llm models -q xai' lists the models; XAI_API_BASE, if it is set, ends in /v1."
WAIT = "Wait a little before the next request, or send less at a time."
THEIRS = "The fault is on xAI's side; try again later."
FEWER = "Send fewer or smaller images; '-o past_images 0' leaves out those of earlier turns."
LEAVE_OUT = "Leave that option out for this model, or choose another model."
IMAGES = "Look at the images of this prompt, and of the conversation it continues."
PROMPT = "Look at the options and messages of this prompt."

# Status, xAI's code and words as recorded (see xai-wire.md, 4.2), and what becomes of them.
CLASSES = [
    ("400", "invalid-argument", "Incorrect API key provided: in***ey.", InvalidKey, SET_A_KEY),
    ("401", "unauthenticated:no-credentials", "No credentials presented.", InvalidKey, SET_A_KEY),
    (
        "403",
        "permission-denied",
        "Your newly created team doesn't have any credits or licenses yet.",
        PermissionDenied,
        CREDITS,
    ),
    ("429", "x", "Your team has reached its monthly spending limit.", PermissionDenied, CREDITS),
    ("403", "permission-denied", "Content violates guidelines.", PermissionDenied, MAY_DO),
    ("404", "not-found", "The model grok-9 does not exist.", NotFound, LISTS),
    ("400", "invalid-argument", "Model not found: grok-9", NotFound, LISTS),
    (
        "410",
        "gone",
        "Live search is deprecated.",
        RequestRefused,
        "Search with xAI's own tools instead: -T WebSearch, -T XSearch.",
    ),
    ("413", "", "Failed to read request body: length limit exceeded", RequestRefused, FEWER),
    ("500", "", "Auth context expired.", RequestRefused, FEWER),
    ("422", "", "Failed to deserialize the JSON body", RequestRefused, PROMPT),
    ("429", "resource-exhausted", "Too many requests for team 7.", RateLimited, WAIT),
    ("500", "internal", "Oh no.", ServerError, THEIRS),
    ("503", "The service is currently unavailable", "At capacity.", ServerError, THEIRS),
    ("529", "overloaded", "Overloaded.", ServerError, THEIRS),
    (
        "400",
        "invalid-argument",
        "Argument not supported on this model: stop",
        RequestRefused,
        LEAVE_OUT,
    ),
    (
        "400",
        "invalid-argument",
        "Invalid request content: Image inputs are not supported by this model.",
        RequestRefused,
        "Choose a model that reads images: 'llm models -q xai' lists them.",
    ),
    ("400", "invalid_image", "Invalid PNG image.", RequestRefused, IMAGES),
    (
        "400",
        "x",
        "This model's maximum prompt length is 9 but the request contains 10 tokens.",
        RequestRefused,
        PROMPT,
    ),
]


@BOTH
@pytest.mark.parametrize(
    ("status", "code", "words", "error_class", "advice"),
    CLASSES,
    ids=[f"{row[0]}-{row[2].lower().replace(' ', '-')[:30]}" for row in CLASSES],
)
@pytest.mark.usefixtures("no_waiting")
def test_a_refusal_keeps_its_words_and_gains_a_line(  # noqa: PLR0917 (a row of the table)
    kind: str, status: str, code: str, words: str, error_class: type[ApiError], advice: str
):
    body = json.dumps({"code": code, "error": words}).encode()
    answer = http(body, status=f"{status} Refused", headers="content-type: application/json")

    with xai_answering(answer, answer, answer), pytest.raises(error_class) as caught:
        ask(kind, "Hello")

    assert str(caught.value) == f"{words}\n{advice}"
    assert (caught.value.status, caught.value.code) == (int(status), code)
    assert caught.value.error == words


ELSEWHERE = "XAI_API_BASE, if it is set, has to be the address of xAI's API, or of one like it."

SHAPES = [
    pytest.param(b'{"code":"c","error":"Wrong."}', "c", "Wrong.", id="flat-as-xai"),
    pytest.param(
        b'{"error":{"message":"Wrong.","type":"t","code":null}}', "t", "Wrong.", id="nested-openai"
    ),
    pytest.param(
        b'{"error":{"message":"Wrong.","type":"t","code":"c"}}', "c", "Wrong.", id="nested-code"
    ),
    pytest.param(b'{"code":429,"error":"Wrong."}', "429", "Wrong.", id="a-code-that-is-a-number"),
    pytest.param(b'{"error":{"why":"x"}}', "", '{"why": "x"}', id="nested-in-another-way"),
    pytest.param(b'{"message":"Wrong."}', "", "Wrong.", id="a-message-as-of-gateways"),
    pytest.param(b'{"detail":"Wrong."}', "", "Wrong.", id="a-detail-as-of-fastapi"),
    pytest.param(b'"Wrong."', "", "Wrong.", id="a-bare-json-string"),
    pytest.param(b"Wrong.\n", "", "Wrong.", id="plain-text"),
    pytest.param(
        b"<html><head><title>413 Too  Large</title><style>p {}</style></head>\n<p>nginx</p></html>",
        "",
        "413 Too Large nginx",
        id="html-of-a-proxy",
    ),
    pytest.param(b"", "", "HTTP status 418 without an explanation.", id="nothing"),
    pytest.param(b"{}", "", "HTTP status 418 without an explanation.", id="empty-json"),
    pytest.param(b"[1]", "", "HTTP status 418 without an explanation.", id="a-list"),
    pytest.param(b"caf\xe9 closed", "", "caf\N{REPLACEMENT CHARACTER} closed", id="not-utf-8"),
    pytest.param(b"x" * 5000, "", "data:...", id="what-can-only-be-base64"),
    pytest.param(b"no " * 2000, "", "no " * 333 + "n...", id="a-very-long-text"),
    pytest.param(b"no " * 333 + b"n", "", "no " * 333 + "n", id="the-longest-text"),
    pytest.param(b"[" * 10_000, "", "[" * 1000 + "...", id="lists-too-deep-to-read"),
    pytest.param(
        b'{"error":"\\u001b[31mred\\u0007\\u0000\\u009b1m\\tdoor"}',
        "",
        "[31mred1m\tdoor",
        id="what-a-terminal-obeys",
    ),
]


BEGINNINGS = [
    pytest.param("<", "<" * 1000 + "...", id="tags"),
    pytest.param("<script>", "HTTP status 418 without an explanation.", id="scripts"),
]


# To read it again from each of its letters would take half a minute.
@pytest.mark.timeout(10)
@pytest.mark.parametrize(("beginning", "words"), BEGINNINGS)
def test_a_page_of_which_nothing_ends_is_read_once(beginning: str, words: str):
    assert api_error(418, beginning * (250_000 // len(beginning))).error == words


@BOTH
@pytest.mark.parametrize(("body", "code", "words"), SHAPES)
def test_the_words_are_found_in_any_shape(kind: str, body: bytes, code: str, words: str):
    with (
        xai_answering(http(body, status="418 Refused")),
        pytest.raises(RequestRefused) as caught,
    ):
        ask(kind, "Hello")

    assert (caught.value.code, caught.value.error) == (code, words)
    assert str(caught.value) == f"{words}\n{PROMPT}"


def test_every_error_is_one_for_llm_and_one_for_click():
    with xai_answering(http(b"no", status="400 Bad")), pytest.raises(GrokError) as caught:
        ask("sync", "Hello")

    assert isinstance(caught.value, llm.ModelError)
    assert isinstance(caught.value, click.ClickException)


@pytest.mark.parametrize(
    ("key", "said"),
    [("busy", "Too busy for busybodies."), ("busybodies", "Too busy for (your key).")],
    ids=["what-may-be-a-word", "what-may-be-a-key"],
)
def test_a_key_is_crossed_out_where_it_is_none_of_the_words(key: str, said: str):
    answer = http(b'{"error":"Too busy for busybodies."}', status="400 Bad")

    with xai_answering(answer), pytest.raises(ApiError) as caught:
        llm.get_model(MODEL).prompt("Hello", key=key).text()

    assert caught.value.error == said


@BOTH
def test_an_error_under_a_status_of_200_is_an_error(kind: str):
    body = b'{"code":"invalid_image","error":"Invalid PNG image."}'

    with xai_answering(http(body)), pytest.raises(RequestRefused, match="Invalid PNG") as caught:
        ask(kind, "Hello")

    assert caught.value.status == 200


@BOTH
@pytest.mark.parametrize("said", [[], [chunk(content="half")]], ids=["first", "in-the-middle"])
@pytest.mark.parametrize(
    "body",
    ['{"code":"c","error":"Overloaded."}', '{"error":{"message":"Overloaded."}}'],
    ids=["flat-as-xai", "nested-openai"],
)
def test_an_error_inside_a_stream_is_an_error(kind: str, said: list[str], body: str):
    answer = stream(*said, f"data: {body}\n\n", DONE)

    with xai_answering(answer) as server, pytest.raises(ApiError) as caught:
        ask(kind, "Hello")

    assert caught.value.error == "Overloaded."
    assert len(server.requests) == 1


@BOTH
def test_a_web_page_instead_of_an_answer_is_an_error(kind: str):
    page = http(b"<html><p>Please log in</p></html>", headers="content-type: text/html")

    with xai_answering(page), pytest.raises(ApiError) as caught:
        ask(kind, "Hello")

    assert str(caught.value) == f"Please log in\n{ELSEWHERE}"


@BOTH
@pytest.mark.parametrize("body", [b"[1]", b"null", b"{}", b""])
def test_something_else_instead_of_an_answer_is_an_error(kind: str, body: bytes):
    with xai_answering(http(body)), pytest.raises(ApiError) as caught:
        ask(kind, "Hello")

    assert str(caught.value) == (
        f"The service answered, but not with what a model says.\n{ELSEWHERE}"
    )


@BOTH
@pytest.mark.parametrize("status", ["400 Bad", "200 OK"])
def test_an_answer_without_end_is_read_no_further_than_one_can_be(kind: str, status: str):
    def endless(client: socket.socket) -> None:
        client.sendall(f"HTTP/1.1 {status}\r\ncontent-type: text/plain\r\n\r\n".encode())
        while True:
            client.sendall(b"no " * 100_000)

    with xai_answering(endless), pytest.raises(ApiError) as caught:
        ask(kind, "Hello")

    assert caught.value.error == "no " * 333 + "n..."


@BOTH
def test_a_redirect_is_not_followed(kind: str):
    moved = http(b"", status="301 Moved", headers="location: http://127.0.0.1:1/v1")

    with xai_answering(moved) as server, pytest.raises(NotFound) as caught:
        ask(kind, "Hello")

    assert str(caught.value) == (
        "HTTP status 301 without an explanation.\n"
        "XAI_API_BASE leads elsewhere; set it to the address it redirects to."
    )
    assert len(server.requests) == 1
