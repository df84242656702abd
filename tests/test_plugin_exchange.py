"""One request and its JSON answer: the same retries, errors and secrets as a prompt's."""

import json
import socket
from typing import Any

import pytest

from llm_grok_vision.connection import Call
from llm_grok_vision.errors import (
    ApiError,
    ConnectionFailed,
    GrokError,
    InvalidKey,
    NotFound,
    RateLimited,
    ServerError,
    StreamInterrupted,
)
from llm_grok_vision.retries import ATTEMPTS
from llm_grok_vision.transport import exchange
from tests.prompting import KEY, body_of
from tests.raw_server import Answer, RawServer, http

JSON = "content-type: application/json"


def answered(body: bytes, status: str = "200 OK", headers: str = JSON) -> Answer:
    return http(body, status=status, headers=headers)


def call(server: RawServer, body: bytes = b"", method: str = "GET") -> Call:
    return Call(f"{server.url}/things", KEY, body, method)


VALUES = [
    pytest.param(b'{"models": []}', {"models": []}, id="an-object"),
    pytest.param(b"[1, 2]", [1, 2], id="a-list"),
    pytest.param(b"null", None, id="observed-2026-08-10-null"),
    pytest.param(b"", None, id="no-body"),
    pytest.param('{"id": "Grüße"}'.encode(), {"id": "Grüße"}, id="umlauts"),
    pytest.param(b'{"id": "x", "error": null}', {"id": "x", "error": None}, id="no-error"),
]


@pytest.mark.parametrize(("body", "value"), VALUES)
@pytest.mark.parametrize("status", ["200 OK", "201 Created", "202 Accepted"])
def test_the_answer_is_given_decoded(body: bytes, value: Any, status: str):
    with RawServer(answered(body, status)) as server:
        assert exchange(call(server)) == value


def test_a_get_has_the_key_and_no_body():
    with RawServer(answered(b"{}")) as server:
        exchange(call(server))

    head = server.requests[0].decode().lower()
    assert head.startswith("get /v1/things http/1.1\r\n")
    assert f"authorization: bearer {KEY}\r\n" in head
    assert "content-type" not in head
    assert "content-length" not in head


def test_a_post_has_its_body():
    with RawServer(answered(b"{}")) as server:
        exchange(call(server, json.dumps({"name": "x"}).encode(), "POST"))

    assert server.requests[0].startswith(b"POST /v1/things HTTP/1.1\r\n")
    assert b"content-type: application/json\r\n" in server.requests[0].lower()
    assert body_of(server.requests[0]) == {"name": "x"}


FLAT = b'{"code": "c", "error": "Words."}'
ERRORS = [
    pytest.param("401 Unauthorized", FLAT, InvalidKey, id="key"),
    pytest.param("404 Not Found", FLAT, NotFound, id="path"),
    pytest.param("405 Method Not Allowed", b"", ApiError, id="no-words"),
    pytest.param("301 Moved", b"Words.", NotFound, id="redirect"),
    pytest.param("200 OK", FLAT, ApiError, id="an-error-that-says-200"),
    pytest.param("200 OK", b'"Words."', ApiError, id="a-bare-text"),
]


@pytest.mark.parametrize(("status", "body", "kind"), ERRORS)
def test_a_refusal_is_raised_at_once(status: str, body: bytes, kind: type[ApiError]):
    with RawServer(answered(body, status)) as server, pytest.raises(kind) as caught:
        exchange(call(server))

    assert caught.value.status == int(status[:3])
    assert caught.value.error == ("Words." if body else "HTTP status 405 without an explanation.")
    assert len(server.requests) == 1


NOT_JSON = [
    pytest.param(b"<html>Welcome</html>", id="html"),
    pytest.param(b'{"models": [', id="cut-short"),
    pytest.param(b"[" * 100_000, id="nested-too-deeply"),
    pytest.param(b"\xff\xfe", id="no-text"),
]


@pytest.mark.parametrize("body", NOT_JSON)
def test_an_answer_that_is_no_json_is_one_sentence_and_advice(body: bytes):
    with RawServer(answered(body)) as server, pytest.raises(ApiError) as caught:
        exchange(call(server))

    assert str(caught.value) == (
        "The service answered, but not with JSON.\n"
        "XAI_API_BASE, if it is set, has to be the address of xAI's API, or of one like it."
    )


AGAIN = [
    pytest.param(answered(FLAT, "429 Too Many Requests"), RateLimited, id="429"),
    pytest.param(answered(FLAT, "503 Unavailable"), ServerError, id="503"),
    pytest.param(
        answered(b'{"code": "The service is currently unavailable", "error": "Words."}'),
        ServerError,
        id="observed-unavailable-that-says-200",
    ),
    pytest.param([b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{"], StreamInterrupted, id="cut"),
    pytest.param([b""], StreamInterrupted, id="hung-up"),
]


@pytest.mark.usefixtures("no_waiting")
@pytest.mark.parametrize(("answer", "kind"), AGAIN)
def test_what_may_pass_is_tried_again(answer: Answer, kind: type[GrokError]):
    with RawServer(answer, answered(b'{"models": []}')) as server:
        assert exchange(call(server)) == {"models": []}

    assert len(server.requests) == 2


@pytest.mark.usefixtures("no_waiting")
@pytest.mark.parametrize(("answer", "kind"), AGAIN)
def test_what_does_not_pass_is_raised_in_the_end(answer: Answer, kind: type[GrokError]):
    with RawServer(*[answer] * ATTEMPTS) as server, pytest.raises(kind):
        exchange(call(server))

    assert len(server.requests) == ATTEMPTS


@pytest.mark.usefixtures("no_waiting")
def test_where_nobody_listens_is_said(nobody: str):
    with pytest.raises(ConnectionFailed, match=f"^Could not connect to {nobody}: "):
        exchange(Call(f"{nobody}/v1/things", KEY, method="GET"))


def test_the_key_never_shows_even_if_the_service_echoes_it():
    echo = json.dumps({"code": KEY, "error": f"Wrong key {KEY}."}).encode()

    with RawServer(answered(echo, "400 Bad Request")) as server:
        asked = call(server)
        with pytest.raises(ApiError) as caught:
            exchange(asked)

    assert caught.value.error == "Wrong key (your key)."
    assert KEY not in f"{caught.value!r} {vars(caught.value)} {asked!r}"


def test_a_refusal_without_end_is_read_no_further_than_one_can_be():
    def endless(client: socket.socket) -> None:
        client.sendall(b"HTTP/1.1 404 Gone\r\ncontent-type: text/plain\r\n\r\n")
        while True:
            client.sendall(b"no " * 100_000)

    with RawServer(endless) as server, pytest.raises(NotFound) as caught:
        exchange(call(server))

    assert caught.value.error == "no " * 333 + "n..."
