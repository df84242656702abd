"""Any picture that Pillow writes is read as it wrote it, and no damaged one is let pass."""

import io
import random
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image

from fake_server import images as fake_images
from fake_server.refusals import ApiError
from llm_grok_vision.errors import ImageError
from llm_grok_vision.images import ImageInfo, inspect
from tests.pictures import picture
from tests.sound_headers import jpeg_header, png_header


def _noise(width: int, height: int, mode: str, seed: int) -> Image.Image:
    """Draw dots, so that the coded data has every byte in it."""
    size = len(Image.new(mode, (width, height)).tobytes())
    return Image.frombytes(mode, (width, height), random.Random(seed).randbytes(size))


def _encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def drawn(modes: list[str]) -> st.SearchStrategy[Image.Image]:
    """Pictures of any size from 8x64 on."""
    return st.builds(
        _noise, st.integers(8, 90), st.integers(64, 120), st.sampled_from(modes), st.integers(0)
    )


tails = st.sampled_from([b"", b"\n", bytes(4096), b"\xff\xd8\xff\xd9", b"IEND"])


@given(drawn(["1", "L", "LA", "RGB", "RGBA", "I;16"]), tails)
def test_any_png_that_pillow_writes_has_the_size_that_pillow_gave_it(
    image: Image.Image, tail: bytes
):
    """Bytes behind the end, which some programs leave there, change nothing."""
    data = _encoded(image, "PNG") + tail

    assert inspect(data, "any") == ImageInfo("image/png", image.width, image.height)


jpeg_options = st.fixed_dictionaries(
    {
        "progressive": st.booleans(),
        "quality": st.integers(1, 95),
        "restart_marker_blocks": st.integers(0, 3),
        "optimize": st.booleans(),
        "comment": st.binary(max_size=40),
        "exif": st.sampled_from([b"", b"Exif\x00\x00" + picture(16, 32, "JPEG")]),
    }
)


@given(drawn(["L", "RGB", "CMYK"]), jpeg_options, tails)
def test_any_jpeg_that_pillow_writes_has_the_size_that_pillow_gave_it(
    image: Image.Image, options: dict[str, Any], tail: bytes
):
    """A thumbnail in the EXIF data is a whole JPEG of another size, end marker included."""
    data = _encoded(image, "JPEG", **options) + tail

    assert inspect(data, "any") == ImageInfo("image/jpeg", image.width, image.height)


def _ours(data: bytes) -> tuple[int, int] | None:
    try:
        info = inspect(data, "any")
    except ImageError:
        return None
    return info.width, info.height


def _theirs(data: bytes) -> tuple[int, int] | None:
    try:
        seen = fake_images.read(data)
    except ApiError:
        return None
    return seen.width, seen.height


pictures = st.sampled_from(
    [
        _encoded(_noise(16, 32, "RGB", 1), "PNG"),
        _encoded(_noise(16, 32, "RGB", 1), "JPEG"),
        _encoded(_noise(24, 32, "RGB", 1), "JPEG", progressive=True, restart_marker_blocks=1),
        jpeg_header(64, 64),
        png_header(64, 64),
    ]
)
flips = st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 7)), max_size=3)


@given(pictures, flips, st.integers(0, 2000) | st.none())
@example(jpeg_header(64, 64), [(5, 3), (5, 1)], None)
def test_plugin_and_fake_agree_on_every_picture_sound_or_not(
    data: bytes, flipped: list[tuple[int, int]], cut: int | None
):
    """Two readings of the same formats, written apart, never differ."""
    changed = bytearray(data)
    for position, bit in flipped:
        changed[position % len(changed)] ^= 1 << bit

    result = bytes(changed[:cut])

    assert _ours(result) == _theirs(result)


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_every_cut_of_a_picture_is_refused(kind: str):
    whole = picture(16, 32, kind)

    accepted = [cut for cut in range(len(whole)) if _ours(whole[:cut]) is not None]

    assert accepted == []
    assert _ours(whole) == (16, 32)
