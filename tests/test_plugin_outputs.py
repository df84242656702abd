"""Outputs that nobody can write to: a disk that is full, a stream that was closed at the start."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from fake_server import FakeServer
from tests.describing import images

Gallery = Callable[[int], list[str]]

pytestmark = [
    pytest.mark.covers_processes,
    pytest.mark.skipif(os.name != "posix", reason="redirections are written for sh"),
]
FULL = pytest.mark.skipif(
    not Path("/dev/full").exists(), reason="a disk is full at will on Linux alone"
)


def llm_in_a_shell(arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run `llm` with arguments and redirections as a shell reads them."""
    command = f'"{Path(sys.executable).with_name("llm")}" {arguments}'
    return subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)


@FULL
@pytest.mark.parametrize(
    "command", ["tokens photos/000.png", "models --json", "describe 'What?' photos/000.png"]
)
@pytest.mark.usefixtures("xai")
def test_a_full_disk_is_told_in_a_line(gallery: Gallery, command: str):
    gallery(1)

    done = llm_in_a_shell(f"grok-vision {command} > /dev/full")

    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "Error: No space left on device"
    assert "Traceback" not in done.stderr


@pytest.mark.usefixtures("xai")
def test_answers_come_into_a_file_where_nobody_hears_of_progress(gallery: Gallery):
    (name,) = gallery(1)

    done = llm_in_a_shell(f"grok-vision describe 'What?' {name} --output out.jsonl 2>&-")

    assert (done.returncode, done.stdout) == (0, "")
    assert images("out.jsonl") == [name]


def test_nothing_is_asked_for_a_standard_output_that_is_closed(xai: FakeServer, gallery: Gallery):
    (name,) = gallery(1)

    done = llm_in_a_shell(f"grok-vision describe 'What?' {name} >&-")

    assert done.returncode == 1
    assert done.stderr == "Error: Standard output is closed; name a file with --output.\n"
    assert len(xai.requests) == 0


def test_an_answer_that_is_cut_off_is_one_without_a_standard_output_too(xai: FakeServer):
    done = llm_in_a_shell("-m grok-4 Hello -o max_tokens 1 < /dev/null >&-")

    assert done.returncode == 0
    assert done.stderr.startswith("The answer was cut off at the most tokens allowed")
    assert len(xai.requests) == 1
