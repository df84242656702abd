"""What xAI does not take is made into what it takes: the same picture, and nothing else."""

import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import llm
import pytest
from PIL import Image, ImageCms, PngImagePlugin

from llm_grok_vision.convert import decode
from llm_grok_vision.errors import (
    DamagedImage,
)
from llm_grok_vision.prepare import Preparation, prepare
from tests.foreign import BLUE, FORMATS, RED, encoded, half_clear, is_about, sent, two_colours

AUTO = Preparation()
SRGB = ImageCms.createProfile("sRGB")
JFIF = {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
OTHERS = [kind for kind in FORMATS if kind not in ("JPEG", "PNG")]
CLEAR_FORMATS = ["WebP", "GIF", "TIFF", "ICO", "HEIC", "AVIF", "JPEG 2000"]


@pytest.mark.parametrize("kind", OTHERS)
def test_an_opaque_image_is_sent_as_a_jpeg_that_shows_the_same(kind: str):
    image = sent(encoded(two_colours(), kind))

    assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (96, 64))
    assert is_about(image.getpixel((10, 10)), RED)
    assert is_about(image.getpixel((85, 50)), BLUE)


@pytest.mark.parametrize("kind", CLEAR_FORMATS)
def test_a_transparent_image_is_sent_as_a_png_that_still_is(kind: str):
    image = sent(encoded(half_clear(), kind))

    assert (image.format, image.mode, image.size) == ("PNG", "RGBA", (96, 64))
    assert is_about(image.getpixel((10, 10)), (*RED, 255))
    assert image.getchannel("A").getpixel((85, 50)) == 0


def test_an_alpha_channel_that_hides_nothing_makes_no_png():
    assert sent(encoded(two_colours(mode="RGBA"), "TIFF")).format == "JPEG"


MODES = [
    pytest.param("P", "BMP", {}, id="palette"),
    pytest.param("CMYK", "TIFF", {}, id="cmyk"),
    # As scanners write it; Pillow 12 cannot read its own without compression.
    pytest.param("YCbCr", "TIFF", {"compression": "jpeg"}, id="ycbcr"),
    pytest.param("LAB", "TIFF", {}, id="lab"),
]


@pytest.mark.parametrize(("mode", "kind", "options"), MODES)
def test_an_image_of_any_colour_model_is_sent_in_rgb(mode: str, kind: str, options: dict[str, Any]):
    lab = ImageCms.createProfile("LAB")
    source = (
        ImageCms.profileToProfile(two_colours(), SRGB, lab, outputMode="LAB")
        if mode == "LAB"
        else two_colours(mode=mode)
    )
    assert source is not None

    image = sent(encoded(source, kind, **options))

    assert image.mode == "RGB"
    assert is_about(image.getpixel((10, 10)), RED)
    assert is_about(image.getpixel((85, 50)), BLUE)


@pytest.mark.parametrize("mode", ["L", "1"])
def test_an_image_without_colours_stays_without_them(mode: str):
    image = sent(encoded(Image.new(mode, (64, 64), 255), "TIFF"))

    assert (image.mode, image.getpixel((32, 32))) == ("RGB", (255, 255, 255))


def _gradient(mode: str, values: list[float]) -> Image.Image:
    """Draw a band of 32 pixels for each value."""
    image = Image.new(mode, (32 * len(values), 32))
    for at, value in enumerate(values):
        image.paste(Image.new(mode, (32, 32), value), (32 * at, 0))
    return image


DEEP = [
    pytest.param("I;16", [0, 16384, 32768, 65535], [0, 64, 127, 255], id="16-bits"),
    pytest.param("I;16", [0, 4095, 8190, 16380], [0, 16, 32, 64], id="16-bits-dark-stays-dark"),
    pytest.param("I", [-100, 0, 100, 300], [0, 64, 127, 255], id="32-bits-its-own-range"),
    pytest.param("F", [0.0, 0.25, 0.5, 1.0], [0, 64, 127, 255], id="floats-its-own-range"),
    pytest.param("F", [7.0, 7.0, 7.0, 7.0], [0, 0, 0, 0], id="floats-all-the-same"),
]


@pytest.mark.parametrize(("mode", "values", "grey"), DEEP)
def test_more_than_8_bits_are_scaled_and_not_cut_off(
    mode: str, values: list[float], grey: list[int]
):
    image = sent(encoded(_gradient(mode, values), "TIFF"))

    shown = image.convert("L").crop((0, 16, image.width, 17)).tobytes()[16::32]
    assert [abs(one - other) <= 2 for one, other in zip(shown, grey, strict=True)] == [True] * 4


