"""One bad image stops nothing, a bad key stops everything, and a rate limit only slows down."""

import asyncio
import json
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import llm
import pytest

from fake_server import FakeServer
from llm_grok_vision.describe import pace
from llm_grok_vision.describe.pace import Pace
from llm_grok_vision.errors import RateLimited
from llm_grok_vision.retries import ATTEMPTS
from tests.describing import COMMAND, describe, describing, images, rows, times_asked
from tests.pictures import picture
from tests.prompting import run_llm, run_process, shown_error

Gallery = Callable[[int], list[str]]

# OBSERVED, but for the last.
OF_AN_IMAGE: list[Any] = [
    pytest.param(400, "Invalid PNG image.", id="image"),
    pytest.param(413, "Request Entity Too Large", id="too-large"),
    pytest.param(403, "Content violates usage guidelines. Failed check: X", id="moderation"),
    pytest.param(500, "Internal error", id="server"),
]


@pytest.mark.usefixtures("no_waiting")
@pytest.mark.parametrize(("status", "error"), OF_AN_IMAGE)
def test_an_image_that_xai_refuses_does_not_stop_the_others(
    xai: FakeServer, gallery: Gallery, status: int, error: str
):
    names = gallery(4)
    for _ in range(3 if status == 500 else 1):
        xai.fail(status, error=error)

    result = describe("What?", *names, "--output", "out.jsonl", "--concurrency", "1")

    first, *others = [line for line in result.stderr.splitlines() if "Trying again" not in line]
    assert first.startswith(f"1/4 failed: photos/000.png: {error} ")
    assert others[:3] == [f"{number + 1}/4 {names[number]}" for number in (1, 2, 3)]
    assert others[3].startswith("Images: 3 done, 0 done before, 1 failed.")
    assert result.exit_code == 1
    assert images("out.jsonl") == names[1:]


def test_a_file_that_is_no_image_is_named_and_tried_again_by_the_next_run(
    xai: FakeServer, gallery: Gallery
):
    names = [*gallery(2), "photos/none.png", "photos/cut.png"]
    Path("photos/cut.png").write_bytes(picture(64, 64)[:40])

    first = describe("What?", *names, "--output", "out.jsonl")
    Path("photos/cut.png").write_bytes(picture(64, 64))
    second = describe("What?", *names, "--output", "out.jsonl")

    assert "failed: photos/none.png could not be read: No such file or dir" in first.stderr
    assert "failed: photos/cut.png is a PNG that ends too early" in first.stderr
    assert (first.exit_code, second.exit_code) == (1, 1)
    assert images("out.jsonl") == [*names[:2], "photos/cut.png"]
    assert "Images: 1 done, 2 done before, 1 failed." in second.stderr


def test_an_answer_that_nests_too_deep_to_read_is_not_what_the_schema_asks_for(
    xai: FakeServer, gallery: Gallery
):
    xai.reply("[" * 10_000)

    result = describe("Who?", *gallery(1), "--schema", "name, year int", "--output", "o")

    assert "failed: photos/000.png: The answer is not what the schema asks for: '[[" in (
        result.stderr
    )


def test_an_answer_that_the_schema_does_not_ask_for_is_quoted(xai: FakeServer, gallery: Gallery):
    xai.reply("I cannot say.")

    result = describe("Who?", *gallery(1), "--schema", "name, year int", "--output", "o")

    assert "not what the schema asks for: 'I cannot say.'\n" in result.stderr


def test_an_answer_that_is_not_what_the_schema_asks_for_is_counted_logged_and_not_written(
    xai: FakeServer, gallery: Gallery
):
    names = gallery(2)
    xai.reply("I cannot say." + "x" * 500)

    result = describe(
        "Who?", *names, "--schema", "name, year int", "--output", "o", "--concurrency", "1"
    )

    assert "failed: photos/000.png: The answer is not what the schema asks for: 'I c" in (
        result.stderr
    )
    assert "xxx...'" in result.stderr
    assert images("o") == names[1:]
    prompt_tokens = sum(request.usage["prompt_tokens"] for request in xai.requests)
    assert f"Tokens: {prompt_tokens:,} in" in result.stderr
    assert len(json.loads(run_llm("logs", "-n", "0", "--json").stdout)) == 2


