"""Nothing that was written is lost or asked again, and no file of somebody else is touched."""

import asyncio
import json
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from fake_server import FakeServer
from llm_grok_vision.describe.command import _interruptible
from llm_grok_vision.describe.formats import JsonLines
from llm_grok_vision.describe.output import OutputFile
from tests.describing import describe, describing, images, rows, times_asked, wait_for_rows
from tests.prompting import run_process, shown_error

Gallery = Callable[[int], list[str]]


def test_a_run_that_is_killed_loses_nothing_and_asks_nothing_twice(
    xai: FakeServer, gallery: Gallery
):
    names = gallery(500)
    command = ("What?", *names, "--output", "out.jsonl", "--no-log")
    with describing(*command) as process:
        wait_for_rows("out.jsonl", 120, process)
        process.send_signal(signal.SIGKILL)
        process.wait()
    kept = Path("out.jsonl").read_bytes()

    result = run_process("grok-vision", "describe", *command)

    assert result.returncode == 0
    assert Path("out.jsonl").read_bytes().startswith(kept[: kept.rindex(b"\n") + 1])
    assert images("out.jsonl") == names
    written = [json.loads(line)["image"] for line in kept.split(b"\n")[:-1]]
    assert len(written) >= 120
    asked = times_asked(xai)
    assert {asked[name] for name in written} == {1}
    # What was on its way when the run was killed had to be asked again.
    assert sum(asked.values()) <= 504
    assert f"Images: {500 - len(written)} done, {len(written)} done before" in str(result.stderr)


def test_an_interrupted_run_stops_with_what_is_done(xai: FakeServer, gallery: Gallery):
    names = gallery(100)
    with describing("What?", *names, "--output", "out.jsonl", "--no-log") as process:
        wait_for_rows("out.jsonl", 10, process)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate()

    done = len(rows("out.jsonl"))
    assert process.returncode == 1
    assert 10 <= done < 100
    totals, how_to_go_on, *end = said.decode().splitlines()[done:]
    assert totals.startswith(f"Images: {done} done, 0 done before, 0 failed. Tokens: ")
    assert how_to_go_on == "The same command asks about the rest."
    assert [line for line in end if line] == ["Aborted!"]


def test_a_row_for_another_program_comes_as_soon_as_it_is_there(xai: FakeServer, gallery: Gallery):
    xai.reply("A boat")
    xai.reply("Another", fault={"first_token": 60})

    with describing("What?", *gallery(2), "--concurrency", "1", "--no-log") as process:
        assert process.stdout is not None
        assert "A boat" in process.stdout.readline().decode()


def test_ctrl_c_within_a_step_is_heard_behind_it(caplog: pytest.LogCaptureFixture):
    async def work() -> None:
        answer = asyncio.get_running_loop().create_future()

        def step() -> None:
            signal.raise_signal(signal.SIGINT)
            answer.set_result("It came, and is taken.")

        asyncio.get_running_loop().call_soon(step)
        await answer
        await asyncio.sleep(30)

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(_interruptible(work()))

    assert caplog.messages == []


def test_a_second_ctrl_c_waits_for_nothing():
    async def work() -> None:
        with suppress(asyncio.CancelledError):
            signal.raise_signal(signal.SIGINT)
            await asyncio.sleep(30)
        signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        asyncio.run(_interruptible(work()))


TORN = [
    pytest.param(lambda data: data[: data.rindex(b'"model"') + 3], id="in-a-row"),
    pytest.param(lambda data: data[: data[:-1].rindex(b"\n") + 1 + 4], id="in-its-first-word"),
    pytest.param(lambda data: data + '{"image": "photos/ä'.encode()[:-1], id="in-a-letter"),
    pytest.param(lambda data: data[:-1], id="before-the-end-of-its-line"),
    pytest.param(lambda data: data[:7], id="in-the-first-row"),
    pytest.param(lambda data: b"", id="before-any-row"),
]


@pytest.mark.parametrize("tear", TORN)
def test_a_torn_line_is_asked_again(
    xai: FakeServer, gallery: Gallery, tear: Callable[[bytes], bytes]
):
    names = gallery(4)
    describe("What?", *names[:3], "--output", "out.jsonl")
    torn = tear(Path("out.jsonl").read_bytes())
    Path("out.jsonl").write_bytes(torn)

    result = describe("What?", *names, "--output", "out.jsonl")

    assert result.exit_code == 0
    assert images("out.jsonl") == names
    assert Path("out.jsonl").read_bytes().startswith(torn[: torn.rfind(b"\n") + 1])


QUOTED = 'It says "Ada",\nand below\r\nit 7'
TORN_CSV = [
    pytest.param(lambda data: data[: data.rindex(b"and below") + 3], id="between-quotes"),
    pytest.param(lambda data: data[: data.rindex(b"and below")], id="at-a-quoted-newline"),
    pytest.param(lambda data: data[: data.rindex(b'"",') + 1], id="in-a-quote"),
    pytest.param(lambda data: data[:-3], id="in-the-hash"),
    pytest.param(lambda data: data[:-2], id="before-the-end-of-its-line"),
    pytest.param(lambda data: data[:-1], id="in-the-end-of-its-line"),
    pytest.param(lambda data: data[:9], id="in-the-header"),
    pytest.param(lambda data: data[: data.index(b"\n")], id="in-the-end-of-the-header"),
    pytest.param(lambda data: data[: data.index(b"\n") + 1], id="behind-the-header"),
]


