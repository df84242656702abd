"""The fake reads an image's size as Pillow does, and bills it by the guide's tiles."""

import io
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from fake_server.accounting import count_image_tokens, count_tiles
from fake_server.images import Picture, read
from fake_server.refusals import ApiError
from tests.asking import read_url
from tests.pictures import data_url, picture, png_of_bytes
from tests.sound_headers import jpeg_header, png_header

MIB = 1024**2

# Worked by hand from the guide: tiles of 448x448 that cover the image, six at the most,
# and (tiles + 1) * 256 tokens. ASSUMED: none at low detail, and "auto" sees what "high" sees.
COSTS = [
    pytest.param(448, 448, "high", 1, 512, id="guide-one-tile-exactly"),
    pytest.param(449, 448, "high", 2, 768, id="guide-one-column-over"),
    pytest.param(448, 449, "high", 2, 768, id="guide-one-row-over"),
    pytest.param(1344, 896, "high", 6, 1792, id="guide-three-by-two-exactly"),
    pytest.param(1345, 896, "high", 6, 1792, id="guide-eight-tiles-capped-at-six"),
    pytest.param(9000, 9000, "high", 6, 1792, id="guide-six-tiles-the-most"),
    pytest.param(128, 128, "high", 1, 512, id="guide-less-than-a-tile"),
    pytest.param(448, 448, "auto", 1, 512, id="assumed-auto-one-tile-exactly"),
    pytest.param(449, 448, "auto", 2, 768, id="assumed-auto-one-column-over"),
    pytest.param(448, 449, "auto", 2, 768, id="assumed-auto-one-row-over"),
    pytest.param(1344, 896, "auto", 6, 1792, id="assumed-auto-three-by-two"),
    pytest.param(1345, 896, "auto", 6, 1792, id="assumed-auto-capped-at-six"),
    pytest.param(9000, 9000, "auto", 6, 1792, id="assumed-auto-six-tiles-the-most"),
    pytest.param(128, 128, "auto", 1, 512, id="assumed-auto-less-than-a-tile"),
    pytest.param(448, 448, "low", 0, 256, id="assumed-low-one-tile-exactly"),
    pytest.param(449, 448, "low", 0, 256, id="assumed-low-one-column-over"),
    pytest.param(448, 449, "low", 0, 256, id="assumed-low-one-row-over"),
    pytest.param(1344, 896, "low", 0, 256, id="assumed-low-three-by-two"),
    pytest.param(1345, 896, "low", 0, 256, id="assumed-low-eight-tiles"),
    pytest.param(9000, 9000, "low", 0, 256, id="assumed-low-the-largest"),
    pytest.param(128, 128, "low", 0, 256, id="observed-low-is-256"),
]


@pytest.mark.parametrize(("width", "height", "detail", "tiles", "tokens"), COSTS)
def test_an_image_costs_what_the_guide_says(width, height, detail, tiles, tokens):
    assert count_tiles(width, height, detail) == tiles
    assert count_image_tokens(tiles) == tokens


@given(st.integers(1, 10_000), st.integers(1, 10_000))
def test_every_image_costs_a_multiple_of_256_from_512_to_1792(width, height):
    tokens = count_image_tokens(count_tiles(width, height, "high"))

    assert tokens in (512, 768, 1024, 1280, 1536, 1792)


@given(st.integers(1, 10_000), st.integers(1, 10_000))
def test_tiles_are_counted_as_squares_laid_side_by_side(width, height):
    corners = [(x, y) for x in range(0, width, 448) for y in range(0, height, 448)]

    assert count_tiles(width, height, "auto") == min(len(corners), 6)


@given(st.integers(1, 3000), st.integers(1, 3000))
def test_a_turned_image_costs_the_same(width, height):
    assert count_tiles(width, height, "high") == count_tiles(height, width, "high")


ALLOWED = [
    pytest.param(picture(8, 64), (8, 64), id="observed-side-of-eight-area-of-512"),
    pytest.param(picture(64, 8, "JPEG"), (64, 8), id="observed-height-of-eight"),
    pytest.param(picture(16, 32), (16, 32), id="observed-area-of-512-exactly"),
    # 14351 * 12470 = 178,956,970.
    pytest.param(png_header(14351, 12470), (14351, 12470), id="observed-largest-area-png"),
    pytest.param(jpeg_header(14351, 12470), (14351, 12470), id="observed-largest-area-jpeg"),
]


@pytest.mark.parametrize(("data", "extent"), ALLOWED)
def test_an_image_at_a_limit_is_read(data, extent):
    seen = read(data)

    assert (seen.width, seen.height) == extent


