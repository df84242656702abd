"""GET /v1/models and its siblings by kind, in the shapes of recorded answers.

OBSERVED: /v1/models 2026-02-10, and 2026-08-12 in GulLabs/any-llm; /v1/language-models and
/v1/image-generation-models 2025-09-04. DOC docs.x.ai/developers/rest-api-reference/inference/models
of 2026: what language models tell besides, and image models in /v1/models. DOC OPENAPI: that
there are lists of embedding and video models; ASSUMED: that they are empty here, because the
fake has none.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from llm_grok_vision.limits import LONG_CONTEXT_FACTOR, TICKS_PER_USD

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
_IMAGE_PRICE = {"image_price": IMAGE_CENTS * TICKS_PER_USD // 100}

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


def _model(model: Model, era: Era) -> dict[str, Any]:
    if not era.lists_prices:
        return {"id": model.id, "created": model.created, "object": "model", "owned_by": "xai"}
    return {
        "id": model.id,
        "aliases": model.aliases,
        "context_length": model.context_length,
        "created": model.created,
        "object": "model",
        "owned_by": "xai",
        **(_IMAGE_PRICE if model.kind == "image" else _prices(model)),
        # DOC: left out, where language models say 0.
        **(_long_context(model) if model.long_context_threshold else {}),
    }


def _language_model(model: Model, era: Era) -> dict[str, Any]:
    return {
        "id": model.id,
        "fingerprint": era.fingerprint(model.system_fingerprint),
        "created": model.created,
        "object": "model",
        "owned_by": "xai",
        "version": "1.0",
        "input_modalities": model.input_modalities,
        "output_modalities": ["text"],
        **_prices(model),
        "search_price": model.search_price,
        **(_long_context(model) if era.lists_prices else {}),
        "aliases": model.aliases,
        **(_capabilities(model) if era.lists_prices else {}),
    }


def _prices(model: Model) -> dict[str, int]:
    prices = model.usd_per_million
    return {
        "prompt_text_token_price": price(prices.prompt),
        "cached_prompt_text_token_price": price(prices.cached),
        "prompt_image_token_price": price(prices.prompt) if model.reads_images else 0,
        "completion_text_token_price": price(prices.completion),
    }


def _long_context(model: Model) -> dict[str, int]:
    prices = model.usd_per_million
    factor = LONG_CONTEXT_FACTOR if model.long_context_threshold else 0
    return {
        "prompt_text_token_price_long_context": price(prices.prompt) * factor,
        "cached_prompt_text_token_price_long_context": price(prices.cached) * factor,
        "completion_text_token_price_long_context": price(prices.completion) * factor,
        "long_context_threshold": model.long_context_threshold,
    }


def _capabilities(model: Model) -> dict[str, Any]:
    """Name the efforts that a model takes. DOC OPENAPI; ASSUMED: as the last key."""
    efforts = model.reasoning_efforts
    default = model.default_reasoning_effort if efforts else ""
    return {"capabilities": {"reasoning_effort": efforts, "default_reasoning_effort": default}}


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
        **_IMAGE_PRICE,
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
