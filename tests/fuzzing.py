"""Made-up requests, images, messages and streams, the same for the same seed; and what must not be.

Each kind is handed dice and makes one input. Nothing may answer with a 5xx that was not asked for, take
long, or raise what is no answer. `tests.soak` runs a million, the tests a few thousand.
"""

import asyncio
import json
import random
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import httpx2

from fake_server import FakeServer
from fake_server.contract import OBSERVED
from fake_server.delivery import BREAK
from fake_server.grpc import END_WITH_HEADERS
from fake_server.images import read
from fake_server.refusals import ApiError
from llm_grok_vision.errors import GrokError, ImageError
from llm_grok_vision.images import inspect
from llm_grok_vision.wire.chat_completions import Completion
from llm_grok_vision.wire.responses_answer import ModelResponse
from tests.pictures import data_url, picture

Dice = random.Random

# The most that one input may take, in seconds: on a busy machine it is a thousandth of that.
_PATIENCE = 5

IMAGE = data_url(picture(64, 64))
_SCHEMA = {
    "type": "object",
    "$defs": {"name": {"type": ["string", "null"], "minLength": 2, "maxLength": 9}},
    "properties": {
        "a": {"enum": ["x", 1, None]},
        "b": {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/name"}]},
        "c": {"type": "array", "prefixItems": [{"const": {"k": 1}}], "items": {"$ref": "#"}},
        "d": {"type": "number", "exclusiveMinimum": 1.5, "maximum": 9, "multipleOf": 2},
        "e": {"allOf": [{"required": ["q"]}, {"properties": {"q": {"default": [1]}}}]},
    },
    "required": ["a", "c"],
}
_FUNCTION = {"name": "f", "parameters": _SCHEMA}

# What is asked, by the path that takes it.
QUESTIONS: list[tuple[str, str, Any]] = [
    (
        "POST",
        "/v1/chat/completions",
        {
            "model": "grok-4",
            "messages": [
                {"role": "system", "content": "Be brief."},
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "hi"},
                        {"type": "image_url", "image_url": {"url": IMAGE, "detail": "low"}},
                    ],
                },
            ],
            "stream": True,
            "stream_options": {"include_usage": True},
            "tools": [{"type": "function", "function": _FUNCTION}],
            "tool_choice": "required",
            "response_format": {"type": "json_schema", "json_schema": {"schema": _SCHEMA}},
            "n": 2,
            "stop": ["a"],
            "max_tokens": 5,
            "temperature": 1,
            "deferred": False,
        },
    ),
    (
        "POST",
        "/v1/responses",
        {
            "model": "grok-4.3",
            "input": [
                {"role": "user", "content": [{"type": "input_image", "image_url": IMAGE}]},
                {"type": "function_call_output", "call_id": "x", "output": "y"},
            ],
            "stream": False,
            "tools": [{"type": "web_search"}, {"type": "function", **_FUNCTION}],
            "text": {"format": {"type": "json_schema", "name": "x", "schema": _SCHEMA}},
            "include": ["reasoning.encrypted_content"],
            "reasoning": {"effort": "low"},
            "previous_response_id": None,
        },
    ),
    (
        "POST",
        "/v1/messages",
        {
            "model": "grok-4",
            "max_tokens": 5,
            "system": "x",
            "messages": [
                {
                    "role": "user",
                    "content": [
                        {
                            "type": "image",
                            "source": {
                                "type": "base64",
                                "media_type": "image/png",
                                "data": IMAGE.partition(",")[2],
                            },
                        }
                    ],
                }
            ],
            "tools": [{"name": "f", "input_schema": _SCHEMA}],
            "tool_choice": {"type": "any"},
        },
    ),
    ("POST", "/v1/completions", {"model": "grok-4", "prompt": "hi", "stream": True}),
    ("POST", "/v1/tokenize-text", {"model": "grok-4", "text": "hi"}),
    ("POST", "/v1/embeddings", {"model": "grok-4", "input": "hi"}),
    ("POST", "/v1/files", {}),
    ("POST", "/v1/batches", {"name": "boats"}),
    (
        "POST",
        "/v1/batches/x/requests",
        {"batch_requests": [{"batch_request": {"chat_get_completion": {"model": "grok-4"}}}]},
    ),
    ("GET", "/v1/models/x", None),
    ("GET", "/v1/responses/x", None),
    (
        "PUT",
        "/_fake/scenario",
        {
            "rules": [
                {
                    "when": {"images": 1, "text": "a", "image": {"width": 3}},
                    "reply": {"text": "x", "tool_calls": [{"name": "f", "arguments": {}}]},
                    "fault": {"segment": 1},
                    "times": 1,
                    "probability": 0.5,
                }
            ],
            "images": {"https://a.test/b": IMAGE},
            "seed": 1,
        },
    ),
    ("POST", "/_fake/rules", {"reply": {"text": "x", "usage": {"text_tokens": 1}}}),
    ("POST", "/_fake/clock", {"advance": 1}),
    ("POST", "/_fake/assert", {"when": {"images": 1}, "times": 1}),
    ("GET", "/_fake/requests", None),
    ("GET", "/_fake/", None),
    ("GET", "/_fake/1", None),
]

