"""What xai-sdk is told of models, tokens and keys: every field, and the same as over HTTP."""

from typing import Any

import grpc
import pytest
from google.protobuf.empty_pb2 import Empty
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from xai_sdk.proto import (
    auth_pb2_grpc,
    models_pb2,
    models_pb2_grpc,
    tokenize_pb2,
    tokenize_pb2_grpc,
)

from fake_server import FakeServer
from tests.asking import BEARER, body, post, send
from tests.protocols import channel

KEY = (("authorization", "Bearer xai-test-key"),)
IMAGES = "/v1/image-generation-models"


def told(message: Message) -> dict[str, Any]:
    """Give all fields that say something, by their names; numbers of 64 bits are texts."""
    return MessageToDict(message, preserving_proto_field_name=True)


def model(server: FakeServer, kind: str, name: str) -> Any:
    """Ask for a model as one of a kind: Language or ImageGeneration."""
    with channel(server) as opened:
        get = getattr(models_pb2_grpc.ModelsStub(opened), f"Get{kind}Model")
        return get(models_pb2.GetModelRequest(name=name), metadata=KEY)


def test_a_language_model_is_told_whole(grok_server):
    assert told(model(grok_server, "Language", "grok-4.3")) == {
        "name": "grok-4.3",
        "aliases": ["grok-4.3-latest"],
        "version": "1.0",
        "input_modalities": ["TEXT", "IMAGE"],
        "output_modalities": ["TEXT"],
        "prompt_text_token_price": "12500",
        "prompt_image_token_price": "12500",
        "cached_prompt_token_price": "2000",
        "completion_text_token_price": "25000",
        "created": "2026-05-01T00:00:00Z",
        "max_prompt_length": 1_000_000,
        "system_fingerprint": "fp_28f429f60859d922",
    }


@pytest.mark.parametrize("era", ["2026-05", "2026-06"], ids=["ten-digits", "sixteen-digits"])
def test_a_fingerprint_is_listed_as_answers_have_it(era):
    with FakeServer(era=era) as server:
        answered = post(server, body(model="grok-4.3")).json()["system_fingerprint"]
        one = send(server, "GET", "/v1/language-models/grok-4.3", headers=BEARER).json()
        over_grpc = model(server, "Language", "grok-4.3").system_fingerprint

    assert one["fingerprint"] == over_grpc == answered


def test_a_model_that_reads_no_images_has_no_price_for_them(grok_server):
    assert "prompt_image_token_price" not in told(model(grok_server, "Language", "grok-3"))


def test_what_a_search_costs_is_told(grok_server):
    assert model(grok_server, "Language", "grok-4").search_price == 250_000_000


def test_a_model_that_makes_images_is_told_whole(grok_server):
    """DOC PROTO: the price of an image is in cents here; OBSERVED: in ticks over HTTP."""
    assert told(model(grok_server, "ImageGeneration", "grok-2-image-1212")) == {
        "name": "grok-2-image-1212",
        "version": "1.0",
        "input_modalities": ["TEXT"],
        "output_modalities": ["IMAGE"],
        "image_price": "7",
        "created": "2025-01-13T00:00:00Z",
        "max_prompt_length": 1024,
        "system_fingerprint": "fp_cef22a67b0",
    }
    assert send(grok_server, "GET", f"{IMAGES}/grok-2-image-1212", headers=BEARER).json() == {
        "id": "grok-2-image-1212",
        "fingerprint": "fp_cef22a67b0",
        "max_prompt_length": 1024,
        "created": 1736726400,
        "object": "model",
        "owned_by": "xai",
        "version": "1.0",
        "input_modalities": ["text"],
        "output_modalities": ["image"],
        "image_price": 700_000_000,
        "aliases": [],
    }


def test_models_that_make_images_are_the_same_over_http(grok_server):
    with channel(grok_server) as opened:
        stub = models_pb2_grpc.ModelsStub(opened)
        models = stub.ListImageGenerationModels(Empty(), metadata=KEY).models

    rows = send(grok_server, "GET", IMAGES, headers=BEARER).json()["models"]
    assert [
        (model.name, model.created.seconds, model.max_prompt_length, model.system_fingerprint)
        for model in models
    ] == [(row["id"], row["created"], row["max_prompt_length"], row["fingerprint"]) for row in rows]
    assert [
        [models_pb2.Modality.Name(kind).lower() for kind in model.input_modalities]
        for model in models
    ] == [row["input_modalities"] for row in rows]


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        pytest.param("Language", "grok-2-image-1212", id="language-of-an-image-model"),
        pytest.param("Language", "grok-5", id="language-of-none"),
        pytest.param("ImageGeneration", "grok-4", id="image-of-a-language-model"),
    ],
)
def test_a_model_of_another_kind_is_not_found(grok_server, kind, name):
    with pytest.raises(grpc.RpcError, match=f"The model {name} does not exist") as refused:
        model(grok_server, kind, name)

    assert refused.value.code() is grpc.StatusCode.NOT_FOUND


def test_tokens_are_told_whole_and_of_which_model(grok_server):
    asked = tokenize_pb2.TokenizeTextRequest(text="A böat", model="grok-4")
    with channel(grok_server) as opened:
        answer = tokenize_pb2_grpc.TokenizeStub(opened).TokenizeText(asked, metadata=KEY)

    words = [(token.string_token, token.token_bytes.decode()) for token in answer.tokens]
    assert words == [("A", "A"), (" böat", " böat")]
    assert answer.model == "grok-4-0709"
    over_http = send(
        grok_server,
        "POST",
        "/v1/tokenize-text",
        json={"text": "A böat", "model": "grok-4"},
        headers=BEARER,
    )
    ids = [token["token_id"] for token in over_http.json()["token_ids"]]
    assert [token.token_id for token in answer.tokens] == ids
    assert grok_server.requests[0].model == "grok-4"


def test_a_key_is_told_as_over_http(grok_server):
    with channel(grok_server) as opened:
        key = told(auth_pb2_grpc.AuthStub(opened).get_api_key_info(Empty(), metadata=KEY))

    over_http = send(grok_server, "GET", "/v1/api-key", headers=BEARER).json()
    blocked = {name: over_http.pop(name) for name in list(over_http) if name.endswith("ed")}
    assert {**key, "create_time": "", "modify_time": ""} == {
        **over_http,
        "create_time": "",
        "modify_time": "",
    }
    assert key["create_time"] == key["modify_time"] == "2026-01-01T00:00:00Z"
    assert set(blocked.values()) == {False}
