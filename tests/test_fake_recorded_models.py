"""The fake lists models as the live service did: their shape, order, values and prices."""

import json
from typing import Any

from fake_server import FakeServer, catalogue
from tests.asking import BEARER, send
from tests.recorded import exchanges, needed, shape

pytestmark = needed


def listed(path: str, era: str) -> Any:
    with FakeServer(era=era) as server:
        return send(server, "GET", path, headers=BEARER).json()


def by_id(rows: Any, evidence: str) -> dict[str, Any]:
    """Keep the models that the catalogue says were seen there."""
    seen = {model.id for model in catalogue.MODELS if evidence in model.source}
    return {row["id"]: row for row in rows if row["id"] in seen}


def test_models_are_listed_as_recorded():
    [recorded] = exchanges("/v1/models")
    theirs, ours = json.loads(recorded.body), listed("/v1/models", "2026-02")

    expected = by_id(theirs["data"], "OBSERVED GET /v1/models 2026-02-10")
    listed_ours = by_id(ours["data"], "OBSERVED GET /v1/models 2026-02-10")
    assert shape(ours) == shape(theirs)
    assert len(expected) == 6
    assert list(listed_ours.items()) == list(expected.items())


def test_models_stand_in_the_recorded_order():
    [recorded] = exchanges("/v1/models")
    theirs = [row["id"] for row in json.loads(recorded.body)["data"]]
    ours = [row["id"] for row in listed("/v1/models", "2026-02")["data"]]

    assert [name for name in ours if name in theirs] == [name for name in theirs if name in ours]


def test_language_models_are_listed_as_recorded():
    """But for search, which is gone, and for images to grok-4, which the guide sends."""
    [recorded] = exchanges("/v1/language-models")
    theirs, ours = json.loads(recorded.body), listed("/v1/language-models", "2025-09")

    expected = by_id(theirs["models"], "OBSERVED GET /v1/language-models 2025-09-04")
    listed_ours = by_id(ours["models"], "OBSERVED GET /v1/language-models 2025-09-04")
    expected["grok-4-0709"]["input_modalities"] = ["text", "image"]
    assert shape(ours) == shape(theirs)
    assert len(expected) == 8
    assert listed_ours == expected