@pytest.mark.parametrize("tear", TORN_CSV)
def test_a_torn_row_of_csv_is_asked_again(
    xai: FakeServer, gallery: Gallery, tear: Callable[[bytes], bytes]
):
    names = gallery(3)
    for _ in range(6):
        xai.reply(QUOTED)
    command = ("What?", *names, "--output", "out.csv", "--csv", "--concurrency", "1")
    describe(*command)
    whole = Path("out.csv").read_bytes()
    Path("out.csv").write_bytes(tear(whole))

    result = describe(*command)

    assert result.exit_code == 0
    assert Path("out.csv").read_bytes() == whole


def test_a_whole_row_without_the_end_of_its_line_is_not_asked_again(
    xai: FakeServer, gallery: Gallery
):
    """Some editors take the last newline away."""
    names = gallery(2)
    for form in ("--csv", "--no-log"):
        output = f"out{form}"
        describe("What?", *names, "--output", output, form)
        whole = Path(output).read_bytes()
        Path(output).write_bytes(whole.rstrip())

        describe("What?", *names, "--output", output, form)

        assert Path(output).read_bytes().split() == whole.split()
    assert len(xai.requests) == 4


ROW = b'{"image": "a.png", "response": "x", "question": "0123456789ab"}\n'
HEADER = b"image,response,model,input_tokens,image_tokens,output_tokens,cost_usd,question\r\n"
CSV_ROW = b"a.png,x,xai/grok-4,1,1,1,0.1,0123456789ab\r\n"
FOREIGN = [
    pytest.param([], b"Dear diary,\n", "Row 1 of out", id="text"),
    pytest.param([], b"Dear diary", "Row 1 of out", id="text-without-newline"),
    pytest.param([], b'{"image": "a.png"}\n', "Row 1 of out", id="other-json"),
    pytest.param([], b"[]\n", "Row 1 of out", id="json-list"),
    pytest.param([], ROW + b"\n" + ROW, "Row 2 of out", id="empty-line-among-rows"),
    pytest.param([], ROW + b"# end", "Row 2 of out", id="other-text-at-the-end"),
    pytest.param([], b"\xff\xd8\xff\xe0 a photo", "Row 1 of out", id="image"),
    pytest.param([], HEADER + CSV_ROW, "Row 1 of out", id="csv-where-json-is-wanted"),
    pytest.param(["--csv"], ROW, "does not begin with the columns", id="json-where-csv-is-wanted"),
    pytest.param(["--csv"], b"a,b\n1,2\n", "does not begin with", id="other-columns"),
    pytest.param(["--csv"], b"image\r\n", "does not begin with", id="some-of-the-columns"),
    pytest.param(["--csv"], b"Dear diary", "does not begin with", id="text-where-csv-is-wanted"),
    pytest.param(["--csv"], HEADER + b"1,2\r\n", "Row 2 of out", id="too-few-cells"),
    pytest.param(["--csv"], HEADER + b'"' + CSV_ROW * 3, "Row 2 of out", id="stray-quote"),
    pytest.param(["--csv"], HEADER + b"\xff" + CSV_ROW, "Row 2 of out", id="no-utf8"),
]


@pytest.mark.parametrize(("arguments", "content", "said"), FOREIGN)
def test_a_file_of_somebody_else_is_refused_and_left_as_it_is(
    xai: FakeServer, gallery: Gallery, arguments: list[str], content: bytes, said: str
):
    gallery(1)
    Path("out").write_bytes(content)

    result = describe("What?", "photos/000.png", "--output", "out", *arguments)

    assert said in shown_error(result)
    assert Path("out").read_bytes() == content
    assert xai.requests == []


def test_csv_of_a_question_with_other_columns_is_refused(xai: FakeServer, gallery: Gallery):
    names = gallery(1)
    describe("What?", *names, "--output", "out.csv", "--csv")
    before = Path("out.csv").read_bytes()

    result = describe("What?", *names, "--output", "out.csv", "--csv", "--schema", "name, year int")

    assert "out.csv does not begin with the columns of these answers" in shown_error(result)
    assert Path("out.csv").read_bytes() == before


def test_an_output_that_another_run_writes_to_is_refused(xai: FakeServer, gallery: Gallery):
    names = gallery(1)

    with OutputFile("out.jsonl", JsonLines(), "0123456789ab"):
        result = run_process("grok-vision", "describe", "What?", *names, "--output", "out.jsonl")

    assert result.returncode == 1
    assert result.stderr.startswith(b"Error: Another run is writing to out.jsonl: ")
    assert xai.requests == []


PLACES = [
    pytest.param("photos", "photos is no file to which answers", id="folder"),
    pytest.param("/dev/null", "/dev/null is no file to which answers", id="device"),
    pytest.param("none/out.jsonl", "none/out.jsonl could not be opened: No such", id="no-folder"),
]


@pytest.mark.parametrize(("output", "said"), PLACES)
def test_an_output_that_can_be_none_is_said_to_be_none(
    xai: FakeServer, gallery: Gallery, output: str, said: str
):
    names = gallery(1)

    result = describe("What?", *names, "--output", output)

    assert said in shown_error(result)
    assert xai.requests == []


def test_a_full_disk_stops_the_run_and_the_next_one_goes_on(xai: FakeServer, gallery: Gallery):
    """A limit on the size of files stands in for the end of the disk."""
    resource = pytest.importorskip("resource")
    names = gallery(30)
    command = ("What?", *names, "--output", "out.jsonl", "--no-log")
    describe(*command[:2], "--output", "other.jsonl")

    # A program that measures coverage writes files of its own, and would fail at that.
    alone = {name: value for name, value in os.environ.items() if "COVERAGE" not in name}
    with describing(
        *command,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000)),
        env=alone,
    ) as process:
        _, said = process.communicate()
    result = describe(*command)

    assert process.returncode == 1
    assert b"Error: out.jsonl could not be written: File too large." in said
    assert b"Traceback" not in said
    assert result.exit_code == 0
    assert images("out.jsonl") == names
