"""Everything that `llm` offers, a row each, against the wire log."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fake_server import FakeServer
from tests.pictures import picture
from tests.prompting import run_llm, shape

URL = "https://example.com/cat.png"
TOOL = "def tide(place: str) -> str:\n    'Tell the tide.'\n    return f'high in {place}'\n"
TEMPLATE = "model: xai/grok-4\nprompt: 'Describe $input'\nattachments:\n- photo.png\n"

BOAT = ("user", ["Boat?", "32x16"])

# The arguments, and the messages that are to arrive; {photo} stands for a file of 32x16 pixels.
ROWS: list[Any] = [
    pytest.param(["Boat?", "-a", "{photo}"], [BOAT], id="-a-path"),
    pytest.param(["Boat?", "--at", URL, "image/png"], [("user", ["Boat?", "800x600"])], id="--at"),
    pytest.param(["Boat?", "-a", "-"], [BOAT], id="-a-stdin"),
    pytest.param(["-a", "{photo}"], [("user", ["32x16"])], id="attachment-only"),
    pytest.param(
        ["Boat?", *["-a", "{photo}"] * 20], [("user", ["Boat?", *["32x16"] * 20])], id="many"
    ),
    pytest.param(
        ["Boat?", "-a", "{photo}", "-s", "Be brief."], [("system", ["Be brief."]), BOAT], id="-s"
    ),
    pytest.param(["Boat?", "-a", "{photo}", "--schema", "name, masts int"], [BOAT], id="--schema"),
    pytest.param(
        ["Boat?", "-a", "{photo}", "--schema-multi", "name, masts int"], [BOAT], id="--schema-multi"
    ),
    pytest.param(["Boat?", "-a", "{photo}", "-T", "llm_time"], [BOAT], id="-T"),
    pytest.param(["Boat?", "-a", "{photo}", "--functions", TOOL], [BOAT], id="--functions"),
    pytest.param(["Boat?", "-a", "{photo}", "-R"], [BOAT], id="-R"),
    pytest.param(["Boat?", "-a", "{photo}", "-u"], [BOAT], id="-u"),
    pytest.param(["Boat?", "-a", "{photo}", "-n"], [BOAT], id="--no-log"),
    pytest.param(["Boat?", "-a", "{photo}", "-o", "image_detail", "low"], [BOAT], id="-o"),
    pytest.param(["Boat?", "-a", "{photo}", "--key", "xai-other"], [BOAT], id="--key"),
    pytest.param(
        ["Boat?", "-a", "{photo}", "-f", "{notes}"],
        [("user", ["a fragment\nBoat?", "32x16"])],
        id="-f",
    ),
    pytest.param(["-t", "{template}", "it"], [("user", ["Describe it", "32x16"])], id="-t"),
]


@pytest.fixture
def files(tmp_path: Path, image_file: Callable[[str, bytes], Path]) -> dict[str, str]:
    """The files that rows name."""
    photo = image_file("photo.png", picture(32, 16))
    (tmp_path / "notes.txt").write_text("a fragment")
    template = tmp_path / "boat.yaml"
    template.write_text(TEMPLATE.replace("photo.png", str(photo)))
    return {
        "photo": str(photo),
        "notes": str(tmp_path / "notes.txt"),
        "template": str(template),
    }


@pytest.mark.parametrize("stream", [[], ["--no-stream"]], ids=["streamed", "whole"])
@pytest.mark.parametrize("kind", [[], ["--async"]], ids=["sync", "async"])
@pytest.mark.parametrize(("arguments", "expected"), ROWS)
def test_what_is_typed_arrives(  # noqa: PLR0917 (a row of the table)
    arguments: list[str],
    expected: Any,
    kind: list[str],
    stream: list[str],
    xai: FakeServer,
    files: dict[str, str],
):
    typed = [word.format(**files) if word.startswith("{") else word for word in arguments]

    stdin = Path(files["photo"]).read_bytes() if "-" in typed else b""
    result = run_llm("-m", "grok-4", *typed, *kind, *stream, stdin=stdin)

    assert result.exit_code == 0, result.output
    assert result.stdout.strip()
    assert shape(xai.requests[0]) == expected
    assert xai.requests[0].stream is not bool(stream)


@pytest.mark.parametrize("way", [[], ["--async"]], ids=["sync", "async"])
def test_a_conversation_of_five_turns_with_images_tools_and_a_schema(
    way: list[str], xai: FakeServer, files: dict[str, str]
):
    photo = files["photo"]
    xai.reply("A boat.")
    xai.reply(tool_calls=[("tide", {"place": "Leith"})])
    xai.reply("High tide.")
    xai.reply("Two.", reasoning="Counting.")
    xai.reply('{"name":"Isla"}')
    xai.reply("Bye.")

    for typed in (
        ["-m", "grok-4", "What is it?", "-a", photo, "-s", "Be brief."],
        ["-c", "And the tide?", "--functions", TOOL],
        ["-c", "How many masts?", "-a", photo],
        ["-c", "Its name?", "--schema", "name, masts int"],
        ["-c", "Goodbye."],
    ):
        assert run_llm(*typed, *way).exit_code == 0

    assert shape(xai.requests[-1]) == [
        ("system", ["Be brief."]),
        ("user", ["What is it?", "32x16"]),
        ("assistant", ["A boat."]),
        ("user", ["And the tide?"]),
        ("assistant", [""]),
        ("tool", ["high in Leith"]),
        ("assistant", ["High tide."]),
        ("user", ["How many masts?", "32x16"]),
        ("assistant", ["Two."]),
        ("user", ["Its name?"]),
        ("assistant", ['{"name":"Isla"}']),
        ("user", ["Goodbye."]),
    ]
    # The chat completions of one conversation hold each image as often as it was given.
    assert [len(request.images) for request in xai.requests] == [1, 1, 1, 2, 2, 2]


def test_reasoning_is_shown_unless_it_is_hidden(xai: FakeServer):
    xai.reply("Two.", reasoning="Counting the masts.")
    xai.reply("Two.", reasoning="Counting the masts.")

    shown = run_llm("-m", "grok-4", "How many?")
    hidden = run_llm("-m", "grok-4", "How many?", "-R")

    assert shown.stdout == hidden.stdout == "Two.\n"
    assert "Counting the masts." in shown.stderr
    assert hidden.stderr == ""


def test_the_answer_can_be_had_as_json(xai: FakeServer, files: dict[str, str]):
    xai.reply("A boat.", reasoning="Looking.")

    result = run_llm("-m", "grok-4", "What is it?", "-a", files["photo"], "--json")

    events = json.loads(result.stdout)
    assert "A boat." in json.dumps(events)


def test_the_log_shows_question_image_answer_and_reasoning(xai: FakeServer, files: dict[str, str]):
    xai.reply("A boat.", reasoning="Looking.")
    run_llm("-m", "grok-4", "What is it?", "-a", files["photo"])

    logged = run_llm("logs", "-u").stdout

    for words in ("What is it?", "photo.png", "A boat.", "Looking.", "image_tokens"):
        assert words in logged
