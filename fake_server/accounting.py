"""What a request costs: tiles, tokens, and ticks of a US dollar.

The rule for images is the guide's. Text has no public tokenizer: the fake counts one
token a word, which is its own rule and nobody's else.
"""

import re
from functools import lru_cache

import msgspec

from llm_grok_vision.limits import (
    LONG_CONTEXT_FACTOR,
    LOW_SIDE,
    MAX_TILES,
    PATCH_SIDE,
    PRIORITY_FACTOR,
    TICKS_PER_SERVER_TOOL_CALL,
    TICKS_PER_USD,
    TILE_SIDE,
    TOKENS_PER_TILE,
)

from .catalogue import Prices

# Letters of a text whose words are cut out at once: all of a long one would take twenty times its room.
_BLOCK = 1024**2

_WORD = re.compile(r"\s*\S+")


def count_tiles(width: int, height: int, detail: str) -> int:
    """Count the tiles that cover an image; at low detail there are none."""
    # ASSUMED: the guide ties tiles to no detail. "low" is "a low-resolution version",
    # taken here as the extra tile alone; "auto" is taken to see what "high" sees.
    # OBSERVED on the live service in 2025 and 2026: tiles at "high" only.
    if detail == "low":
        return 0
    columns = (width + TILE_SIDE - 1) // TILE_SIDE
    rows = (height + TILE_SIDE - 1) // TILE_SIDE
    return min(columns * rows, MAX_TILES)


def count_image_tokens(tiles: int) -> int:
    """Count the tokens of an image: "(# of tiles + 1) * 256"."""
    return (tiles + 1) * TOKENS_PER_TILE


def count_seen_tiles(width: int, height: int, detail: str) -> int:
    """Count tiles as the service was seen to, on models that have tiles.

    OBSERVED 2025-10 to 2026-02: 256 tokens at `auto` and `low`, whatever the size, and 1,792
    for 1280x1014 pixels at `high`.
    """
    return count_tiles(width, height, detail) if detail == "high" else 0


def count_patches(width: int, height: int, detail: str) -> int:
    """Count the patches of an image, as the service was seen to since grok-4.3.

    OBSERVED 2026; at `low` with the longer side cut to 512 pixels. A limit to their number
    was never seen.
    """
    longer = max(width, height)
    if detail == "low" and longer > LOW_SIDE:
        most = LOW_SIDE // PATCH_SIDE
        return -(-width * most // longer) * -(-height * most // longer)
    return -(-width // PATCH_SIDE) * -(-height // PATCH_SIDE)


def words(text: str) -> list[str]:
    """Cut a text into the pieces that count as a token each, spaces included."""
    if not text:
        return []
    # Space that no word follows would be looked at again from each of its places.
    spoken = text.rstrip()
    pieces = _WORD.findall(spoken)
    if end := text[len(spoken) :]:
        pieces[-1:] = ["".join([*pieces[-1:], end])]
    return pieces


def count_text_tokens(text: str) -> int:
    """Count the tokens of a text by the fake's own rule: one a word."""
    if len(text) <= _BLOCK:
        return len(text.split())
    ends = range(_BLOCK, len(text), _BLOCK)
    in_blocks = sum(
        len(text[start : start + _BLOCK].split()) for start in range(0, len(text), _BLOCK)
    )
    cut = sum(not (text[end - 1].isspace() or text[end].isspace()) for end in ends)
    return in_blocks - cut


class Usage(msgspec.Struct, frozen=True):
    """Token counts by their wire names; `completion_tokens` leaves reasoning out.

    `cached_tokens` are those of the text that cost less because they were sent before; the
    fake caches nothing by itself. From `long_context_threshold` tokens of a prompt on all
    tokens cost more, as they do where the answer `is_prioritized`; `price_percent` is how much
    of that price is asked. `tells_cost` and `tells_context` are what whoever asks is told. `server_tool_calls` names
    the tools that ran at xAI, once for each call.
    """

    text_tokens: int
    image_tokens: int
    completion_tokens: int
    reasoning_tokens: int
    prices: Prices
    price_percent: int = 100
    long_context_threshold: int = 0
    is_prioritized: bool = False
    server_tool_calls: tuple[str, ...] = ()
    cached_tokens: int = 0
    tells_cost: bool = True
    tells_context: bool = True

    @property
    def prompt_tokens(self) -> int:
        """Text and images. OBSERVED in 2231 of 2231 recorded answers."""
        return self.text_tokens + self.image_tokens

    @property
    def total_tokens(self) -> int:
        """Prompt, completion and reasoning. OBSERVED in 2231 of 2231 recorded answers."""
        return self.prompt_tokens + self.completion_tokens + self.reasoning_tokens

    @property
    def cost_in_usd_ticks(self) -> int:
        """Prompt and answer at the model's prices, and calls. OBSERVED: fits 838 of 838 usages.

        OBSERVED too: images are never cached, and sometimes more is cached than was sent.
        """
        prompt, cached, completion = _ticks(self.prices)
        texts, images, known = self.text_tokens, self.image_tokens, self.cached_tokens
        tokens = (max(0, texts - known) + images) * prompt + known * cached
        tokens += (self.completion_tokens + self.reasoning_tokens) * completion
        # ASSUMED: that what was cached counts too, and images do.
        if 0 < self.long_context_threshold <= texts + images:
            tokens *= LONG_CONTEXT_FACTOR
        if self.is_prioritized:
            tokens *= PRIORITY_FACTOR
        calls = len(self.server_tool_calls) * TICKS_PER_SERVER_TOOL_CALL
        # ASSUMED of calls: that a batch takes off a part of their price too.
        return (tokens + calls) * self.price_percent // 100


@lru_cache
def _ticks(prices: Prices) -> tuple[int, int, int]:
    """Give what a token costs: of a prompt, one that was cached, and of an answer."""
    ticks = TICKS_PER_USD / 1_000_000
    return (
        round(prices.prompt * ticks),
        round(prices.cached * ticks),
        round(prices.completion * ticks),
    )
