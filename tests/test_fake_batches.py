"""The life of a batch over HTTP: made, filled, answered, cancelled, expired, forgotten."""

import re

import httpx2
import pytest

from fake_server import FakeServer
from tests.asking import body, image, post
from tests.batching import (
    add,
    ask,
    call,
    cancel,
    counts,
    create,
    get,
    results,
    states,
)
from tests.pictures import data_url, picture

ICON = image(data_url(picture(128, 128)))
TINY = image(data_url(picture(1, 1)))


def look(name: str, *parts, **fields):
    """Write a request of a batch about images."""
    return {
        "batch_request_id": name,
        "batch_request": {"chat_get_completion": body(*parts, **fields)},
    }


def test_requests_are_answered_before_the_client_asks(grok_server):
    batch = create(grok_server, look("cat", ICON), look("none"))

    assert counts(grok_server, batch) == {"requests": 2, "success": 2}
    answers = results(grok_server, batch)
    assert list(answers) == ["cat", "none"]
    assert answers["cat"].startswith("The fake server saw 1 image. Image 1: PNG, 128x128 pixels")
    assert answers["none"] == "The fake server saw no image."


def test_a_batch_takes_more_requests_when_all_are_done(grok_server):
    batch = create(grok_server, ask("first"))
    add(grok_server, batch, ask("second"))

    assert states(grok_server, batch) == {"first": "succeeded", "second": "succeeded"}


def test_the_answer_is_that_of_a_chat_completion(grok_server):
    batch = create(grok_server, look("cat", ICON, model="grok-4.3"))

    [row] = call(grok_server, "GET", f"/{batch}/results").json()["results"]
    in_batch = row["batch_result"]["response"]["chat_get_completion"]
    asked = post(grok_server, body(ICON, model="grok-4.3")).json()
    same = ("object", "created", "model", "choices", "system_fingerprint", "service_tier")
    assert {key: in_batch[key] for key in same} == {key: asked[key] for key in same}


