"""`describe --batch` where images, batches, the service or the state are not as they should be."""

import json
import sqlite3
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from fake_server import FakeServer
from llm_grok_vision.describe import batch_state, pace
from llm_grok_vision.describe.batch_service import BatchService
from llm_grok_vision.errors import ApiError, RateLimited
from llm_grok_vision.wire import batches
from tests import batching
from tests.between import Fault, between
from tests.describing import (
    answered,
    batch,
    images,
    peak_memory,
    results,
    rows,
    submit,
    times_asked,
)
from tests.pictures import picture, png_of_bytes
from tests.prompting import run_llm, shown_error
from tests.raw_server import RawServer, http

Gallery = Callable[[int], list[str]]


def test_an_image_that_fails_is_named_and_submitted_again(xai: FakeServer, gallery: Gallery):
    names = gallery(3)
    xai.reply("A boat.")
    xai.fail(403, error="Content violates usage guidelines.")
    submit("What?", *names)

    first, second = results(), results()
    again = submit("What?", *names)
    last = results()

    for result in (first, second):
        assert f"failed: {names[1]}: Content violates usage guidelines." in result.stderr
        assert "The same submit asks about those that failed again." in result.stderr
        assert result.exit_code == 1
    assert "Images: 1 submitted, 2 submitted or done before" in again.stderr
    assert last.exit_code == 0
    assert sorted(images("out.jsonl")) == names
    assert times_asked(xai) == {names[0]: 1, names[1]: 2, names[2]: 1}


def test_a_failure_that_a_prompt_made_good_is_forgotten(xai: FakeServer, gallery: Gallery):
    names = gallery(1)
    xai.fail(400, error="No.")
    submit("What?", *names)
    results()

    batchless = run_llm("grok-vision", "describe", "What?", *names, "--output", "out.jsonl")
    last = results()

    assert batchless.exit_code == last.exit_code == 0
    assert "Images: 0 done, 1 done before, 0 failed." in last.stderr


def test_a_file_that_is_no_image_is_named_and_stops_nothing(xai: FakeServer, gallery: Gallery):
    names = [*gallery(2), "photos/none.png", "photos/cut.png"]
    Path("photos/cut.png").write_bytes(picture(64, 64)[:40])

    first = batch("submit", "What?", *names, "--output", "out.jsonl")
    fetched = results()
    Path("photos/cut.png").write_bytes(picture(64, 64))
    second = batch("submit", "What?", *names, "--output", "out.jsonl")

    assert "failed: photos/none.png could not be read: No such file or dir" in first.stderr
    assert "failed: photos/cut.png is a PNG that ends too early" in first.stderr
    assert "Images: 2 submitted, 0 submitted or done before, 2 failed." in first.stderr
    assert "The same command submits the rest." not in first.stderr
    assert fetched.exit_code == 0
    assert (first.exit_code, second.exit_code) == (1, 1)
    assert "Images: 1 submitted, 2 submitted or done before, 1 failed." in second.stderr
    results()
    assert images("out.jsonl") == [*names[:2], "photos/cut.png"]


def test_where_no_image_is_good_no_batch_is_made(xai: FakeServer, gallery: Gallery):
    gallery(1)

    batch("submit", "What?", "photos/none.png", "--output", "out.jsonl")

    assert xai.requests == []
    assert batch("status").stdout == ""


def test_an_image_that_is_too_large_for_any_post_is_named(xai: FakeServer, gallery: Gallery):
    names = gallery(2)
    Path(names[0]).write_bytes(png_of_bytes(19_000_000))

    result = batch("submit", "What?", *names, "--output", "out.jsonl")

    assert f"failed: {names[0]} takes 25,333," in result.stderr
    assert "where xAI allows 25,000,000 at once; send it smaller, or ask about it" in result.stderr
    assert result.exit_code == 1
    assert results().exit_code == 0
    assert images("out.jsonl") == names[1:]


