"""Requests to the fake as they go over the wire, written by hand."""

from typing import Any

import httpx2

from fake_server import FakeServer
from fake_server.contract import DOCUMENTED
from fake_server.images import Picture, decoded, read

Part = dict[str, Any]
BEARER = {"authorization": "Bearer xai-test-key"}


def text(words: str) -> Part:
    """Write a text part."""
    return {"type": "text", "text": words}


def image(url: str, **fields: Any) -> Part:
    """Write an image part as the guide does."""
    return {"type": "image_url", "image_url": {"url": url, **fields}}


def body(*parts: Part, **fields: Any) -> dict[str, Any]:
    """Write a request with one message of the user; without parts it says hello."""
    content = list(parts) or [text("Hello")]
    return {"model": "grok-4", "messages": [{"role": "user", "content": content}], **fields}


def post(server: FakeServer, json: dict[str, Any]) -> httpx2.Response:
    """Ask for a chat completion."""
    return send(server, "POST", "/v1/chat/completions", json=json, headers=BEARER)


def input_text(words: str) -> Part:
    """Write a text part as the Responses API has it."""
    return {"type": "input_text", "text": words}


def input_image(url: str, **fields: Any) -> Part:
    """Write an image part as the Responses API has it."""
    return {"type": "input_image", "image_url": url, **fields}


def prompt(*parts: Part, **fields: Any) -> dict[str, Any]:
    """Write a request for a response to one message; without parts it says hello."""
    content = list(parts) or [input_text("Hello")]
    return {"model": "grok-4.3", "input": [{"role": "user", "content": content}], **fields}


def respond(server: FakeServer, json: dict[str, Any]) -> httpx2.Response:
    """Ask for a response."""
    return send(server, "POST", "/v1/responses", json=json, headers=BEARER)


def send(server: FakeServer, method: str, path: str, **options: Any) -> httpx2.Response:
    """Send any request; `path` begins with /v1."""
    with httpx2.Client(trust_env=False, verify=False, timeout=30) as client:
        return client.request(method, server.url.removesuffix("/v1") + path, **options)


def read_url(url: str) -> Picture:
    """Read an inline image as the fake does; raises the ApiError that it earns."""
    data, declared = decoded(url, DOCUMENTED)
    return read(data, declared)
