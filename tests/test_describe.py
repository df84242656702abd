"""`llm grok-vision describe`: what it asks, the rows that it writes, and what LLM's log keeps."""

import csv
import hashlib
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fake_server import FakeServer
from llm_grok_vision.describe.question import Question
from tests.describing import describe, images, peak_memory, rows, times_asked
from tests.pictures import png_of_bytes
from tests.prompting import run_llm, run_process, shape, shown_error

Gallery = Callable[[int], list[str]]


def test_each_image_becomes_a_line_of_json(xai: FakeServer, gallery: Gallery):
    """Worked by hand: a tile and the extra one are 512 tokens, at 3 dollars a million, and 15."""
    gallery(1)
    xai.reply("A red boat.")

    result = describe("What is it?", "photos/000.png")

    assert json.loads(result.stdout) == {
        "image": "photos/000.png",
        "response": "A red boat.",
        "model": "xai/grok-4",
        "input_tokens": 515,
        "image_tokens": 512,
        "output_tokens": 3,
        "cost_usd": 0.00159,
        "question": json.loads(result.stdout)["question"],
    }
    assert result.exit_code == 0


def test_each_image_is_asked_about_by_itself_with_the_same_words(xai: FakeServer, gallery: Gallery):
    names = gallery(3)

    describe("What is it?", *names, "-s", "Be brief.", "-o", "image_detail", "low")

    assert sorted(shape(request) for request in xai.requests) == [
        [("system", ["Be brief."]), ("user", ["What is it?", f"{width}x32"])]
        for width in (16, 17, 18)
    ]
    assert {image.detail for request in xai.requests for image in request.images} == {"low"}


def test_no_more_images_than_told_are_asked_about_at_once(xai: FakeServer, gallery: Gallery):
    """With one at a time, answers come in the order of the images."""
    names = gallery(5)

    result = describe("What is it?", *names, "--concurrency", "1", "--output", "out.jsonl")

    assert [row["image"] for row in rows("out.jsonl")] == names
    assert "Images: 5 done" in result.stderr


def test_fields_of_a_schema_are_fields_of_the_line(xai: FakeServer, gallery: Gallery):
    gallery(1)
    xai.reply('{"name": "Ada", "crew": ["x", "y"], "extra": 1}')
    schema = {
        "type": "object",
        "properties": {"crew": {"type": "array"}, "name": {}, "year": {}},
    }

    result = describe("Who?", "photos/000.png", "--schema", json.dumps(schema))

    row = json.loads(result.stdout)
    assert list(row)[:4] == ["image", "crew", "name", "year"]
    assert (row["crew"], row["name"], row["year"]) == (["x", "y"], "Ada", None)
    assert "response" not in row
    assert "extra" not in row


def test_csv_has_a_header_and_nested_values_as_json(xai: FakeServer, gallery: Gallery):
    gallery(1)
    answer = {"name": 'A "boat",\nred', "crew": ["ä"], "ok": True, "none": None}
    xai.reply(json.dumps(answer))
    schema = {"type": "object", "properties": {name: {} for name in answer}}

    result = describe("Who?", "photos/000.png", "--csv", "--schema", json.dumps(schema))

    (row,) = csv.DictReader(io.StringIO(result.stdout_bytes.decode(), newline=""))
    assert list(row) == [
        "image", "name", "crew", "ok", "none",
        "model", "input_tokens", "image_tokens", "output_tokens", "cost_usd", "question",
    ]  # fmt: skip
    assert [row[name] for name in answer] == ['A "boat",\nred', '["ä"]', "true", ""]
    assert (row["input_tokens"], row["cost_usd"]) == ("513", row["cost_usd"])


def test_standard_output_has_the_header_of_csv_once(xai: FakeServer, gallery: Gallery):
    names = gallery(2)

    result = describe("Who?", *names, "--csv", "--concurrency", "1")

    rows = csv.DictReader(io.StringIO(result.stdout_bytes.decode(), newline=""))
    assert [Path(row["image"]).name for row in rows] == ["000.png", "001.png"]


