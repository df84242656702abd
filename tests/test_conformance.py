"""Every recorded exchange is asked again, and the fake comes as near to it as it did before.

`pytest tests/test_conformance.py -s` shows the scores, and what differs by name.
"""

import json
from collections import Counter
from pathlib import Path

import pytest

from tests.conformance import LEFT_OUT, compared, era_of
from tests.recorded import CHAT, RESPONSES, exchanges, needed

pytestmark = needed

# How many exchanges are the same in each aspect, of how many that have it.
SCORES = Path(__file__).with_name("conformance.json")
ENDPOINTS = (CHAT, RESPONSES, "/v1/models", "/v1/language-models")


@pytest.fixture(scope="module")
def verdicts():
    return [
        (exchange, compared(exchange)) for endpoint in ENDPOINTS for exchange in exchanges(endpoint)
    ]


def test_no_aspect_is_worse_than_it_was(verdicts):
    same, seen, different = Counter[str](), Counter[str](), Counter[str]()
    for exchange, aspects in verdicts:
        for aspect, is_same in aspects.items():
            seen[aspect] += 1
            same[aspect] += is_same
            if not is_same:
                kind = "streamed" if exchange.streamed else "whole"
                name = f"{exchange.repository}, {exchange.endpoint} of {era_of(exchange)}"
                different[f"{aspect}: {name}, {exchange.model} {kind}"] += 1

    print("\n".join(f"{aspect}: {same[aspect]} of {seen[aspect]}" for aspect in sorted(seen)))
    print("\n".join(f"{count} differ in {name}" for name, count in sorted(different.items())))
    print("\n".join(f"not compared: {what}" for what in LEFT_OUT))
    committed = json.loads(SCORES.read_text())
    assert sorted(seen) == sorted(committed)
    # By ratio, because recordings may be added.
    worse = [a for a, (good, of) in committed.items() if same[a] * of < good * seen[a]]
    assert worse == []


@pytest.mark.parametrize("aspect", ["status", "types", "arithmetic", "image tokens", "cost"])
def test_there_is_no_difference_in(verdicts, aspect):
    assert all(aspects.get(aspect, True) for _, aspects in verdicts)
    assert any(aspect in aspects for _, aspects in verdicts)
