"""What `llm_grok_vision.images` lets pass and what it says of the rest, worked by hand."""

import pytest

from llm_grok_vision.errors import (
    DamagedImage,
    ImageError,
    ImageTooLarge,
    ImageTooSmall,
    UnsupportedImage,
)
from llm_grok_vision.images import ImageInfo, inspect
from tests.pictures import picture, png_of_bytes
from tests.sound_headers import jpeg_header, png_chunk, png_header

PNG, JPEG = "image/png", "image/jpeg"

ACCEPTED = [
    pytest.param(picture(8, 64, "PNG"), ImageInfo(PNG, 8, 64), id="observed-8-a-side"),
    pytest.param(picture(64, 8, "JPEG"), ImageInfo(JPEG, 64, 8), id="observed-8-a-side-jpeg"),
    pytest.param(picture(16, 32, "JPEG"), ImageInfo(JPEG, 16, 32), id="observed-512-in-all"),
    pytest.param(png_of_bytes(20_971_520), ImageInfo(PNG, 64, 64), id="guide-20-mib-exactly"),
    # 54,610 * 3,277 = 178,956,970
    pytest.param(
        png_header(54_610, 3_277), ImageInfo(PNG, 54_610, 3_277), id="observed-most-pixels"
    ),
    pytest.param(
        jpeg_header(3_277, 54_610), ImageInfo(JPEG, 3_277, 54_610), id="observed-most-pixels-jpeg"
    ),
]


@pytest.mark.parametrize(("data", "info"), ACCEPTED)
def test_an_image_at_the_edge_of_a_limit_is_accepted(data: bytes, info: ImageInfo):
    assert inspect(data, "edge.png") == info


BEYOND = [
    pytest.param(
        picture(7, 512),
        ImageTooSmall,
        "is 7x512 pixels; xAI takes 8 a side at least. Scale it up.",
        id="observed-7-wide",
    ),
    pytest.param(
        picture(512, 7, "JPEG"),
        ImageTooSmall,
        "is 512x7 pixels; xAI takes 8 a side at least. Scale it up.",
        id="observed-7-high",
    ),
    pytest.param(
        picture(10, 51),
        ImageTooSmall,
        "is 10x51 pixels; xAI takes 512 in all at least. Scale it up.",
        id="observed-510-in-all",
    ),
    pytest.param(
        picture(21, 20, "JPEG"),
        ImageTooSmall,
        "is 21x20 pixels; xAI takes 512 in all at least. Scale it up.",
        id="observed-420-in-all",
    ),
    pytest.param(
        png_of_bytes(20_971_521),
        ImageTooLarge,
        "has 20,971,521 bytes; xAI takes 20,971,520 at most (20 MiB)."
        " Scale it down or compress it more.",
        id="guide-20-mib-and-a-byte",
    ),
    # 3,033,169 * 59 = 178,956,971
    pytest.param(
        png_header(3_033_169, 59),
        ImageTooLarge,
        "is 3033169x59 pixels; xAI takes 178,956,970 in all at most. Scale it down.",
        id="observed-one-pixel-more",
    ),
    pytest.param(
        jpeg_header(54_610, 3_278),
        ImageTooLarge,
        "is 54610x3278 pixels; xAI takes 178,956,970 in all at most. Scale it down.",
        id="observed-one-row-more-jpeg",
    ),
]


@pytest.mark.parametrize(("data", "kind", "problem"), BEYOND)
def test_an_image_beyond_a_limit_is_refused_by_name(
    data: bytes, kind: type[ImageError], problem: str
):
    with pytest.raises(kind) as caught:
        inspect(data, "holiday.jpg")

    assert str(caught.value) == f"holiday.jpg {problem}"
    assert caught.value.name == "holiday.jpg"


