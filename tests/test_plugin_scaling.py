"""How large an image is sent: the rules, by hand and for any size."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_grok_vision.limits import MAX_IMAGE_PIXELS, MIN_IMAGE_PIXELS, MIN_IMAGE_SIDE
from llm_grok_vision.scaling import is_read, largest, within

READ = [
    pytest.param(1920, 1280, "auto", (1344, 896), id="three-by-two-tiles"),
    pytest.param(1920, 1280, "high", (1344, 896), id="high-is-as-auto"),
    pytest.param(1920, 1280, None, (1344, 896), id="no-detail-is-auto"),
    pytest.param(1920, 1280, "low", (448, 299), id="low-is-one-tile"),
    pytest.param(1280, 1920, "low", (299, 448), id="low-upright"),
    pytest.param(1344, 896, "high", (1344, 896), id="six-tiles-exactly"),
    pytest.param(1000, 1000, "high", (896, 896), id="a-square-fills-four"),
    pytest.param(10_000, 1_000, "high", (2688, 269), id="a-panorama-fills-a-row-of-six"),
    pytest.param(100, 50, "low", (100, 50), id="never-scaled-up"),
    pytest.param(10_000, 100, "low", (750, 8), id="observed-8-a-side-stay"),
    pytest.param(65, 8, "low", (65, 8), id="a-small-one-stays"),
]


@pytest.mark.parametrize(("width", "height", "detail", "size"), READ)
def test_a_model_that_counts_tiles_is_sent_what_fills_them(width, height, detail, size):
    assert largest(width, height, is_read("tiles", detail)) == size


@pytest.mark.parametrize("detail", ["auto", "high", None])
def test_a_model_that_counts_patches_is_sent_all(detail):
    """Nobody knows where such a model stops reading."""
    assert largest(8000, 6000, is_read("patches", detail)) == (8000, 6000)


@pytest.mark.parametrize(("width", "height"), [(8000, 6000), (512, 384)])
def test_a_model_that_counts_patches_reads_512_pixels_at_low(width, height):
    """OBSERVED 2026-09-12 in the STACK NOTE."""
    assert largest(width, height, is_read("patches", "low")) == (512, 384)


def test_no_more_pixels_are_sent_than_the_service_takes():
    assert largest(54_610, 3_277, within(MAX_IMAGE_PIXELS)) == (54_610, 3_277)
    assert largest(20_000, 20_000, within(MAX_IMAGE_PIXELS)) == (13_377, 13_377)


def _tiles(width: int, height: int) -> int:
    return (-(-width // 448)) * (-(-height // 448))


sides = st.integers(MIN_IMAGE_SIDE, 20_000)
sizes = st.tuples(sides, sides).filter(lambda size: size[0] * size[1] >= MIN_IMAGE_PIXELS)


@given(sizes, st.sampled_from([("low", 1), ("auto", 6), ("high", 6)]))
def test_a_shrunken_image_fills_its_tiles_and_keeps_its_shape(size, detail_and_most):
    detail, most = detail_and_most
    height, width = sorted(size)

    result = largest(size[0], size[1], is_read("tiles", detail))

    new_width, new_height = result[::-1] if size[0] < size[1] else result
    assert new_width <= width
    assert new_height <= height
    assert abs(new_height - new_width * height / width) <= 0.5 or new_height == 1
    is_least = new_height == MIN_IMAGE_SIDE or abs(new_width * new_height - MIN_IMAGE_PIXELS) < 200
    assert _tiles(new_width, new_height) <= most or is_least
    larger = new_width + 1, int((new_width + 1) * height / width + 0.5)
    assert new_width == width or _tiles(*larger) > most


@given(sizes, st.sampled_from(["low", "high"]))
def test_nothing_is_shrunk_to_what_the_service_finds_too_small(size, detail):
    width, height = largest(size[0], size[1], is_read("tiles", detail))

    assert min(width, height) >= MIN_IMAGE_SIDE
    assert width * height >= MIN_IMAGE_PIXELS