def test_values_that_are_no_brightness_are_refused():
    with pytest.raises(DamagedImage):
        sent(encoded(_gradient("F", [float("nan"), float("inf")]), "TIFF"))


@pytest.mark.parametrize("kind", ["GIF", "WebP", "TIFF", "AVIF"])
def test_of_several_pictures_the_first_is_sent(kind: str, caplog: pytest.LogCaptureFixture):
    second = two_colours().transpose(Image.Transpose.FLIP_LEFT_RIGHT)

    image = sent(encoded(two_colours(), kind, save_all=True, append_images=[second]))

    assert is_about(image.getpixel((10, 10)), RED)
    assert "the first of its pictures, converted" in caplog.text


# To look at each of them would take a minute.
@pytest.mark.timeout(20)
def test_the_pictures_behind_the_first_are_not_looked_at():
    assert sent(_of_many_pictures(encoded(two_colours(), "TIFF"), 100_000)).size == (96, 64)


def _of_many_pictures(tiff: bytes, count: int) -> bytes:
    """Let the fields of a TIFF come again and again, each time with the place of the next."""
    begin = int.from_bytes(tiff[4:8], "little")
    end = begin + 2 + 12 * tiff[begin]
    fields, size = tiff[begin:end], end + 4 - begin
    places = [len(tiff) + size * number for number in range(count)]
    more = b"".join(fields + place.to_bytes(4, "little") for place in [*places[1:], 0])
    return tiff[:end] + places[0].to_bytes(4, "little") + tiff[end + 4 :] + more


def test_of_the_sizes_of_an_icon_the_largest_is_sent():
    data = encoded(two_colours(64, 64), "ICO", sizes=[(16, 16), (64, 64), (32, 32)])

    assert sent(data).size == (64, 64)


