"""`llm grok-vision refresh`: ask xAI for its models, keep the list, and tell what changed."""

import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from . import listing
from .catalogue import vision_models
from .connection import Call
from .errors import InvalidSetting
from .known import cache_file, known_models
from .refusals import not_expected
from .settings import api_base, find_key
from .transport import exchange

PATH = "/language-models"


def refreshed(given_key: str | None) -> Iterator[str]:
    """Ask for the models and keep those that read images; give a line for each kind of change.

    Raises InvalidSetting where the list cannot be kept, and what `exchange` raises.
    """
    rows = ask_for_models(find_key(given_key).value)
    before = {model.name for model in known_models()}
    keep(row for row in rows if listing.reads_images(row))
    after = [model.name for model in known_models()]
    added = [name for name in after if name not in before]
    removed = sorted(before.difference(after))
    if added:
        yield f"Added models: {_ids(added)}"
    if removed:
        yield f"Removed models: {_ids(removed)}"
    if not added and not removed:
        yield "No changes"
    answering = {name for row in rows for name in listing.names(row)}
    gone = [model.name for model in vision_models() if answering.isdisjoint(model.names)]
    if gone:
        yield f"No longer listed by xAI: {_ids(gone)}"


def ask_for_models(key: str) -> list[dict[str, Any]]:
    """Give the language models as xAI lists them; raises what `exchange` raises."""
    rows = listing.rows(exchange(Call(api_base() + PATH, key, method="GET")))
    if rows is None:
        raise not_expected(200, "a list of models")
    return rows


def keep(rows: Iterable[dict[str, Any]]) -> None:
    """Write the list anew; who reads it meanwhile finds the old one, or the new one, whole."""
    text = json.dumps({"models": [listing.trimmed(row) for row in rows]})
    temporary = None
    try:
        file = cache_file()
        with NamedTemporaryFile("w", dir=file.parent, prefix=file.name, delete=False) as new:
            temporary = Path(new.name)
            new.write(text)
        temporary.replace(file)
    except OSError as error:
        if temporary:
            with suppress(OSError):
                temporary.unlink()
        raise InvalidSetting(
            f"The list of models could not be written to LLM's folder: {error.strerror or error}."
            " The models known so far can be used as before."
        ) from None


def _ids(names: Iterable[str]) -> str:
    return ", ".join(f"xai/{name}" for name in names)