def test_a_field_called_response_is_a_field_like_others(xai: FakeServer, gallery: Gallery):
    gallery(1)

    result = describe("What?", "photos/000.png", "--schema", "response, x int")
    schema = {"type": "object", "properties": {"response": {"type": "string"}}}
    alone = describe("What?", "photos/000.png", "--schema", json.dumps(schema))

    assert json.loads(result.stdout)["response"] == "text"
    assert json.loads(alone.stdout)["response"] == "text"


def test_a_schema_without_fields_leaves_the_answer_as_text(xai: FakeServer, gallery: Gallery):
    gallery(1)
    xai.reply("[1, 2]")

    result = describe("Which?", "photos/000.png", "--schema", '{"type": "array"}')

    assert json.loads(result.stdout)["response"] == "[1, 2]"


def test_an_image_that_is_given_twice_is_asked_about_once(xai: FakeServer, gallery: Gallery):
    gallery(2)

    result = describe("What?", "photos/001.png", "photos/000.png", "./photos//001.png")

    assert sorted(json.loads(line)["image"] for line in result.stdout.splitlines()) == [
        "photos/000.png",
        "photos/001.png",
    ]
    assert times_asked(xai) == {"photos/000.png": 1, "photos/001.png": 1}


def test_a_file_name_that_is_no_utf8_is_asked_about_once(xai: FakeServer, gallery: Gallery):
    gallery(1)
    name = b"photos/caf\xe9 \xc3\xa4.png"
    Path("photos/000.png").rename(name.decode(errors="surrogateescape"))

    for form in ("--csv", "--no-log"):
        command = ("What?", name.decode(errors="surrogateescape"), "--output", f"out{form}", form)
        assert [describe(*command).exit_code for _ in range(2)] == [0, 0]

    assert len(xai.requests) == 2
    assert images("out--no-log") == ["photos/caf\udce9 ä.png"]


def test_one_file_holds_the_answers_to_several_questions(xai: FakeServer, gallery: Gallery):
    names = gallery(2)

    for question in ("What?", "Why?", "What?"):
        describe(question, *names, "--output", "out.jsonl")

    found = rows("out.jsonl")
    assert len(xai.requests) == len(found) == 4
    assert len({row["question"] for row in found}) == 2


FIRST: dict[str, Any] = {
    "model_id": "xai/grok-4",
    "prompt": "What?",
    "system": None,
    "schema": None,
    "options": {},
}
OTHERS: list[dict[str, Any]] = [
    {"model_id": "xai/grok-4.3"},
    {"prompt": "Why?"},
    {"system": "Be brief."},
    {"schema": {"type": "object", "properties": {"name": {}}}},
    {"options": {"image_detail": "low"}},
]


@pytest.mark.parametrize("other", OTHERS, ids=[next(iter(other)) for other in OTHERS])
def test_whatever_changes_an_answer_makes_another_question(other: dict[str, Any]):
    assert Question(**FIRST).id != Question(**(FIRST | other)).id


def test_a_question_keeps_its_hash_in_later_versions():
    """Or outputs of today could not be gone on with."""
    said = '["xai/grok-4", "What?", null, null, {"seed": 1}]'

    question = Question(**(FIRST | {"options": {"seed": 1}}))

    assert question.id == hashlib.sha256(said.encode()).hexdigest()[:12]


def test_the_same_option_written_otherwise_is_the_same_question(xai: FakeServer, gallery: Gallery):
    names = gallery(1)

    for model, value in (("grok-4", "0.5"), ("xai/grok-4", "0.50")):
        describe("What?", *names, "--output", "out.jsonl", "-m", model, "-o", "temperature", value)

    assert len(xai.requests) == 1


def test_default_options_of_the_model_are_those_of_llm(xai: FakeServer, gallery: Gallery):
    names = gallery(1)
    run_llm("models", "options", "set", "xai/grok-4", "temperature", "0.5")

    describe("What?", *names, "-o", "seed", "3")

    assert xai.requests[0].parameters["temperature"] == 0.5
    assert xai.requests[0].parameters["seed"] == 3


