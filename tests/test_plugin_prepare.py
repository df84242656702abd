"""`-o image_prepare`: what reaches the service of an image, and what is said of it."""

import base64
import io
import logging
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import llm
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from fake_server import FakeServer
from llm_grok_vision.errors import DamagedImage, ImageTooLarge
from llm_grok_vision.limits import MAX_IMAGE_BYTES
from llm_grok_vision.prepare import Preparation, prepare
from tests.foreign import FORMATS, encoded, half_clear, two_colours
from tests.pictures import picture, png_of_bytes
from tests.prompting import (
    BOTH,
    MODEL,
    ask,
    body_of,
    camera,
    run_llm,
    run_process,
    shown_error,
    whole,
    xai_answering,
)

WriteFile = Callable[[str, bytes], Path]
HARBOUR = Path(__file__).parents[1] / "examples" / "harbour.jpg"


@pytest.mark.parametrize("kind", FORMATS)
def test_a_file_of_any_format_is_just_attached(xai: FakeServer, image_file: WriteFile, kind: str):
    path = image_file(f"boat.{FORMATS[kind][1]}", encoded(two_colours(), kind))

    result = run_llm("-m", "grok-4", "What is this?", "-a", path)

    assert result.exit_code == 0, result.output
    (seen,) = xai.requests[0].images
    assert (seen.format, seen.width, seen.height) == (
        "PNG" if kind == "PNG" else "JPEG",
        96,
        64,
    )
    assert seen.declared == f"image/{seen.format.lower()}"


@pytest.mark.parametrize("kind", [kind for kind in FORMATS if kind not in ("JPEG", "PNG")])
def test_a_strict_user_has_no_file_converted(xai: FakeServer, image_file: WriteFile, kind: str):
    path = image_file(f"boat.{FORMATS[kind][1]}", encoded(two_colours(), kind))

    result = run_llm("-m", "grok-4", "What?", "-a", path, "-o", "image_prepare", "strict")

    assert f" {kind}; xAI takes PNG and JPEG. Convert it" in shown_error(result)
    assert xai.requests == []


def test_what_was_done_is_one_line_on_standard_error(xai: FakeServer, image_file: WriteFile):
    gif = encoded(two_colours(), "GIF")
    path = image_file("boat.jpg", gif)

    result = run_process("-m", "grok-4", "What is this?", "-a", path)

    (seen,) = xai.requests[0].images
    assert result.stderr.decode() == (
        f"{path}: GIF of 96x64 pixels ({len(gif):,} bytes),"
        f" converted to JPEG of 96x64 pixels ({seen.size:,} bytes).\n"
    )


def test_nothing_is_said_again_when_the_conversation_goes_on(
    xai: FakeServer, image_file: WriteFile
):
    path = image_file("boat.gif", encoded(two_colours(), "GIF"))
    other = image_file("other.gif", encoded(two_colours(64, 64), "GIF"))
    run_process("-m", "grok-4", "What is this?", "-a", path)

    silent = run_process("-c", "And now?")
    new = run_process("-c", "And this?", "-a", other)

    assert silent.stderr == b""
    assert new.stderr.decode().count("\n") == 1
    assert new.stderr.decode().startswith(f"{other}: GIF of 64x64")
    assert [image.width for image in xai.requests[2].images] == [96, 64]


def test_nothing_is_said_again_when_a_tool_has_answered(
    xai: FakeServer, caplog: pytest.LogCaptureFixture
):
    xai.reply(tool_calls=[("camera", {"name": "front"})])
    gif = llm.Attachment(type="image/gif", content=encoded(two_colours(), "GIF"))

    llm.get_model(MODEL).chain("Who is there?", tools=[camera], attachments=[gif]).text()

    assert len(xai.requests) == 2
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_an_image_of_an_earlier_turn_is_in_the_log_at_a_lower_level(
    xai: FakeServer, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.INFO, "llm_grok_vision")
    conversation = llm.get_model(MODEL).conversation()
    gif = llm.Attachment(type="image/gif", content=encoded(two_colours(), "GIF"))

    conversation.prompt("What is this?", attachments=[gif]).text()
    conversation.prompt("And now?").text()

    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
    assert caplog.messages[0] == caplog.messages[1]


