"""Files that cannot be converted are refused by name: damaged ones, bombs, what is too small."""

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_grok_vision.errors import (
    DamagedImage,
    ImageError,
    ImageTooLarge,
    ImageTooSmall,
    UnsupportedImage,
)
from llm_grok_vision.prepare import Preparation, prepare
from tests.foreign import FORMATS, encoded, half_clear, sent, two_colours
from tests.sound_headers import jpeg_header, png_header

AUTO = Preparation()
OTHERS = [kind for kind in FORMATS if kind not in ("JPEG", "PNG")]


def _is_sent(data: bytes) -> bool:
    try:
        return sent(data).size == (96, 64)
    except ImageError:
        return False


@pytest.mark.parametrize("kind", OTHERS)
def test_no_cut_of_an_image_is_sent(kind: str):
    whole = encoded(two_colours(), kind)
    # Of an ICO or a GIF, the last bytes are an end marker, which no pixel needs.
    cuts = range(1, len(whole) - 20, max(1, len(whole) // 100))

    assert [cut for cut in cuts if _is_sent(whole[:cut])] == []
    assert _is_sent(whole)


def test_a_damaged_image_is_called_what_it_is():
    with pytest.raises(DamagedImage) as caught:
        prepare(encoded(two_colours(), "WebP")[:60], "photo.webp", AUTO)

    assert str(caught.value) == (
        "photo.webp begins like a WebP and cannot be read here: the file is damaged, or uses what"
        " Pillow does not know. Make it anew, as PNG or JPEG."
    )


examples = st.sampled_from(
    [encoded(two_colours() if kind == "BMP" else half_clear(), kind) for kind in OTHERS]
)
flips = st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 7)), min_size=1, max_size=4)


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@given(examples, flips)
def test_whatever_bytes_come_they_are_sent_or_refused(data: bytes, flipped: list[tuple[int, int]]):
    changed = bytearray(data)
    for position, bit in flipped:
        changed[position % len(changed)] ^= 1 << bit

    try:
        image = sent(bytes(changed))
    except ImageError:
        return
    assert image.format in ("JPEG", "PNG")


def _patched(data: bytes, at: int, new: bytes) -> bytes:
    return data[:at] + new + data[at + len(new) :]


def _after(kind: str, mark: bytes, gap: int, sides: bytes) -> bytes:
    """Encode a picture, and write other sides so many bytes behind a mark."""
    data = encoded(two_colours(), kind)
    return _patched(data, data.index(mark) + gap, sides)


def _huge_tiff() -> bytes:
    data = encoded(two_colours(), "TIFF")
    for tag in (b"\x00\x01", b"\x01\x01"):
        # A width or height of type LONG, one of it.
        data = _patched(data, data.index(tag + b"\x04\x00\x01\x00\x00\x00") + 8, LITTLE)
    return data


def _huge_icon() -> bytes:
    png = png_header(60_000, 60_000)
    entry = bytes([0, 0, 0, 0, 1, 0, 32, 0])
    return (
        b"\x00\x00\x01\x00\x01\x00" + entry + len(png).to_bytes(4, "little") + b"\x16\0\0\0" + png
    )


BIG, LITTLE = (60_000).to_bytes(4, "big"), (60_000).to_bytes(4, "little")
BOMBS = [
    pytest.param(png_header(60_000, 60_000), "is 60000x60000", id="PNG"),
    pytest.param(jpeg_header(60_000, 60_000), "is 60000x60000", id="JPEG"),
    pytest.param(
        jpeg_header(20_000, 20_000).replace(b"\xff\xc0", b"\xff\xc2"),
        "is 20000x20000",
        id="JPEG-progressive",
    ),
    pytest.param(_after("BMP", b"BM", 18, LITTLE * 2), "is 60000x60000", id="BMP"),
    pytest.param(_huge_tiff(), "is 60000x60000", id="TIFF"),
    pytest.param(_after("GIF", b"GIF8", 6, b"\xff" * 4), "is 65535x65535", id="GIF"),
    pytest.param(_after("JPEG 2000", b"ihdr", 4, BIG * 2), "is 60000x60000", id="JPEG 2000"),
    pytest.param(_after("HEIC", b"ispe", 8, BIG * 2), "is 60000x60000", id="HEIC"),
    pytest.param(_huge_icon(), "has many", id="ICO"),
]


@pytest.mark.parametrize(("data", "extent"), BOMBS)
def test_a_bomb_is_refused_by_its_header(data: bytes, extent: str):
    with pytest.raises(ImageTooLarge) as caught:
        prepare(data, "bomb", AUTO)

    assert str(caught.value) == (
        f"bomb {extent} pixels, more than can be decoded and scaled down here. Scale it down first."
    )


def test_a_webp_that_is_a_bomb_is_refused():
    """Pillow 13 knows it by its header, Pillow 12 leaves it to the decoder to stumble over."""
    with pytest.raises((ImageTooLarge, DamagedImage)):
        prepare(_after("WebP", b"\x9d\x01\x2a", 3, b"\xff\x3f" * 2), "bomb", AUTO)


def test_a_bomb_that_the_decoder_knows_as_one_is_refused():
    """AVIF has a limit in its own library."""
    with pytest.raises(DamagedImage):
        prepare(_after("AVIF", b"ispe", 8, BIG * 2), "bomb", AUTO)


@pytest.mark.parametrize("kind", OTHERS)
@pytest.mark.parametrize("size", [(7, 100), (20, 20)], ids=["observed-side", "observed-area"])
def test_an_image_that_is_too_small_is_not_scaled_up(
    kind: str, size: tuple[int, int], caplog: pytest.LogCaptureFixture
):
    with pytest.raises(ImageTooSmall, match=r"any is \d+x\d+ pixels; xAI takes .* Scale it up\.$"):
        sent(encoded(two_colours(*size), kind))

    assert caplog.messages == []


def test_a_heic_without_its_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)

    with pytest.raises(UnsupportedImage) as caught:
        prepare(encoded(two_colours(), "HEIC"), "photo.heic", AUTO)

    assert str(caught.value) == (
        "photo.heic is a HEIC; xAI takes PNG and JPEG. To have it converted, install pillow-heif"
        " where LLM is: llm install pillow-heif"
    )
