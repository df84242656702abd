"""A model is found by any of its names, and a key is looked at but never given back."""

from typing import Any

import pytest

from fake_server import FakeServer
from tests.asking import BEARER, send


def listed(server: FakeServer, path: str) -> Any:
    return send(server, "GET", path, headers=BEARER).json()


@pytest.mark.parametrize("name", ["grok-4-0709", "grok-4", "grok-4-latest"])
@pytest.mark.parametrize("path", ["/v1/models", "/v1/language-models"])
def test_one_model_is_its_row_by_any_of_its_names(grok_server, path, name):
    """DOC OPENAPI: a single model is the bare object."""
    [row] = [
        row
        for rows in listed(grok_server, path).values()
        for row in rows
        if isinstance(row, dict) and row["id"] == "grok-4-0709"
    ]

    assert listed(grok_server, f"{path}/{name}") == row


def test_models_are_told_as_json(grok_server):
    answer = send(grok_server, "GET", "/v1/models", headers=BEARER)

    assert answer.headers["content-type"] == "application/json"


def test_a_language_model_is_told_with_the_keys_that_are_documented(grok_server):
    assert listed(grok_server, "/v1/language-models/grok-4.3") == {
        "id": "grok-4.3",
        "fingerprint": "fp_28f429f60859d922",
        "created": 1777593600,
        "object": "model",
        "owned_by": "xai",
        "version": "1.0",
        "input_modalities": ["text", "image"],
        "output_modalities": ["text"],
        "prompt_text_token_price": 12_500,
        "cached_prompt_text_token_price": 2_000,
        "prompt_image_token_price": 12_500,
        "completion_text_token_price": 25_000,
        "search_price": 0,
        "prompt_text_token_price_long_context": 25_000,
        "cached_prompt_text_token_price_long_context": 4_000,
        "completion_text_token_price_long_context": 50_000,
        "long_context_threshold": 200_000,
        "aliases": ["grok-4.3-latest"],
        "capabilities": {
            "reasoning_effort": ["none", "low", "medium", "high"],
            "default_reasoning_effort": "low",
        },
    }


def test_a_model_is_told_as_it_was_on_12_august_2026(grok_server):
    """OBSERVED in GulLabs/any-llm: these keys in this order, and these values."""
    row = listed(grok_server, "/v1/models/grok-4.5")

    assert list(row.items()) == [
        ("id", "grok-4.5"),
        ("aliases", ["grok-4.5-latest", "grok-build-latest"]),
        ("context_length", 500_000),
        ("created", 1_782_691_200),
        ("object", "model"),
        ("owned_by", "xai"),
        ("prompt_text_token_price", 20_000),
        ("cached_prompt_text_token_price", 3_000),
        ("prompt_image_token_price", 20_000),
        ("completion_text_token_price", 60_000),
        ("prompt_text_token_price_long_context", 40_000),
        ("cached_prompt_text_token_price_long_context", 6_000),
        ("completion_text_token_price_long_context", 120_000),
        ("long_context_threshold", 200_000),
    ]


def test_an_image_model_is_told_with_the_price_of_an_image(grok_server):
    """DOC docs.x.ai/developers/rest-api-reference/inference/models: the keys."""
    row = listed(grok_server, "/v1/models/grok-imagine-image")

    assert list(row) == [
        *("id", "aliases", "context_length", "created", "object", "owned_by", "image_price")
    ]
    assert row["image_price"] == 700_000_000


def test_what_costs_the_same_however_long_it_is_says_so(grok_server):
    """DOC docs.x.ai/developers/rest-api-reference/inference/models: 0 in one list, nothing in the other."""
    rows = [
        listed(grok_server, f"{path}/grok-2-vision")
        for path in ("/v1/models", "/v1/language-models")
    ]
    long = [{key: row[key] for key in row if "long_context" in key} for row in rows]

    assert long[0] == {}
    assert long[1] == dict.fromkeys(
        [
            "prompt_text_token_price_long_context",
            "cached_prompt_text_token_price_long_context",
            "completion_text_token_price_long_context",
            "long_context_threshold",
        ],
        0,
    )


def test_a_model_without_efforts_has_no_default_either(grok_server):
    row = listed(grok_server, "/v1/language-models/grok-4.20-non-reasoning")

    assert row["capabilities"] == {"reasoning_effort": [], "default_reasoning_effort": ""}


@pytest.mark.parametrize("name", ["grok-5", "grok-beta"], ids=["unknown", "retired"])
def test_a_model_that_does_not_answer_is_not_listed(grok_server, name):
    answer = send(grok_server, "GET", f"/v1/models/{name}", headers=BEARER)

    assert answer.status_code == 404
    assert answer.json()["error"].startswith(f"The model {name} does not exist")
    assert name not in send(grok_server, "GET", "/v1/models", headers=BEARER).text


def test_a_model_that_makes_images_is_one_of_the_models(grok_server):
    assert listed(grok_server, "/v1/models/grok-imagine-image")["id"] == "grok-imagine-image"


def test_an_image_model_is_no_language_model(grok_server):
    images = "/v1/language-models/grok-imagine-image"

    assert send(grok_server, "GET", images, headers=BEARER).status_code == 404


@pytest.mark.parametrize(
    ("key", "redacted"),
    [("xai-test-key-b14o", "xai-...b14o"), ("shortkey", "xai-...****")],
    ids=["doc-openapi", "assumed-short"],
)
def test_a_key_is_never_given_back(grok_server, key, redacted):
    headers = {"authorization": f"Bearer {key}"}

    answer = send(grok_server, "GET", "/v1/api-key", headers=headers)

    assert answer.json()["redacted_api_key"] == redacted
    assert key not in answer.text


def test_a_key_is_told_whole(grok_server):
    """DOC OPENAPI: the keys."""
    told = listed(grok_server, "/v1/api-key")
    me = listed(grok_server, "/v1/me")

    assert told == {
        "redacted_api_key": "xai-...-key",
        "user_id": me["user_id"],
        "name": "fake_server",
        "create_time": "2026-01-01T00:00:00.000000Z",
        "modify_time": "2026-01-01T00:00:00.000000Z",
        "modified_by": me["user_id"],
        "team_id": me["team_id"],
        "acls": ["api-key:model:*", "api-key:endpoint:*"],
        "api_key_id": me["api_key"]["api_key_id"],
        "team_blocked": False,
        "api_key_blocked": False,
        "api_key_disabled": False,
    }
    assert me == {
        "user_id": me["user_id"],
        "team_id": me["team_id"],
        "zdr_status": "no_zdr",
        "team_blocked": False,
        "api_key": {
            "redacted_api_key": "xai-...-key",
            "api_key_id": me["api_key"]["api_key_id"],
            "blocked": False,
            "disabled": False,
        },
    }


def test_another_key_has_another_id(grok_server):
    ids = {
        send(
            grok_server, "GET", "/v1/api-key", headers={"authorization": f"Bearer xai-{name}"}
        ).json()["api_key_id"]
        for name in ("one", "two", "one")
    }

    assert len(ids) == 2


def test_the_list_of_models_is_one_as_openais_clients_want_it(grok_server):
    answer = listed(grok_server, "/v1/models")

    assert answer.keys() == {"data", "object"}
    assert answer["object"] == "list"
