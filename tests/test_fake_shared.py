"""Servers with the same state behave as one; there is a real Redis between them."""

import asyncio
import hashlib
import logging
import random
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest
from redis import Redis

from fake_server import FakeServer
from fake_server.journal import LoggedRequest
from fake_server.shared import scenario as shared_scenario
from fake_server.shared.shelf import SharedShelf
from fake_server.shared.store import Store
from fake_server.shelf import Shelf
from tests import batching
from tests.asking import (
    BEARER,
    body,
    image,
    input_image,
    input_text,
    post,
    prompt,
    respond,
    send,
    text,
)
from tests.fuzzing import Requests, run
from tests.pictures import data_url, picture, png_of_bytes
from tests.redis_server import redis_running, there_is_redis
from tests.sessions import play

pytestmark = pytest.mark.skipif(not there_is_redis(), reason="there is no redis-server")

URL = "https://example.com/cat.png"
HELLO = body(text("Hello"))


@pytest.fixture(scope="module")
def one_redis(tmp_path_factory):
    with redis_running(tmp_path_factory.mktemp("redis")) as redis:
        yield redis


@pytest.fixture
def state(one_redis):
    """Give an address with nothing behind it."""
    with FakeServer(state=one_redis.url) as server:
        server.clear()
    return one_redis.url


@pytest.fixture
def pair(state):
    with FakeServer(state=state) as one, FakeServer(state=state) as other:
        yield one, other


@contextmanager
def forgetting(monkeypatch: pytest.MonkeyPatch, server: FakeServer) -> Iterator[None]:
    """Let a server forget all when somebody has learned what there is, and is about to read it."""
    ask_redis = Store.ask

    def asked(store: Store, *words: Any) -> Any:
        if words[0] == "HMGET":
            server.clear()
        return ask_redis(store, *words)

    with monkeypatch.context() as patched:
        patched.setattr(Store, "ask", asked)
        yield


def said(answer: httpx2.Response) -> str:
    return str(answer.json()["choices"][0]["message"]["content"])


def ask(server: FakeServer, verb: str, path: str, **options: Any) -> httpx2.Response:
    return send(server, verb, path, headers=BEARER, **options)


def statuses(pair: tuple[FakeServer, FakeServer], path: str) -> list[int]:
    return [ask(server, verb, path).status_code for server in pair for verb in ("GET", "DELETE")]


def scenario(folder: Path, written: str) -> Path:
    path = folder / "scenario.yaml"
    path.write_text(written)
    return path


def test_requests_are_numbered_whoever_answers(pair):
    one, other = pair

    for server, words in ((one, "a"), (other, "b"), (one, "c")):
        post(server, body(text(words)))

    seen = [(log.number, log.last_text) for log in one.requests]
    assert seen == [(1, "a"), (2, "b"), (3, "c")]
    assert other.requests == one.requests


def test_the_journal_shows_bodies_and_images_of_others(pair):
    one, other = pair
    data = picture(40, 30)

    answer = post(one, body(image(data_url(data)), text("Hello")))

    (log,) = other.requests
    assert (log.status, log.images[0].width) == (200, 40)
    assert b"Hello" in log.raw_request
    assert log.raw_answer == answer.content
    assert other.image_bytes(log.images[0]) == data


def test_an_image_that_came_before_is_not_brought_to_be_compared(pair):
    one, other = pair
    data = png_of_bytes(20_000)

    for server in pair:
        post(server, body(image(data_url(data))))

    assert {log.images[0].sha256 for log in one.requests} == {hashlib.sha256(data).hexdigest()}
    assert other.requests.images.get(hashlib.sha256(data).hexdigest()) == data
    assert other.requests.images.name_of(data) is None


def test_the_journal_of_others_shows_what_went_wrong(pair):
    one, other = pair

    answer = post(one, {**HELLO, "model": "grok-9"})

    (log,) = other.requests
    assert (log.status, log.error) == (answer.status_code, answer.json()["error"])