def test_an_answer_that_cannot_be_logged_is_kept(
    xai: FakeServer, gallery: Gallery, monkeypatch: pytest.MonkeyPatch
):
    names = gallery(1)

    def locked(*args: object) -> None:
        raise sqlite3.OperationalError("database is locked")

    monkeypatch.setattr(llm.AsyncResponse, "log_to_db", locked)

    result = describe("What?", *names, "--output", "out.jsonl")

    assert images("out.jsonl") == names
    assert "photos/000.png was answered, but not logged: database is locked." in result.stderr
    assert result.exit_code == 0


OF_ALL: list[Any] = [
    pytest.param(400, "Incorrect API key provided.", id="key"),
    pytest.param(403, "You ran out of credits.", id="credits"),
    pytest.param(403, "Not allowed.", id="permission"),
    pytest.param(404, "The model does not exist.", id="model"),
    pytest.param(400, "Argument not supported on this model: stop", id="option"),
    pytest.param(400, "Image inputs are not supported by this model.", id="no-vision"),
    pytest.param(400, "Invalid JSON schema.", id="schema"),
]


@pytest.mark.parametrize(("status", "error"), OF_ALL)
def test_what_would_fail_for_every_image_stops_the_run_with_one_error(
    xai: FakeServer, gallery: Gallery, status: int, error: str
):
    names = gallery(30)
    for _ in range(4):
        xai.fail(status, error=error)

    result = describe("What?", *names, "--output", "out.jsonl")

    assert shown_error(result).startswith(f"Error: {error}\n")
    assert result.stderr.count(error) == 1
    assert len(xai.requests) <= 4
    assert rows("out.jsonl") == []


def test_a_run_that_ends_early_says_what_it_came_to(xai: FakeServer, gallery: Gallery):
    names = gallery(5)
    xai.reply("A boat.")
    xai.fail(403, error="You ran out of credits.")

    result = describe("What?", *names, "--output", "out.jsonl", "--concurrency", "1")

    assert result.stderr.splitlines()[1:4] == [
        "Images: 1 done, 0 done before, 0 failed. Tokens: 513 in (512 of images), 2 out. Cost: $0.001569.",
        "The same command asks about the rest.",
        "Error: You ran out of credits.",
    ]
    assert result.exit_code == 1


def test_a_refusal_without_a_reason_is_an_images_own_once_the_question_is_good(
    xai: FakeServer, gallery: Gallery
):
    names = gallery(3)
    xai.reply("A boat.")
    xai.fail(400, error="No.")

    result = describe("What?", *names, "--output", "out.jsonl", "--concurrency", "1")

    assert "2/3 failed: photos/001.png: No. " in result.stderr
    assert images("out.jsonl") == [names[0], names[2]]


def test_a_question_that_an_earlier_run_asked_is_good(xai: FakeServer, gallery: Gallery):
    first, second = gallery(2)
    describe("What?", first, "--output", "out.jsonl")
    xai.fail(400, error="No.")

    result = describe("What?", first, second, "--output", "out.jsonl")

    assert "failed: photos/001.png: No. " in result.stderr
    assert "Images: 0 done, 1 done before, 1 failed." in result.stderr


@pytest.mark.parametrize(
    ("reason", "hint"), [("length", ", see -o max_tokens"), ("max_time", ": max_time")]
)
def test_an_answer_that_was_cut_off_is_kept_and_told(
    xai: FakeServer, gallery: Gallery, reason: str, hint: str
):
    names = gallery(2)
    xai.reply("A boat at sea.", finish_reason=reason)

    result = describe("What?", *names, "--output", "out.jsonl", "--concurrency", "1")

    assert result.stderr.splitlines()[:3] == [
        f"1/2 {names[0]}",
        f"{names[0]}: its answer is not all of it{hint}.",
        f"2/2 {names[1]}",
    ]
    assert images("out.jsonl") == names


