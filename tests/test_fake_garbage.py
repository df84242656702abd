"""What was answered leaves nothing to Python's collector, which seldom comes: bodies may be large."""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
import pytest
from uvicorn.protocols.http.zttp_h2_impl import RequestResponseCycle
from xai_sdk import Client
from xai_sdk.chat import user

from fake_server import FakeServer
from fake_server.request import ChatRequest
from tests.asking import BEARER, body, image, prompt, text
from tests.pictures import data_url, picture
from tests.test_fake_refusals import CASES, Case

CHAT = "/v1/chat/completions"
PICTURE = picture(64, 64)
MESSAGE = {"model": "grok-4", "max_tokens": 9, "messages": [{"role": "user", "content": "Hello"}]}
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}

ANSWERED = [
    pytest.param("POST", CHAT, {"json": body()}, id="a-chat"),
    pytest.param("POST", CHAT, {"json": body(image(data_url(PICTURE)))}, id="an-image"),
    pytest.param("POST", CHAT, {"json": body(stream=True)}, id="a-stream"),
    pytest.param("POST", CHAT, {"json": body(deferred=True)}, id="a-deferred-answer"),
    pytest.param("POST", CHAT, {"json": body(tools=[TOOL], tool_choice="required")}, id="a-call"),
    pytest.param("POST", "/v1/responses", {"json": prompt()}, id="a-response"),
    pytest.param("POST", "/v1/responses", {"json": prompt(stream=True)}, id="a-streamed-response"),
    pytest.param("POST", "/v1/messages", {"json": MESSAGE}, id="a-message"),
    pytest.param("POST", "/v1/files", {"files": {"file": ("a.png", PICTURE)}}, id="an-upload"),
    pytest.param("POST", "/v1/files", {"files": {"a": ("a.png", PICTURE)}}, id="a-refused-upload"),
    pytest.param("GET", "/v1/models", {}, id="a-list"),
    pytest.param("GET", "/_fake/requests", {}, id="the-journal"),
]


@contextmanager
def connected(server: FakeServer) -> Iterator[Callable[..., object]]:
    """Give what asks on one connection: each leaves some rings when it is closed."""
    with httpx2.Client(trust_env=False, verify=False) as client:
        yield lambda method, path, **options: client.request(
            method, server.url.removesuffix("/v1") + path, **options
        )


def left(ask: Callable[[], object]) -> list[Any]:
    """Give what asking leaves to the collector; what is made the first time alone does not count."""
    ask()
    gc.disable()
    # All that is there by now is passed over, or to look at it would take longer than all the rest.
    gc.freeze()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        ask()
        gc.collect()
        return list(gc.garbage)
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.unfreeze()
        gc.enable()


@pytest.mark.parametrize(("method", "path", "options"), ANSWERED)
def test_a_request_that_was_answered_leaves_nothing(grok_server, method, path, options):
    with connected(grok_server) as ask:
        assert left(lambda: ask(method, path, headers=BEARER, **options)) == []


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_request_that_was_refused_leaves_nothing(case: Case):
    options = {"json": case.json} if case.content is None else {"content": case.content}
    with FakeServer(**case.settings) as server, connected(server) as ask:
        found = left(lambda: ask(case.method, case.path, headers=case.headers, **options))

    assert found == []


def test_an_image_that_can_not_be_fetched_leaves_nothing_of_its_request(web):
    asked = body(image(f"{web.url}/nowhere.png"))
    with FakeServer(allow_hosts=["127.0.0.1"]) as server, connected(server) as ask:
        found = left(lambda: ask("POST", CHAT, json=asked, headers=BEARER))

    assert not [one for one in found if isinstance(one, ChatRequest)]


def test_an_answer_that_fails_by_a_script_leaves_nothing(grok_server):
    grok_server.when().fail(500)
    with connected(grok_server) as ask:
        assert left(lambda: ask("POST", CHAT, json=body(text("Hello")), headers=BEARER)) == []


def test_a_call_of_grpc_leaves_nothing(grok_server):
    address = grok_server.url.removeprefix("http://").removesuffix("/v1")
    with Client(api_key="any", api_host=address, use_insecure_channel=True) as client:
        chat = client.chat.create(model="grok-4", messages=[user("Hello")])

        found = left(chat.sample)

    assert not [one for one in found if isinstance(one, RequestResponseCycle)]