def test_the_control_api_tells_of_what_others_were_asked(pair):
    one, other = pair
    post(one, HELLO)

    told = ask(other, "GET", "/_fake/requests").json()

    assert [row["number"] for row in told["requests"]] == [1]


def test_the_journal_keeps_the_newest(state, monkeypatch):
    monkeypatch.setattr("fake_server.shared.state.MOST_REQUESTS", 3)
    with FakeServer(state=state) as server:
        for words in "abcde":
            post(server, body(text(words)))
        kept = [(log.number, log.last_text) for log in server.requests]
        total = server.requests.total

    assert kept == [(3, "c"), (4, "d"), (5, "e")]
    assert total == 5


def test_the_journal_forgets_the_oldest_when_their_texts_are_too_long(pair, monkeypatch):
    long = "word " * 10_000
    monkeypatch.setattr("fake_server.journal.MOST_TEXT", 2 * len(long) + 10_000)
    one, other = pair
    for words in ("short", long, "short", long, "short", long, "short"):
        post(one, body(text(words)))

    assert [log.number for log in other.requests] == [3, 4, 5, 6, 7]


def test_the_journal_keeps_the_newest_however_long_it_is(pair, monkeypatch):
    monkeypatch.setattr("fake_server.journal.MOST_TEXT", 10)
    one, other = pair
    for server in (one, other, one):
        post(server, HELLO)

    assert [log.number for log in other.requests] == [3]
    assert other.requests[0].status == 200


@pytest.mark.parametrize("since", [0, 1], ids=["none-since", "one-of-its-number-since"])
def test_a_request_that_was_forgotten_before_its_end_is_not_noted(pair, since):
    one, other = pair
    slow = LoggedRequest("POST", "/v1/slow", {}, began=time.time())
    one.app.journal.append(slow)
    other.clear()
    for _ in range(since):
        post(other, HELLO)

    one.app.journal.keep_answer(slow, b"late")

    assert [log.last_text for log in other.requests] == ["Hello"] * since
    assert b"late" not in [log.raw_answer for log in other.requests]


def test_what_one_is_told_the_other_answers_once(pair):
    one, other = pair
    one.reply("First.")
    other.reply("Second.")

    answers = [said(post(server, HELLO)) for server in (other, one, other)]

    assert answers[:2] == ["First.", "Second."]
    assert answers[2] not in answers[:2]


def test_of_many_who_ask_at_once_one_gets_an_answer_that_is_there_once(pair):
    pair[0].reply("Mine.")

    with ThreadPoolExecutor(8) as pool:
        answers = [*pool.map(lambda n: said(post(pair[n % 2], HELLO)), range(40))]

    assert answers.count("Mine.") == 1
    assert [len(server.requests) for server in pair] == [40, 40]


def test_a_rule_that_was_used_as_it_was_forgotten_harms_none_of_the_same_number(pair):
    one, other = pair
    one.reply("Once.")
    other.app.service.refresh()
    (stale,) = other.app.service.scenario.rules
    one.clear()
    assert not other.app.service.scenario._use(stale)
    one.when(text="Hello").reply("Always.")

    assert [said(post(server, HELLO)) for server in pair] == ["Always.", "Always."]


def test_failures_and_faults_are_told_to_all(pair):
    one, other = pair
    one.fail(429, retry_after=7)
    one.when(images=1).fail_image_fetch()
    one.when(text="Hello").reply(
        tool_calls=[("tide", {"place": "Leith"})], fault={"first_token": 0.01}
    )

    refused = post(other, HELLO)
    unreachable = post(other, body(image(URL)))
    called = post(other, HELLO)

    assert (refused.status_code, refused.headers["retry-after"]) == (429, "7")
    assert "could not be fetched" in unreachable.json()["error"]
    (call,) = called.json()["choices"][0]["message"]["tool_calls"]
    assert call["function"] == {"name": "tide", "arguments": '{"place":"Leith"}'}


