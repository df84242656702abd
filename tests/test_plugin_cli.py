"""The installed `llm` command, as a process of its own, against the fake."""

import functools
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from fake_server import FakeServer
from tests.pictures import picture, png_of_bytes
from tests.prompting import run_llm, shape, shown_error

LLM = Path(sys.executable).with_name("llm")
WriteFile = Callable[[str, bytes], Path]


def run(*args: object, stdin: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(
        [LLM, *(str(arg) for arg in args)], input=stdin, capture_output=True, check=False
    )


def test_an_image_of_a_path_is_described(xai: FakeServer, photo: Path):
    result = run("-m", "grok-4", "What is this?", "-a", photo)

    assert result.stderr == b""
    assert result.returncode == 0
    assert (
        result.stdout
        == (
            f"The fake server saw 1 image. Image 1: JPEG, 1344x896 pixels,"
            f" {photo.stat().st_size:,} bytes, detail auto, 6 tiles, 1792 tokens.\n"
        ).encode()
    )
    assert shape(xai.requests[0]) == [("user", ["What is this?", "1344x896"])]
    assert xai.requests[0].stream is True
    assert xai.requests[0].key == "xai-test-key"


def test_images_keep_their_order_and_need_no_text(
    xai: FakeServer, image_file: WriteFile, photo: Path
):
    first = image_file("no-extension", picture(16, 32))
    third = image_file("wrong-extension.jpg", picture(32, 16))

    result = run("-m", "grok-4", "-a", first, "-a", photo, "-a", third)

    assert result.returncode == 0
    assert shape(xai.requests[0]) == [("user", ["16x32", "1344x896", "32x16"])]


def test_an_image_may_come_from_standard_input(xai: FakeServer):
    result = run("-m", "grok-4", "What is this?", "-a", "-", stdin=picture(16, 32))

    assert result.returncode == 0
    assert shape(xai.requests[0]) == [("user", ["What is this?", "16x32"])]


def test_a_web_address_with_its_type_is_passed_on(xai: FakeServer):
    address = "https://example.com/cat.png?size=large"

    result = run("-m", "grok-4", "What is this?", "--at", address, "image/png", "--no-stream")

    assert result.returncode == 0
    assert b"(a placeholder for https://example.com/cat.png?size=large)" in result.stdout
    assert [seen.url for seen in xai.requests[0].images] == [address]
    assert xai.requests[0].stream is False


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *message: Any) -> None:
        """Say nothing."""


