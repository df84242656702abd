"""`img:`, for `-f` and for `!fragment` in a chat: what it attaches, and what it says instead."""

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from fake_server import FakeServer
from llm_grok_vision.fragments import images_for
from llm_grok_vision.images import ImageInfo, inspect
from tests.pictures import picture
from tests.prompting import run_llm, run_process, shape, shown_error
from tests.web import Web

WriteFile = Callable[[str, bytes], Path]


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of pictures that are known by their size, among other things; and go there."""
    folder = tmp_path / "photos"
    (folder / "more.png").mkdir(parents=True)
    for name, data in {
        "b.png": picture(16, 32),
        "a.jpg": picture(32, 16, "JPEG"),
        "c": picture(40, 16),
        "notes.txt": b"hello",
        ".hidden.png": picture(48, 16),
        "more.png/d.png": picture(16, 40),
    }.items():
        (folder / name).write_bytes(data)
    monkeypatch.chdir(tmp_path)
    return folder


def sizes(xai: FakeServer) -> list[str]:
    return [f"{seen.width}x{seen.height}" for seen in xai.requests[-1].images]


ARGUMENTS = [
    pytest.param("photos/b.png", ["16x32"], id="a-file"),
    pytest.param("photos/c", ["40x16"], id="a-file-without-an-extension"),
    pytest.param("photos/", ["32x16", "16x32", "40x16"], id="a-folder"),
    pytest.param("photos", ["32x16", "16x32", "40x16"], id="a-folder-without-a-slash"),
    pytest.param("photos/*.png", ["16x32"], id="a-pattern-that-a-folder-matches-too"),
    pytest.param("photos/[ab].*", ["32x16", "16x32"], id="a-pattern-sorted"),
    pytest.param("photos/**/*.png", ["16x32", "16x40"], id="a-pattern-of-all-depths"),
]


@pytest.mark.parametrize(("argument", "expected"), ARGUMENTS)
def test_files_are_attached_in_their_order(
    xai: FakeServer, photos: Path, argument: str, expected: list[str]
):
    result = run_llm("-m", "grok-4", "What is this?", "-f", f"img:{argument}")

    assert result.exit_code == 0, result.output
    assert sizes(xai) == expected


def test_a_whole_path_and_a_home_folder_are_understood(
    xai: FakeServer, photos: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("HOME", str(photos))

    run_llm("-m", "grok-4", "Hi", "-f", f"img:{photos}/?.png", "-f", "img:~/a.jpg")

    assert sizes(xai) == ["16x32", "32x16"]


def test_a_name_that_looks_like_a_pattern_is_a_file_where_there_is_one(
    xai: FakeServer, photos: Path
):
    shutil.copy(photos / "b.png", photos / "photo[1].png")

    result = run_llm("-m", "grok-4", "Hi", "-f", "img:photos/photo[1].png")

    assert result.exit_code == 0
    assert sizes(xai) == ["16x32"]


def test_images_follow_the_prompt_and_attachments(xai: FakeServer, photos: Path):
    run_llm("-m", "grok-4", "Hi", "-f", "img:photos/b.png", "-a", "photos/a.jpg")

    assert shape(xai.requests[0]) == [("user", ["Hi", "32x16", "16x32"])]


def test_the_log_holds_the_path_and_not_the_image(xai: FakeServer, photos: Path):
    run_llm("-m", "grok-4", "Hi", "-f", "img:photos/b.png")

    (row,) = json.loads(run_llm("logs", "--json").output)
    (attachment,) = row["attachments"]
    assert attachment["path"] == str(photos / "b.png")
    assert attachment["type"] == "image/png"
    assert attachment["content"] is None


def test_a_web_address_is_attached_with_its_type(fetching_xai: FakeServer, web: Web):
    address = f"{web.url}/no-head.png"

    result = run_llm("-m", "grok-4", "Hi", "-f", f"img:{address}")

    assert result.exit_code == 0, result.output
    assert fetching_xai.requests[0].images[0].url == address
    (row,) = json.loads(run_llm("logs", "--json").output)
    assert (row["attachments"][0]["url"], row["attachments"][0]["type"]) == (address, "image/png")


ERRORS = [
    pytest.param("nope.jpg", "nope.jpg does not exist.", id="no-file"),
    pytest.param("nope/", "nope does not exist.", id="no-folder"),
    pytest.param("*.bmp", "*.bmp matches no file.", id="no-match"),
    pytest.param("photos/notes.txt", "photos/notes.txt is not an image (text/plain).", id="text"),
    pytest.param(
        "photos/[bn]*", "photos/notes.txt is not an image (text/plain).", id="text-in-a-pattern"
    ),
    pytest.param("photos/more.png/none", "photos/more.png/none does not exist.", id="no-such-name"),
    pytest.param("empty", "empty has no images in it.", id="an-empty-folder"),
    pytest.param("", "img: needs a file, a folder, an address or 'clipboard'.", id="nothing"),
]


@pytest.mark.parametrize(("argument", "sentence"), ERRORS)
def test_what_cannot_be_attached_is_said_in_a_line(
    xai: FakeServer, photos: Path, argument: str, sentence: str
):
    (photos.parent / "empty").mkdir()

    result = run_llm("-m", "grok-4", "Hi", "-f", f"img:{argument}")

    assert shown_error(result) == f"Error: Could not load fragment img:{argument}: {sentence}\n"
    assert xai.requests == []


ADDRESSES = [
    pytest.param("/none.png", "could not be downloaded: 404 Not Found.", id="not-there"),
    pytest.param("/paper.pdf", "is not an image (application/pdf).", id="a-pdf"),
    pytest.param("/unknown", "is not an image (of no known type).", id="unknown"),
]


@pytest.mark.parametrize(("path", "problem"), ADDRESSES)
def test_an_address_that_is_no_image_is_said_in_a_line(
    fetching_xai: FakeServer, web: Web, path: str, problem: str
):
    result = run_llm("-m", "grok-4", "Hi", "-f", f"img:{web.url}{path}")

    assert shown_error(result).endswith(f": {web.url}{path} {problem}\n")
    assert fetching_xai.requests == []


def test_an_image_that_xai_would_refuse_is_named(xai: FakeServer, photos: Path):
    (photos / "empty.jpg").write_bytes(b"")

    result = run_llm("-m", "grok-4", "Hi", "-f", "img:photos/")

    assert shown_error(result) == (
        f"Error: {photos / 'empty.jpg'} is empty (0 bytes): there is no image to send.\n"
    )


def test_an_image_is_no_part_of_a_system_prompt(xai: FakeServer, photos: Path):
    result = run_llm("-m", "grok-4", "Hi", "--sf", "img:photos/b.png")

    assert "disallowed attachment" in shown_error(result)


def test_a_template_may_hold_images(xai: FakeServer, photos: Path):
    run_llm("-m", "grok-4", "What is this?", "-f", "img:photos/*.png", "--save", "look")

    result = run_llm("-t", "look")

    assert result.exit_code == 0
    assert sizes(xai) == ["16x32"]


def test_llm_lists_the_loader():
    result = run_llm("fragments", "loaders")

    assert "img:\n  Attach images: img:photo.jpg, img:photos/" in result.output


class Clipboard:
    """A program called xclip, which is what Pillow asks on Linux."""

    def __init__(self, folder: Path) -> None:
        self._program = folder / "xclip"

    def holds(self, path: Path) -> None:
        self._write(f"cat '{path}'")

    def fails(self, words: str) -> None:
        self._write(f"echo '{words}' >&2; exit 1")

    def _write(self, command: str) -> None:
        self._program.write_text(f"#!/bin/sh\n{command}\n")
        self._program.chmod(0o755)


linux = pytest.mark.skipif(sys.platform != "linux", reason="the clipboard is made for Linux")


@pytest.fixture
def clipboard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clipboard:
    """Be on a machine with X11, and with no program for a clipboard but the one given."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "cat").symlink_to(shutil.which("cat") or "/bin/cat")
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    return Clipboard(folder)