@BOTH
def test_bytes_and_both_models_are_served_alike(xai: FakeServer, kind: str):
    webp = llm.Attachment(type="image/webp", content=encoded(half_clear(), "WebP"))

    ask(kind, "What is this?", attachments=[webp])

    (seen,) = xai.requests[0].images
    assert (seen.format, seen.width, seen.height) == ("PNG", 96, 64)


@BOTH
@pytest.mark.parametrize("mode", ["auto", "strict", "shrink"])
def test_the_option_itself_is_not_sent(kind: str, mode: str):
    with xai_answering(whole(content="ok")) as server:
        ask(kind, "Hello", image_prepare=mode)

    assert "image_prepare" not in body_of(server.requests[0])


def test_another_mode_is_a_mistake_of_the_user(xai: FakeServer):
    result = run_llm("-m", "grok-4", "Hello", "-o", "image_prepare", "careful")

    assert "'auto', 'strict' or 'shrink'" in shown_error(result)


def _noise(width: int, height: int, mode: str, kind: str, **options: Any) -> bytes:
    size = len(Image.new(mode, (width, height)).tobytes())
    dots = random.Random(width * height).randbytes(size)
    return encoded(Image.frombytes(mode, (width, height), dots), kind, **options)


sound = st.one_of(
    st.builds(
        _noise,
        st.integers(8, 90),
        st.integers(64, 120),
        st.sampled_from(["1", "L", "LA", "RGB", "RGBA", "I;16"]),
        st.just("PNG"),
    ),
    st.builds(
        _noise,
        st.integers(8, 90),
        st.integers(64, 120),
        st.sampled_from(["L", "RGB", "CMYK"]),
        st.just("JPEG"),
    ),
)


@given(sound, st.sampled_from(["auto", "strict", "shrink"]))
def test_what_the_service_takes_is_sent_byte_for_byte(data: bytes, mode: str):
    """It is small enough for `shrink` too. Rotation and rare colours are the service's matter."""
    assert prepare(data, "any", Preparation(mode, "tiles")).data == data


@pytest.mark.parametrize("options", [[], ["-o", "image_prepare", "strict"]], ids=["auto", "strict"])
def test_a_photo_with_its_exif_data_arrives_as_it_is(image_file: WriteFile, options: list[str]):
    exif = Image.Exif()
    exif[0x0112] = 6
    data = encoded(two_colours(), "JPEG", exif=exif.tobytes(), comment=b"mine")
    path = image_file("photo.jpg", data)

    with xai_answering(whole(content="ok")) as server:
        result = run_llm("-m", "grok-4", "-a", path, "--no-stream", *options)

    assert result.exit_code == 0
    url = body_of(server.requests[0])["messages"][0]["content"][0]["image_url"]["url"]
    assert base64.b64decode(url.partition(",")[2]) == data


SHRUNK = [
    pytest.param("grok-4", "low", (448, 299), id="tiles-low"),
    pytest.param("grok-4", "auto", (1344, 896), id="tiles-auto"),
    pytest.param("grok-4-0709", "high", (1344, 896), id="tiles-by-another-name"),
    pytest.param("grok-4.6", "high", (1920, 1280), id="patches-have-no-known-end"),
    pytest.param("grok-4.6", "low", (512, 341), id="observed-patches-at-low"),
]


@pytest.mark.parametrize(("model", "detail", "size"), SHRUNK)
def test_a_shrunken_photo_has_the_pixels_that_the_model_reads(
    xai: FakeServer, model: str, detail: str, size: tuple[int, int]
):
    run_llm(
        *("-m", model, "What?", "-a", HARBOUR),
        *("-o", "image_prepare", "shrink", "-o", "image_detail", detail),
    )

    (seen,) = xai.requests[0].images
    assert (seen.format, seen.width, seen.height) == ("JPEG", *size)
    assert (seen.size < HARBOUR.stat().st_size) == (size != (1920, 1280))


def test_shrinking_an_image_does_not_change_what_it_costs(xai: FakeServer):
    run_llm("-m", "grok-4", "-a", HARBOUR)
    run_llm("-m", "grok-4", "-a", HARBOUR, "-o", "image_prepare", "shrink")

    as_it_is, shrunk = (request.images[0] for request in xai.requests)
    assert (shrunk.tokens, shrunk.tiles) == (as_it_is.tokens, as_it_is.tiles)