DAMAGED = [
    pytest.param(b"", "is empty (0 bytes): there is no image to send.", id="no-bytes"),
    pytest.param(
        b"\x89PNG\r\n\x1a\n",
        "begins like a PNG and has no header: the file is damaged.",
        id="png-magic-alone",
    ),
    pytest.param(
        b"\x89PNG\r\n\x1a\n" + png_chunk(b"IDAT", bytes(30)),
        "begins like a PNG and has no header: the file is damaged.",
        id="png-of-another-first-chunk",
    ),
    pytest.param(
        picture(64, 64)[:-1],
        "is a PNG that ends too early: the file is cut short.",
        id="png-without-its-last-byte",
    ),
    pytest.param(
        picture(64, 64)[:60],
        "is a PNG that ends too early: the file is cut short.",
        id="png-cut-in-its-data",
    ),
    pytest.param(
        picture(64, 64)[:40] + b"\xaa" + picture(64, 64)[41:],
        "is a PNG with a wrong checksum: the file is damaged.",
        id="png-with-another-byte-in-its-data",
    ),
    pytest.param(
        picture(64, 64, "JPEG")[:-1],
        "is a JPEG that ends too early: the file is cut short.",
        id="jpeg-without-its-last-byte",
    ),
    pytest.param(
        b"\xff\xd8\xff\xe0",
        "is a JPEG that ends too early: the file is cut short.",
        id="jpeg-that-ends-in-a-marker",
    ),
    pytest.param(
        b"\xff\xd8\xff\xd9",
        "is a JPEG without a picture: the file is damaged.",
        id="jpeg-of-two-markers",
    ),
    pytest.param(
        b"\xff\xd8\xff\xc0\x00\x02\x08\x00\x40\x00\x40\xff\xd9",
        "is a JPEG without a picture: the file is damaged.",
        id="jpeg-whose-frame-is-too-short-for-a-size",
    ),
]


@pytest.mark.parametrize(("data", "problem"), DAMAGED)
def test_a_damaged_image_is_refused_by_name(data: bytes, problem: str):
    with pytest.raises(DamagedImage) as caught:
        inspect(data, "holiday.jpg")

    assert str(caught.value) == f"holiday.jpg {problem}"


OTHERS = [
    pytest.param(picture(64, 64, "GIF"), "a GIF", id="pillow-gif"),
    pytest.param(picture(64, 64, "WEBP"), "a WebP", id="pillow-webp"),
    pytest.param(picture(64, 64, "BMP"), "a BMP", id="pillow-bmp"),
    pytest.param(picture(64, 64, "TIFF"), "a TIFF", id="pillow-tiff"),
    pytest.param(b"MM\x00*" + bytes(60), "a TIFF", id="big-endian-tiff"),
    pytest.param(b"II+\x00" + bytes(60), "a TIFF", id="bigtiff"),
    pytest.param(b"MM\x00+" + bytes(60), "a TIFF", id="big-endian-bigtiff"),
    pytest.param(picture(64, 64, "JPEG2000"), "a JPEG 2000", id="pillow-jp2"),
    pytest.param(b"\xff\x4f\xff\x51" + bytes(60), "a JPEG 2000", id="jpeg-2000-without-a-box"),
    pytest.param(
        b"\x00\x00\x00\x18ftypmif1\x00\x00\x00\x00mif1avif" + bytes(60),
        "an AVIF",
        id="avif-by-its-second-brand",
    ),
    pytest.param(b"\x00\x00\x00\x18ftypisom" + bytes(60), "no image that is known here", id="mp4"),
    pytest.param(b"\x00\x00\x00\x18ftypheic" + bytes(60), "a HEIC", id="iphone-heic"),
    pytest.param(b"\x00\x00\x00\x18ftypmif1" + bytes(60), "a HEIC", id="heif-of-another-brand"),
    pytest.param(b"\x00\x00\x00\x1cftypavif" + bytes(60), "an AVIF", id="avif"),
    pytest.param(picture(64, 64, "PDF"), "a PDF", id="pillow-pdf"),
    pytest.param(picture(64, 64, "ICO"), "an ICO", id="pillow-ico"),
    pytest.param(b"<!DOCTYPE html>\n<html>", "a web page", id="html"),
    pytest.param(b"<html><head>", "a web page", id="html-without-a-doctype"),
    pytest.param(b"hello", "no image that is known here", id="text"),
    pytest.param(bytes(600), "no image that is known here", id="zeros"),
    pytest.param(b"\x89PNG\r\n", "no image that is known here", id="half-a-magic"),
]


@pytest.mark.parametrize(("data", "what"), OTHERS)
def test_another_type_is_refused_and_called_what_it_is(data: bytes, what: str):
    with pytest.raises(UnsupportedImage) as caught:
        inspect(data, "holiday.jpg")

    advice = "" if what.startswith("no ") else " Convert it to one of them first."
    assert str(caught.value) == f"holiday.jpg is {what}; xAI takes PNG and JPEG.{advice}"