def test_the_totals_are_what_the_server_counted(xai: FakeServer, gallery: Gallery):
    names = gallery(7)

    result = run_process("grok-vision", "describe", "What?", *names, "--output", "out.jsonl")

    usages = [request.usage for request in xai.requests]
    read = sum(usage["prompt_tokens"] for usage in usages)
    seen = sum(usage["prompt_tokens_details"]["image_tokens"] for usage in usages)
    written = sum(usage["completion_tokens"] for usage in usages)
    ticks = sum(usage["cost_in_usd_ticks"] for usage in usages)
    assert len(usages) == 7
    assert result.stderr.decode().splitlines()[-1] == (
        "Images: 7 done, 0 done before, 0 failed."
        f" Tokens: {read:,} in ({seen:,} of images), {written:,} out. Cost: ${ticks / 1e10:.6f}."
    )
    assert sum(row["input_tokens"] for row in rows("out.jsonl")) == read
    assert result.stdout == b""


def test_llm_logs_each_answer_with_its_image(xai: FakeServer, gallery: Gallery, tmp_path: Path):
    names = gallery(3)

    describe("What?", *names, "--schema", "name, year int")

    logged = json.loads(run_llm("logs", "-n", "0", "--json").stdout)
    assert sorted(row["attachments"][0]["path"] for row in logged) == [
        str(tmp_path / name) for name in names
    ]
    assert {(row["prompt"], row["model"], row["input_tokens"]) for row in logged} == {
        ("What?", "xai/grok-4", 513)
    }
    assert len({row["conversation_id"] for row in logged}) == 3


@pytest.mark.parametrize("how", ["--no-log", "logs-off"])
def test_nothing_is_logged_where_that_is_not_wanted(
    xai: FakeServer, gallery: Gallery, no_log_yet: Path, how: str
):
    names = gallery(2)
    if how == "logs-off":
        run_llm("logs", "off")

    result = describe("What?", *names, *(["--no-log"] if how == "--no-log" else []))

    assert len(result.stdout.splitlines()) == 2
    assert not no_log_yet.exists()


MISTAKES = [
    pytest.param(["What?", "photos"], "photos is a folder", id="folder"),
    pytest.param(["photos/000.png", "photos/001.png"], "The question comes first", id="no-prompt"),
    pytest.param(["What?"], "Missing argument 'IMAGES...'", id="no-images"),
    pytest.param(["What?", "a.png", "-m", "gpt-9"], "gpt-9 is not one of the mod", id="no-model"),
    pytest.param(["What?", "a.png", "-m", "gpt-4o"], "gpt-4o is not one of", id="other-plugin"),
    pytest.param(["What?", "a.png", "-o", "colour", "red"], "colour\n  Extra inp", id="no-option"),
    pytest.param(["What?", "a.png", "-o", "top_p", "7"], "top_p\n  Input should", id="bad-option"),
    pytest.param(["What?", "a.png", "--schema", "a b"], "unknown type 'b'", id="bad-schema"),
    pytest.param(["What?", "a.png", "--schema", "[].json"], "is no JSON object", id="no-schema"),
    pytest.param(["What?", "a.png", "--schema", "model, x"], "has a field 'model'", id="field"),
    pytest.param(["What?", "a.png", "--concurrency", "0"], "0 is not in the range", id="nobody"),
]


@pytest.mark.parametrize(("arguments", "said"), MISTAKES)
def test_a_mistake_is_said_before_anything_is_asked(
    xai: FakeServer, gallery: Gallery, arguments: list[str], said: str
):
    gallery(2)
    Path("[].json").write_text("[1]")

    result = describe(*arguments, "--output", "out.jsonl")

    assert said in shown_error(result)
    assert xai.requests == []
    assert not Path("out.jsonl").exists()


def test_images_are_in_memory_only_while_they_are_sent(xai: FakeServer, gallery: Gallery):
    """All of them at once would be 640 MB as base64; 80 MB are without any image."""
    (name,) = gallery(1)
    Path(name).write_bytes(png_of_bytes(8_000_000))
    names = [f"photos/{number}-copy.png" for number in range(60)]
    for copy in names:
        Path(copy).hardlink_to(name)

    peak = peak_memory("What?", *names, "--concurrency", "2", "--output", "out.jsonl")

    assert len(rows("out.jsonl")) == 60
    assert peak < 480_000
