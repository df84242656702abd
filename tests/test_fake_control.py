"""A running server is driven below /_fake/, in any language."""

import base64
import hashlib
import json
from typing import Any

import httpx2
import pytest

from fake_server import FakeServer
from tests.asking import BEARER, body, image, post, send, text
from tests.pictures import data_url, picture

CAT = picture(64, 64)


def ask(server: FakeServer, method: str, path: str, **options: Any) -> httpx2.Response:
    return send(server, method, f"/_fake{path}", **options)


def said(server: FakeServer, *parts: Any, **fields: Any) -> str:
    message = post(server, body(*parts, **fields)).json()["choices"][0]["message"]
    return str(message["content"])


def test_a_scenario_takes_the_place_of_all_rules(grok_server):
    grok_server.reply("of the test")
    script = {
        "rules": [{"when": {"images": 1}, "reply": "One."}, {"reply": {"text": "None."}}],
        "images": {"https://cats.test/tom.png": data_url(CAT)},
    }

    assert ask(grok_server, "PUT", "/scenario", json=script).json() == {"rules": 2}
    assert said(grok_server) == "None."
    assert said(grok_server, image("https://cats.test/tom.png")) == "One."
    assert grok_server.requests[1].images[0].size == len(CAT)


def test_rules_are_added_and_forgotten(grok_server):
    first = ask(grok_server, "POST", "/rules", json={"reply": "one", "times": 1})
    second = ask(grok_server, "POST", "/rules", json={"name": "tide", "fail": {"status": 503}})

    assert (first.json(), second.json()) == ({"name": "rule 1"}, {"name": "tide"})
    assert said(grok_server) == "one"
    assert post(grok_server, body()).status_code == 503
    assert ask(grok_server, "DELETE", "/rules").status_code == 200
    assert "The fake server saw" in said(grok_server)


def test_a_fault_is_scripted_too(grok_server):
    ask(grok_server, "POST", "/rules", json={"fault": {"ending": "fin"}, "times": 1})

    with pytest.raises(httpx2.RemoteProtocolError):
        post(grok_server, body())


def test_the_journal_is_told_in_json_without_the_key(grok_server):
    grok_server.reply("A cat.", tool_calls=[("stroke", {})])
    post(grok_server, body(text("What?"), image(data_url(CAT), detail="low"), stream=True))

    told = ask(grok_server, "GET", "/requests").json()

    (request,) = told["requests"]
    assert told["total"] == 1
    assert request["messages"][0]["parts"][0] == {"type": "text", "text": "What?"}
    shown = request["messages"][0]["parts"][1]
    assert (shown["type"], shown["image"]["detail"]) == ("image", "low")
    assert request["images"][0]["sha256"] == hashlib.sha256(CAT).hexdigest()
    assert request["answer"]["tool_calls"] == [["stroke", "{}"]]
    assert request["fault"] == ""
    assert (request["number"], request["status"], request["stream"]) == (1, 200, True)
    assert "xai-test-key" not in json.dumps(told)


def test_the_journal_tells_what_came_after_a_request(grok_server):
    for number in range(3):
        post(grok_server, body(text(f"question {number}")))

    told = ask(grok_server, "GET", "/requests?after=1").json()
    one = ask(grok_server, "GET", "/requests/3").json()

    assert [request["number"] for request in told["requests"]] == [2, 3]
    assert one["messages"][0]["parts"] == [{"type": "text", "text": "question 2"}]


def test_what_is_asked_of_the_fake_itself_is_not_in_the_journal(grok_server):
    ask(grok_server, "GET", "/requests")
    ask(grok_server, "GET", "/nothing")

    assert grok_server.requests == []


def test_an_image_is_given_by_its_hash(grok_server):
    post(grok_server, body(image(data_url(CAT))))

    got = ask(grok_server, "GET", f"/images/{hashlib.sha256(CAT).hexdigest()}")

    assert (got.content, got.headers["content-type"]) == (CAT, "image/png")