# Where EXIF says that the upper left of the scene is, for a camera held in each of eight ways.
@pytest.mark.parametrize("kind", ["WebP", "TIFF", "AVIF", "HEIC"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_rotated_photo_is_sent_upright(kind: str, orientation: int):
    exif = Image.Exif()
    exif[0x0112] = orientation
    turned = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    scene = half_clear().convert("RGB")  # black below, so that every turn shows
    as_taken = scene.transpose(turned[orientation]) if orientation > 1 else scene

    image = sent(encoded(as_taken, kind, exif=exif.tobytes()))

    assert image.size == (96, 64)
    assert is_about(image.getpixel((10, 10)), RED)
    assert is_about(image.getpixel((85, 10)), BLUE)
    assert is_about(image.getpixel((10, 55)), (0, 0, 0))


def test_damaged_exif_data_do_not_keep_a_photo_from_being_sent():
    data = encoded(two_colours(), "WebP", exif=b"Exif\x00\x00II*\x00\xff\xff\xff\x7f")

    assert sent(data).size == (96, 64)


def _profile() -> bytes:
    return ImageCms.ImageCmsProfile(SRGB).tobytes()


def test_a_colour_profile_is_applied():
    """Swapping red and blue is what no plain conversion would do."""
    swapped = (
        _profile().replace(b"rXYZ", b"tmp.").replace(b"bXYZ", b"rXYZ").replace(b"tmp.", b"bXYZ")
    )

    image = sent(encoded(two_colours(), "WebP", icc_profile=swapped, lossless=True))

    assert is_about(image.getpixel((10, 10)), BLUE)
    assert is_about(image.getpixel((85, 50)), RED)


@pytest.mark.parametrize("profile", [b"no profile", bytes(200)], ids=["words", "zeros"])
def test_a_damaged_colour_profile_is_left_out(profile: bytes):
    image = sent(encoded(two_colours(), "TIFF", icc_profile=profile))

    assert is_about(image.getpixel((10, 10)), RED)


def _private() -> dict[str, Any]:
    exif = Image.Exif()
    exif[0x010E] = "SECRET harbour"
    exif.get_ifd(0x8825).update({1: "N", 2: (54.0, 19.0, 7.0), 3: "E", 4: (10.0, 8.0, 0.0)})
    return {
        "exif": exif.tobytes(),
        "xmp": b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>SECRET</x:xmpmeta>",
        "icc_profile": _profile(),
    }


def _with_text(image: Image.Image) -> bytes:
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", "SECRET")
    return encoded(image, "PNG", pnginfo=text, **_private())


def _heic(image: Image.Image) -> bytes:
    private = _private()
    image.info["icc_profile"] = private.pop("icc_profile")
    return encoded(image, "HEIC", **private)


PRIVATE: list[Any] = [
    pytest.param(lambda image: encoded(image, "WebP", lossless=True, **_private()), id="WebP"),
    pytest.param(lambda image: encoded(image, "AVIF", **_private()), id="AVIF"),
    pytest.param(_heic, id="HEIC"),
    pytest.param(lambda image: encoded(image, "TIFF", **_private()), id="TIFF"),
    pytest.param(lambda image: encoded(image, "GIF", comment=b"SECRET"), id="GIF"),
    pytest.param(lambda image: encoded(image, "JPEG 2000", comment=b"SECRET"), id="JPEG 2000"),
    pytest.param(_with_text, id="PNG"),
]


@pytest.mark.parametrize("encode", PRIVATE)
@pytest.mark.parametrize("drawn", [two_colours, half_clear], ids=["to-jpeg", "to-png"])
def test_a_converted_image_says_nothing_besides_its_picture(
    encode: Callable[[Image.Image], bytes], drawn: Callable[..., Image.Image]
):
    """Where it was taken, with what, and what was written on it."""
    data = encode(drawn(600, 500))
    assert b"SECRET" in data

    made = prepare(data, "any", Preparation("shrink", "tiles", "low")).data

    image = Image.open(io.BytesIO(made))
    assert image.info.keys() <= JFIF
    assert not image.getexif()
    assert b"SECRET" not in made
    assert b"Exif" not in made


def test_a_shrunken_jpeg_says_nothing_besides_its_picture():
    data = encoded(two_colours(600, 500), "JPEG", comment=b"SECRET", **_private())

    made = prepare(data, "any", Preparation("shrink", "tiles", "low")).data

    assert Image.open(io.BytesIO(made)).size == (448, 373)
    assert Image.open(io.BytesIO(made)).info.keys() <= JFIF
    assert b"SECRET" not in made


PIXELS = [
    # 182,000,000 and 280,000,000 pixels; the latter are too many to be decoded whole.
    pytest.param("PNG", (14_000, 13_000), (7_000, 6_500), id="png"),
    pytest.param("JPEG", (14_000, 13_000), (7_000, 6_500), id="jpeg"),
    pytest.param("JPEG", (20_000, 14_000), (10_000, 7_000), id="large-jpeg"),
]


@pytest.mark.parametrize(("kind", "size", "half"), PIXELS)
def test_an_image_of_more_pixels_than_the_service_takes_is_halved(
    kind: str, size: tuple[int, int], half: tuple[int, int]
):
    image = sent(encoded(Image.new("L", size), kind))

    assert (image.format, image.size) == ("JPEG", half)


def test_an_image_too_long_for_a_jpeg_is_sent_as_a_png():
    image = sent(encoded(Image.new("L", (70_000, 8)), "TIFF"))

    assert (image.format, image.size) == ("PNG", (70_000, 8))


def test_a_picture_that_is_looked_at_is_white_where_it_is_transparent():
    picture = decode(encoded(half_clear(96, 64), "PNG"), "half.png")

    assert (picture.mode, picture.getpixel((10, 60))) == ("RGB", (255, 255, 255))
    assert picture.getpixel((10, 10)) != (255, 255, 255)


def test_threads_convert_as_one_does():
    files = [encoded(two_colours(), kind) for kind in OTHERS] * 4

    with ThreadPoolExecutor(8) as threads:
        together = list(threads.map(lambda data: prepare(data, "any", AUTO), files))

    assert together == [prepare(data, "any", AUTO) for data in files]


@pytest.mark.parametrize("kind", ["GIF", "BMP", "HEIC", "AVIF", "JPEG 2000"])
def test_the_limit_of_pixels_that_a_program_sets_is_its_own(
    kind: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)

    assert prepare(encoded(two_colours(), kind), "any", AUTO).info.width == 96
    assert Image.MAX_IMAGE_PIXELS == 100


@pytest.mark.parametrize("kind", [kind for kind in FORMATS if kind not in ("HEIC", "JPEG 2000")])
def test_what_is_converted_is_listed_among_the_types_that_are_taken(kind: str):
    """LLM's guess calls JPEG 2000 a JPEG, and HEIC a video."""
    attachment = llm.Attachment(content=encoded(two_colours(), kind))

    assert attachment.resolve_type() in llm.get_model("grok-4").attachment_types
