"""The body of a request writes images while it is sent, and takes no more memory for large ones."""

import asyncio
import io
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import llm
import pytest

from fake_server import FakeServer
from llm_grok_vision import images
from llm_grok_vision.body import Body, DataUrl
from llm_grok_vision.errors import ImageError, ImageNotReadable, UnsendableText
from llm_grok_vision.images import inspect, inspect_file
from tests.pictures import data_url, picture, png_of_bytes

CAT = picture(40, 30, "JPEG")


def value(*urls: str) -> dict[str, object]:
    return {"model": "grok-4", "messages": [{"content": [{"url": url} for url in urls]}]}


def test_a_body_is_the_json_with_its_images(tmp_path: Path):
    (tmp_path / "cat.jpg").write_bytes(CAT)
    held = DataUrl("image/jpeg", CAT, len(CAT), "cat")
    filed = DataUrl("image/jpeg", tmp_path / "cat.jpg", len(CAT), "cat.jpg")
    url = data_url(CAT, "image/jpeg")

    body = Body(value(held, filed, held, "https://example.com/é.png"))

    assert json.loads(bytes(body)) == value(url, url, url, "https://example.com/é.png")
    assert len(body) == len(bytes(body))


def test_a_body_without_images_is_json():
    assert bytes(Body({"a": "é"})) == '{"a": "é"}'.encode()


@pytest.mark.parametrize("text", ["\ud83d", "\udce9t\udce9", "a\ude00b"])
def test_half_a_character_is_no_text_to_send(text: str):
    with pytest.raises(UnsendableText, match="half of a character"):
        Body({"messages": [{"role": "user", "content": text}]})


@pytest.mark.parametrize("size", [1, 2, 3, 196_607, 196_608, 196_609, 400_000])
def test_any_number_of_bytes_is_written(size: int):
    data = os.urandom(size)

    body = Body(value(DataUrl("image/png", data, size, "x")))

    assert json.loads(bytes(body)) == value(data_url(data))
    assert len(body) == len(bytes(body))


def test_a_body_can_be_written_again_and_by_a_loop():
    body = Body(value(DataUrl("image/jpeg", CAT, len(CAT), "cat")))

    async def written() -> bytes:
        return b"".join([piece async for piece in body])

    first, second, third = bytes(body), bytes(body), asyncio.run(written())

    assert first == second == third


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no files that give less")
def test_a_read_that_gives_less_ends_no_image(tmp_path: Path):
    os.mkfifo(tmp_path / "cat.png")
    data = os.urandom(100_001)
    url = DataUrl("image/png", tmp_path / "cat.png", len(data), "cat.png")

    with ThreadPoolExecutor() as pool:
        # A pipe holds 64 KiB: nobody can read all of it at once.
        pool.submit((tmp_path / "cat.png").write_bytes, data)
        assert b"".join(url.written()).decode() == data_url(data)


@pytest.mark.parametrize("now", [CAT[:-1], CAT + b"x", b""], ids=["shorter", "longer", "empty"])
def test_a_file_that_changed_meanwhile_is_no_image(tmp_path: Path, now: bytes):
    path = tmp_path / "cat.jpg"
    path.write_bytes(CAT)
    body = Body(value(DataUrl("image/jpeg", path, len(CAT), "cat.jpg")))
    path.write_bytes(now)

    with pytest.raises(ImageNotReadable, match=r"cat\.jpg.* changed while it was sent"):
        bytes(body)


def test_a_file_that_is_gone_meanwhile_is_named(tmp_path: Path):
    body = Body(value(DataUrl("image/jpeg", tmp_path / "cat.jpg", 9, "cat.jpg")))

    with pytest.raises(ImageNotReadable, match=r"cat\.jpg.* could not be read: No such file"):
        bytes(body)


@pytest.mark.usefixtures("no_waiting")
@pytest.mark.parametrize("of", ["path", "content"])
def test_another_try_sends_the_whole_image_again(xai: FakeServer, photo: Path, of: str):
    xai.fail(503)
    given = {"path": str(photo)} if of == "path" else {"content": photo.read_bytes()}

    llm.get_model("xai/grok-4").prompt("What?", attachments=[llm.Attachment(**given)]).text()

    assert [request.status for request in xai.requests] == [503, 200]
    assert [request.images[0].size for request in xai.requests] == [photo.stat().st_size] * 2


PICTURES = [
    pytest.param(picture(64, 48, "PNG"), id="png"),
    pytest.param(picture(640, 480, "JPEG"), id="jpeg"),
    pytest.param(picture(640, 480, "JPEG")[:-1], id="cut-jpeg"),
    pytest.param(picture(640, 480, "JPEG")[:400], id="jpeg-without-data"),
    pytest.param(picture(64, 48, "PNG")[:-5], id="cut-png"),
    pytest.param(picture(64, 48, "PNG").replace(b"IDAT", b"IDAX"), id="wrong-png"),
]


@pytest.mark.parametrize("data", PICTURES)
@pytest.mark.parametrize("block", [1, 2, 3, 7, 100])
def test_an_image_is_the_same_however_it_is_read(
    data: bytes, block: int, monkeypatch: pytest.MonkeyPatch
):
    def outcome() -> object:
        try:
            return inspect_file(io.BytesIO(data), len(data), "image")
        except ImageError as error:
            return str(error)

    whole = outcome()
    monkeypatch.setattr(images, "_BLOCK", block)
    monkeypatch.setattr(images, "_NEAR", max(2, block))

    assert outcome() == whole


def test_bytes_and_a_file_are_read_alike():
    assert inspect(CAT, "cat") == inspect_file(io.BytesIO(CAT), len(CAT), "cat")


PROGRAM = """
import sys
import llm

def peak():
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))

model = llm.get_model("xai/grok-4")
model.prompt("Hi", attachments=[llm.Attachment(path=sys.argv[1])]).text()
before = peak()
model.prompt("Hi", attachments=[llm.Attachment(path=path) for path in sys.argv[2:]]).text()
print(peak() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read as Linux has it")
@pytest.mark.parametrize("count", [1, 3])
def test_large_images_take_no_more_memory_than_small_ones(
    xai: FakeServer, tmp_path: Path, count: int
):
    small, large = tmp_path / "small.png", tmp_path / "large.png"
    small.write_bytes(picture(64, 64))
    large.write_bytes(png_of_bytes(20_971_520))

    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(small), *[str(large)] * count],
        capture_output=True,
        text=True,
        check=True,
    )

    assert [image.size for image in xai.requests[1].images] == [20_971_520] * count
    assert int(ran.stdout) < 16 * 1024