def test_requests_are_asserted_by_count_and_kind(grok_server):
    post(grok_server, body(image(data_url(CAT), detail="high")))
    wanted = {"when": {"images": 1, "detail": "high"}, "times": 1}

    good = ask(grok_server, "POST", "/assert", json=wanted)
    bad = ask(grok_server, "POST", "/assert", json={"when": {"images": 2}})

    assert good.json() == {"requests": [1]}
    assert bad.status_code == 409
    assert bad.json()["error"].endswith(
        "Nearest came request 1, POST /v1/chat/completions: images is 1, not 2."
    )


def test_a_reset_forgets_everything(grok_server):
    ask(grok_server, "POST", "/rules", json={"reply": "one"})
    post(grok_server, body())

    assert ask(grok_server, "POST", "/reset").status_code == 200
    assert grok_server.requests == []
    assert "The fake server saw" in said(grok_server)


def test_a_reset_forgets_the_seed_of_a_scenario():
    rule = {"reply": "heads", "probability": 0.5}

    def thrown(server: FakeServer) -> list[bool]:
        ask(server, "POST", "/rules", json=rule)
        return [said(server) == "heads" for _ in range(20)]

    with FakeServer(seed=1) as server:
        expected = thrown(server)
        ask(server, "PUT", "/scenario", json={"seed": 2})
        assert thrown(server) != expected

        ask(server, "POST", "/reset")

        assert thrown(server) == expected


def test_requests_alone_are_forgotten(grok_server):
    ask(grok_server, "POST", "/rules", json={"reply": "one"})
    post(grok_server, body())

    ask(grok_server, "DELETE", "/requests")

    assert grok_server.requests == []
    assert said(grok_server) == "one"


def test_the_clock_is_moved_on():
    with FakeServer(requests_per_minute=1) as server:
        first, second = (post(server, body()) for _ in range(2))
        told = ask(server, "POST", "/clock", json={"advance": 60})
        third = post(server, body())

    assert [first.status_code, second.status_code, third.status_code] == [200, 429, 200]
    assert told.json()["now"] == third.json()["created"] == first.json()["created"] + 60


def test_the_fake_says_that_it_is_there(grok_server):
    assert ask(grok_server, "GET", "/health").json() == {"status": "ok"}


def test_the_page_is_found_without_its_last_stroke(grok_server):
    answer = ask(grok_server, "GET", "")

    assert (answer.status_code, answer.headers["location"]) == (308, "/_fake/")