# What stands in the place of something else.
ODD: list[Any] = [
    None, True, 0, -1, 2**63, 2**64, -(2**70), 10**400, 1e308, float("nan"), "", "x", "\ud800", [], {}, [[]],
    {"a": None}, "data:", "data:image/png;base64,", "data:;base64,!!!!", IMAGE[:60], "http://[",
    "https://a.invalid/x", "http://127.0.0.1/", "auto", "required", [1], {"type": "object"},
    {"type": ["string", None]}, {"$ref": "#"}, {"allOf": [{"$ref": "#/x"}]},
    {"minItems": 10**9, "type": "array"}, {"type": "string", "minLength": 10**10},
    {"pattern": "(a+)+$", "type": "string"}, {"minimum": 1e300, "type": "number"},
    {"const": "x"}, {"fault": {"after_events": 0}}, [{"role": "user", "content": "x"}] * 50,
]  # fmt: skip


ODD_HEADERS = [
    "",
    "\xff",
    "http://[::1",
    "[::1",
    "::1",
    "a.invalid",
    "Basic ====",
    "Bearer \xff",
    "null",
]
QUERIES = [
    "after=x",
    "after=-1",
    "limit=x",
    "limit=1e9",
    "limit=0",
    "after=%ff",
    "\xff&&==",
    "order=x",
]


def changed(value: Any, dice: Dice) -> Any:
    """Change a value of JSON here and there."""
    if dice.random() < 0.06:
        return dice.choice(ODD)
    if isinstance(value, dict):
        return {key: changed(inner, dice) for key, inner in value.items() if dice.random() > 0.03}
    if isinstance(value, list):
        inner = [changed(one, dice) for one in value]
        return inner * dice.randint(0, 3) if dice.random() < 0.05 else inner
    if isinstance(value, str) and dice.random() < 0.05:
        at = dice.randint(0, len(value))
        return value[:at] + dice.choice(["\0", '"', "é", "🐈", "\\"]) + value[at + 1 :]
    return value


def torn(data: bytes, dice: Dice) -> bytes:
    """Change, take out and put in bytes."""
    torn = bytearray(data)
    for _ in range(dice.randint(0, 6)):
        at = dice.randint(0, len(torn))
        how = dice.randrange(4)
        if how == 0:
            del torn[at : at + dice.randint(1, 8)]
        elif how == 1:
            torn[at:at] = dice.randbytes(dice.randint(1, 4))
        elif how == 2:
            torn[at : at + 1] = bytes([dice.randrange(256)])
        else:
            del torn[at:]
    return bytes(torn)


def call(dice: Dice) -> tuple[str, bytes]:
    """Make a call of gRPC: a path, and a framed message that is nearly right, or torn, or of another method."""
    from xai_sdk.proto import chat_pb2

    from fake_server.wire.grpc_methods import METHODS

    message = chat_pb2.GetCompletionsRequest(model=dice.choice(["grok-4", "grok-4.3", "x"]))
    added = message.messages.add(role=dice.randrange(6))
    added.content.add(text="hi ")
    added.content.add(image_url={"image_url": dice.choice([IMAGE, "x", "http://a.invalid"])})
    data = torn(message.SerializeToString(), dice)
    framed = b"\0" + len(data).to_bytes(4, "big") + data
    if dice.random() < 0.2:
        framed = torn(framed, dice)
    return dice.choice(list(METHODS)), framed


