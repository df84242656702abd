"""GET /v1/models, /v1/language-models and /v1/api-key, in the shapes of recorded answers.

OBSERVED: /v1/models 2026-02-10, /v1/language-models 2025-09-04. DOC OPENAPI: /v1/api-key.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from ..catalogue import Model, find, listed
from ..checks import TEAM
from ..identity import uuid
from ..refusals import refuse

# OBSERVED: 20000 is what a model at 2 US dollars a million tokens lists.
_PRICE_UNITS = 10_000

Shape = Callable[[Model], dict[str, Any]]


def models() -> bytes:
    """List every model that answers, those that make images included."""
    rows = [_model(model) for model in listed("language", "image")]
    return msgspec.json.encode({"data": rows, "object": "list"})


def language_models() -> bytes:
    """List the language models with what they read and cost."""
    return msgspec.json.encode({"models": [_language_model(model) for model in listed("language")]})


def model(name: str) -> bytes:
    """Give one model; raises the ApiError for a name that is none."""
    return _one(name, _model, ("language", "image"))


def language_model(name: str) -> bytes:
    """Give one language model; raises the ApiError for a name that is none."""
    return _one(name, _language_model, ("language",))


def api_key(key: str) -> bytes:
    """Give what the service tells of a key: never more of it than the last four characters."""
    tail = key[-4:] if len(key) > 8 else "****"
    return msgspec.json.encode(
        {
            "redacted_api_key": f"xai-...{tail}",
            "user_id": uuid("user"),
            "name": "fake_server",
            "create_time": "2026-01-01T00:00:00.000000Z",
            "modify_time": "2026-01-01T00:00:00.000000Z",
            "modified_by": uuid("user"),
            "team_id": TEAM,
            "acls": ["api-key:model:*", "api-key:endpoint:*"],
            "api_key_id": uuid("key", key),
            "team_blocked": False,
            "api_key_blocked": False,
            "api_key_disabled": False,
        }
    )


def _one(name: str, shape: Shape, kinds: tuple[str, ...]) -> bytes:
    found = find(name)
    if found is None or found not in listed(*kinds):
        raise refuse("unknown model", model=name, team=TEAM)
    return msgspec.json.encode(shape(found))


def _model(model: Model) -> dict[str, Any]:
    return {"id": model.id, "created": model.created, "object": "model", "owned_by": "xai"}


def _language_model(model: Model) -> dict[str, Any]:
    prices = model.usd_per_million
    return {
        "id": model.id,
        "fingerprint": model.system_fingerprint,
        "created": model.created,
        "object": "model",
        "owned_by": "xai",
        "version": "1.0",
        "input_modalities": model.input_modalities,
        "output_modalities": ["text"],
        "prompt_text_token_price": _price(prices.prompt),
        "cached_prompt_text_token_price": _price(prices.cached),
        "prompt_image_token_price": _price(prices.prompt) if model.reads_images else 0,
        "completion_text_token_price": _price(prices.completion),
        "search_price": model.search_price,
        "aliases": model.aliases,
    }


def _price(usd_per_million: float) -> int:
    return round(usd_per_million * _PRICE_UNITS)