def test_dice_fall_as_they_do_for_one_server(state):
    def answers(*servers: FakeServer) -> list[bool]:
        servers[0].when(probability=0.5).reply("Heads.")
        return [said(post(servers[n % len(servers)], HELLO)) == "Heads." for n in range(20)]

    with FakeServer(seed=3) as alone:
        expected = answers(alone)
    with FakeServer(seed=3, state=state) as one, FakeServer(seed=3, state=state) as other:
        shared = answers(one, other)

    assert shared == expected
    assert {*shared} == {True, False}


def test_a_function_can_not_be_shared(pair):
    with pytest.raises(TypeError, match="a function can't answer where the state is shared"):
        pair[0].reply(lambda request: "Hello.")


def test_pictures_are_put_behind_an_address_for_all(pair):
    one, other = pair
    data = picture(50, 60)
    one.serve_image(URL, data)

    post(other, body(image(URL)))

    assert other.requests[-1].images[0].source == "scenario"
    assert other.image_bytes(other.requests[-1].images[0]) == data


def test_a_picture_that_one_forgets_is_behind_no_address_of_another(pair):
    one, other = pair
    one.serve_image(URL, picture(50, 60))
    post(other, body(image(URL)))

    one.clear()
    post(other, body(image(URL)))

    assert other.requests[-1].images[0].source == "placeholder"


def test_a_picture_that_one_puts_again_after_all_were_forgotten_is_there_for_all(pair):
    one, other = pair
    for _ in range(2):
        one.serve_image(URL, picture(50, 60))
        for server in pair:
            post(server, body(image(URL)))
        other.clear()
        one.serve_image(URL, picture(50, 60))
        for server in pair:
            post(server, body(image(URL)))

        assert [log.images[0].source for log in one.requests] == ["scenario"] * 2


def test_a_picture_in_the_place_of_another_is_that_of_all(pair):
    for width in (50, 51):
        pair[0].serve_image(URL, picture(width, 60))
        for server in pair:
            post(server, body(image(URL)))

    assert [log.images[0].width for log in pair[0].requests] == [50, 50, 51, 51]


def test_pictures_are_forgotten_while_they_are_read(pair, monkeypatch):
    one, other = pair
    one.serve_image(URL, picture(50, 60))

    with forgetting(monkeypatch, one):
        meanwhile = post(other, body(image(URL)))
    one.serve_image(URL, picture(50, 60))
    post(other, body(image(URL)))

    assert meanwhile.status_code == 200
    assert [log.images[0].source for log in one.requests] == ["scenario"]


def test_pictures_that_are_known_are_not_read_again(pair, one_redis):
    pair[0].serve_image(URL, png_of_bytes(100_000))
    post(pair[1], body(image(URL)))

    with Redis.from_url(one_redis.url, protocol=2) as client:
        before = client.info("stats")["total_net_output_bytes"]
        pair[0].serve_image(URL + "?2", picture(50, 60))
        post(pair[1], body())
        read = client.info("stats")["total_net_output_bytes"] - before

    assert read < 100_000


def test_a_scenario_of_the_control_api_is_for_all(pair):
    one, other = pair
    script = {
        "rules": [{"reply": "Of JSON."}],
        "seed": 5,
        "images": {URL: data_url(picture(30, 30))},
    }

    assert ask(one, "PUT", "/_fake/scenario", json=script).status_code == 200
    answer = post(other, body(image(URL)))

    assert said(answer) == "Of JSON."
    assert one.requests[-1].images[0].width == 30


def test_a_file_that_all_name_is_read_once(state, tmp_path):
    path = scenario(tmp_path, "rules:\n  - reply: Once.\n    times: 1\n")

    with FakeServer(state=state, scenario=path) as one:
        first = said(post(one, HELLO))
        with FakeServer(state=state, scenario=path) as other:
            later = [said(post(server, HELLO)) for server in (one, other)]

    assert first == "Once."
    assert first not in later