def test_an_answer_that_is_not_what_the_schema_asks_for_is_counted_and_logged(
    xai: FakeServer, gallery: Gallery
):
    xai.reply("I cannot say.")
    submit("Who?", *gallery(1), "--schema", "name, year int")

    result = results()

    assert "failed: photos/000.png: The answer is not what the schema asks for: 'I" in result.stderr
    assert "Images: 0 done, 0 done before, 1 failed. Tokens: 513 in" in result.stderr
    assert rows("out.jsonl") == []
    assert len(json.loads(run_llm("logs", "-n", "0", "--json").stdout)) == 1


ENDS = [
    pytest.param(
        "expire", "has expired", "not answered before its batch has expired", id="expired"
    ),
    pytest.param("cancel", "was cancelled", "Batch cancelled", id="cancelled"),
]


@pytest.mark.parametrize(("how", "said", "problem"), ENDS)
def test_what_a_batch_did_not_answer_before_its_end_is_submitted_again(
    xai: FakeServer, gallery: Gallery, how: str, said: str, problem: str
):
    names = gallery(3)
    xai.hold_batches()
    submit("What?", *names)
    xai.finish_batches(1)
    name = batch("status").stdout.splitlines()[1].split()[0]
    if how == "expire":
        xai.expire_batches()
    else:
        batching.cancel(xai, name)

    ended = results()
    xai.finish_batches()
    again = submit("What?", *names)
    last = results()

    assert f"Batch {name} {said}." in ended.stderr
    assert f"failed: {names[1]}: {problem}\n" in ended.stderr
    assert "Images: 1 done, 0 done before, 2 failed." in ended.stderr
    assert ended.exit_code == 1
    assert "Images: 2 submitted, 1 submitted or done before" in again.stderr
    assert last.exit_code == 0
    assert images("out.jsonl") == names
    assert times_asked(xai) == dict.fromkeys(names, 1)


def test_an_answer_that_comes_after_its_batch_was_cancelled_is_fetched_all_the_same(
    xai: FakeServer, gallery: Gallery, monkeypatch: pytest.MonkeyPatch
):
    """OBSERVED 2026-08-29: five cancelled requests had results 20 seconds later."""
    names = gallery(1)
    submit("What?", *names)
    [made] = batching.call(xai, "GET", "").json()["batches"]
    answers = batching.call(xai, "GET", f"/{made['batch_id']}/results").json()
    gone = {"batch_id": made["batch_id"], "cancel_time": "2026-08-29"}
    [row] = answers["results"]
    unanswered = {"results": [{**row, "batch_result": {"error": "Batch cancelled"}}]}

    pages = [http(json.dumps(page).encode()) for page in (gone, unanswered, gone, answers)]
    with RawServer(*pages) as server:
        monkeypatch.setenv("XAI_API_BASE", server.url)
        early, late = results(), results()

    assert f"failed: {names[0]}: Batch cancelled" in early.stderr
    assert (early.exit_code, late.exit_code) == (1, 0)
    assert "failed:" not in late.stderr
    assert images("out.jsonl") == names


def test_why_xai_cancelled_a_batch_is_said(
    xai: FakeServer, gallery: Gallery, monkeypatch: pytest.MonkeyPatch
):
    names = gallery(1)
    submit("What?", *names)
    why = "Model grok-4 is not supported, says xai-test-key."
    gone = {"batch_id": "batch_1", "cancel_time": "2026-08-29", "cancel_by_xai_message": why}
    answers: tuple[Any, ...] = (gone, {"results": []})

    with RawServer(*[http(json.dumps(answer).encode()) for answer in answers]) as one:
        monkeypatch.setenv("XAI_API_BASE", one.url)
        fetched = results()

    said = "was cancelled by xAI: Model grok-4 is not supported, says (your key)"
    assert f" {said}.\n" in fetched.stderr
    assert f"failed: {names[0]}: not answered before its batch {said}\n" in fetched.stderr


