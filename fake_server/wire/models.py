"""GET /v1/models and its siblings by kind, in the shapes of recorded answers.

OBSERVED: /v1/models 2026-02-10, /v1/language-models and /v1/image-generation-models
2025-09-04. DOC OPENAPI: that there are lists of embedding and video models; ASSUMED:
that they are empty here, because the fake has none.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from llm_grok_vision.limits import TICKS_PER_USD

from ..catalogue import Model
from ..checks import TEAM
from ..era import Era
from ..refusals import refuse
from .call import Answer, Call, Route

# OBSERVED: 20000 is what a model at 2 US dollars a million tokens lists.
_PRICE_UNITS = 10_000

# OBSERVED 2025-09-04 of grok-2-image-1212, as 700000000 ticks; ASSUMED of the others.
# DOC PROTO: over gRPC in cents.
IMAGE_CENTS = 7

Shape = Callable[[Model, Era], dict[str, Any]]


async def _models(call: Call) -> Answer:
    """List every model that answers, those that make images included."""
    rows = _rows(call, _model, "language", "image")
    return Answer(msgspec.json.encode({"data": rows, "object": "list"}))


async def _language_models(call: Call) -> Answer:
    """List the language models with what they read and cost."""
    return Answer(msgspec.json.encode({"models": _rows(call, _language_model, "language")}))


async def _one_model(call: Call) -> Answer:
    """Give one model; raises the ApiError for a name that is none."""
    return _one(call, _model, ("language", "image"))


async def _one_language_model(call: Call) -> Answer:
    """Give one language model; raises the ApiError for a name that is none."""
    return _one(call, _language_model, ("language",))


def _one(call: Call, shape: Shape, kinds: tuple[str, ...]) -> Answer:
    name = call.blanks["model"]
    found = call.service.find(name)
    if found is None or found not in call.service.listed(*kinds):
        raise refuse("unknown model", model=name, team=TEAM)
    return Answer(msgspec.json.encode(shape(found, call.service.contract.era)))


def _rows(call: Call, shape: Shape, *kinds: str) -> list[dict[str, Any]]:
    era = call.service.contract.era
    return [shape(model, era) for model in call.service.listed(*kinds)]


def _model(model: Model, _era: Era) -> dict[str, Any]:
    return {"id": model.id, "created": model.created, "object": "model", "owned_by": "xai"}


def _language_model(model: Model, era: Era) -> dict[str, Any]:
    prices = model.usd_per_million
    return {
        "id": model.id,
        "fingerprint": era.fingerprint(model.system_fingerprint),
        "created": model.created,
        "object": "model",
        "owned_by": "xai",
        "version": "1.0",
        "input_modalities": model.input_modalities,
        "output_modalities": ["text"],
        "prompt_text_token_price": price(prices.prompt),
        "cached_prompt_text_token_price": price(prices.cached),
        "prompt_image_token_price": price(prices.prompt) if model.reads_images else 0,
        "completion_text_token_price": price(prices.completion),
        "search_price": model.search_price,
        "aliases": model.aliases,
    }


def price(usd_per_million: float) -> int:
    """Write a price as lists of models do."""
    return round(usd_per_million * _PRICE_UNITS)


async def _image_models(call: Call) -> Answer:
    return Answer(msgspec.json.encode({"models": _rows(call, _image_model, "image")}))


async def _one_image_model(call: Call) -> Answer:
    return _one(call, _image_model, ("image",))


async def _none(_call: Call) -> Answer:
    return Answer(msgspec.json.encode({"models": []}))


def _image_model(model: Model, era: Era) -> dict[str, Any]:
    return {
        "id": model.id,
        "fingerprint": era.fingerprint(model.system_fingerprint),
        "max_prompt_length": model.context_length,
        "created": model.created,
        "object": "model",
        "owned_by": "xai",
        "version": "1.0",
        "input_modalities": model.input_modalities,
        "output_modalities": ["image"],
        "image_price": IMAGE_CENTS * TICKS_PER_USD // 100,
        "aliases": model.aliases,
    }


ROUTES = (
    Route("GET", "/v1/models", _models),
    Route("GET", "/v1/models/{model}", _one_model),
    Route("GET", "/v1/language-models", _language_models),
    Route("GET", "/v1/language-models/{model}", _one_language_model),
    Route("GET", "/v1/image-generation-models", _image_models),
    Route("GET", "/v1/image-generation-models/{model}", _one_image_model),
    Route("GET", "/v1/embedding-models", _none),
    Route("GET", "/v1/video-generation-models", _none),
)
