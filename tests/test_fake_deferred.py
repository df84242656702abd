"""Completions that are fetched later: pending at first, then there, once."""

from fake_server import FakeServer
from tests.asking import BEARER, Part, body, image, post, send
from tests.pictures import data_url, picture

PHOTO = data_url(picture(449, 448))


def defer(server: FakeServer, *parts: Part) -> str:
    started = post(server, body(*parts, deferred=True))
    assert started.status_code == 200
    assert list(started.json()) == ["request_id"]
    number = started.json()["request_id"]
    assert isinstance(number, str)
    return number


def fetch(server: FakeServer, number: str):
    return send(server, "GET", f"/v1/chat/deferred-completion/{number}", headers=BEARER)


def test_it_is_pending_at_first_then_there_and_then_gone(grok_server):
    number = defer(grok_server)

    pending, there, gone = (fetch(grok_server, number) for _ in range(3))

    assert (pending.status_code, pending.content) == (202, b"")
    assert there.status_code == 200
    assert gone.status_code == 404


def test_what_is_fetched_is_the_answer_that_would_have_come_at_once(grok_server):
    grok_server.reply("A boat.")
    at_once = post(grok_server, body(image(PHOTO)))
    grok_server.reply("A boat.")
    number = defer(grok_server, image(PHOTO))
    fetch(grok_server, number)

    later = fetch(grok_server, number)

    assert later.json()["choices"] == at_once.json()["choices"]
    assert later.json()["usage"] == at_once.json()["usage"]


def test_what_is_wrong_with_it_is_said_at_once(grok_server):
    answer = post(grok_server, body(image(data_url(picture(1, 1))), deferred=True))

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_image")


def test_the_same_request_twice_is_fetched_twice(grok_server):
    first, second = defer(grok_server), defer(grok_server)

    assert first != second
    for number in (first, second):
        assert [fetch(grok_server, number).status_code for _ in range(2)] == [202, 200]


def test_the_log_has_the_question_of_a_deferred_request(grok_server):
    defer(grok_server, image(PHOTO))

    assert [seen.tokens for seen in grok_server.requests[0].images] == [768]
    assert grok_server.requests[0].status == 200


def test_deferred_answers_are_forgotten_between_tests(grok_server):
    number = defer(grok_server)

    grok_server.clear()

    assert fetch(grok_server, number).status_code == 404


def test_the_oldest_go_when_nobody_fetches_them(grok_server, monkeypatch):
    monkeypatch.setattr(grok_server.app.service.deferred.waiting, "most", 2)

    numbers = [defer(grok_server) for _ in range(3)]

    assert [fetch(grok_server, number).status_code for number in numbers] == [404, 202, 202]
