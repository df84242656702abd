"""The models this plugin knows: the rows of `catalogue.json` that read images.

Each row of the file names its source. The fake reads the same file with code of its
own (`fake_server.catalogue`), on purpose: facts are shared, logic never.
"""

import json
from pathlib import Path
from typing import Any, NamedTuple

_FILE = Path(__file__).with_name("catalogue.json")

# The model of all examples in xAI's guide.
DEFAULT_MODEL = "grok-4"


class CatalogueModel(NamedTuple):
    """A model as xAI names it.

    `name` is what users call it and what is sent; `id` is what answers call it, and the
    same but for grok-4; `aliases` are the other names it answers to. Prices are US dollars
    for a million tokens; `accounting` is "tiles" or "patches", the rule for images.
    `responses_only` models answer on /v1/responses alone.
    `refuses` are the parameters it takes no value of, `reasoning_efforts` the values it
    takes of that one, empty where nobody knows. `batches` is False where xAI was seen to
    refuse the model in a batch. What xAI's own list leaves out is None.
    """

    name: str
    id: str
    aliases: tuple[str, ...]
    context_length: int | None
    prompt_price: float | None
    completion_price: float | None
    accounting: str
    is_current: bool
    responses_only: bool
    refuses: tuple[str, ...]
    reasoning_efforts: tuple[str, ...]
    batches: bool

    @property
    def names(self) -> tuple[str, ...]:
        """Every name by which xAI knows it."""
        return (self.name, self.id, *self.aliases)


def read_vision_models(text: str) -> list[CatalogueModel]:
    """Pick the language models that read images out of the catalogue's text.

    Raises ValueError, KeyError or TypeError if the text is no catalogue.
    """
    return [
        _model(row)
        for row in json.loads(text)
        if row["kind"] == "language"
        and "image" in row["input_modalities"]
        and row["status"] != "retired-refused"
    ]


def vision_models() -> list[CatalogueModel]:
    """Read the catalogue that is installed with this package."""
    return read_vision_models(_FILE.read_text(encoding="utf-8"))


def _model(row: dict[str, Any]) -> CatalogueModel:
    name = row.get("name", row["id"])
    aliases = (alias for alias in row["aliases"] if alias != name)
    return CatalogueModel(
        name=name,
        id=row["id"],
        aliases=tuple(aliases),
        context_length=row["context_length"],
        prompt_price=row["usd_per_million"]["prompt"],
        completion_price=row["usd_per_million"]["completion"],
        accounting=row["accounting"],
        is_current=row["status"] == "current",
        responses_only=row.get("responses_only", False),
        refuses=tuple(row["refuses"]),
        reasoning_efforts=tuple(row.get("reasoning_efforts", ())),
        batches=row.get("batches", True),
    )