def test_a_batch_that_xai_does_not_know_is_said(xai: FakeServer, gallery: Gallery):
    submit("What?", *gallery(2))
    xai.clear()

    fetched, status = results(), batch("status")

    assert "Error: xAI knows no batch batch_" in shown_error(fetched)
    assert "whether the key, and XAI_API_BASE, are those" in fetched.stderr
    assert status.stdout.splitlines()[1].split()[3:7] == ["?"] * 4
    assert "xAI knows no batch batch_" in status.stderr
    assert status.exit_code == 0


def test_a_batch_that_xai_forgot_after_its_day_has_expired(
    xai: FakeServer, gallery: Gallery, own_llm_folder: Path
):
    names = gallery(2)
    submit("What?", *names)
    xai.clear()
    _change(own_llm_folder, "update batches set expires = '2026-01-31'")

    status = batch("status")
    fetched = results()
    submit("What?", *names)

    assert status.stdout.splitlines()[1].split()[3:7] == ["?"] * 4
    assert f"failed: {names[0]}: not answered before its batch has expired" in fetched.stderr
    assert fetched.exit_code == 1
    assert results().exit_code == 0


@pytest.mark.usefixtures("no_waiting")
def test_a_rate_limit_is_waited_for(
    xai: FakeServer, gallery: Gallery, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(pace, "FIRST_WAIT", 0.001)
    names = gallery(2)

    with between(xai) as proxy:
        # What is tried three times counts as refused.
        proxy.faults = [Fault(429, body={"error": "Too many."})] * 7
        result = submit("What?", *names)

    assert "Too many. Going on in 0 s." in result.stderr
    assert results().exit_code == 0
    assert times_asked(xai) == dict.fromkeys(names, 1)


def test_a_wait_is_never_shorter_than_xai_asks_for(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(pace, "FIRST_WAIT", 0.001)
    error = RateLimited(429, "", "Too many.", "Wait.")
    error.retry_after = 0.6
    failures: list[Exception] = [error]
    said: list[str] = []

    def attempt() -> str:
        if failures:
            raise failures.pop()
        return "done"

    assert pace.patiently(attempt, said.append) == "done"
    assert said == ["Too many. Going on in 1 s."]


@pytest.mark.usefixtures("no_waiting")
def test_a_rate_limit_that_does_not_pass_ends_the_submit(
    xai: FakeServer, gallery: Gallery, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(pace, "GIVE_UP_AFTER", 0.001)

    with between(xai) as proxy:
        proxy.faults = [Fault(429, body={"error": "Too many."})] * 9
        result = batch("submit", "What?", *gallery(2), "--output", "out.jsonl")

    assert "Error: Too many.\n" in shown_error(result)
    assert "The same command submits the rest." in result.stderr


ASKING = ["submit", "status", "results"]


@pytest.mark.parametrize("word", ASKING)
def test_a_state_that_is_torn_is_one_sentence(
    xai: FakeServer, gallery: Gallery, own_llm_folder: Path, word: str
):
    path = own_llm_folder / "grok-vision.db"
    path.write_bytes(b"no database" * 100)

    result = batch(word, *_asked(word, gallery), "--output", "out.jsonl")

    assert shown_error(result) == (
        f"Error: {path}, which knows what was submitted, could not be used:"
        " file is not a database.\n"
    )
    assert xai.requests == []


@pytest.mark.parametrize("word", ASKING)
def test_a_state_that_cannot_be_opened_is_one_sentence(
    xai: FakeServer, gallery: Gallery, own_llm_folder: Path, word: str
):
    (own_llm_folder / "grok-vision.db").mkdir()

    result = batch(word, *_asked(word, gallery), "--output", "out.jsonl")

    assert "could not be used: unable to open database file.\n" in shown_error(result)
    assert xai.requests == []


def _asked(word: str, gallery: Gallery) -> tuple[str, ...]:
    return ("What?", *gallery(1)) if word == "submit" else ()


def test_a_state_of_another_making_is_one_sentence(
    xai: FakeServer, gallery: Gallery, own_llm_folder: Path
):
    submit("What?", *gallery(1))
    _change(own_llm_folder, "update jobs set asked = '[1]'")

    assert "could not be used: " in shown_error(batch("status"))


def test_a_state_that_is_locked_is_one_sentence(
    xai: FakeServer, gallery: Gallery, own_llm_folder: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(batch_state, "LONGEST_LOCK", 0.01)
    names = gallery(1)
    submit("What?", *names)
    connection = sqlite3.connect(own_llm_folder / "grok-vision.db", isolation_level=None)
    connection.execute("begin exclusive")

    result = batch("submit", "Why?", *names, "--output", "out.jsonl")
    connection.close()

    assert "could not be used: database is locked." in shown_error(result)


@pytest.mark.parametrize("token", ["half \\ud800", "a&b=c", "\\u0000"])
def test_the_token_of_a_page_goes_back_as_it_came_and_not_round_and_round(monkeypatch, token):
    page = http(b'{"results": [], "pagination_token": "%s"}' % token.encode())
    with RawServer(page, page) as server:
        monkeypatch.setenv("XAI_API_BASE", server.url)
        assert list(BatchService("a-key", print).results("batch_1")) == []
    first, second = (request.split(b" ", 2)[1] for request in server.requests)

    assert first == b"/v1/batches/batch_1/results"
    sent = parse_qs(urlsplit(second.decode()).query, errors="surrogatepass")
    assert sent == {"pagination_token": [json.loads(f'"{token}"')]}


@pytest.mark.parametrize("token", ["null", '""', "7"])
def test_a_page_without_a_token_is_the_last(monkeypatch, token):
    with RawServer(http(b'{"results": [], "pagination_token": %s}' % token.encode())) as server:
        monkeypatch.setenv("XAI_API_BASE", server.url)
        assert list(BatchService("a-key", print).results("batch_1")) == []

    assert len(server.requests) == 1


@pytest.mark.parametrize("batch_id", [None, "", 7, "a\x1b[31m", "a\0", "\ud800"])
def test_a_batch_with_an_id_that_is_none_is_refused(batch_id):
    with pytest.raises(ApiError, match="a batch"):
        batches.batch({"batch_id": batch_id}, date(2026, 8, 10))


@pytest.mark.parametrize(
    "said",
    [
        pytest.param({"error": "Too dark."}, id="observed-2026-08-28-a-text"),
        pytest.param({"error": {"code": 3, "message": "Too dark."}}, id="DOC-batch.proto"),
    ],
)
def test_the_error_of_a_request_is_read_either_way(said: dict[str, Any]):
    page = {"results": [{"batch_request_id": "x", "batch_result": said}]}

    assert batches.results(page) == [batches.Result("x", None, "Too dark.")]


@pytest.mark.parametrize("said", [None, {}, {"response": None}, {"response": {"image": {}}}])
def test_a_result_of_an_unknown_shape_is_a_failure(said: Any):
    page = {"results": [{"batch_request_id": "x", "batch_result": said}]}

    (result,) = batches.results(page)

    assert result.completion is None
    assert result.problem == "xAI's result has a shape that this plugin does not know."


def test_images_are_in_memory_only_until_they_are_sent(xai: FakeServer, gallery: Gallery):
    """All of them at once would be 320 MB as base64, and 80 without any image."""
    (name,) = gallery(1)
    Path(name).write_bytes(png_of_bytes(8_000_000))
    names = [f"photos/{number}-copy.png" for number in range(30)]
    for copy in names:
        Path(copy).hardlink_to(name)
    peak = peak_memory("--batch", "submit", "What?", *names, "--output", "out.jsonl")

    assert len(answered(xai)) == 30
    assert peak < 300_000


def _change(folder: Path, statement: str) -> None:
    connection = sqlite3.connect(folder / "grok-vision.db")
    with connection:
        connection.execute(statement)
    connection.close()
