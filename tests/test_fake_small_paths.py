"""The small paths: completions, tokens, embeddings, lists of models, the key."""

from collections.abc import Iterator

import openai
import pytest

from fake_server import FakeServer
from tests.asking import BEARER, send


@pytest.fixture
def client(grok_server: FakeServer) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=grok_server.url, api_key="xai-test-key", max_retries=0) as client:
        yield client


def test_a_text_is_completed(grok_server, client):
    answer = client.completions.create(model="grok-3", prompt="Once upon a time", n=2)

    assert [choice.text for choice in answer.choices] == ["The fake server saw no image."] * 2
    assert answer.choices[0].finish_reason == "stop"
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (4, 12)
    assert grok_server.requests[0].messages[0].parts == ["Once upon a time"]


def test_a_completion_streams(client):
    stream = client.completions.create(
        model="grok-3", prompt="Once", max_tokens=3, stop="no", stream=True
    )

    choices = [chunk.choices[0] for chunk in stream]
    assert [choice.text for choice in choices] == ["The", " fake", " server", ""]
    assert choices[-1].finish_reason == "length"


def test_a_completion_is_refused_as_a_chat_is(client):
    with pytest.raises(openai.BadRequestError) as refused:
        client.completions.create(model="grok-3", prompt="Once", temperature=3)

    assert refused.value.body == "Invalid request content: temperature must be between 0 and 2."


def test_a_text_is_cut_into_tokens(grok_server):
    asked = {"text": "A boat", "model": "grok-4"}

    answer = send(grok_server, "POST", "/v1/tokenize-text", json=asked, headers=BEARER)

    first, second = answer.json()["token_ids"]
    assert list(first) == ["token_id", "string_token", "token_bytes"]
    assert (first["string_token"], first["token_bytes"]) == ("A", [65])
    assert (second["string_token"], bytes(second["token_bytes"])) == (" boat", b" boat")
    assert (first["token_id"], second["token_id"]) == (52833, 11946)


def test_a_long_text_is_cut_as_a_short_one(grok_server):
    asked = {"text": "A boat at sea" * 10_000, "model": "grok-4"}

    answer = send(grok_server, "POST", "/v1/tokenize-text", json=asked, headers=BEARER)

    tokens = answer.json()["token_ids"]
    assert "".join(token["string_token"] for token in tokens) == asked["text"]
    assert len(tokens) == 30_001
    assert len({token["token_id"] for token in tokens}) == len(
        {"A", " boat", " at", " seaA", " sea"}
    )


def test_a_text_that_is_too_long_for_the_model_is_not_cut(grok_server):
    asked = {"text": "a " * 256_001, "model": "grok-4"}

    answer = send(grok_server, "POST", "/v1/tokenize-text", json=asked, headers=BEARER)

    assert answer.status_code == 400
    assert answer.json()["error"] == (
        "This model's maximum prompt length is 256000 but the request contains 256001 tokens."
    )


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/tokenize-text", {"text": "A", "model": "grok-5"}),
        ("/v1/tokenize-text", {"text": "A", "model": "grok-imagine-image"}),
        ("/v1/embeddings", {"input": "A", "model": "grok-5"}),
        ("/v1/embeddings", {"input": ["A"], "model": "grok-4"}),
    ],
    ids=[
        "tokens",
        "assumed-tokens-of-a-model-that-makes-images",
        "assumed-embeddings",
        "assumed-embeddings-of-a-language-model",
    ],
)
def test_a_model_that_there_is_not_is_refused(grok_server, path, body):
    answer = send(grok_server, "POST", path, json=body, headers=BEARER)

    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")
    assert f"The model {body['model']} does not exist" in answer.json()["error"]
    assert grok_server.requests[0].model == body["model"]


def test_models_that_make_images_are_listed(grok_server):
    answer = send(grok_server, "GET", "/v1/image-generation-models", headers=BEARER)

    ids = [model["id"] for model in answer.json()["models"]]
    assert "grok-2-image-1212" in ids
    one = send(grok_server, "GET", f"/v1/image-generation-models/{ids[0]}", headers=BEARER)
    assert one.json() == answer.json()["models"][0]


def test_a_language_model_is_no_model_that_makes_images(grok_server):
    answer = send(grok_server, "GET", "/v1/image-generation-models/grok-4", headers=BEARER)

    assert answer.status_code == 404


@pytest.mark.parametrize("kind", ["embedding", "video-generation"])
def test_there_are_no_models_of_other_kinds(grok_server, kind):
    answer = send(grok_server, "GET", f"/v1/{kind}-models", headers=BEARER)

    assert answer.content == b'{"models":[]}'


def test_the_key_tells_who_it_is(grok_server):
    me = send(grok_server, "GET", "/v1/me", headers=BEARER).json()
    key = send(grok_server, "GET", "/v1/api-key", headers=BEARER).json()

    assert list(me) == ["user_id", "team_id", "zdr_status", "team_blocked", "api_key"]
    assert list(me["api_key"]) == ["redacted_api_key", "api_key_id", "blocked", "disabled"]
    assert (me["user_id"], me["team_id"]) == (key["user_id"], key["team_id"])
    assert me["api_key"]["redacted_api_key"] == key["redacted_api_key"] == "xai-...-key"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/messages"),
        ("DELETE", "/v1/models"),
        ("PUT", "/v1/batches"),
        ("POST", "/v1/responses/1"),
        ("POST", "/v1/me"),
    ],
)
def test_another_verb_is_refused(grok_server, method, path):
    answer = send(grok_server, method, path, headers=BEARER)

    assert (answer.status_code, answer.content) == (405, b"")


def test_a_completion_has_every_field_of_one(grok_server):
    asked = {"model": "grok-3", "prompt": "Once upon", "stop": " upon"}
    grok_server.reply("A time upon a time")

    answer = send(grok_server, "POST", "/v1/completions", headers=BEARER, json=asked).json()

    assert sorted(answer) == [
        "choices",
        "created",
        "id",
        "model",
        "object",
        "system_fingerprint",
        "usage",
    ]
    assert (answer["object"], answer["model"]) == ("text_completion", "grok-3")
    assert answer["choices"] == [
        {"index": 0, "text": "A time", "logprobs": None, "finish_reason": "stop"}
    ]


@pytest.mark.parametrize(
    ("words", "status"), [(32_768, 200), (32_769, 400)], ids=["at-most", "one-more"]
)
def test_assumed_a_text_is_cut_into_as_many_tokens_as_the_model_reads(grok_server, words, status):
    asked = {"text": "a " * words, "model": "grok-2-vision"}

    answer = send(grok_server, "POST", "/v1/tokenize-text", json=asked, headers=BEARER)

    assert answer.status_code == status
