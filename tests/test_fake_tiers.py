"""`service_tier`: who asks to be served first is, says so, and pays twice the tokens."""

from typing import Any

import pytest
from xai_sdk import Client
from xai_sdk.chat import user

from fake_server import FakeServer
from tests.asking import body, post, prompt, respond

# OBSERVED 2026-08-12 in GulLabs/any-llm, of grok-4.6.
USED = {"text_tokens": 1528, "completion_tokens": 9, "reasoning_tokens": 173}
TICKS = 82_960_000


def chat(server: FakeServer, **fields: Any) -> Any:
    return post(server, body(model="grok-4.6", **fields)).json()


def response(server: FakeServer, **fields: Any) -> Any:
    return respond(server, prompt(model="grok-4.6", **fields)).json()


REST = pytest.mark.parametrize("ask", [chat, response])


@REST
def test_an_answer_that_came_first_costs_what_it_did(grok_server, ask):
    grok_server.reply("Hi!", usage=USED)

    answer = ask(grok_server, service_tier="priority")

    assert answer["service_tier"] == "priority"
    assert answer["usage"]["cost_in_usd_ticks"] == TICKS


TIERS = [
    pytest.param({}, id="doc-not-asked-for"),
    pytest.param({"service_tier": None}, id="doc-null"),
    pytest.param({"service_tier": "default"}, id="doc-default"),
    pytest.param({"service_tier": "flex"}, id="observed-in-any-llm-unknown"),
]


@REST
@pytest.mark.parametrize("fields", TIERS)
def test_any_other_tier_is_the_default(grok_server, ask, fields):
    grok_server.reply("Hi!", usage=USED)

    answer = ask(grok_server, **fields)

    assert answer["service_tier"] == "default"
    assert answer["usage"]["cost_in_usd_ticks"] == TICKS // 2


@REST
def test_nobody_came_first_before_june_2026(ask):
    with FakeServer(era="2026-05") as server:
        server.reply("Hi!", usage=USED)
        answer = ask(server, service_tier="priority")

    assert answer.get("service_tier", "default") == "default"
    assert answer["usage"]["cost_in_usd_ticks"] == TICKS // 2


@pytest.mark.parametrize("tier", ["priority", "default"])
def test_xais_sdk_is_told_which_tier_it_had(grok_server, tier):
    grok_server.reply("Hi!", usage=USED)

    with Client(api_key="xai-test-key", api_host=grok_server.api_host) as client:
        asked = client.chat.create(model="grok-4.6", service_tier=tier, messages=[user("Say hi")])
        got = asked.sample()

    assert got.service_tier == tier
    assert got.usage.cost_in_usd_ticks == (TICKS if tier == "priority" else TICKS // 2)


def test_a_tier_of_another_type_is_refused(grok_server):
    answer = post(grok_server, body(service_tier=1))

    assert answer.status_code == 422


def test_a_stream_says_which_tier_it_has(grok_server):
    lines = post(grok_server, body(service_tier="priority", stream=True)).text.split("\n\n")

    assert {line.count('"service_tier":"priority"') for line in lines if '"id"' in line} == {1}