def test_a_file_that_changes_is_read_once_by_one_of_all(state, tmp_path):
    path = scenario(tmp_path, "rules:\n  - reply: Old.\n")
    with (
        FakeServer(state=state, scenario=path) as one,
        FakeServer(state=state, scenario=path) as other,
    ):
        before = said(post(other, HELLO))
        scenario(tmp_path, "rules:\n  - reply: New.\n    times: 1\n  - reply: Later.\n")
        after = [said(post(server, HELLO)) for server in (one, other)]

    assert (before, after) == ("Old.", ["New.", "Later."])


def test_what_a_file_says_holds_again_for_all_when_one_forgets(state, tmp_path):
    path = scenario(tmp_path, "rules:\n  - reply: Of the file.\n    times: 1\n")
    with (
        FakeServer(state=state, scenario=path) as one,
        FakeServer(state=state, scenario=path) as other,
    ):
        other.reply("Of a test.")
        post(one, HELLO)
        one.clear()
        answer = said(post(other, HELLO))

    assert answer == "Of the file."


@pytest.mark.parametrize(
    "limits",
    [{"requests_per_minute": 3}, {"tokens_per_minute": 20}],
    ids=lambda limits: next(iter(limits)),
)
def test_limits_of_a_minute_are_counted_together(state, limits):
    def statuses(*servers: FakeServer) -> list[tuple[int, str | None, str | None]]:
        answers = [post(servers[n % len(servers)], HELLO) for n in range(6)]
        servers[0].advance(60)
        answers.append(post(servers[-1], HELLO))
        left = "x-ratelimit-remaining-requests"
        return [
            (answer.status_code, answer.headers.get(left), answer.json().get("error"))
            for answer in answers
        ]

    with FakeServer(**limits) as alone:
        expected = statuses(alone)
    with FakeServer(state=state, **limits) as one, FakeServer(state=state, **limits) as other:
        shared = statuses(one, other)

    assert shared == expected
    assert [status for status, _, _ in shared[-2:]] == [429, 200]


def test_time_that_one_is_told_passes_for_all(pair):
    one, other = pair
    before = post(other, HELLO).json()["created"]
    one.advance(100)

    assert post(other, HELLO).json()["created"] == before + 100
    one.clear()
    assert post(other, HELLO).json()["created"] == before


def test_a_conversation_goes_on_with_another(pair):
    one, other = pair
    first = respond(
        one, prompt(input_text("Remember me"), input_image(URL), temperature=0.5)
    ).json()

    second = respond(other, prompt(input_text("And?"), previous_response_id=first["id"]))

    assert second.status_code == 200
    assert other.requests[-1].parts[0] == "Remember me"
    path = f"/v1/responses/{first['id']}"
    assert ask(other, "GET", path).json() == ask(one, "GET", path).json() == first
    items = ask(other, "GET", f"{path}/input_items")
    assert items.json() == ask(one, "GET", f"{path}/input_items").json()
    assert ask(other, "DELETE", path).json()["deleted"] is True
    assert statuses(pair, path) == [404] * 4


def test_a_deferred_answer_is_fetched_once_from_any(pair):
    one, other = pair
    started = post(one, {**HELLO, "deferred": True}).json()["request_id"]
    path = f"/v1/chat/deferred-completion/{started}"

    answers = [ask(server, "GET", path) for server in (other, one, other)]

    assert [answer.status_code for answer in answers] == [202, 200, 404]
    assert said(answers[1]).startswith("The fake server saw")


def upload(server: FakeServer, data: bytes) -> str:
    address = f"{server.url}/files"
    with httpx2.Client(trust_env=False, verify=False, headers=BEARER) as client:
        answer = client.post(
            address, files={"file": ("cat.png", data)}, data={"purpose": "assistants"}
        )
    return str(answer.json()["id"])


