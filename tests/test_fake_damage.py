"""Whatever is cut short, flipped or badly written into a data URL is refused."""

import base64
import io
import tracemalloc

import pytest
from PIL import Image

from fake_server.images import Picture, is_data_url, read
from fake_server.refusals import ApiError
from tests.asking import read_url
from tests.pictures import data_url, picture
from tests.sound_headers import png_chunk

PNG = picture(23, 24)
JPEG = picture(23, 24, "JPEG")
BASE64 = base64.b64encode(PNG).decode()
EXIF = b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0" + JPEG


def with_thumbnail() -> bytes:
    """Encode a JPEG that has a whole JPEG in its EXIF segment."""
    out = io.BytesIO()
    Image.new("RGB", (40, 30)).save(out, "JPEG", exif=EXIF)
    return out.getvalue()


def error_of(data: bytes) -> str:
    with pytest.raises(ApiError) as refused:
        read(data)
    assert (refused.value.status, refused.value.code) == (400, "invalid_image")
    return refused.value.error


def test_a_png_cut_anywhere_is_refused():
    errors = {cut: error_of(PNG[:cut]) for cut in range(8, len(PNG))}

    assert set(errors.values()) == {"Invalid PNG image."}


@pytest.mark.parametrize("data", [JPEG, with_thumbnail()], ids=["plain", "with-thumbnail"])
def test_a_jpeg_cut_anywhere_is_refused(data):
    errors = {cut: error_of(data[:cut]) for cut in range(3, len(data))}

    assert set(errors.values()) == {"Invalid JPEG image."}


@pytest.mark.parametrize("data", [PNG[:7], JPEG[:2], b""], ids=["png", "jpeg", "empty"])
def test_bytes_too_few_to_tell_are_no_image(data):
    assert error_of(data) == "Downloaded response does not contain a valid JPG or PNG image."


def test_a_png_with_any_bit_of_a_chunk_flipped_is_refused():
    for position in range(8, len(PNG)):
        flipped = bytearray(PNG)
        flipped[position] ^= 1

        assert error_of(bytes(flipped)) == "Invalid PNG image."


def test_a_png_that_does_not_begin_with_its_header_is_refused():
    swapped = PNG[:8] + png_chunk(b"tEXt", b"x" * 13) + PNG[8:]

    assert error_of(swapped) == "Invalid PNG image."


def test_a_jpeg_that_tells_no_size_is_refused():
    assert error_of(b"\xff\xd8\xff\xfe\x00\x04ab\xff\xd9") == "Invalid JPEG image."


@pytest.mark.parametrize("kind", ["GIF", "BMP", "WEBP", "TIFF", "ICO"])
def test_an_image_of_another_kind_is_no_image(kind):
    assert error_of(picture(40, 30, kind)) == (
        "Downloaded response does not contain a valid JPG or PNG image."
    )


READABLE = [
    pytest.param(f"data:image/png;base64,{BASE64}", "image/png", id="guide"),
    pytest.param(f"data:image/jpeg;base64,{BASE64}", "image/jpeg", id="observed-type-ignored"),
    pytest.param(f"data:text/html;base64,{BASE64}", "text/html", id="observed-no-image-type"),
    pytest.param(f"data:;base64,{BASE64}", "", id="assumed-no-type"),
    pytest.param(f"data:image/png;charset=utf-8;base64,{BASE64}", "image/png", id="rfc-parameter"),
    pytest.param(f"data:image/png;a=b;c=d;base64,{BASE64}", "image/png", id="rfc-two-parameters"),
    pytest.param(f"data:image/png;BASE64,{BASE64}", "image/png", id="observed-marker-in-capitals"),
    pytest.param(f"DATA:image/png;base64,{BASE64}", "image/png", id="rfc-scheme-in-capitals"),
]


@pytest.mark.parametrize(("url", "declared"), READABLE)
def test_a_data_url_is_read_by_its_bytes(url, declared):
    seen = read_url(url)

    assert is_data_url(url)
    assert seen == Picture("PNG", 23, 24, len(PNG), declared)


UNREADABLE = [
    pytest.param(f"data:image/png,{BASE64}", id="observed-no-marker"),
    pytest.param(f"data:image/png;base64{BASE64}", id="observed-no-comma"),
    pytest.param(f"data:image/png;base64;{BASE64}", id="observed-semicolon-for-comma"),
    pytest.param("data:", id="assumed-nothing-more"),
    pytest.param(f"data:image/png;base64,{BASE64[:40]}\n{BASE64[40:]}", id="assumed-line-break"),
    pytest.param(f"data:image/png;base64, {BASE64}", id="assumed-leading-space"),
    pytest.param(f"data:image/png;base64,{BASE64} ", id="assumed-trailing-space"),
    pytest.param("data:image/png;base64,iVBORw0", id="assumed-padding-missing"),
    pytest.param("data:image/png;base64,iVBORw0KG===", id="assumed-padding-too-long"),
    pytest.param("data:image/png;base64,iVBO-_0K", id="assumed-url-safe-alphabet"),
    pytest.param("data:image/png;base64,<base64_image_string>", id="guide-text-left-as-it-was"),
    pytest.param("data:image/png;base64,iVBOé", id="assumed-not-ascii"),
]


@pytest.mark.parametrize("url", UNREADABLE)
def test_a_data_url_that_is_no_base64_is_refused(url):
    with pytest.raises(ApiError) as refused:
        read_url(url)

    assert refused.value.error == "Base64 string of provided image cannot be decoded."


def test_a_data_url_whose_head_has_no_end_takes_no_room_of_its_own():
    url = "data:" + ";" * 1_000_000
    tracemalloc.start()
    try:
        with pytest.raises(ApiError):
            read_url(url)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert most < 2 * len(url)


def test_a_data_url_without_data_is_no_image():
    with pytest.raises(ApiError) as refused:
        read_url("data:image/png;base64,")

    assert refused.value.error == "Downloaded response does not contain a valid JPG or PNG image."


def test_a_data_url_of_a_cut_image_is_refused_like_the_image():
    with pytest.raises(ApiError) as refused:
        read_url(data_url(PNG[:-1]))

    assert refused.value.error == "Invalid PNG image."