def test_without_a_key_nothing_is_read_or_written(
    xai: FakeServer, gallery: Gallery, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("XAI_API_KEY")

    result = describe("What?", *gallery(3), "--output", "out.jsonl")

    assert "No key for xAI was found" in shown_error(result)
    assert not Path("out.jsonl").exists()


def test_the_key_of_the_command_line_is_used(xai: FakeServer, gallery: Gallery):
    describe("What?", *gallery(1), "--key", "xai-another-key")

    assert xai.requests[0].key == "xai-another-key"


@pytest.mark.usefixtures("no_waiting")
def test_a_service_that_is_away_is_not_asked_about_every_image(nobody: str, gallery: Gallery):
    names = gallery(30)

    result = describe("What?", *names, "--output", "out.jsonl", "--concurrency", "1")

    failed = [line for line in result.stderr.splitlines() if " failed: " in line]
    assert len(failed) == 10
    assert failed[0].startswith(f"1/30 failed: photos/000.png: Could not connect to {nobody}: ")
    assert "Error: xAI was away for 10 images in a row, so that it was not asked" in shown_error(
        result
    )


@pytest.mark.usefixtures("no_waiting")
def test_a_service_that_comes_back_is_asked_about_the_rest(xai: FakeServer, gallery: Gallery):
    names = gallery(12)
    for _ in range(9 * ATTEMPTS):
        xai.fail(503)
    xai.reply("A boat.")
    for _ in range(2 * ATTEMPTS):
        xai.fail(503)

    result = describe("What?", *names, "--output", "out.jsonl", "--concurrency", "1")

    assert "Images: 1 done, 0 done before, 11 failed." in result.stderr


@pytest.mark.usefixtures("no_waiting")
def test_a_service_that_refuses_is_not_away(xai: FakeServer, gallery: Gallery):
    names = gallery(19)
    for _ in range(9 * ATTEMPTS):
        xai.fail(503)
    xai.fail(400, error="Invalid PNG image.")
    for _ in range(9 * ATTEMPTS):
        xai.fail(503)

    result = describe("What?", *names, "--output", "out.jsonl", "--concurrency", "1")

    assert "Images: 0 done, 0 done before, 19 failed." in result.stderr
    assert "was away" not in result.stderr


REFUSED: list[Any] = [
    pytest.param(400, "Invalid PNG image.", id="image"),
    pytest.param(403, "Content violates usage guidelines. Failed check: X.", id="moderation"),
    pytest.param(413, "Too large.", id="too-large"),
]


@pytest.mark.parametrize(("status", "error"), REFUSED)
def test_however_many_images_are_refused_the_others_are_asked_about(
    status: int, error: str, xai: FakeServer, gallery: Gallery
):
    names = gallery(14)
    for _ in range(12):
        xai.fail(status, error=error)

    result = describe("What?", *names, "--output", "out.jsonl", "--concurrency", "1")

    assert "Images: 2 done, 0 done before, 12 failed." in result.stderr


def test_an_option_that_the_model_does_not_take_ends_the_run_at_once(
    xai: FakeServer, gallery: Gallery
):
    names = gallery(5)

    result = describe("What?", *names, "-m", "grok-4.3", "-o", "reasoning_effort", "xhigh")

    assert shown_error(result).startswith("Error: ")
    assert "failed" not in result.stderr
    assert xai.requests == []


@pytest.fixture
def broken_log(own_llm_folder: Path) -> None:
    """Put something else in the place of LLM's log."""
    (own_llm_folder / "logs.db").write_bytes(b"this is no database" * 100)


@pytest.mark.usefixtures("broken_log")
@pytest.mark.parametrize(
    "wanted", [(), ("--no-log", "--schema", "0123abcd")], ids=["to-log", "to-find-a-schema"]
)
def test_a_log_that_is_none_is_one_sentence(
    xai: FakeServer, gallery: Gallery, wanted: tuple[str, ...]
):
    result = describe("What?", *gallery(1), *wanted, "--output", "out.jsonl")

    assert shown_error(result).startswith("Error: LLM's log, ")
    assert xai.requests == []
    assert not Path("out.jsonl").exists()


@pytest.mark.usefixtures("broken_log", "xai")
def test_who_wants_no_log_needs_none(gallery: Gallery):
    result = describe("What?", *gallery(1), "--no-log")

    assert result.exit_code == 0


@pytest.mark.usefixtures("xai", "no_log_yet")
def test_runs_that_begin_at_once_set_up_one_log(gallery: Gallery):
    names = gallery(6)

    with ThreadPoolExecutor() as pool:
        results = [*pool.map(lambda name: run_process(*COMMAND, "What?", name), names)]

    assert [result.returncode for result in results] == [0] * 6
    assert not any(b"not logged" in result.stderr for result in results)
    assert len(json.loads(run_llm("logs", "-n", "0", "--json").stdout)) == 6


@pytest.mark.usefixtures("no_waiting")
def test_a_rate_limit_slows_down_and_fails_nothing(
    xai: FakeServer, gallery: Gallery, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(pace, "FIRST_WAIT", 0.001)
    names = gallery(12)
    # Each image is tried three times before it counts as refused.
    for _ in range(20):
        xai.fail(429, error="Too many tokens.", retry_after=0)

    result = describe("What?", *names, "--output", "out.jsonl")

    assert result.exit_code == 0
    assert images("out.jsonl") == names
    assert "Images: 12 done, 0 done before, 0 failed." in result.stderr
    assert "Too many tokens. All wait 0 s, then go on more slowly." in result.stderr
    assert set(times_asked(xai)) == set(names)


def test_a_rate_limit_is_waited_for_in_a_real_run(xai: FakeServer, gallery: Gallery):
    names = gallery(3)
    for _ in range(9):
        xai.fail(429, error="Too many tokens.", retry_after=0)

    result = run_process("grok-vision", "describe", "What?", *names, "--output", "out.jsonl")

    assert result.returncode == 0
    assert images("out.jsonl") == names
    assert b"Too many tokens. All wait 1 s, then go on more slowly.\n" in result.stderr


@pytest.mark.usefixtures("no_waiting")
@pytest.mark.parametrize("asked", [0, 86400], ids=["for-too-long", "with-too-long-a-wait"])
def test_a_rate_limit_that_does_not_pass_ends_the_run(
    xai: FakeServer, gallery: Gallery, monkeypatch: pytest.MonkeyPatch, asked: float
):
    if not asked:
        monkeypatch.setattr(pace, "GIVE_UP_AFTER", 0.001)
    names = gallery(30)
    for _ in range(12):
        xai.fail(429, error="Too many tokens.", retry_after=asked)

    result = describe("What?", *names, "--output", "out.jsonl")

    assert "Error: Too many tokens.\n" in shown_error(result)
    assert len(xai.requests) <= 12
    assert rows("out.jsonl") == []


def _limited(retry_after: float | None = None) -> RateLimited:
    error = RateLimited(429, "", "Too many.", "Wait.")
    error.retry_after = retry_after
    return error


async def _refused(turns: Pace, error: RateLimited) -> None:
    with suppress(RateLimited):
        async with turns.turn():
            await asyncio.sleep(0.001)
            raise error


def test_waits_grow_until_an_answer_comes():
    said: list[str] = []

    async def scenario() -> None:
        turns = Pace(4, said.append)
        for _ in range(8):
            await _refused(turns, _limited())
            turns._until = 0.0  # as if it had been waited for
        async with turns.turn():
            pass
        await _refused(turns, _limited())

    asyncio.run(scenario())

    waits = [line.removeprefix("Too many. All wait ").split(" s")[0] for line in said]
    assert waits == ["1", "2", "4", "8", "16", "32", "60", "60", "1"]


def test_a_wait_is_never_shorter_than_xai_asks_for():
    async def scenario() -> float:
        turns = Pace(4, lambda message: None)
        await _refused(turns, _limited(retry_after=500))
        return turns._until - time.monotonic()

    assert asyncio.run(scenario()) > 400


def test_refusals_of_one_moment_count_once_and_the_longest_wait_holds():
    said: list[str] = []

    async def scenario() -> float:
        turns = Pace(3, said.append)
        await asyncio.gather(*(_refused(turns, _limited(wait)) for wait in (None, 300, 2)))
        return turns._until - time.monotonic()

    assert asyncio.run(scenario()) > 200
    assert len(said) == 1


def test_after_a_rate_limit_requests_go_one_by_one_and_slowly_more_again():
    """The most that ran at once, for each of the turns that came after the pause."""
    together: list[int] = []

    async def scenario() -> None:
        turns = Pace(4, lambda message: None)
        await _refused(turns, _limited())
        turns._until = 0.0
        running = 0

        async def ask() -> None:
            nonlocal running
            async with turns.turn():
                running += 1
                together.append(running)
                await asyncio.sleep(0.001)
                running -= 1

        await asyncio.gather(*(ask() for _ in range(40)))

    asyncio.run(scenario())

    assert together[:2] == [1, 1]
    assert [together.index(count) for count in (2, 3, 4)] == sorted(
        together.index(count) for count in (2, 3, 4)
    )
    assert together.index(3) >= 3
    assert together.index(4) >= 6
    assert max(together) == 4


def test_an_end_of_the_reader_ends_the_run_without_a_traceback(
    xai: FakeServer, gallery: Gallery, monkeypatch: pytest.MonkeyPatch
):
    """Answers come as they arrive: all of these are too little to fill a buffer."""
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)
    names = gallery(20)
    for _ in names:
        xai.reply("A boat.")

    with describing("What?", *names) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr is not None
        said = process.stderr.read()

    assert b"Traceback" not in said
    assert process.wait() != 0
    assert len(xai.requests) < 20
