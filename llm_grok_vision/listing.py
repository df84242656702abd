"""What xAI says of its models, in its answer to GET /v1/language-models and in our copy of it.

The answer comes from the network and the copy from a file that anything may have written:
a row that is not as it should be is left out, and nothing here raises.
"""

from typing import Any

from .catalogue import CatalogueModel

# DOC OPENAPI: "in USD cents per 100 million tokens"
_PRICE_UNITS = 10_000

# All that is read of a row, and so all that is kept of one.
_FIELDS = (
    "id",
    "aliases",
    "input_modalities",
    "prompt_text_token_price",
    "completion_text_token_price",
    "context_length",
    "capabilities",
)
_NAME_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:")
_LONGEST_NAME = 100
_LARGEST_NUMBER = 1e12


def rows(answer: Any) -> list[dict[str, Any]] | None:
    """Give the rows of an answer, those without a proper id left out; None if it is no list."""
    listed = answer.get("models") if isinstance(answer, dict) else None
    if not isinstance(listed, list):
        return None
    return [row for row in listed if isinstance(row, dict) and _is_name(row.get("id"))]


def names(row: dict[str, Any]) -> tuple[str, ...]:
    """Give the id of a row and its aliases."""
    return (row["id"], *_names(row.get("aliases")))


def reads_images(row: dict[str, Any]) -> bool:
    """Whether a model takes images beside text."""
    modalities = row.get("input_modalities")
    return isinstance(modalities, list) and "image" in modalities


def trimmed(row: dict[str, Any]) -> dict[str, Any]:
    """Keep of a row what `model` reads."""
    return {field: row[field] for field in _FIELDS if field in row}


def model(row: dict[str, Any]) -> CatalogueModel:
    """Describe a model by what xAI says of it."""
    prompt = _number(row.get("prompt_text_token_price"))
    completion = _number(row.get("completion_text_token_price"))
    context = _number(row.get("context_length"))
    efforts = _efforts(row.get("capabilities"))
    return CatalogueModel(
        name=row["id"],
        id=row["id"],
        aliases=_names(row.get("aliases")),
        context_length=None if context is None else int(context),
        prompt_price=None if prompt is None else prompt / _PRICE_UNITS,
        completion_price=None if completion is None else completion / _PRICE_UNITS,
        # ASSUMED: xAI's list says nothing of it; every model since grok-4.3 counts patches.
        accounting="patches",
        is_current=True,
        responses_only=False,
        refuses=("reasoning_effort",) if efforts == () else (),
        reasoning_efforts=efforts or (),
        # ASSUMED: xAI's list says nothing of it, and refuses it if it is not so.
        batches=True,
    )


def _efforts(capabilities: Any) -> tuple[str, ...] | None:
    """Read the efforts that a model takes; None where xAI does not say, or not in words.

    DOC OPENAPI: "The values the model accepts for `reasoning_effort` or `reasoning.effort`."
    """
    listed = capabilities.get("reasoning_effort") if isinstance(capabilities, dict) else None
    if not isinstance(listed, list):
        return None
    efforts = _names(listed)
    return efforts if efforts or not listed else None


def _names(listed: Any) -> tuple[str, ...]:
    return tuple(name for name in listed if _is_name(name)) if isinstance(listed, list) else ()


def _is_name(value: Any) -> bool:
    return (
        isinstance(value, str) and 0 < len(value) <= _LONGEST_NAME and set(value) <= _NAME_LETTERS
    )


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if 0 <= value <= _LARGEST_NUMBER else None
