"""All models that read images: those of the catalogue, and those that xAI listed since.

What xAI listed is kept in a file in LLM's folder by `llm grok-vision refresh`. It is read
with every `llm` command, so that nothing that stands there can raise, or cost much.
"""

import json
import stat
from collections.abc import Iterable
from pathlib import Path

import llm

from .catalogue import CatalogueModel, vision_models

# A list of all models of xAI's takes a hundredth of this.
_LARGEST_FILE = 1024**2


def cache_file() -> Path:
    """Say where the last list is kept; raises OSError where LLM can have no folder."""
    return Path(llm.user_dir()) / "grok_vision_models.json"


def known_models() -> list[CatalogueModel]:
    """Give the models of the catalogue, then those that only xAI's last list has.

    Raises what `vision_models` raises for a broken catalogue.
    """
    models = vision_models()
    return models + _unknown_to(models, listed_models())


def listed_models() -> list[CatalogueModel]:
    """Give the models of xAI's last list that read images; none where there is no such list."""
    try:
        file = cache_file()
        status = file.stat()
        if not stat.S_ISREG(status.st_mode) or status.st_size > _LARGEST_FILE:
            return []
        answer = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError):
        return []
    # Only those who have a list pay for reading one.
    from . import listing

    rows = listing.rows(answer) or []
    return [listing.model(row) for row in rows if listing.reads_images(row)]


def _unknown_to(
    known: Iterable[CatalogueModel], listed: Iterable[CatalogueModel]
) -> list[CatalogueModel]:
    """Leave out what is known, and of aliases those that stand for something else already."""
    taken = {name for model in known for name in model.names}
    new = {model.id: model for model in listed if model.id not in taken}
    taken |= set(new)
    models = []
    for model in new.values():
        aliases = tuple(alias for alias in dict.fromkeys(model.aliases) if alias not in taken)
        taken |= set(aliases)
        models.append(model._replace(aliases=aliases))
    return models
