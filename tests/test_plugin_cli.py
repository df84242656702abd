"""The installed `llm` command, as a process of its own, against the fake."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fake_server import FakeServer
from tests.pictures import picture
from tests.prompting import run_process, shape
from tests.web import serving_folder

WriteFile = Callable[[str, bytes], Path]


def test_an_image_of_a_path_is_described(xai: FakeServer, photo: Path):
    result = run_process("-m", "grok-4", "What is this?", "-a", photo)

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

    result = run_process("-m", "grok-4", "-a", first, "-a", photo, "-a", third)

    assert result.returncode == 0
    assert shape(xai.requests[0]) == [("user", ["16x32", "1344x896", "32x16"])]


def test_an_image_may_come_from_standard_input(xai: FakeServer):
    result = run_process("-m", "grok-4", "What is this?", "-a", "-", stdin=picture(16, 32))

    assert result.returncode == 0
    assert shape(xai.requests[0]) == [("user", ["What is this?", "16x32"])]


def test_a_web_address_with_its_type_is_passed_on(xai: FakeServer):
    address = "https://example.com/cat.png?size=large"

    result = run_process(
        "-m", "grok-4", "What is this?", "--at", address, "image/png", "--no-stream"
    )

    assert result.returncode == 0
    assert b"(a placeholder for https://example.com/cat.png?size=large)" in result.stdout
    assert [seen.url for seen in xai.requests[0].images] == [address]
    assert xai.requests[0].stream is False


@pytest.fixture
def website(tmp_path: Path) -> Iterator[str]:
    """Serve a folder of this machine with a picture in it."""
    (tmp_path / "cat.png").write_bytes(picture(16, 32))
    with serving_folder(tmp_path) as url:
        yield url


def test_a_web_address_is_fetched_by_the_service(website: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("XAI_API_KEY", "any")

    with FakeServer(allow_hosts=["127.0.0.1"]) as server:
        monkeypatch.setenv("XAI_API_BASE", server.url)
        result = run_process("-m", "grok-4", "What is this?", "-a", f"{website}/cat.png")

    assert result.returncode == 0
    (seen,) = server.requests[0].images
    assert (seen.source, seen.width, seen.height) == ("network", 16, 32)


def test_a_conversation_goes_on_with_its_image_and_is_logged_with_its_usage(
    xai: FakeServer, photo: Path
):
    """Worked by hand: 2 + 1792 tokens at 3 dollars a million and 3 at 15, so 0.005427."""
    xai.reply("It is red.")
    xai.reply("A boat.")

    first = run_process("-m", "grok-4", "What colour?", "-a", photo, "--async", "-u")
    second = run_process("-c", "And what else?")
    logged = run_process("logs", "-u", "-n", "0")

    assert (first.stdout, second.stdout) == (b"It is red.\n", b"A boat.\n")
    assert b'1,794 input, 3 output, {"image_tokens": 1792, "cost_usd": 0.005427}' in first.stderr
    assert shape(xai.requests[1]) == [
        ("user", ["What colour?", "1344x896"]),
        ("assistant", ["It is red."]),
        ("user", ["And what else?"]),
    ]
    assert b'1,794 input, 3 output, `{"image_tokens": 1792, "cost_usd": 0.005427}`' in logged.stdout
    assert logged.stdout.index(b"It is red.") < logged.stdout.index(b"A boat.")


def test_trying_again_and_being_cut_off_are_told_on_standard_error(xai: FakeServer):
    xai.fail(503, error="At capacity.", retry_after=0)
    xai.reply("one two three")

    result = run_process("-m", "grok-4", "Count", "-o", "max_tokens", "2")

    assert result.returncode == 0
    assert result.stdout == b"one two\n"
    assert result.stderr.decode().splitlines() == [
        "At capacity. Trying again in 0.0 s.",
        "The answer was cut off at the most tokens allowed; -o max_tokens sets how many.",
    ]


def test_a_refusal_leaves_standard_output_empty(xai: FakeServer):
    xai.fail(400, code="invalid-argument", error="Argument not supported on this model: seed")

    result = run_process("-m", "grok-4", "Hello", "-o", "seed", "7")

    assert result.returncode == 1
    assert result.stdout == b""
    assert result.stderr.decode() == (
        "Error: Argument not supported on this model: seed\n"
        "Leave that option out for this model, or choose another model.\n"
    )
    assert len(xai.requests) == 1


def test_an_option_that_the_model_does_not_take_is_not_sent(xai: FakeServer):
    result = run_process("-m", "grok-4", "Hello", "-o", "reasoning_effort", "high")

    assert result.returncode == 1
    assert result.stdout == b""
    assert result.stderr.decode() == (
        "Error: grok-4 takes no reasoning_effort; xai/grok-4.7, xai/grok-4.6 and xai/grok-4.5 do.\n"
    )
    assert xai.requests == []