def test_files_are_there_for_all(pair):
    one, other = pair
    files = [upload(one, picture(20, 30)), upload(other, picture(40, 30))]

    listed = [row["id"] for row in ask(other, "GET", "/v1/files").json()["data"]]
    part = {"type": "input_image", "file_id": files[0]}
    seen = respond(other, {"model": "grok-4", "input": [{"role": "user", "content": [part]}]})

    assert {*listed} == {*files}
    assert listed == [row["id"] for row in ask(one, "GET", "/v1/files").json()["data"]]
    assert seen.status_code == 200
    assert [image.width for log in one.requests for image in log.images] == [20]
    assert ask(other, "DELETE", f"/v1/files/{files[0]}").status_code == 200
    assert statuses(pair, f"/v1/files/{files[0]}") == [404] * 4


def test_a_batch_goes_through_all_hands(pair):
    one, other = pair
    batch = batching.create(one, batching.ask("Hello"))
    batching.add(other, batch, batching.ask("Hi"), batching.ask("Hey", model="grok-9"))

    assert batching.counts(one, batch) == batching.counts(other, batch)
    assert [*batching.results(one, batch).items()] == [*batching.results(other, batch).items()]
    assert [log.status for log in one.requests if log.batch_request_id] == [200, 200, 404]


def test_a_batch_that_one_holds_another_finishes(pair):
    one, other = pair
    one.hold_batches()
    batch = batching.create(other, batching.ask("Hello"), batching.ask("Hi"))
    held = batching.counts(one, batch)
    other.finish_batches(1)
    half = batching.counts(one, batch)
    one.finish_batches()

    pending = [counts.get("pending", 0) for counts in (held, half, batching.counts(other, batch))]
    assert pending == [2, 1, 0]


def test_a_batch_expires_and_is_cancelled_for_all(pair):
    one, other = pair
    one.hold_batches()
    first, second = (batching.create(one, batching.ask(words)) for words in ("Hello", "Hi"))
    batching.cancel(other, first)
    one.expire_batches()

    assert batching.counts(one, first)["cancelled"] == 1
    assert batching.add(other, second, batching.ask("More")).status_code == 403


def test_a_batch_expires_by_the_clock_of_all(pair):
    one, other = pair
    batch = batching.create(other)
    other.advance(86400)

    one.expire_batches()

    assert batching.get(other, batch)["expire_time"] == "2026-01-02"


def test_a_batch_that_did_not_change_is_not_read_again(pair, one_redis):
    batch = batching.create(pair[0], *[batching.ask(f"Words {number}") for number in range(200)])
    batching.counts(pair[1], batch)
    with Redis.from_url(one_redis.url, protocol=2) as client:
        size = client.hstrlen("fake-xai:batches:rows", batch)
        before = client.info("stats")["total_net_output_bytes"]
        for server in pair:
            assert batching.counts(server, batch)["success"] == 200
        read = client.info("stats")["total_net_output_bytes"] - before

    assert read < size


def test_a_batch_that_goes_for_a_newer_one_leaves_its_room(pair, one_redis, monkeypatch):
    monkeypatch.setattr("fake_server.batches.MOST_BATCHES", 1)
    for server in pair:
        batch = batching.create(server)

    with Redis.from_url(one_redis.url, protocol=2) as client:
        assert client.hkeys("fake-xai:batches:rows") == [batch.encode()]


def test_batches_are_forgotten_between_two_looks_at_them(pair, monkeypatch):
    one, other = pair
    batching.create(one)

    with forgetting(monkeypatch, other):
        told = ask(other, "GET", "/v1/batches")

    assert told.json()["batches"] == []


def test_two_who_add_to_a_batch_at_once_lose_nothing(pair):
    batch = batching.create(pair[0])

    def add(number: int) -> int:
        return batching.add(pair[number % 2], batch, batching.ask(f"Words {number}")).status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = [*pool.map(add, range(16))]

    assert statuses == [200] * 16
    assert batching.counts(pair[0], batch)["success"] == 16


def test_who_forgets_forgets_a_batch_that_another_answers(pair, monkeypatch):
    one, other = pair
    batch = batching.create(one)
    answer = one.app.service.complete

    async def forgetting(*arguments):
        other.clear()
        return await answer(*arguments)

    monkeypatch.setattr(one.app.service, "complete", forgetting)
    batching.add(one, batch, batching.ask("Hello"))

    assert ask(other, "GET", f"/v1/batches/{batch}").status_code == 404