@linux
def test_what_was_copied_is_attached(xai: FakeServer, clipboard: Clipboard, photos: Path):
    clipboard.holds(photos / "b.png")

    result = run_llm("-m", "grok-4", "What is this?", "-f", "img:clipboard")

    assert result.exit_code == 0, result.output
    assert shape(xai.requests[0]) == [("user", ["What is this?", "16x32"])]


NOT_COPIED = [
    pytest.param(None, "cannot be read: install wl-clipboard or xclip.", id="no-program"),
    pytest.param(
        "Error: target image/png not available", "has no image in it.", id="a-text-was-copied"
    ),
    pytest.param(
        "Error: no display",
        "could not be read: xclip error: Error: no display.",
        id="no-display",
    ),
]


@linux
@pytest.mark.parametrize(("words", "problem"), NOT_COPIED)
def test_a_clipboard_without_an_image_is_said_in_a_line(
    xai: FakeServer, clipboard: Clipboard, words: str | None, problem: str
):
    if words:
        clipboard.fails(words)

    result = run_llm("-m", "grok-4", "Hi", "-f", "img:clipboard")

    assert shown_error(result) == (
        f"Error: Could not load fragment img:clipboard: The clipboard {problem}\n"
    )


@linux
def test_what_was_copied_and_is_no_image_is_said_in_a_line(
    xai: FakeServer, clipboard: Clipboard, photos: Path
):
    clipboard.holds(photos / "notes.txt")

    result = run_llm("-m", "grok-4", "Hi", "-f", "img:clipboard")

    assert "The clipboard could not be read: cannot identify image file" in shown_error(result)


