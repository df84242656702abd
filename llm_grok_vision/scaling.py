"""How large an image is sent: sizes in pixels, as pure rules.

A rule for `largest` tells whether a size fits; what is smaller than one that fits has to
fit too.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable

from .limits import LOW_SIDE, MAX_IMAGE_PIXELS, MAX_TILES, MIN_IMAGE_PIXELS, MIN_IMAGE_SIDE
from .tokens import tiled

Fits = Callable[[int, int], bool]


def within(pixels: int) -> Fits:
    """Give the rule for an image of so many pixels at most."""
    return lambda width, height: width * height <= pixels


def is_read(accounting: str, detail: str | None) -> Fits:
    """Give the rule for an image of which a model reads every pixel, at this detail.

    ASSUMED: of a larger image, a model that counts tiles reads what the tiles hold when it
    is scaled down to six of them, at `low` to one: the guide says how many there are, not
    how an image is fitted to them. Models that count patches read at `low` what is left when
    the longer side is 512 pixels (OBSERVED); otherwise they have no known upper end, so that
    all of an image counts as read.
    """
    if accounting != "tiles":
        if detail == "low":
            return lambda width, height: max(width, height) <= LOW_SIDE
        return within(MAX_IMAGE_PIXELS)
    most = 1 if detail == "low" else MAX_TILES

    def within_the_tiles(width: int, height: int) -> bool:
        grid = tiled(width, height, "high")
        return grid.columns * grid.rows <= most

    return within_the_tiles


def largest(width: int, height: int, fits: Fits) -> tuple[int, int]:
    """Scale a size down, and no further than it has to be, until it fits.

    The shape stays, within a pixel. What xAI finds too small is not made, even if
    nothing larger fits.
    """
    longer = max(width, height)

    def scaled(side: int) -> tuple[int, int]:
        return _share(width, side, longer), _share(height, side, longer)

    sides = range(1, longer + 1)
    most = bisect_right(sides, 0, key=lambda side: not fits(*scaled(side)))
    least = 1 + bisect_left(sides, 1, key=lambda side: _is_large_enough(*scaled(side)))
    return scaled(min(max(most, least), longer))


def _share(length: int, side: int, longer: int) -> int:
    """Round length * side / longer, in whole numbers: floats are not exact enough."""
    return max(1, (2 * length * side + longer) // (2 * longer))


def _is_large_enough(width: int, height: int) -> bool:
    return min(width, height) >= MIN_IMAGE_SIDE and width * height >= MIN_IMAGE_PIXELS
