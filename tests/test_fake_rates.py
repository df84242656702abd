"""Rate limits count by the minute and by the model, and headers tell what was left."""

from typing import Any, cast

import pytest

from fake_server import FakeServer
from tests.asking import BEARER, body, post, prompt, send, text
from tests.pictures import data_url, picture


def told(answer):
    return [
        int(answer.headers[f"x-ratelimit-{name}"])
        for name in (
            "limit-requests",
            "remaining-requests",
            "limit-tokens",
            "remaining-tokens",
        )
    ]


def test_without_limits_the_headers_stay_as_recorded(grok_server):
    answers = [told(post(grok_server, body())) for _ in range(2)]

    assert answers == [[1800, 1800, 10_000_000, 10_000_000]] * 2


def test_requests_count_down_and_are_refused_when_none_is_left():
    with FakeServer(requests_per_minute=2) as server:
        answers = [post(server, body()) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    # OBSERVED: what is told is what was left before the request itself.
    assert [told(answer)[:2] for answer in answers[:2]] == [[2, 2], [2, 1]]
    assert "Requests per Minute (actual/limit): 3/2." in answers[2].json()["error"]


def test_tokens_count_down_by_what_was_used():
    with FakeServer(tokens_per_minute=10) as server:
        first, second = (post(server, body(text("one two three"))) for _ in range(2))
        third = post(server, body())

    assert told(first)[2:] == [10, 10]
    assert told(second)[2:] == [10, 10 - first.json()["usage"]["total_tokens"]]
    assert third.status_code == 429
    assert "Tokens per Minute (actual/limit): 18/10." in third.json()["error"]


def test_each_model_has_limits_of_its_own():
    with FakeServer(requests_per_minute=1) as server:
        models = ["grok-4", "grok-4.3", "grok-4"]
        statuses = [post(server, body(model=model)).status_code for model in models]

    assert statuses == [200, 200, 429]


def test_a_minute_later_a_limit_begins_anew():
    with FakeServer(requests_per_minute=1) as server:
        statuses = [post(server, body()).status_code for _ in range(2)]
        server.advance(59)
        statuses.append(post(server, body()).status_code)
        server.advance(1)
        statuses.append(post(server, body()).status_code)

    assert statuses == [200, 429, 429, 200]


def test_what_is_refused_for_something_else_does_not_count():
    with FakeServer(requests_per_minute=1) as server:
        wrong = post(server, body(temperature=3))
        right = post(server, body())

    assert (wrong.status_code, right.status_code) == (400, 200)


def test_every_path_counts():
    with FakeServer(requests_per_minute=1) as server:
        post(server, body(model="grok-4.3"))
        answer = send(server, "POST", "/v1/responses", json=prompt(), headers=BEARER)

    assert answer.status_code == 429


def test_clearing_begins_anew():
    with FakeServer(requests_per_minute=1) as server:
        post(server, body())
        server.clear()

        assert post(server, body()).status_code == 200


@pytest.mark.parametrize("limit", ["requests_per_minute", "tokens_per_minute"])
def test_a_limit_that_is_no_number_is_an_error_at_once(limit):
    with pytest.raises(ValueError, match=f"{limit} is a number from 0, not -1"):
        FakeServer(**cast("dict[str, Any]", {limit: -1}))


@pytest.mark.parametrize("seconds", [-1, float("nan"), float("inf"), 1e300, 10 * 366 * 86400])
def test_the_clock_only_goes_on_and_for_ten_years(grok_server, seconds):
    with pytest.raises(ValueError, match="time is moved on by seconds from 0 to ten years, not"):
        grok_server.advance(seconds)


def test_ten_years_are_all_that_the_clock_goes_on(grok_server):
    grok_server.advance(9 * 365 * 86400)

    with pytest.raises(ValueError, match="time is moved on by seconds from 0 to ten years, not"):
        grok_server.advance(2 * 365 * 86400)


def test_clearing_brings_the_clock_back(grok_server):
    before = post(grok_server, body()).json()["created"]
    grok_server.advance(60)
    grok_server.clear()

    assert post(grok_server, body()).json()["created"] == before


def test_answers_tell_the_time_that_a_test_moved_on_to():
    with FakeServer() as server:
        before = post(server, body()).json()["created"]
        server.advance(3600)
        after = post(server, body()).json()["created"]

    assert after - before == 3600


def test_images_count_as_tokens():
    wanted = {"type": "image_url", "image_url": {"url": data_url(picture(449, 448))}}
    with FakeServer(tokens_per_minute=500) as server:
        statuses = [post(server, body(wanted)).status_code for _ in range(2)]

    assert statuses == [200, 429]


@pytest.mark.grok_server(requests_per_minute=1, tokens_per_minute=1000)
def test_a_request_that_is_refused_counts_for_no_limit(grok_server):
    post(grok_server, body())

    first, second = (post(grok_server, body()).json()["error"] for _ in range(2))

    assert "(actual/limit): 2/1" in first
    assert second == first


@pytest.mark.grok_server(requests_per_minute=2, tokens_per_minute=1)
def test_a_request_that_is_too_many_tokens_counts_for_no_limit_of_requests(grok_server):
    post(grok_server, body())

    errors = [post(grok_server, body()).json()["error"] for _ in range(3)]

    assert "/1" in errors[0].partition("(actual/limit): ")[2]
    assert errors == errors[:1] * 3
