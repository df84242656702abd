"""xai_api.Models, Tokenize and Auth, as xai-sdk speaks them. DOC PROTO."""

from collections.abc import Iterable

from google.protobuf.empty_pb2 import Empty
from google.protobuf.message import Message
from xai_sdk.proto import auth_pb2, models_pb2, tokenize_pb2

from ..catalogue import Model
from ..checks import TEAM
from ..era import Era
from ..identity import uuid
from ..journal import LoggedRequest
from ..refusals import refuse
from ..service import Service
from .grpc_usage import time_of
from .keys import CREATED, redacted
from .models import IMAGE_CENTS, price
from .tokenize import tokens

_MODALITIES = {"text": models_pb2.Modality.TEXT, "image": models_pb2.Modality.IMAGE}


def _language_model(model: Model, era: Era) -> models_pb2.LanguageModel:
    prices = model.usd_per_million
    return models_pb2.LanguageModel(
        name=model.id,
        aliases=model.aliases,
        version="1.0",
        input_modalities=[_MODALITIES[modality] for modality in model.input_modalities],
        output_modalities=[models_pb2.Modality.TEXT],
        prompt_text_token_price=price(prices.prompt),
        prompt_image_token_price=price(prices.prompt) if model.reads_images else 0,
        cached_prompt_token_price=price(prices.cached),
        completion_text_token_price=price(prices.completion),
        search_price=model.search_price,
        created=time_of(model.created),
        max_prompt_length=model.context_length,
        system_fingerprint=era.fingerprint(model.system_fingerprint),
    )


def _image_model(model: Model, era: Era) -> models_pb2.ImageGenerationModel:
    return models_pb2.ImageGenerationModel(
        name=model.id,
        aliases=model.aliases,
        version="1.0",
        input_modalities=[_MODALITIES[modality] for modality in model.input_modalities],
        output_modalities=[models_pb2.Modality.IMAGE],
        image_price=IMAGE_CENTS,
        created=time_of(model.created),
        max_prompt_length=model.context_length,
        system_fingerprint=era.fingerprint(model.system_fingerprint),
    )


def _found(service: Service, name: str, kind: str) -> Model:
    model = service.find(name)
    if model is None or model not in service.listed(kind):
        raise refuse("unknown model", model=name, team=TEAM)
    return model


async def _languages(service: Service, _log: LoggedRequest, _asked: Empty) -> Iterable[Message]:
    era = service.contract.era
    models = [_language_model(model, era) for model in service.listed("language")]
    return [models_pb2.ListLanguageModelsResponse(models=models)]


async def _embeddings(_service: Service, _log: LoggedRequest, _asked: Empty) -> Iterable[Message]:
    return [models_pb2.ListEmbeddingModelsResponse()]


async def _images(service: Service, _log: LoggedRequest, _asked: Empty) -> Iterable[Message]:
    era = service.contract.era
    models = [_image_model(model, era) for model in service.listed("image")]
    return [models_pb2.ListImageGenerationModelsResponse(models=models)]


async def _language(
    service: Service, _log: LoggedRequest, asked: models_pb2.GetModelRequest
) -> Iterable[Message]:
    return [_language_model(_found(service, asked.name, "language"), service.contract.era)]


async def _embedding(
    _service: Service, _log: LoggedRequest, asked: models_pb2.GetModelRequest
) -> Iterable[Message]:
    raise refuse("unknown model", model=asked.name, team=TEAM)


async def _image(
    service: Service, _log: LoggedRequest, asked: models_pb2.GetModelRequest
) -> Iterable[Message]:
    return [_image_model(_found(service, asked.name, "image"), service.contract.era)]


async def _tokenize(
    service: Service, log: LoggedRequest, asked: tokenize_pb2.TokenizeTextRequest
) -> Iterable[Message]:
    log.model = asked.model
    model = _found(service, asked.model, "language")
    found = [
        tokenize_pb2.Token(token_id=number, string_token=text, token_bytes=text.encode())
        for number, text in tokens(asked.text, model)
    ]
    return [tokenize_pb2.TokenizeTextResponse(tokens=found, model=model.id)]


async def _key(_service: Service, log: LoggedRequest, _asked: Empty) -> Iterable[Message]:
    return [
        auth_pb2.ApiKey(
            redacted_api_key=redacted(log.key),
            user_id=uuid("user"),
            name="fake_server",
            create_time=time_of(CREATED),
            modify_time=time_of(CREATED),
            modified_by=uuid("user"),
            team_id=TEAM,
            acls=["api-key:model:*", "api-key:endpoint:*"],
            api_key_id=uuid("key", log.key),
        )
    ]


METHODS = (
    ("/xai_api.Models/ListLanguageModels", Empty, _languages),
    ("/xai_api.Models/ListEmbeddingModels", Empty, _embeddings),
    ("/xai_api.Models/ListImageGenerationModels", Empty, _images),
    ("/xai_api.Models/GetLanguageModel", models_pb2.GetModelRequest, _language),
    ("/xai_api.Models/GetEmbeddingModel", models_pb2.GetModelRequest, _embedding),
    ("/xai_api.Models/GetImageGenerationModel", models_pb2.GetModelRequest, _image),
    ("/xai_api.Tokenize/TokenizeText", tokenize_pb2.TokenizeTextRequest, _tokenize),
    ("/xai_api.Auth/get_api_key_info", Empty, _key),
)