def test_a_png_is_shrunk_to_a_png():
    sent = prepare(_noise(900, 600, "RGB", "PNG"), "any", Preparation("shrink", "tiles", "low"))

    assert (sent.info.media_type, sent.info.width) == ("image/png", 448)


def test_a_photo_is_turned_upright_when_it_is_shrunk():
    exif = Image.Exif()
    exif[0x0112] = 6
    data = encoded(two_colours(1200, 600), "JPEG", exif=exif.tobytes(), quality=95)

    sent = prepare(data, "any", Preparation("shrink", "tiles", "low"))

    assert (sent.info.width, sent.info.height) == (224, 448)
    image = Image.open(io.BytesIO(sent.data)).convert("RGB")
    assert image.getpixel((100, 20))[0] > 150  # type: ignore[index]
    assert image.getpixel((100, 420))[2] > 150  # type: ignore[index]


FLAT = [
    pytest.param(picture(3000, 2000, "PNG", "P"), id="a-png-of-one-colour"),
    pytest.param(_noise(2000, 1400, "1", "PNG"), id="a-scan-in-black-and-white"),
    pytest.param(_noise(1350, 900, "L", "JPEG", quality=1), id="a-jpeg-of-quality-1"),
]


@pytest.mark.parametrize("data", FLAT)
def test_what_would_grow_when_it_is_shrunk_stays_as_it_is(
    data: bytes, caplog: pytest.LogCaptureFixture
):
    preparation = Preparation("shrink", "tiles", "auto")
    assert not preparation.fits(*prepare(data, "any", Preparation()).info[1:])

    sent = prepare(data, "any", preparation)

    assert sent.data == data
    assert caplog.messages == []


HEAVY = [
    pytest.param(png_of_bytes(MAX_IMAGE_BYTES + 1), "image/jpeg", id="png-a-byte-too-many"),
    pytest.param(_noise(2700, 2700, "RGB", "PNG"), "image/jpeg", id="png-of-noise"),
    pytest.param(_noise(2700, 2700, "RGB", "BMP"), "image/jpeg", id="bmp-of-noise"),
    pytest.param(_noise(2400, 2400, "RGBA", "PNG"), "image/png", id="transparent-noise"),
]


@pytest.mark.parametrize(("data", "media_type"), HEAVY)
def test_an_image_of_more_than_20_mib_is_made_to_fit(data: bytes, media_type: str):
    assert len(data) > MAX_IMAGE_BYTES

    sent = prepare(data, "any", Preparation())

    assert sent.info.media_type == media_type
    assert len(sent.data) <= MAX_IMAGE_BYTES


def test_quality_is_given_up_before_pixels():
    sent = prepare(_noise(5000, 3600, "RGB", "BMP"), "any", Preparation())

    assert (sent.info.width, sent.info.height) == (5000, 3600)
    assert len(sent.data) <= MAX_IMAGE_BYTES


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_damaged_image_of_more_than_20_mib_is_refused_as_damaged(kind: str):
    data = picture(64, 64, kind)[:-10] + bytes(MAX_IMAGE_BYTES)

    with pytest.raises(DamagedImage):
        prepare(data, "any", Preparation())


def test_a_file_over_the_limit_is_read_and_sent(xai: FakeServer, image_file: WriteFile):
    path = image_file("large.png", png_of_bytes(MAX_IMAGE_BYTES + 1))

    result = run_llm("-m", "grok-4", "-a", path)

    assert result.exit_code == 0
    assert xai.requests[0].images[0].format == "JPEG"


def test_a_file_of_more_bytes_than_are_read_says_how_many_would_be(tmp_path: Path):
    path = tmp_path / "disk.png"
    with path.open("wb") as file:
        file.truncate(512 * 1024**2 + 1)

    with pytest.raises(ImageTooLarge) as caught:
        ask("sync", attachments=[llm.Attachment(path=str(path))], key="any")

    assert str(caught.value) == (
        f"{path} has 536,870,913 bytes; 536,870,912 can be read and converted at most."
        " Scale it down first."
    )
