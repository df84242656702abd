"""What came and went is kept as it was, with each image by its size, before the client knows its end."""

import asyncio
import json
from collections.abc import MutableMapping
from typing import Any

import pytest

from fake_server import FakeServer
from fake_server.delivery import BREAK
from fake_server.grpc import END_WITH_HEADERS
from tests.asking import BEARER, body, image, post, send, text
from tests.pictures import data_url, picture

ONE, OTHER = data_url(picture(64, 64)), data_url(picture(449, 448))
HEAD = "data:image/png;base64,"
JSON = {**BEARER, "content-type": "application/json"}

# Where a body is cut that is kept to look at.
MOST = 64 * 1024


def sized(url: str) -> str:
    return f"{HEAD}({len(url) - len(HEAD)} bytes of base64)"


def test_what_stands_around_images_is_kept(grok_server):
    parts = text("before"), image(ONE), text("between"), image(OTHER), text("behind")
    sent = json.dumps(body(*parts))

    send(grok_server, "POST", "/v1/chat/completions", content=sent, headers=JSON)

    expected = sent.replace(ONE, sized(ONE)).replace(OTHER, sized(OTHER))
    assert grok_server.requests[0].raw_request.decode() == expected


def test_a_body_that_ends_in_an_image_is_kept_up_to_it(grok_server):
    send(grok_server, "POST", "/v1/chat/completions", content=f'{{"a": "{ONE}', headers=JSON)

    assert grok_server.requests[0].raw_request.decode() == f'{{"a": "{sized(ONE)}'


def test_an_answer_is_kept_as_it_was_sent(grok_server):
    answer = post(grok_server, body())

    assert grok_server.requests[0].raw_answer == answer.content


@pytest.mark.parametrize("stream", [True, False])
def test_of_a_long_answer_the_beginning_is_kept(grok_server, stream):
    grok_server.reply("word " * MOST)

    answer = post(grok_server, body(stream=stream))

    assert grok_server.requests[0].raw_answer == answer.content[:MOST]


def known_at_the_end(
    server: FakeServer, path: str, headers: list[tuple[bytes, bytes]], data: bytes
) -> list[float]:
    """Ask as a server of ASGI does; give what the journal has for `seconds` whenever something ends."""
    asked = [{"type": "http.request", "body": data}]
    known: list[float] = []
    gone = asyncio.Event()

    async def receive() -> dict[str, Any]:
        if asked:
            return asked.pop()
        await gone.wait()
        return {"type": "http.disconnect"}

    def ended(*_: object, **__: object) -> None:
        known.append(server.requests[0].seconds)
        gone.set()

    async def send_on(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.body" and not message.get("more_body"):
            ended()

    asyncio.run(
        server.asgi(
            {
                "type": "http",
                "method": "POST",
                "path": path,
                "query_string": b"",
                "headers": headers,
                "extensions": {END_WITH_HEADERS: ended},
                "state": {BREAK: ended},
            },
            receive,
            send_on,
        )
    )
    return known


HTTP = [(b"authorization", b"Bearer any"), (b"content-type", b"application/json")]
GRPC = [(b"authorization", b"Bearer any"), (b"content-type", b"application/grpc")]
STREAMED = json.dumps(body(stream=True)).encode()
ENDS = [
    pytest.param("/v1/chat/completions", HTTP, json.dumps(body()).encode(), id="whole"),
    pytest.param("/v1/chat/completions", HTTP, STREAMED, id="stream"),
    pytest.param("/v1/chat/completions", HTTP, b"{", id="refused"),
    pytest.param("/v1/models", HTTP, b"", id="another-verb"),
    pytest.param("/xai_api.Models/ListLanguageModels", GRPC, b"\0\0\0\0\0", id="call"),
    pytest.param("/xai_api.Models/ListLanguageModels", GRPC, b"\0", id="refused-call"),
]


@pytest.mark.parametrize(("path", "headers", "data"), ENDS)
def test_the_journal_has_it_before_the_client_has_its_end(path, headers, data):
    (seconds,) = known_at_the_end(FakeServer(), path, headers, data)

    assert seconds > 0


def test_the_journal_has_it_before_its_connection_is_broken_off():
    server = FakeServer()
    server.reply("one two", fault={"after_events": 1})

    (seconds,) = known_at_the_end(server, "/v1/chat/completions", HTTP, STREAMED)

    assert seconds > 0
