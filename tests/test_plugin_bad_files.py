"""Files that xAI would refuse: `llm` names each, ends with an error, and sends nothing."""

import os
from collections.abc import Callable
from pathlib import Path

import llm
import pytest

from fake_server import FakeServer
from llm_grok_vision.errors import ImageTooLarge
from tests.pictures import picture, png_of_bytes
from tests.prompting import ask, run_llm, run_process, shown_error

WriteFile = Callable[[str, bytes], Path]

BAD_FILES = [
    pytest.param(
        "holiday.jpg",
        picture(64, 64, "PDF"),
        "is a PDF; xAI takes PNG and JPEG. Convert it to one of them first.",
        id="a-pdf-called-jpg",
    ),
    pytest.param(
        "cut.png",
        picture(64, 64)[:-20],
        "is a PNG that ends too early: the file is cut short.",
        id="a-png-cut-short",
    ),
    pytest.param(
        "icon.png",
        picture(7, 7),
        "is 7x7 pixels; xAI takes 8 a side at least. Scale it up.",
        id="observed-7-a-side",
    ),
]


STRICTLY_BAD_FILES = [
    *BAD_FILES,
    pytest.param(
        "holiday.jpg",
        picture(64, 64, "GIF"),
        "is a GIF; xAI takes PNG and JPEG. Convert it to one of them first.",
        id="a-gif-called-jpg",
    ),
    pytest.param(
        "huge.png",
        png_of_bytes(20_971_521),
        "has 20,971,521 bytes; xAI takes 20,971,520 at most (20 MiB)."
        " Scale it down or compress it more.",
        id="guide-20-mib-and-a-byte",
    ),
]


@pytest.mark.parametrize(("name", "data", "problem"), STRICTLY_BAD_FILES)
def test_what_might_be_converted_is_refused_by_a_strict_user(
    xai: FakeServer, image_file: WriteFile, name: str, data: bytes, problem: str
):
    path = image_file(name, data)

    result = run_llm("-m", "grok-4", "What is this?", "-a", path, "-o", "image_prepare", "strict")

    assert shown_error(result) == f"Error: {path} {problem}\n"
    assert xai.requests == []


@pytest.mark.parametrize(("name", "data", "problem"), BAD_FILES)
def test_a_file_that_the_service_would_refuse_is_not_sent(
    xai: FakeServer, image_file: WriteFile, name: str, data: bytes, problem: str
):
    path = image_file(name, data)

    result = run_process("-m", "grok-4", "What is this?", "-a", path)

    assert result.returncode == 1
    assert result.stdout == b""
    assert result.stderr.decode() == f"Error: {path} {problem}\n"
    assert xai.requests == []


def test_an_empty_file_is_a_mistake_in_the_command(xai: FakeServer, image_file: WriteFile):
    path = image_file("empty.png", b"")

    result = run_process("-m", "grok-4", "What is this?", "-a", path)

    assert result.returncode == 2
    assert result.stderr.decode().endswith(
        f"{path} is empty (0 bytes): there is nothing to attach.\n"
    )
    assert b"Traceback" not in result.stderr
    assert xai.requests == []


@pytest.mark.parametrize("mode", ["auto", "strict", "shrink"])
def test_a_file_too_large_for_the_memory_is_refused_by_its_size(
    xai: FakeServer, tmp_path: Path, mode: str
):
    path = tmp_path / "disk.png"
    with path.open("wb") as file:
        file.truncate(2**40)

    with pytest.raises(ImageTooLarge, match=r"has 1,099,511,627,776 bytes"):
        ask("sync", attachments=[llm.Attachment(path=str(path))], image_prepare=mode)

    assert xai.requests == []


NOTHING = [
    pytest.param(["-a", "-"], "standard input is empty (0 bytes)", id="guessed-type"),
    pytest.param(
        ["--at", "-", "image/png"],
        "The image without a file name (from standard input or bytes) is empty (0 bytes)",
        id="given-type",
    ),
]


@pytest.mark.parametrize(("arguments", "words"), NOTHING)
def test_nothing_on_standard_input_is_not_sent(xai: FakeServer, arguments: list[str], words: str):
    result = run_llm("-m", "grok-4", "What is this?", *arguments)

    assert words in shown_error(result)
    assert xai.requests == []


def test_a_folder_is_named_and_not_sent(xai: FakeServer, tmp_path: Path):
    result = run_llm("-m", "grok-4", "What is this?", "--at", tmp_path, "image/png")

    assert shown_error(result) == f"Error: {tmp_path} could not be read: Is a directory.\n"
    assert xai.requests == []


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no such files")
@pytest.mark.parametrize("kind", ["pipe", "device"])
@pytest.mark.parametrize("mode", ["auto", "strict"])
def test_what_may_have_no_end_is_not_waited_for(
    xai: FakeServer, tmp_path: Path, kind: str, mode: str
):
    path = Path("/dev/zero") if kind == "device" else tmp_path / "pipe"
    if kind == "pipe":
        os.mkfifo(path)
    options = ("-o", "image_prepare", mode)

    result = run_llm("-m", "grok-4", "What is this?", "--at", path, "image/png", *options)

    assert shown_error(result) == (
        f"Error: {path} is no file; an image can be piped in with -a -.\n"
    )
    assert xai.requests == []


def test_an_empty_file_with_its_type_is_not_sent(xai: FakeServer, image_file: WriteFile):
    path = image_file("empty.png", b"")

    result = run_process("-m", "grok-4", "What is this?", "--at", path, "image/png")

    assert result.returncode == 1
    assert result.stderr.decode() == (
        f"Error: {path} is empty (0 bytes): there is no image to send.\n"
    )
    assert xai.requests == []


def test_a_file_that_was_deleted_since_the_last_turn_is_named(
    xai: FakeServer, image_file: WriteFile
):
    path = image_file("gone.png", picture(16, 32))
    run_process("-m", "grok-4", "What is this?", "-a", path)
    path.unlink()
    xai.clear()

    result = run_process("-c", "And now?")

    assert result.returncode == 1
    assert result.stderr.decode() == (
        f"Error: {path} could not be read: No such file or directory.\n"
        "It is of an earlier turn; '-o skip_lost_images 1' goes on without it.\n"
    )
    assert xai.requests == []
