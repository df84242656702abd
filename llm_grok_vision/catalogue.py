"""The models this plugin knows: the rows of `catalogue.json` that read images.

Each row of the file names its source. The fake reads the same file with code of its
own (`fake_server.catalogue`), on purpose: facts are shared, logic never.
"""

import json
from pathlib import Path
from typing import Any, NamedTuple

_FILE = Path(__file__).with_name("catalogue.json")


class CatalogueModel(NamedTuple):
    """A model as xAI names it.

    `name` is what users call it and what is sent; `id` is what answers call it, and the
    same but for grok-4; `aliases` are the other names it answers to. Prices are US dollars
    for a million tokens; `accounting` is "tiles" or "patches", the rule for images.
    """

    name: str
    id: str
    aliases: tuple[str, ...]
    context_length: int
    prompt_price: float
    completion_price: float
    accounting: str
    is_current: bool


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


def find_vision_model(name: str) -> CatalogueModel | None:
    """Find a model by any of its names."""
    for model in vision_models():
        if name in (model.name, model.id, *model.aliases):
            return model
    return None


def accounting_of(name: str) -> str:
    """Tell how a model counts images; one that is not in the catalogue is a newer one."""
    model = find_vision_model(name)
    return model.accounting if model else "patches"


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
    )