def test_who_takes_too_long_does_not_undo_what_others_did_meanwhile(pair, monkeypatch):
    monkeypatch.setattr("fake_server.shared.batches._PATIENCE", 0.05)
    one, other = pair
    batch = batching.create(one)
    answer = one.app.service.complete

    async def slow(*arguments):
        await asyncio.sleep(0.1)
        batching.create(other, name="meanwhile")
        return await answer(*arguments)

    monkeypatch.setattr(one.app.service, "complete", slow)
    refused = batching.add(one, batch, batching.ask("Hello"))

    assert refused.status_code == 503
    assert "the state" in refused.json()["error"]
    assert len(ask(other, "GET", "/v1/batches").json()["batches"]) == 2


def test_no_batch_is_held_any_more_when_another_forgot_all(pair):
    one, other = pair
    one.hold_batches()
    other.clear()

    created = batching.create(one, batching.ask("Hello"))

    assert batching.counts(one, created) == {"requests": 1, "success": 1}


def test_forgetting_leaves_nothing_but_counters_of_changes(pair, one_redis):
    one, other = pair
    one.reply("Once.")
    one.when(probability=0.5).reply("Maybe.")
    one.serve_image(URL, picture(30, 30))
    one.advance(5)
    post(other, {**body(image(URL)), "deferred": True})
    respond(other, prompt(input_text("Hello")))
    upload(one, b"Hello")
    batching.create(other, batching.ask("Hello"))
    assert len(one_redis.names()) > 10

    other.clear()

    left = {"rules:version", "pictures:version", "batches:cleared"}
    assert one_redis.names() == {f"fake-xai:{name}" for name in left}


@pytest.mark.parametrize("probability", [1, 0.999], ids=["always", "by-dice"])
def test_a_rule_that_is_used_up_leaves_nothing(pair, one_redis, probability):
    pair[0].when(times=2, probability=probability).reply("Twice.")

    given = [said(post(server, HELLO)) for server in pair]

    assert given == ["Twice.", "Twice."]
    of_rules = {"fake-xai:rules", "fake-xai:rules:left", "fake-xai:rules:thrown"}
    assert one_redis.names() & of_rules == set()


def test_answers_that_wait_are_not_read_again_when_one_is_given(pair, one_redis):
    for number in range(200):
        pair[0].reply(f"{number} {'long ' * 1000}")
    for server in pair:
        post(server, HELLO)

    with Redis.from_url(one_redis.url, protocol=2) as client:
        before = client.info("stats")["total_net_output_bytes"]
        given = [said(post(pair[turn % 2], HELLO)).split()[0] for turn in range(10)]
        read = client.info("stats")["total_net_output_bytes"] - before

    assert given == [str(number) for number in range(2, 12)]
    assert read < 198 * 5000


@pytest.mark.parametrize("most", [2, 100], ids=["too-many-to-be-told", "told"])
def test_rules_that_others_used_up_are_rules_no_more(pair, monkeypatch, most):
    monkeypatch.setattr(shared_scenario, "_MOST_MISSED", most)
    one, other = pair
    for number in range(4):
        one.when(model="grok-4", times=1).reply(str(number))

    for server, model in ((other, "grok-4.3"), *[(one, "grok-4")] * 4, (other, "grok-4.3")):
        post(server, body(model=model))

    missed = [log.unmatched for log in one.requests]
    assert missed[0].startswith("No rule is for this request.")
    assert missed[1:] == [""] * 5


def test_no_key_is_written(state, one_redis):
    secret = "xai-planted-secret"
    with FakeServer(state=state, api_key=secret) as server:
        headers = {"authorization": f"Bearer {secret}", "x-api-key": secret}
        with httpx2.Client(trust_env=False, verify=False, headers=headers) as client:
            client.post(f"{server.url}/chat/completions", json=HELLO)
            client.post(f"{server.url}/messages", json={**HELLO, "max_tokens": 5})
            client.post(f"{server.url}/responses", json=prompt(input_text("Hello")))
            batch = client.post(f"{server.url}/batches", json={"name": "b"}).json()["batch_id"]
            question = {"batch_requests": [batching.ask("Hello")]}
            added = client.post(f"{server.url}/batches/{batch}/requests", json=question)
        assert (added.status_code, len(server.requests)) == (200, 6)

    assert "Hello" in one_redis.everything()
    assert secret not in one_redis.everything()


