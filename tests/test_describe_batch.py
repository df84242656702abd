"""`describe --batch`: the life of a batch, from submit over status to the rows of its results."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fake_server import FakeServer
from llm_grok_vision.catalogue import vision_models
from llm_grok_vision.describe import batch_submit
from tests import batching
from tests.between import between
from tests.describing import answered, batch, describe, images, results, rows, submit, times_asked
from tests.prompting import run_llm, shown_error

Gallery = Callable[[int], list[str]]


def test_a_batch_is_submitted_waited_for_and_fetched(xai: FakeServer, gallery: Gallery):
    names = gallery(5)
    xai.hold_batches()

    submitted = submit("What?", *names)
    early = results()
    xai.finish_batches(2)
    partly = results()
    xai.finish_batches()
    late = results()

    assert submitted.stderr.splitlines()[-2:] == [
        "Images: 5 submitted, 0 submitted or done before, 0 failed.",
        "Fetch the answers with: llm grok-vision describe --batch results --output out.jsonl",
    ]
    assert "Not all is in yet. 5 are pending: run this again later." in early.stderr
    assert "Images: 2 done, 0 done before, 0 failed." in partly.stderr
    assert "Not all is in yet. 3 are pending" in partly.stderr
    assert "Images: 3 done, 2 done before, 0 failed." in late.stderr
    assert "Not all" not in late.stderr
    assert [early.exit_code, partly.exit_code, late.exit_code] == [3, 3, 0]
    assert [row["image"] for row in rows("out.jsonl")] == names
    assert times_asked(xai) == dict.fromkeys(names, 1)


def test_a_row_is_that_of_a_prompt_but_for_the_price(xai: FakeServer, gallery: Gallery):
    """A request in a batch costs 80 % of what it costs alone."""
    names = gallery(1)

    describe("What?", *names, "--output", "one.jsonl")
    submit("What?", *names, output="batch.jsonl")
    results("batch.jsonl")

    (one,), (of_batch,) = rows("one.jsonl"), rows("batch.jsonl")
    assert of_batch == one | {"cost_usd": pytest.approx(one["cost_usd"] * 0.8)}
    assert list(of_batch) == list(one)


QUESTIONS: list[Any] = [
    pytest.param([], "chat_get_completion", id="plain"),
    pytest.param(
        [
            "-s",
            "Be brief.",
            "-o",
            "image_detail",
            "low",
            "-o",
            "max_tokens",
            "9",
            "--schema",
            "x, y",
        ],
        "chat_get_completion",
        id="all-of-it",
    ),
    pytest.param(["-o", "responses", "1", "-m", "grok-4.3"], "responses", id="responses"),
]


@pytest.mark.parametrize(("options", "kind"), QUESTIONS)
def test_a_batch_asks_what_a_prompt_asks(
    xai: FakeServer, gallery: Gallery, options: list[str], kind: str
):
    names = gallery(1)

    with between(xai) as proxy:
        describe("What?", *names, *options)
        submit("What?", *names, *options)
        fetched = results()

    (alone,) = [one.json for one in proxy.passed if "/batches" not in one.path]
    (together,) = proxy.parcels[0].json["batch_requests"]
    alone.pop("stream_options", None)
    assert together["batch_request"] == {kind: alone | {"stream": False}}
    assert fetched.exit_code == 0
    assert images("out.jsonl") == names


def test_fields_of_a_schema_are_columns_of_the_csv(xai: FakeServer, gallery: Gallery):
    names = gallery(2)
    xai.reply('{"name": "Ada", "masts": 2}')

    submit("Who?", *names, "--schema", "name, masts int", "--csv", output="out.csv")
    fetched = results("out.csv")

    with Path("out.csv").open(newline="") as file:
        first, second = csv.DictReader(file)
    assert fetched.exit_code == 0
    assert list(first)[:4] == ["image", "name", "masts", "model"]
    assert (first["image"], first["name"], first["masts"]) == (names[0], "Ada", "2")
    assert second["image"] == names[1]


def test_two_questions_about_the_same_images_share_an_output(xai: FakeServer, gallery: Gallery):
    names = gallery(2)

    submit("What?", *names)
    submit("Why?", *names, "--schema", "why, who")
    fetched = results()

    assert fetched.exit_code == 0
    assert images("out.jsonl") == sorted(names * 2)
    assert len({row["question"] for row in rows("out.jsonl")}) == 2
    assert "Images: 4 done" in fetched.stderr


@pytest.mark.parametrize("options", [[], ["--csv", "--schema", "x, y"]], ids=["format", "columns"])
def test_one_output_has_one_format(xai: FakeServer, gallery: Gallery, options: list[str]):
    names = gallery(1)
    submit("What?", *names, "--csv")

    result = batch("submit", "Why?", *names, "--output", "out.jsonl", *options)

    assert "out.jsonl is to hold the answers of another batch" in shown_error(result)
    assert len(answered(xai)) == 1


def test_many_images_go_in_several_posts_and_come_in_several_pages(
    xai: FakeServer, gallery: Gallery, monkeypatch: pytest.MonkeyPatch
):
    names = gallery(300)
    monkeypatch.setattr(batch_submit, "MAX_BATCH_PAYLOAD", 20_000)

    with between(xai) as proxy:
        submit("What?", *names)
        fetched = results()

    sizes = [len(one.body) for one in proxy.parcels]
    assert len(sizes) > 3
    assert max(sizes) <= 20_000
    # The next image would not have gone into any of them but the last.
    assert min(sizes[:-1]) > 19_000
    assert fetched.exit_code == 0
    assert [row["image"] for row in rows("out.jsonl")] == names
    assert times_asked(xai) == dict.fromkeys(names, 1)
    assert sum("/results" in one.path for one in proxy.passed) == 3
    assert sum(one.path == "/v1/batches" for one in proxy.passed) == 1


def test_a_post_is_exactly_as_large_as_is_allowed(
    xai: FakeServer, gallery: Gallery, monkeypatch: pytest.MonkeyPatch
):
    names = gallery(3)
    with between(xai) as proxy:
        submit("What?", *names)
        whole = len(proxy.parcels[0].body)
        for size, count in ((whole, 1), (whole - 1, 2)):
            monkeypatch.setattr(batch_submit, "MAX_BATCH_PAYLOAD", size)
            proxy.passed.clear()
            submit("What?", *names, output=f"{size}.jsonl")
            assert len(proxy.parcels) == count


def test_fetching_twice_writes_once(xai: FakeServer, gallery: Gallery):
    submit("What?", *gallery(3))
    results()
    written = Path("out.jsonl").read_bytes()

    again = results()

    assert Path("out.jsonl").read_bytes() == written
    assert again.exit_code == 0
    assert "Images: 0 done, 3 done before, 0 failed." in again.stderr
    assert len(json.loads(run_llm("logs", "-n", "0", "--json").stdout)) == 3


def test_what_is_answered_or_submitted_is_not_submitted_again(xai: FakeServer, gallery: Gallery):
    names = gallery(5)
    describe("What?", *names[:1], "--output", "out.jsonl")
    submit("What?", *names[:3])

    more = submit("What?", "./photos//001.png", *names, names[4])
    fetched = results()

    assert "Images: 2 submitted, 3 submitted or done before, 0 failed." in more.stderr
    assert fetched.exit_code == 0
    assert images("out.jsonl") == names
    assert times_asked(xai) == dict.fromkeys(names, 1)


def test_each_submit_that_gets_through_is_a_batch_of_its_own(xai: FakeServer, gallery: Gallery):
    first, second = gallery(2)

    submit("What?", first)
    submit("What?", second)

    assert len(batch("status").stdout.splitlines()) == len(["its head", first, second])


def test_a_row_that_was_deleted_is_asked_for_again_by_a_submit(xai: FakeServer, gallery: Gallery):
    names = gallery(2)
    xai.reply("Wrong.")
    submit("What?", *names)
    results()
    lines = Path("out.jsonl").read_text().splitlines(keepends=True)
    Path("out.jsonl").write_text("".join(line for line in lines if "Wrong." not in line))

    submit("What?", *names)
    results()

    assert times_asked(xai) == {names[0]: 2, names[1]: 1}
    assert images("out.jsonl") == names
    assert "Wrong." not in Path("out.jsonl").read_text()


def test_an_output_that_was_lost_is_fetched_again(xai: FakeServer, gallery: Gallery):
    names = gallery(2)
    submit("What?", *names)
    results()
    Path("out.jsonl").unlink()

    fetched = results()

    assert fetched.exit_code == 0
    assert images("out.jsonl") == names


def test_answers_are_logged_from_whatever_folder_they_are_fetched(
    xai: FakeServer, gallery: Gallery, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    names = gallery(2)
    submit("What?", *names, "-s", "Be brief.")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")

    fetched = results("../out.jsonl")

    assert fetched.exit_code == 0
    assert images("../out.jsonl") == names
    logged = json.loads(run_llm("logs", "-n", "0", "--json").stdout)
    assert sorted(row["attachments"][0]["path"] for row in logged) == [
        str(tmp_path / name) for name in names
    ]
    assert {
        (row["prompt"], row["system"], row["model"], row["input_tokens"]) for row in logged
    } == {("What?", "Be brief.", "xai/grok-4", 515)}


@pytest.mark.parametrize("how", ["--no-log", "logs-off"])
def test_nothing_is_logged_where_that_is_not_wanted(
    xai: FakeServer, gallery: Gallery, no_log_yet: Path, how: str
):
    submit("What?", *gallery(2))
    if how == "logs-off":
        run_llm("logs", "off")

    results("out.jsonl", *(["--no-log"] if how == "--no-log" else []))

    assert len(rows("out.jsonl")) == 2
    assert not no_log_yet.exists()


def test_the_totals_are_what_the_server_counted(xai: FakeServer, gallery: Gallery):
    submit("What?", *gallery(7))

    result = results()

    usages = [request.usage for request in answered(xai)]
    read = sum(usage["prompt_tokens"] for usage in usages)
    written = sum(usage["completion_tokens"] for usage in usages)
    ticks = sum(usage["cost_in_usd_ticks"] for usage in usages)
    assert result.stderr.splitlines()[-1] == (
        "Images: 7 done, 0 done before, 0 failed."
        f" Tokens: {read:,} in ({7 * 512:,} of images), {written:,} out. Cost: ${ticks / 1e10:.6f}."
    )
    assert result.stdout == ""


def test_a_file_name_that_is_no_utf8_comes_back_as_it_was(xai: FakeServer, gallery: Gallery):
    gallery(1)
    name = b"photos/caf\xe9.png".decode(errors="surrogateescape")
    Path("photos/000.png").rename(name)

    for form in ((), ("--csv",)):
        output = f"caf\udce9{len(form)}"
        submit("What?", name, *form, output=output)
        assert results(output).exit_code == 0
        again = submit("What?", name, *form, output=output)
        assert "Images: 0 submitted, 1 submitted or done before" in again.stderr

    assert images("caf\udce90") == [name]
    assert len(answered(xai)) == 2


def test_the_status_is_a_line_for_each_batch(xai: FakeServer, gallery: Gallery):
    names = gallery(4)
    xai.hold_batches()
    submit("What?", *names)
    xai.finish_batches(1)
    submit("Why?", *names[:2], "-m", "grok-4.3", output="photos/why.jsonl")

    everything = batch("status")
    of_one = batch("status", "--output", "photos/why.jsonl")

    heads, first, second = [line.split() for line in everything.stdout.splitlines()]
    assert heads == [
        "batch", "output", "model", "pending", "done", "failed", "cancelled", "created", "expires",
    ]  # fmt: skip
    assert first[1:] == ["out.jsonl", "xai/grok-4", "3", "1", "0", "0", "2026-01-01", "2099-12-31"]
    assert second[1:7] == ["photos/why.jsonl", "xai/grok-4.3", "2", "0", "0", "0"]
    assert [line.split() for line in of_one.stdout.splitlines()] == [heads, second]
    assert everything.exit_code == of_one.exit_code == 0


def test_the_status_names_an_output_in_full_that_is_not_below(
    xai: FakeServer, gallery: Gallery, monkeypatch: pytest.MonkeyPatch
):
    submit("What?", *gallery(1))
    output = Path("out.jsonl").absolute()
    monkeypatch.chdir("photos")

    assert batch("status").stdout.splitlines()[1].split()[1] == str(output)


def test_the_status_counts_what_failed_and_what_was_cancelled(xai: FakeServer, gallery: Gallery):
    xai.hold_batches()
    submit("What?", *gallery(3))
    xai.fail(400, error="No.")
    xai.finish_batches(1)
    name = batch("status").stdout.splitlines()[1].split()[0]
    batching.cancel(xai, name)

    assert batch("status").stdout.splitlines()[1].split()[3:7] == ["0", "0", "1", "2"]


def test_the_status_of_nothing_is_said(xai: FakeServer, gallery: Gallery):
    result = batch("status")

    assert result.stderr == "No batches were submitted from here.\n"
    assert result.exit_code == 0


@pytest.mark.parametrize("word", ["status", "results"])
def test_an_output_for_which_nothing_was_submitted_is_said(
    xai: FakeServer, gallery: Gallery, word: str
):
    submit("What?", *gallery(1))

    result = batch(word, "--output", "other.jsonl")

    assert "No batch was submitted from here for other.jsonl" in shown_error(result)
    assert not Path("other.jsonl").exists()


REFUSED = [model.name for model in vision_models() if not model.batches]


@pytest.mark.parametrize("name", [*REFUSED, "grok-latest"])
def test_a_model_that_batches_do_not_take_is_refused_before_anything_is_sent(
    xai: FakeServer, gallery: Gallery, name: str
):
    with between(xai) as proxy:
        result = batch("submit", "What?", *gallery(1), "--output", "out.jsonl", "-m", name)

    said = shown_error(result)
    assert "xAI takes no batches for grok-" in said
    assert "; ask xai/grok-4.3, xai/grok-4.20-0309-reasoning or " in said
    assert proxy.passed == []
    assert not Path("out.jsonl").exists()


def test_some_models_are_refused_and_most_are_not():
    assert {"grok-4.5", "grok-4.6", "grok-4.7", "grok-build-0.1"} == set(REFUSED)


MISTAKES = [
    pytest.param(["submit", "What?", "a.png"], "--batch submit needs the --output", id="no-file"),
    pytest.param(["results"], "--batch results needs the --output file", id="results-of-what"),
    pytest.param(["submit"], "Missing argument 'PROMPT'", id="no-prompt"),
    pytest.param(["submit", "What?"], "Missing argument 'IMAGES...'", id="no-images"),
    pytest.param(["status", "What?"], "status takes no question and no images", id="status-of-it"),
    pytest.param(["results", "a", "b"], "results takes no question and no im", id="results-of-it"),
    pytest.param(["status", "-m", "grok-4"], "status does not go with --model", id="model"),
    pytest.param(["results", "--csv"], "results does not go with --csv", id="csv"),
    pytest.param(["results", "-o", "seed", "1"], "does not go with --option", id="option"),
    pytest.param(["status", "--no-log"], "status does not go with --no-log", id="status-log"),
    pytest.param(["submit", "a", "b", "-n"], "submit does not go with --no-log", id="submit-log"),
    pytest.param(["submit", "a", "b", "--concurrency", "2"], "with --concurrency", id="at-once"),
    pytest.param(["cancel"], "'cancel' is not one of 'submit', 'status', 'results'", id="word"),
]


@pytest.mark.parametrize(("arguments", "said"), MISTAKES)
def test_what_does_not_go_together_is_said(gallery: Gallery, arguments: list[str], said: str):
    gallery(1)

    result = batch(*arguments)

    assert said in shown_error(result)
    assert result.exit_code == 2
