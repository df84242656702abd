"""How far a run is stands on standard error: plain lines in a pipe, a bar in a terminal."""

import json
import os
import pty
import re
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from fake_server import FakeServer
from tests.describing import describing
from tests.pictures import picture
from tests.prompting import run_process

Gallery = Callable[[int], list[str]]


def _seen_in_a_terminal(*args: str, stdout: int | None = None) -> str:
    """Run the command with a terminal for standard error; give what that showed."""
    screen, terminal = pty.openpty()
    shown = b""
    with describing(*args, stderr=terminal, stdout=stdout or terminal) as process:
        os.close(terminal)
        # Linux says with an OSError that the last program has closed the terminal.
        with suppress(OSError):
            while data := os.read(screen, 65536):
                shown += data
        process.wait()
    os.close(screen)
    return shown.decode()


def test_a_pipe_gets_a_line_an_image_and_answers_alone_on_standard_output(
    xai: FakeServer, gallery: Gallery
):
    names = gallery(3)

    result = run_process("grok-vision", "describe", "What?", *names, "--concurrency", "1")

    assert [json.loads(line)["image"] for line in result.stdout.splitlines()] == names
    assert result.stderr.decode().splitlines()[:3] == [
        "1/3 photos/000.png",
        "2/3 photos/001.png",
        "3/3 photos/002.png",
    ]


def test_only_what_is_left_is_counted(xai: FakeServer, gallery: Gallery):
    names = gallery(5)
    command = ("grok-vision", "describe", "What?", "--output", "out.jsonl", *names)
    run_process(*command[:-2])

    result = run_process(*command)
    last = run_process(*command)

    assert sorted(line[:3] for line in result.stderr.decode().splitlines()[:2]) == ["1/2", "2/2"]
    assert last.stderr.decode().splitlines() == [
        "Images: 0 done, 5 done before, 0 failed. Tokens: 0 in (0 of images), 0 out. Cost: $0.000000."
    ]


@pytest.mark.covers_processes
def test_a_terminal_gets_a_bar_and_its_failures_stand_above(xai: FakeServer, gallery: Gallery):
    names = gallery(3)
    Path(names[1]).write_bytes(picture(64, 64)[:40])

    shown = _seen_in_a_terminal("What?", *names, "--output", "out.jsonl", "--concurrency", "1")

    assert re.search(r"\[#+-+\] +1/3", shown)
    assert re.search(r"\[#+\] +3/3", shown)
    assert "\r\x1b[K2/3 failed: photos/001.png is a PNG that ends too early" in shown
    assert "photos/000.png" not in shown
    assert "Images: 2 done, 0 done before, 1 failed." in shown


def test_retries_are_told_above_the_bar(xai: FakeServer, gallery: Gallery):
    names = gallery(1)
    xai.fail(503, error="At capacity.", retry_after=0)

    shown = _seen_in_a_terminal("What?", *names, "--output", "out.jsonl")

    assert "\r\x1b[KAt capacity. Trying again in 0.0 s." in shown


def test_no_bar_disturbs_answers_on_the_same_terminal(xai: FakeServer, gallery: Gallery):
    names = gallery(2)

    shown = _seen_in_a_terminal("What?", *names)

    *answers, totals = shown.splitlines()
    assert sorted(json.loads(line)["image"] for line in answers) == names
    assert totals.startswith("Images: 2 done")


def test_a_bar_stays_where_answers_go_elsewhere(xai: FakeServer, gallery: Gallery):
    names = gallery(2)

    shown = _seen_in_a_terminal("What?", *names, stdout=subprocess.DEVNULL)

    assert re.search(r"\[#+\] +2/2", shown)
    assert "{" not in shown