WRONG: list[Any] = [
    pytest.param("GET", "/nothing", {}, 404, "The fake server has nothing at /_fake/nothing"),
    pytest.param("GET", "/requests/9", {}, 404, "Request 9 is not in the journal"),
    pytest.param("GET", "/9", {}, 404, "Request 9 is not in the journal"),
    pytest.param("GET", f"/images/{'0' * 64}", {}, 404, "This image is not kept"),
    pytest.param("PATCH", "/requests", {}, 405, "/_fake/requests takes DELETE, GET, not PATCH."),
    pytest.param("PUT", "/scenario", {"content": b"{"}, 400, "Input data was truncated"),
    pytest.param(
        "PUT", "/scenario", {"content": b'{"rules":[{"reply":"\xff"}]}'}, 400, "this is no UTF-8"
    ),
    pytest.param(
        "POST", "/rules", {"json": {"repyl": 1}}, 400, "Object contains unknown field `repyl`"
    ),
    pytest.param("POST", "/rules", {"json": {"times": 0}}, 400, "times is a number from 1, not 0"),
    pytest.param(
        "POST", "/clock", {"json": {"advance": -1}}, 400, "time is moved on by seconds from 0"
    ),
    pytest.param(
        "POST",
        "/rules",
        {"content": b'{"reply":{"tool_calls":[{"name":"f","arguments":{"a":' + b"[" * 100_000},
        400,
        "this is nested too deeply",
    ),
    pytest.param("GET", "/requests?after=x", {}, 400, "invalid literal for int()"),
    pytest.param(
        "POST",
        "/rules",
        {"json": {"reply": {"text": "x", "usage": {"text_tokens": 10**30}}}},
        400,
        "completion_tokens, reasoning_tokens from 0 to 100000000, unlike 'text_tokens'",
    ),
    pytest.param(
        "POST",
        "/rules",
        {"json": {"fault": {"content_type": "text/plain\0"}}},
        400,
        "content_type is printable ASCII without spaces around it, unlike 'text/plain\\x00'",
    ),
    pytest.param(
        "POST", "/rules", {"json": {"fault": {"content_type": "täxt"}}}, 400, "printable ASCII"
    ),
    pytest.param(
        "POST",
        "/rules",
        {"json": {"fault": {"content_type": "text/plain "}}},
        400,
        "content_type is printable ASCII without spaces around it, unlike 'text/plain '",
    ),
    pytest.param(
        "GET",
        "/requests",
        {"headers": {"origin": "http://[::1"}},
        403,
        "A page of http://[::1 can't ask the fake itself.",
    ),
    pytest.param(
        "GET", "/requests", {"headers": {"host": "[::1"}}, 403, "The fake itself is not called [::1"
    ),
    pytest.param(
        "PUT",
        "/scenario",
        {"json": {"images": {"https://a.test/b.png": "/etc/passwd"}}},
        400,
        "the picture of https://a.test/b.png has to be a data URL with base64",
    ),
    pytest.param(
        "PUT",
        "/scenario",
        {"json": {"images": {"https://a.test/b.png": "image/png;base64,aGk="}}},
        400,
        "the picture of https://a.test/b.png has to be a data URL with base64",
    ),
    pytest.param(
        "PUT",
        "/scenario",
        {"json": {"images": {"https://a.test/b.png": "data:image/png;base64,!"}}},
        400,
        "the picture of https://a.test/b.png is no base64",
    ),
]


@pytest.mark.parametrize(("method", "path", "options", "status", "told"), WRONG)
def test_what_is_wrong_is_said_in_a_sentence(method, path, options, status, told):
    with FakeServer() as server:
        answer = ask(server, method, path, **options)

    assert answer.status_code == status
    assert told in answer.json()["error"]


def test_no_path_of_this_machine_is_read_for_a_client(grok_server, tmp_path):
    secret = tmp_path / "secret.png"
    secret.write_bytes(CAT)
    encoded = base64.b64encode(str(secret).encode()).decode()

    answer = ask(
        grok_server,
        "PUT",
        "/scenario",
        json={"images": {"https://a.test/b.png": f"data:image/png;base64,{encoded}"}},
    )

    assert answer.status_code == 200
    refused = post(grok_server, body(image("https://a.test/b.png")))
    assert refused.status_code == 400


def test_every_answer_forbids_what_could_run(grok_server):
    for path in ("/", "/requests", "/nothing", "/page.css"):
        headers = ask(grok_server, "GET", path).headers

        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("content", [b"", b"\xff{", b"[" * 3000 + b"]" * 3000], ids=len)
def test_a_request_that_is_no_question_has_a_page(grok_server, content):
    headers = {**BEARER, "content-type": "application/json"}
    refused = send(grok_server, "POST", "/v1/chat/completions", content=content, headers=headers)

    assert refused.status_code in (400, 422)
    assert ask(grok_server, "GET", "/1").status_code == 200
    assert ask(grok_server, "GET", "/requests/1").status_code == 200


def test_a_model_api_below_another_name_is_not_the_control(grok_server):
    answer = send(grok_server, "GET", "/_faked", headers=BEARER)

    assert answer.status_code == 404
    assert len(grok_server.requests) == 1


def test_what_is_too_large_for_the_fake_itself_is_told_as_json():
    with FakeServer(max_body=10) as server:
        answer = send(server, "POST", "/_fake/replies", content=b"x" * 11)

    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {
        "code": "too-large",
        "error": "The request is larger than --max-body.",
    }
