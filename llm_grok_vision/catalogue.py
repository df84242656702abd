"""The models this plugin knows: the rows of `catalogue.json` that read images.

Each row of the file names its source. The fake reads the same file with code of its
own (`fake_server.catalogue`), on purpose: facts are shared, logic never.
"""

import json
from pathlib import Path
from typing import NamedTuple

_FILE = Path(__file__).with_name("catalogue.json")


class CatalogueModel(NamedTuple):
    """A model as xAI names it: `name` is sent, `aliases` are other names it answers to."""

    name: str
    aliases: tuple[str, ...]


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


def _model(row: dict[str, str | list[str]]) -> CatalogueModel:
    name = str(row.get("name", row["id"]))
    names = (str(row["id"]), *row["aliases"])
    return CatalogueModel(name, tuple(alias for alias in names if alias != name))
