"""`era`: the service of a month, as recordings show it."""

import re

import pytest

from fake_server import FakeServer
from fake_server.era import Era
from tests.asking import BEARER, body, image, post, prompt, respond, send
from tests.pictures import data_url, picture


def chat(era: str, **fields: object):
    with FakeServer(contract="observed", era=era) as server:
        return post(server, body(**{"model": "grok-4.3", **fields}))


ANSWERS = [
    pytest.param("2025-10", "_us-east-1", False, 10, False, id="observed-2025-10"),
    pytest.param("2025-11", "_us-east-1", False, 10, False, id="observed-2025-11"),
    pytest.param("2026-01", "", True, 10, False, id="observed-2026-01"),
    pytest.param("2026-05", "", True, 10, False, id="observed-2026-05"),
    pytest.param("2026-06", "", True, 16, True, id="observed-2026-06"),
    pytest.param("2026-08", "", True, 16, True, id="observed-2026-08"),
]


@pytest.mark.parametrize(("era", "suffix", "cost", "digits", "tier"), ANSWERS)
def test_an_answer_is_that_of_its_month(era, suffix, cost, digits, tier):
    answer = chat(era).json()

    assert re.fullmatch(rf"[0-9a-f-]{{36}}{suffix}", answer["id"])
    assert ("cost_in_usd_ticks" in answer["usage"]) is cost
    assert re.fullmatch(rf"fp_[0-9a-f]{{{digits}}}", answer["system_fingerprint"])
    assert ("service_tier" in answer) is tier


@pytest.mark.parametrize(
    ("era", "told"),
    [
        pytest.param("2026-01", False, id="observed-2026-01"),
        pytest.param("2026-06", True, id="observed-2026-06"),
    ],
)
def test_a_response_tells_of_its_context_and_fingerprint_since_february(era, told):
    with FakeServer(contract="observed", era=era) as server:
        answer = respond(server, {"model": "grok-4.3", "input": "Hi"}).json()

    assert ("context_details" in answer["usage"]) is told
    assert ("system_fingerprint" in answer["metadata"]) is told


HEADERS = [
    pytest.param("2025-10", set(), id="observed-2025-10"),
    pytest.param("2026-02", {"x-ratelimit-limit-tokens"}, id="observed-2026-02"),
    pytest.param(
        "2026-03", {"x-ratelimit-limit-tokens", "x-metrics-e2e-ms"}, id="observed-2026-03"
    ),
    pytest.param(
        "2026-06",
        {"x-ratelimit-limit-tokens", "x-metrics-e2e-ms", "traceparent"},
        id="observed-2026-06",
    ),
    pytest.param(
        "2026-08",
        {"x-ratelimit-limit-tokens", "x-metrics-e2e-ms", "traceparent", "x-data-retention"},
        id="observed-2026-08",
    ),
]
CHANGING = {"x-ratelimit-limit-tokens", "x-metrics-e2e-ms", "traceparent", "x-data-retention"}


@pytest.mark.parametrize(("era", "names"), HEADERS)
def test_headers_are_those_of_their_month(era, names):
    assert CHANGING & {name.lower() for name in chat(era).headers} == names


CODES = [
    pytest.param({"model": "grok-5"}, "not-found", "Some requested entity was not found"),
    pytest.param({"temperature": 3}, "invalid-argument", "Client specified an invalid argument"),
    pytest.param(
        {"messages": body(image("data:image/png;base64,!"))["messages"]},
        "invalid_image",
        "Client specified an invalid argument",
    ),
    pytest.param({"messages": []}, "400", "400"),
]


@pytest.mark.parametrize(("asked", "new", "old"), CODES)
def test_a_code_was_a_sentence_before_august_2026(asked, new, old):
    assert chat("2026-08", **asked).json()["code"] == new
    assert chat("2026-06", **asked).json()["code"] == old


def test_responses_had_the_new_codes_first():
    with FakeServer(era="2026-01") as server:
        answer = respond(server, prompt(model="grok-5"))

    assert answer.json()["code"] == "invalid-argument"


def test_a_wrong_key_was_shown_in_part_until_june_2026():
    with FakeServer(era="2026-06", api_key="xai-the-key") as server:
        answer = send(server, "GET", "/v1/models", headers=BEARER)

    assert answer.json() == {
        "code": "Client specified an invalid argument",
        "error": "Incorrect API key provided: xa***ey. You can obtain an API key from"
        " https://console.x.ai.",
    }


@pytest.mark.parametrize("model", ["grok-4-0709", "grok-3-mini"])
def test_a_retired_model_is_answered_for_by_another(model):
    """OBSERVED in 64 recordings of the middle of 2026."""
    assert chat("2026-05", model=model).json()["model"] == model
    assert chat("2026-06", model=model).json()["model"] == "grok-4.3"


def test_by_the_documents_a_retired_model_answers_for_itself(grok_server):
    assert post(grok_server, body(model="grok-4")).json()["model"] == "grok-4-0709"


def test_the_model_that_answers_counts_the_image():
    photo = body(image(data_url(picture(128, 128))))["messages"]

    before, after = (chat(era, model="grok-4", messages=photo) for era in ("2026-05", "2026-06"))

    tokens = [
        answer.json()["usage"]["prompt_tokens_details"]["image_tokens"]
        for answer in (before, after)
    ]
    assert tokens == [256, 18]


@pytest.mark.parametrize("month", ["2025-08", "2026-09", "2026-13", "2026", "yesterday"])
def test_a_month_that_is_not_known_is_refused(month):
    with pytest.raises(ValueError, match=r"era is a month from 2025-09 to 2026-08, not"):
        Era(month)