# Numbers that JSON has and 64 bits have not.
HUGE = 2**70


def test_a_number_of_more_than_64_bits_is_kept(pair):
    one, other = pair
    question = prompt(input_text("Hello"), max_output_tokens=HUGE)

    answer = respond(one, question).json()

    assert ask(other, "GET", f"/v1/responses/{answer['id']}").json()["max_output_tokens"] == HUGE
    assert other.requests[0].parameters == {"max_output_tokens": HUGE}


def test_a_rule_answers_with_a_number_of_more_than_64_bits(pair):
    one, other = pair
    one.reply(tool_calls=[("f", {"a": HUGE})])

    (call,) = post(other, HELLO).json()["choices"][0]["message"]["tool_calls"]

    assert call["function"]["arguments"] == f'{{"a":{HUGE}}}'


def test_a_rule_may_answer_more_often_than_redis_counts(pair):
    one, other = pair
    one.when(times=HUGE).reply("Hi")

    assert [said(post(server, HELLO)) for server in (one, other)] == ["Hi", "Hi"]


def test_servers_that_share_their_state_answer_as_one_alone_does(pair, caplog):
    caplog.set_level(logging.CRITICAL)
    with ExitStack() as context:
        alone, *shared = [context.enter_context(closing(Requests(one))) for one in (None, *pair)]

        assert max(run("session", lambda dice: play(dice, [alone], shared), 60, seed=7)) < 5


def written(thing: bytes) -> int:
    return len(msgspec.msgpack.encode(thing))


SHELVES = {
    "own": lambda _state: Shelf(4, 100, written),
    "shared": lambda state: SharedShelf(Store(state), "test", bytes, 4, 100),
}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", SHELVES)
def test_a_shelf_keeps_what_a_dictionary_of_such_a_size_would(state, kind, seed):
    shelf: Shelf[bytes] = SHELVES[kind](state)
    shelf.clear()
    dice = random.Random(seed)
    kept: dict[str, bytes] = {}
    for _ in range(200):
        name, data = dice.choice("abcdefgh"), b"x" * dice.choice([1, 10, 60, 120])
        if dice.random() < 0.2:
            assert shelf.pop(name) == kept.pop(name, None)
        else:
            shelf.put(name, data)
            kept.pop(name, None)
            kept[name] = data
            while len(kept) > 1 and (len(kept) > 4 or sum(map(written, kept.values())) > 100):
                kept.pop(next(iter(kept)))
        assert shelf.all() == [*kept.values()]
        assert [one for one in "abcdefgh" if one in shelf] == sorted(kept)
        assert [shelf.get(one) for one in kept] == [*kept.values()]


@pytest.mark.parametrize("kind", SHELVES)
def test_a_shelf_gives_each_number_once_until_it_is_cleared(state, kind):
    shelf: Shelf[bytes] = SHELVES[kind](state)

    numbers = [shelf.number() for _ in range(3)]
    shelf.clear()

    assert (numbers, shelf.number()) == ([0, 1, 2], 0)


def test_a_request_is_answered_in_a_sentence_where_redis_is_gone(tmp_path, caplog):
    with redis_running(tmp_path) as redis, FakeServer(state=redis.url) as server:
        redis.process.kill()
        redis.process.wait()
        answers = [post(server, HELLO), ask(server, "GET", "/_fake/requests")]
        with pytest.raises(ConnectionError, match=r"the state at redis://127\.0\.0\.1"):
            server.reply("Hello.")
        port = int(redis.url.rsplit(":", 1)[1].split("/")[0])
        with redis_running(tmp_path, port):
            again = post(server, HELLO)

    assert [answer.status_code for answer in answers] == [503, 503]
    for answer in answers:
        assert "the state at redis://127.0.0.1" in answer.json()["error"]
    assert again.status_code == 200
    assert "a request is not in the journal" in caplog.text