@pytest.fixture
def website(tmp_path: Path) -> Iterator[str]:
    """Serve a folder of this machine with a picture in it."""
    (tmp_path / "cat.png").write_bytes(picture(16, 32))
    handler = functools.partial(_Quiet, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_web_address_is_fetched_by_the_service(website: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("XAI_API_KEY", "any")

    with FakeServer(allow_hosts=["127.0.0.1"]) as server:
        monkeypatch.setenv("XAI_API_BASE", server.url)
        result = run("-m", "grok-4", "What is this?", "-a", f"{website}/cat.png")

    assert result.returncode == 0
    (seen,) = server.requests[0].images
    assert (seen.source, seen.width, seen.height) == ("network", 16, 32)


def test_a_conversation_goes_on_with_its_image_and_is_logged_with_its_usage(
    xai: FakeServer, photo: Path
):
    """Worked by hand: 2 + 1792 tokens at 3 dollars a million and 3 at 15, so 0.005427."""
    xai.reply("It is red.")
    xai.reply("A boat.")

    first = run("-m", "grok-4", "What colour?", "-a", photo, "--async", "-u")
    second = run("-c", "And what else?")
    logged = run("logs", "-u", "-n", "0")

    assert (first.stdout, second.stdout) == (b"It is red.\n", b"A boat.\n")
    assert b'1,794 input, 3 output, {"image_tokens": 1792, "cost_usd": 0.005427}' in first.stderr
    assert shape(xai.requests[1]) == [
        ("user", ["What colour?", "1344x896"]),
        ("assistant", ["It is red."]),
        ("user", ["And what else?"]),
    ]
    assert b'1,794 input, 3 output, `{"image_tokens": 1792, "cost_usd": 0.005427}`' in logged.stdout
    assert logged.stdout.index(b"It is red.") < logged.stdout.index(b"A boat.")


BAD_FILES = [
    pytest.param(
        "holiday.jpg",
        picture(64, 64, "GIF"),
        "is a GIF; xAI takes PNG and JPEG. Convert it to one of them first.",
        id="a-gif-called-jpg",
    ),
    pytest.param(
        "cut.png",
        picture(64, 64)[:-20],
        "is a PNG that ends too early: the file is cut short.",
        id="a-png-cut-short",
    ),
    pytest.param(
        "huge.png",
        png_of_bytes(20_971_521),
        "has 20,971,521 bytes; xAI takes 20,971,520 at most (20 MiB)."
        " Scale it down or compress it more.",
        id="guide-20-mib-and-a-byte",
    ),
    pytest.param(
        "icon.png",
        picture(7, 7),
        "is 7x7 pixels; xAI takes 8 a side at least. Scale it up.",
        id="observed-7-a-side",
    ),
]


@pytest.mark.parametrize(("name", "data", "problem"), BAD_FILES)
def test_a_file_that_the_service_would_refuse_is_not_sent(
    xai: FakeServer, image_file: WriteFile, name: str, data: bytes, problem: str
):
    path = image_file(name, data)

    result = run("-m", "grok-4", "What is this?", "-a", path)

    assert result.returncode == 1
    assert result.stdout == b""
    assert result.stderr.decode() == f"Error: {path} {problem}\n"
    assert xai.requests == []


def test_an_empty_file_is_a_mistake_in_the_command(xai: FakeServer, image_file: WriteFile):
    path = image_file("empty.png", b"")

    result = run("-m", "grok-4", "What is this?", "-a", path)

    assert result.returncode == 2
    assert result.stderr.decode().endswith(
        f"{path} is empty (0 bytes): there is nothing to attach.\n"
    )
    assert b"Traceback" not in result.stderr
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


def test_an_empty_file_with_its_type_is_not_sent(xai: FakeServer, image_file: WriteFile):
    path = image_file("empty.png", b"")

    result = run("-m", "grok-4", "What is this?", "--at", path, "image/png")

    assert result.returncode == 1
    assert result.stderr.decode() == (
        f"Error: {path} is empty (0 bytes): there is no image to send.\n"
    )
    assert xai.requests == []


def test_a_file_that_was_deleted_since_the_last_turn_is_named(
    xai: FakeServer, image_file: WriteFile
):
    path = image_file("gone.png", picture(16, 32))
    run("-m", "grok-4", "What is this?", "-a", path)
    path.unlink()
    xai.clear()

    result = run("-c", "And now?")

    assert result.returncode == 1
    assert result.stderr.decode() == (
        f"Error: {path} could not be read: No such file or directory.\n"
    )
    assert xai.requests == []


def test_trying_again_and_being_cut_off_are_told_on_standard_error(xai: FakeServer):
    xai.fail(503, error="At capacity.", retry_after=0)
    xai.reply("one two three")

    result = run("-m", "grok-4", "Count", "-o", "max_tokens", "2")

    assert result.returncode == 0
    assert result.stdout == b"one two\n"
    assert result.stderr.decode().splitlines() == [
        "At capacity. Trying again in 0.0 s.",
        "The answer was cut off at the most tokens allowed; -o max_tokens sets how many.",
    ]


def test_a_refusal_leaves_standard_output_empty(xai: FakeServer):
    result = run("-m", "grok-4", "Hello", "-o", "stop", "END")

    assert result.returncode == 1
    assert result.stdout == b""
    assert result.stderr.decode() == (
        "Error: Argument not supported on this model: stop\n"
        "Leave that option out for this model, or choose another model.\n"
    )
    assert len(xai.requests) == 1