class Requests:
    """Requests to one server, in this process."""

    def __init__(self, server: FakeServer | None = None) -> None:
        self.server = server or FakeServer()
        self.loop = asyncio.new_event_loop()
        self.asked = 0

    def close(self) -> None:
        """Let the loop go."""
        self.loop.close()

    def http(self, dice: Dice) -> None:
        """Ask over HTTP: JSON that is nearly right, or torn."""
        method, path, question = dice.choice(QUESTIONS)
        body = b"" if question is None else _json(changed(question, dice))
        if dice.random() < 0.3:
            body = torn(body, dice)
        if dice.random() < 0.1:
            method, path = dice.choice(["GET", "POST", "PUT", "PATCH"]), torn_path(path, dice)
        kinds = ["application/json"] * 6 + ["", "text/plain", "multipart/form-data; boundary=x"]
        headers, query = {"content-type": dice.choice(kinds)}, ""
        if dice.random() < 0.1:
            name = dice.choice(["host", "origin", "authorization", "x-api-key", "content-type"])
            headers[name], query = dice.choice(ODD_HEADERS), dice.choice(QUERIES)
        self._clear_now_and_then()
        answer = self.ask(method, path, body, headers, query)
        assert answer, (method, path, query, headers, body)
        assert answer[0]["status"] < 500, (method, path, query, headers, body, answer)

    def grpc(self, dice: Dice) -> None:
        """Call over gRPC."""
        path, framed = call(dice)
        self._clear_now_and_then()
        assert self.ask("POST", path, framed, {"content-type": "application/grpc"}), (path, framed)

    def _clear_now_and_then(self) -> None:
        self.asked += 1
        if self.asked % 100 == 0:
            self.server.clear()

    def ask(
        self, method: str, path: str, body: bytes, headers: dict[str, str], query: str = ""
    ) -> list[Any]:
        """Give what the server sends, by ASGI, and where it breaks a connection off."""
        named = {"host": "127.0.0.1", "authorization": "Bearer k"} | headers
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": query.encode("latin-1"),
            "headers": [(name.encode(), value.encode("latin-1")) for name, value in named.items()],
            "client": ("127.0.0.1", 1),
        }
        return self.loop.run_until_complete(
            asyncio.wait_for(self._exchange(scope, body), _PATIENCE)
        )

    async def _exchange(self, scope: dict[str, Any], body: bytes) -> list[Any]:
        sent: list[Any] = []
        received = iter([{"type": "http.request", "body": body}])

        async def receive() -> Any:
            return next(received, {"type": "http.disconnect"})

        async def send(message: Any) -> None:
            sent.append(message)

        more = {
            "extensions": {END_WITH_HEADERS: sent.append},
            "state": {BREAK: lambda *, reset: sent.append({"status": 0, "reset": reset})},
        }
        await self.server.asgi(scope | more, receive, send)
        return sent


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


def torn_path(path: str, dice: Dice) -> str:
    """Change a path."""
    return "/" + torn(path[1:].encode(), dice).decode("latin-1")


PICTURES = [picture(64, 48, kind) for kind in ("PNG", "JPEG", "WEBP", "ICO", "GIF")]


def image(dice: Dice) -> None:
    """Read an image that is nearly one, with the fake and with the plugin."""
    data = torn(dice.choice(PICTURES), dice)
    with suppress(ApiError):
        read(data, "", OBSERVED)
    with suppress(ImageError):
        inspect(data, "image")


_EVENTS = [
    {"id": "x", "model": "grok-4", "choices": [{"index": 0, "delta": {"content": "hi"}}]},
    {"choices": [{"delta": {"reasoning_content": "hm"}, "finish_reason": None}]},
    {"choices": [{"delta": {"tool_calls": [{"id": "c", "function": {"name": "f"}}]}}]},
    {"choices": [{"delta": {}, "finish_reason": "stop"}]},
    {"choices": [], "usage": {"prompt_tokens": 1, "prompt_tokens_details": {"image_tokens": 1}}},
    {"error": "no", "code": "x"},
    {"type": "response.output_text.delta", "delta": "hi", "output_index": 0},
    {"type": "response.output_item.done", "item": {"type": "function_call", "name": "f"}},
    {"type": "response.completed", "response": {"output": [], "usage": {"input_tokens": 1}}},
]


def stream(dice: Dice) -> None:
    """Read a stream that is nearly one with the plugin: bytes, events, and what they say."""
    events = (changed(dice.choice(_EVENTS), dice) for _ in range(dice.randint(1, 6)))
    lines = b"".join(b"data: " + _json(event) + b"\n\n" for event in events)
    body = torn(lines + b"data: [DONE]\n\n", dice)
    reader = dice.choice([Completion, ModelResponse])()
    answer = httpx2.Response(
        200,
        headers={"content-type": "text/event-stream"},
        stream=httpx2.ByteStream(body),
        request=httpx2.Request("POST", "http://x.test"),
    )
    with suppress(GrokError, httpx2.HTTPError):
        for event in httpx2.EventSource(answer):
            if not reader.begins(event.data):
                continue
            list(reader.feed(event.data))
        list(reader.finish())
        told = [reader.text, json.dumps(reader.as_json(), ensure_ascii=False)]
        assert all(text.encode() for text in told if text), told
        used = reader.usage() or {}
        assert all(-(2**63) <= (used.get(name) or 0) < 2**63 for name in ("input", "output")), used


def run(name: str, make: Callable[[Dice], None], count: int, seed: int) -> Iterator[float]:
    """Make so many inputs of a kind; gives what each took, in seconds."""
    for number in range(count):
        began = time.perf_counter()
        try:
            make(random.Random(f"{seed} {number}"))
        except BaseException:
            sys.stderr.write(f"{name}: seed {seed}, number {number}\n")
            raise
        yield time.perf_counter() - began