def test_the_password_of_a_redis_is_not_told():
    with pytest.raises(ConnectionError) as lost:
        FakeServer(state="redis://me:a-secret@127.0.0.1:1/0")

    assert str(lost.value).startswith("the state at redis://127.0.0.1:1/0 can't be used: ")
    assert "a-secret" not in str(lost.value)


# What one server kept, as another version of it might have: maps where there are lists.
OTHER = [
    pytest.param("rules", "/v1/models", id="rules"),
    pytest.param("requests", "/_fake/requests", id="requests"),
    pytest.param("exchanges", "/_fake/requests", id="bodies"),
    pytest.param("stored", "/v1/responses/{stored}", id="stored"),
    pytest.param("deferred", "/v1/chat/deferred-completion/{deferred}", id="deferred"),
    pytest.param("files", "/v1/files", id="files"),
    pytest.param("files", "/v1/files/{file}", id="file"),
    pytest.param("batches", "/v1/batches", id="batches"),
    pytest.param("batches:rows", "/v1/batches", id="a-batch"),
]


@pytest.mark.parametrize(("kept", "path"), OTHER)
def test_what_another_version_kept_is_told_and_can_be_forgotten(state, caplog, kept, path):
    with FakeServer(state=state) as server, FakeServer(state=state) as other:
        server.when().reply("Hello.")
        ids = {
            "stored": respond(server, prompt(input_text("Hi"), store=True)).json()["id"],
            "deferred": post(server, HELLO | {"deferred": True}).json()["request_id"],
            "file": ask(server, "POST", "/v1/files", files={"file": picture(8, 8)}).json()["id"],
        }
        ask(server, "GET", f"/v1/chat/deferred-completion/{ids['deferred']}")
        batching.create(server)
        rewrite(state, kept)
        refused = [ask(other, "GET", path.format(**ids)) for _ in range(2)]
        forgotten = ask(other, "POST", "/_fake/reset")
        answered = post(server, HELLO)

    assert [answer.status_code for answer in refused] == [503, 503]
    assert "is of another version of the fake: POST /_fake/reset" in refused[0].json()["error"]
    assert (forgotten.status_code, answered.status_code) == (200, 200)
    assert "Traceback" not in caplog.text


def rewrite(state: str, kept: str) -> None:
    """Put what nobody can read in the place of all that is kept by a name."""
    with Redis.from_url(state, protocol=2) as client:
        name = f"fake-xai:{kept}"
        if client.type(name) == b"hash":
            client.hset(name, mapping=dict.fromkeys(client.hkeys(name), b"\xa5other"))
        else:
            assert client.set(name, b"\xa5other", xx=True)
        client.incr("fake-xai:rules:version")


def test_an_answer_is_not_lost_where_redis_goes_before_its_end(tmp_path, caplog):
    with redis_running(tmp_path) as redis, FakeServer(state=redis.url) as server:
        server.fault(per_token=0.05)
        with httpx2.Client(trust_env=False, verify=False, headers=BEARER) as client:
            address = f"{server.url}/chat/completions"
            with client.stream("POST", address, json={**HELLO, "stream": True}) as answer:
                lines = answer.iter_lines()
                next(lines)
                redis.process.kill()
                redis.process.wait()
                rest = [*lines]

    assert "data: [DONE]" in rest
    assert "a request is not in the journal" in caplog.text


def test_who_lacks_the_package_is_told_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "redis", None)
    for name in [name for name in sys.modules if name.startswith("fake_server.shared")]:
        monkeypatch.delitem(sys.modules, name)

    with pytest.raises(ValueError, match=r"pip install 'llm-grok-vision\[redis\]'"):
        FakeServer(state="redis://127.0.0.1:6379/0")
