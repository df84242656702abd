"""How many prompt tokens an image costs, by each rule that xAI was seen or said to follow.

The fake counts for itself, on purpose and otherwise, in `fake_server.accounting`; the
tests hold the two together.
"""

from typing import NamedTuple

from .limits import EXTRA_PATCHES, LOW_SIDE, MAX_TILES, PATCH_SIDE, TILE_SIDE, TOKENS_PER_TILE


class Cost(NamedTuple):
    """The grid of squares of `side` pixels that covers an image, and the tokens it costs."""

    columns: int
    rows: int
    side: int
    tokens: int


def tiled(width: int, height: int, detail: str) -> Cost:
    """Count as the guide says: tiles, at most six, and an extra one; `low` is the extra one.

    DISPUTED: the live service was seen to bill `auto` as `low` (2025 and 2026).
    """
    columns, rows = _grid(width, height, TILE_SIDE)
    tiles = 0 if detail == "low" else min(columns * rows, MAX_TILES)
    return Cost(columns, rows, TILE_SIDE, (1 + tiles) * TOKENS_PER_TILE)


def patched(width: int, height: int, detail: str) -> Cost:
    """Count as models since grok-4.3 were seen to: patches, and two more; `low` is scaled down.

    ASSUMED: no upper end, as nothing above 1800x1200 pixels was recorded; a side that is scaled
    down is rounded up.
    """
    longer = max(width, height)
    if detail == "low" and longer > LOW_SIDE:
        width, height = (-(-side * LOW_SIDE // longer) for side in (width, height))
    columns, rows = _grid(width, height, PATCH_SIDE)
    return Cost(columns, rows, PATCH_SIDE, columns * rows + EXTRA_PATCHES)


def _grid(width: int, height: int, side: int) -> tuple[int, int]:
    return -(-width // side), -(-height // side)