def test_files_that_were_copied_are_attached_as_files(
    photos: Path, monkeypatch: pytest.MonkeyPatch
):
    """Windows gives names of files, which this machine cannot."""
    names = [str(photos / "b.png"), str(photos / "a.jpg")]
    monkeypatch.setattr("PIL.ImageGrab.grabclipboard", lambda: names)

    attachments = images_for("clipboard")

    assert [attachment.path for attachment in attachments] == names


def test_an_image_of_many_colours_that_was_copied_becomes_a_png(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("PIL.ImageGrab.grabclipboard", lambda: Image.new("RGBA", (16, 32)))

    (attachment,) = images_for("clipboard")

    assert attachment.type == "image/png"
    assert inspect(attachment.content or b"", "copied") == ImageInfo("image/png", 16, 32)


CHAT = """Good day
!multi
!fragment img:photos/b.png img:photos/a.jpg
What is this?
!end
And now?
quit
"""


def test_a_chat_takes_images_in_the_middle(xai: FakeServer, photos: Path):
    xai.reply("Hello.")
    xai.reply("Colours.")
    xai.reply("Still colours.")

    result = run_process("chat", "-m", "grok-4", stdin=CHAT.encode())

    assert result.returncode == 0, result.stderr
    assert result.stderr == b""
    assert result.stdout.index(b"Colours.") < result.stdout.index(b"Still colours.")
    assert shape(xai.requests[2]) == [
        ("user", ["Good day"]),
        ("assistant", ["Hello."]),
        ("user", ["What is this?", "16x32", "32x16"]),
        ("assistant", ["Colours."]),
        ("user", ["And now?"]),
    ]


def test_a_chat_takes_images_at_its_start(xai: FakeServer, photos: Path):
    result = run_process(
        "chat", "-m", "grok-4", "-f", "img:photos/b.png", stdin=b"What is this?\nquit\n"
    )

    assert result.returncode == 0
    assert shape(xai.requests[0]) == [("user", ["What is this?", "16x32"])]


def test_a_chat_ends_with_a_line_and_can_be_taken_up_again(xai: FakeServer, photos: Path):
    """LLM ends a chat at a fragment that cannot be loaded, whoever loads it."""
    xai.reply("Hello.")

    ended = run_process(
        "chat", "-m", "grok-4", stdin=b"Good day\n!fragment img:nope.jpg\nlost\nquit\n"
    )
    result = run_process("chat", "-c", stdin=b"!fragment img:photos/b.png\nquit\n")

    assert ended.returncode == 1
    assert ended.stderr.decode() == (
        "Error: Could not load fragment img:nope.jpg: nope.jpg does not exist.\n"
    )
    assert result.returncode == 0, result.stderr
    assert shape(xai.requests[1]) == [
        ("user", ["Good day"]),
        ("assistant", ["Hello."]),
        ("user", ["16x32"]),
    ]