REFUSED = [
    pytest.param(
        picture(7, 100),
        "Image dimensions 7x100 are too small. Both width and height must be at least 8 pixels.",
        id="observed-width-below-eight",
    ),
    pytest.param(
        picture(100, 7, "JPEG"),
        "Image dimensions 100x7 are too small. Both width and height must be at least 8 pixels.",
        id="observed-height-below-eight",
    ),
    pytest.param(
        picture(1, 1),
        "Image dimensions 1x1 are too small. Both width and height must be at least 8 pixels.",
        id="observed-2026-one-pixel",
    ),
    pytest.param(
        picture(21, 20),
        "Image has 420 total pixels (21x20), which is below the minimum of 512 pixels.",
        id="observed-2026-area-too-small",
    ),
    # 511 is 7 * 73, whose side is too small already: 10 * 51 comes next.
    pytest.param(
        picture(10, 51),
        "Image has 510 total pixels (10x51), which is below the minimum of 512 pixels.",
        id="observed-nearest-area-below-512",
    ),
    pytest.param(
        png_header(5993, 29861),
        "Image has 178956973 total pixels (5993x29861),"
        " which is above the maximum of 178956970 pixels.",
        id="observed-three-pixels-too-many-png",
    ),
    pytest.param(
        jpeg_header(5993, 29861),
        "Image has 178956973 total pixels (5993x29861),"
        " which is above the maximum of 178956970 pixels.",
        id="observed-three-pixels-too-many-jpeg",
    ),
    pytest.param(
        png_header(2**31 - 1, 2**31 - 1),
        "Image has 4611686014132420609 total pixels (2147483647x2147483647),"
        " which is above the maximum of 178956970 pixels.",
        id="assumed-largest-png-there-is",
    ),
]


@pytest.mark.parametrize(("data", "error"), REFUSED)
def test_an_image_past_a_limit_is_refused(data, error):
    with pytest.raises(ApiError) as refused:
        read(data)

    assert (refused.value.status, refused.value.code) == (400, "invalid_image")
    assert refused.value.error == error


def test_an_image_of_20_mib_is_read_to_the_byte():
    data = png_of_bytes(20 * MIB)

    assert read(data) == Picture("PNG", 64, 64, 20_971_520)
    assert read_url(data_url(data)).size == 20_971_520


@pytest.mark.parametrize("over", [1, 2, 3], ids=["guide-one-byte", "guide-two", "guide-three"])
def test_an_image_of_more_than_20_mib_is_refused(over):
    """At each padding that base64 has, by bytes and by data URL."""
    data = png_of_bytes(20 * MIB + over)
    expected = f"Image has {20_971_520 + over} bytes, which is above the maximum of 20971520 bytes."

    with pytest.raises(ApiError) as by_bytes:
        read(data)
    with pytest.raises(ApiError) as by_url:
        read_url(data_url(data))

    assert by_bytes.value.error == expected
    assert by_url.value.error == expected


sizes = st.tuples(st.integers(23, 300), st.integers(23, 300))


@settings(max_examples=60)
@given(sizes, st.sampled_from(["PNG", "JPEG"]))
def test_any_size_is_read_as_pillow_wrote_it(extent, kind):
    width, height = extent
    data = picture(width, height, kind)

    assert read(data) == Picture(kind, width, height, len(data))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_a_png_of_any_mode_is_read(mode):
    data = picture(40, 30, "PNG", mode)

    assert read(data) == Picture("PNG", 40, 30, len(data))


def noise(**options: object) -> bytes:
    """Encode a JPEG whose coded data holds all sorts of bytes, 0xFF among them."""
    pixels = random.Random(448).randbytes(60 * 40 * 3)
    out = io.BytesIO()
    Image.frombytes("RGB", (60, 40), pixels).save(out, "JPEG", quality=95, **options)
    return out.getvalue()


# A thumbnail of another size, with a frame header and an end of its own, in front.
EXIF = b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0" + picture(23, 24, "JPEG")

JPEGS = [
    pytest.param(noise(), id="pillow-baseline"),
    pytest.param(noise(progressive=True), id="pillow-progressive"),
    pytest.param(noise(restart_marker_blocks=1), id="pillow-restart-markers"),
    pytest.param(noise(exif=EXIF), id="pillow-exif-thumbnail"),
    pytest.param(noise(comment=b"\xff\xd9\xff\xc0"), id="pillow-comment-with-markers"),
    pytest.param(noise(subsampling=0, optimize=True), id="pillow-no-subsampling"),
    pytest.param(noise() + b"trailing bytes", id="pillow-trailing-bytes"),
    pytest.param(noise() + picture(23, 24, "JPEG"), id="pillow-trailing-second-image"),
]


@pytest.mark.parametrize("data", JPEGS)
def test_a_jpeg_is_read_as_pillow_reads_it(data):
    with Image.open(io.BytesIO(data)) as opened:
        opened.load()

        assert read(data) == Picture("JPEG", *opened.size, len(data))


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_a_jpeg_of_another_mode_is_read(mode):
    data = picture(40, 30, "JPEG", mode)

    assert read(data) == Picture("JPEG", 40, 30, len(data))


def test_a_png_with_trailing_bytes_is_read():
    data = picture(40, 30) + b"trailing bytes"

    assert read(data) == Picture("PNG", 40, 30, len(data))