PRICES = [
    # (2 + 512) prompt tokens and 18 of the answer, in ticks: 80 % of what they cost.
    pytest.param("grok-4.3", 8 * (514 * 12500 + 18 * 25000) // 10, id="grok-4.3"),
    pytest.param("grok-4", 8 * (514 * 30000 + 18 * 150000) // 10, id="grok-4"),
    # 0.2 and 0.5 US dollars a million: the smallest prices that read images.
    pytest.param("grok-4-fast", 8 * (514 * 2000 + 18 * 5000) // 10, id="grok-4-fast"),
]


@pytest.mark.parametrize(("model", "ticks"), PRICES)
def test_a_request_in_a_batch_costs_80_percent(grok_server, model, ticks):
    """OBSERVED 2026-08-10 of grok-4.3."""
    hello = {"type": "text", "text": "Hello there"}
    grok_server.reply("word " * 18)
    batch = create(grok_server, look("cat", hello, ICON, model=model))

    [row] = call(grok_server, "GET", f"/{batch}/results").json()["results"]
    usage = row["batch_result"]["response"]["chat_get_completion"]["usage"]
    counted = (usage["prompt_tokens"], usage["completion_tokens"])
    assert (*counted, usage["cost_in_usd_ticks"]) == (514, 18, ticks)


def test_an_answer_beside_a_batch_costs_its_full_price(grok_server):
    create(grok_server, ask())
    grok_server.reply("word")

    usage = post(grok_server, body(model="grok-4.3")).json()["usage"]

    assert usage["cost_in_usd_ticks"] == 12500 + 25000


def test_a_request_that_the_service_refuses_fails_alone(grok_server):
    batch = create(grok_server, look("tiny", TINY), look("cat", ICON), look("new", model="grok-9"))

    assert counts(grok_server, batch) == {"requests": 3, "success": 1, "error": 2}
    assert states(grok_server, batch) == {"tiny": "failed", "cat": "succeeded", "new": "failed"}
    said = results(grok_server, batch)
    assert said["tiny"].startswith("Image dimensions 1x1 are too small.")
    assert said["new"].startswith("The model grok-9 does not exist")


def test_scripted_answers_are_used_in_the_order_of_the_requests(grok_server):
    grok_server.reply("A lighthouse.")
    grok_server.fail(503)
    grok_server.reply("A boat.")

    batch = create(grok_server, ask("1"), ask("2"), ask("3"), ask("4"))

    assert results(grok_server, batch) == {
        "1": "A lighthouse.",
        "2": "Service temporarily unavailable. The model is at capacity and currently cannot"
        " serve this request. Please try again later.",
        "3": "A boat.",
        "4": "The fake server saw no image.",
    }


def test_ids_are_made_where_none_are_given(grok_server):
    """DOC batch.proto: "User-provided or generated". OBSERVED 2026-08-28: what they look like."""
    nameless = {"batch_request": {"chat_get_completion": body()}}
    batch = create(grok_server, nameless, {**nameless, "batch_request_id": None})
    add(grok_server, batch, nameless)

    made = list(results(grok_server, batch))
    assert len(made) == 3
    assert all(
        re.fullmatch(r"batch_request_[0-9a-f]{8}(-[0-9a-f]{4}){3}-.{12}", one) for one in made
    )


def test_ids_that_are_made_later_are_others(grok_server):
    nameless = {"batch_request": ask("x")["batch_request"]}
    batch = create(grok_server, nameless)
    for more in ([nameless], [nameless, nameless]):
        add(grok_server, batch, *more)

    assert len(states(grok_server, batch)) == 4


def test_the_same_request_is_taken_once_however_often_it_is_added(grok_server):
    """DOC BATCH GUIDE, in the words of the BATCH NOTE."""
    batch = create(grok_server, ask("1"), ask("1"))

    assert add(grok_server, batch, ask("1"), ask("2")).text == "null"
    assert counts(grok_server, batch) == {"requests": 2, "success": 2}


def test_results_come_in_the_order_of_their_ids(grok_server):
    """OBSERVED 2026-08-28 in the BATCH NOTE."""
    batch = create(grok_server, ask("b"), ask("a"), ask("c"))

    assert list(states(grok_server, batch)) == ["b", "a", "c"]
    assert list(results(grok_server, batch)) == ["a", "b", "c"]


def test_a_negative_number_of_tokens_is_a_mistake_of_its_request_only(grok_server):
    """OBSERVED 2026-08-29 in the BATCH NOTE."""
    batch = create(grok_server, ask("1", max_tokens=-5), ask("2"))

    assert counts(grok_server, batch) == {"requests": 2, "success": 1, "error": 1}
    said = "Maximum number of tokens max_tokens must be positive but max_tokens = -5"
    assert results(grok_server, batch)["1"] == said


def test_held_requests_are_pending(grok_server):
    grok_server.hold_batches()
    batch = create(grok_server, look("cat", ICON), ask("boat"))

    assert counts(grok_server, batch) == {"requests": 2, "pending": 2}
    assert states(grok_server, batch) == {"cat": "pending", "boat": "pending"}
    assert results(grok_server, batch) == {}


def test_held_requests_are_let_through_one_by_one(grok_server):
    grok_server.hold_batches()
    first = create(grok_server, ask("1"), ask("2"))
    second = create(grok_server, ask("3"))

    grok_server.finish_batches(1)
    seen = [list(results(grok_server, first)), list(results(grok_server, second))]
    grok_server.finish_batches(2)
    seen += [list(results(grok_server, first)), list(results(grok_server, second))]

    assert seen == [["1"], [], ["1", "2"], ["3"]]


@pytest.mark.parametrize("view", ["", "/{batch}", "/{batch}/requests", "/{batch}/results"])
def test_wherever_anybody_looks_what_was_let_through_is_answered(grok_server, view):
    grok_server.hold_batches()
    batch = create(grok_server, ask("1"))
    grok_server.finish_batches()

    call(grok_server, "GET", view.format(batch=batch))

    assert [log.status for log in grok_server.requests if log.batch_request_id == "1"] == [200]


def test_steps_that_are_taken_before_anybody_looks_add_up(grok_server):
    grok_server.hold_batches()
    batch = create(grok_server, ask("1"), ask("2"), ask("3"))

    grok_server.finish_batches(1)
    grok_server.finish_batches(1)

    assert list(results(grok_server, batch)) == ["1", "2"]


def test_what_is_added_after_a_step_is_held_too(grok_server):
    grok_server.hold_batches()
    batch = create(grok_server, ask("1"))
    grok_server.finish_batches(1)

    add(grok_server, batch, ask("2"))

    assert states(grok_server, batch) == {"1": "succeeded", "2": "pending"}


def test_finishing_all_holds_nothing_back_any_more(grok_server):
    grok_server.hold_batches()
    batch = create(grok_server, ask("1"), ask("2"))

    grok_server.finish_batches()
    add(grok_server, batch, ask("3"))

    assert counts(grok_server, batch) == {"requests": 3, "success": 3}


def test_no_step_is_a_mistake(grok_server):
    with pytest.raises(ValueError, match="from 1, not 0"):
        grok_server.finish_batches(0)


def test_scripts_wait_for_the_requests_that_are_held(grok_server):
    grok_server.hold_batches()
    batch = create(grok_server, ask("1"))
    grok_server.reply("A boat.")
    grok_server.finish_batches()

    assert results(grok_server, batch) == {"1": "A boat."}


def test_cancelling_spares_what_is_done(grok_server):
    grok_server.hold_batches()
    batch = create(grok_server, ask("1"), ask("2"), ask("3"))
    grok_server.finish_batches(1)
    get(grok_server, batch)

    cancelled = cancel(grok_server, batch)
    grok_server.finish_batches()

    assert cancelled["cancel_time"] == "2026-01-01"
    assert counts(grok_server, batch) == {"requests": 3, "success": 1, "cancelled": 2}
    assert states(grok_server, batch) == {"1": "succeeded", "2": "cancelled", "3": "cancelled"}


def test_what_is_cancelled_has_an_error_for_a_result(grok_server):
    """OBSERVED 2026-08-28 in the BATCH NOTE."""
    grok_server.hold_batches()
    batch = create(grok_server, ask("1"), ask("2"))
    grok_server.finish_batches(1)
    get(grok_server, batch)
    cancel(grok_server, batch)

    assert results(grok_server, batch) == {
        "1": "The fake server saw no image.",
        "2": "Batch cancelled",
    }


def test_a_batch_that_is_cancelled_twice_was_cancelled_the_first_time(monkeypatch):
    with FakeServer(clock="real") as server:
        batch = create(server, ask())
        cancelled = cancel(server, batch)
        monkeypatch.setattr("time.time", lambda: 4102358400.5)

        assert cancel(server, batch) == cancelled


def test_cancelling_one_batch_leaves_the_others(grok_server):
    grok_server.hold_batches()
    gone, kept = create(grok_server, ask("1")), create(grok_server, ask("2"))
    cancel(grok_server, gone)
    grok_server.finish_batches(1)

    assert list(results(grok_server, kept)) == ["2"]


def test_a_batch_that_expires_cancels_what_is_pending(grok_server):
    """DOC BATCH GUIDE, in the words of the BATCH NOTE."""
    grok_server.hold_batches()
    batch = create(grok_server, ask("1"), ask("2"))
    grok_server.finish_batches(1)
    get(grok_server, batch)

    grok_server.expire_batches()
    grok_server.finish_batches()

    assert get(grok_server, batch)["expire_time"] == "2026-01-01"
    assert counts(grok_server, batch) == {"requests": 2, "cancelled": 1, "success": 1}
    assert list(results(grok_server, batch)) == ["1"]
    ran = [request.batch_request_id for request in grok_server.requests]
    assert [name for name in ran if name] == ["1"]


def test_no_step_is_spent_on_a_batch_that_has_expired(grok_server):
    grok_server.hold_batches()
    create(grok_server, ask("1"))
    grok_server.expire_batches()
    batch = create(grok_server, ask("2"))

    grok_server.finish_batches(1)

    assert list(results(grok_server, batch)) == ["2"]


def test_a_batch_of_the_fixed_clock_has_not_expired_today(grok_server):
    assert get(grok_server, create(grok_server))["expire_time"] == "2099-12-31"


def test_a_batch_of_the_real_clock_expires_in_30_days(monkeypatch):
    """OBSERVED 2026-08-10, the day and the days."""
    monkeypatch.setattr("time.time", lambda: 1786370400.5)
    with FakeServer(clock="real") as server:
        batch = get(server, create(server))

    assert (batch["create_time"], batch["expire_time"]) == ("2026-08-10", "2026-09-09")


def test_each_request_of_a_batch_is_logged_once(grok_server):
    grok_server.hold_batches()
    batch = create(grok_server, look("cat", ICON, temperature=0.5), look("tiny", TINY))
    for _ in range(3):
        grok_server.finish_batches()
        results(grok_server, batch)

    ran = [request for request in grok_server.requests if request.batch_request_id]
    assert [(run.batch_request_id, run.status) for run in ran] == [("cat", 200), ("tiny", 400)]
    cat, tiny = ran
    assert (cat.method, cat.path, cat.key) == ("POST", "/v1/chat/completions", "xai-test-key")
    assert (cat.model, cat.parameters) == ("grok-4", {"temperature": 0.5})
    assert [(seen.width, seen.tokens) for seen in cat.images] == [(128, 512)]
    assert cat.usage["cost_in_usd_ticks"] < cat.usage["prompt_tokens"] * 30000
    assert tiny.error.startswith("Image dimensions 1x1")


def test_the_http_requests_of_a_batch_are_logged_as_others(grok_server):
    batch = create(grok_server, ask())
    call(grok_server, "GET", f"/{batch}/results?limit=7&pagination_token=after_1")

    sent = [request for request in grok_server.requests if not request.batch_request_id]
    assert [(request.method, request.path, request.query, request.status) for request in sent] == [
        ("POST", "/v1/batches", "", 200),
        ("POST", f"/v1/batches/{batch}/requests", "", 200),
        ("GET", f"/v1/batches/{batch}/results", "limit=7&pagination_token=after_1", 200),
    ]
    assert not any(request.messages for request in sent)


def test_clearing_forgets_batches_and_holds_nothing(grok_server):
    grok_server.hold_batches()
    create(grok_server, ask("1"))
    grok_server.clear()

    batch = create(grok_server, ask("2"))

    [row] = call(grok_server, "GET", "").json()["batches"]
    assert row["batch_id"] == batch
    assert row["state"]["num_success"] == 1


def test_the_same_batch_gets_the_same_bytes_elsewhere(grok_server):
    def run(server: FakeServer) -> list[tuple[list[tuple[bytes, bytes]], bytes]]:
        answers: list[httpx2.Response] = [call(server, "POST", "", {"name": "boats"})]
        batch = answers[0].json()["batch_id"]
        nameless = {"batch_request": {"chat_get_completion": body(ICON)}}
        answers.append(add(server, batch, nameless, ask("2")))
        answers += [
            call(server, "GET", f"/{batch}{path}") for path in ("", "/requests", "/results")
        ]
        return [(answer.headers.raw, answer.content) for answer in answers]

    first = run(grok_server)
    with FakeServer() as another:
        assert run(another) == first


def test_batches_of_one_name_are_two(grok_server):
    assert create(grok_server) != create(grok_server)
