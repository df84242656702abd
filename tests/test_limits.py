"""Every fact that is called documented can be read back out of the words it quotes."""

import json
import re
from pathlib import Path

import pytest

from llm_grok_vision import limits

ROOT = Path(__file__).parents[1]
SEED = ROOT.parent / "shared" / "seed" / "image-understanding.txt"
SOURCE = Path(limits.__file__).read_text()
CATALOGUE = json.loads(Path(limits.__file__).with_name("catalogue.json").read_text())
EVIDENCE = ("DOC", "OBSERVED", "ASSUMED", "DISPUTED")

CONSTANTS = re.findall(r"((?:^#.*\n)+)^([A-Z_]+): Final", SOURCE, re.MULTILINE)
QUOTES = re.findall(r"DOC GUIDE: [\"'](.*)[\"']$", SOURCE, re.MULTILINE)


@pytest.mark.parametrize(("comment", "name"), CONSTANTS, ids=[name for _, name in CONSTANTS])
def test_every_constant_says_how_it_is_known(comment: str, name: str) -> None:
    assert re.match(rf"# ({'|'.join(EVIDENCE)})\b", comment)


def test_no_constant_stands_without_a_comment() -> None:
    assert len(CONSTANTS) == len(re.findall(r"^[A-Z_]+: Final", SOURCE, re.MULTILINE))


@pytest.mark.parametrize(
    ("value", "quote"),
    [
        (limits.MAX_IMAGE_BYTES // 1024**2, r"Maximum image size: (\d+)MiB"),
        (limits.TILE_SIDE, r"tiles of (\d+)x\1 pixels"),
        (limits.TOKENS_PER_TILE, r"each tile will consume (\d+) tokens"),
        (limits.MAX_TILES, r"maximum limit of (\d+) tiles"),
        (limits.MIN_IMAGE_SIDE, r"at least (\d+) pixels"),
        (limits.MIN_IMAGE_PIXELS, r"minimum of (\d+) pixels"),
        (limits.FETCH_SECONDS, r"timeout after (\d+) seconds"),
        (limits.MAX_TEMPERATURE, r"between 0 and (\d+)"),
        (limits.MAX_STOP_SEQUENCES, r"Up to (\d+) sequences"),
        (limits.MAX_TOOLS, r"max of (\d+) functions"),
        (limits.MAX_BATCH_PAYLOAD // 1_000_000, r"payload size of (\d+)MB"),
        (limits.MAX_BATCH_FILE_REQUESTS // 1000, r"(\d+) 000 requests per file"),
        (limits.MAX_BATCH_LINE // 1_000_000, r"(\d+) MB per request line"),
        (limits.BATCH_PRICE_PERCENT, r"cost (\d+) % of its price"),
        (limits.BATCH_PAGE, r"on a page. Defaults to (\d+)"),
        (limits.MAX_BATCH_PAGE, r"max `limit` (\d+)"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_number_stands_in_the_words_that_are_quoted_for_it(value: float, quote: str) -> None:
    found = re.search(quote, SOURCE)

    assert found is not None
    assert float(found[1]) == value


@pytest.mark.skipif(not SEED.exists(), reason="the guide is not part of this repository")
@pytest.mark.parametrize("quote", QUOTES)
def test_what_is_quoted_from_the_guide_stands_in_the_guide(quote: str) -> None:
    guide = _letters(SEED.read_text())

    assert _letters(quote) in guide


def test_there_are_quotes_from_the_guide() -> None:
    assert len(QUOTES) == 6


@pytest.mark.parametrize("row", CATALOGUE, ids=[row["id"] for row in CATALOGUE])
def test_every_model_of_the_catalogue_names_its_source(row: dict[str, str]) -> None:
    assert row["source"].split()[0] in EVIDENCE


def _letters(text: str) -> str:
    """Drop what the copy of the guide lost or gained: spaces, quotes, marks of lists."""
    return re.sub(r"[^a-z0-9]", "", text.lower())
