"""A key and the bytes of an image are planted, and searched for in everything that is written."""

import json
import logging
import os
import subprocess
import sys
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path

import grpc
import pytest
import xai_sdk
from xai_sdk.chat import image as sdk_image
from xai_sdk.chat import user

from fake_server import FakeServer
from tests.asking import BEARER, body, image, input_image, post, prompt, respond, send
from tests.pictures import data_url

KEY = "xai-planted-key-0123456789"
LLM = str(Path(sys.executable).with_name("llm"))
CHAT, TOKENS = "/v1/chat/completions", "/v1/tokenize-text"


@pytest.fixture
def planted(tmp_path: Path) -> Path:
    """An image whose bytes are found nowhere by chance."""
    from PIL import Image

    path = tmp_path / "planted.png"
    Image.frombytes("RGB", (64, 64), os.urandom(64 * 64 * 3)).save(path)
    return path


def pieces(data: bytes) -> list[bytes]:
    """Give pieces of an image, as it is and in base64."""
    return [data[60:100], b64encode(data)[80:120], b64encode(data)[-40:]]


def test_what_is_written_has_neither_the_key_nor_the_image(
    planted: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG)
    user, cassettes = tmp_path / "user", tmp_path / "cassettes"
    user.mkdir()
    written: list[bytes] = []
    with (
        FakeServer(api_key=KEY) as upstream,
        FakeServer(record=cassettes, upstream=upstream.url.removesuffix("/v1")) as recorder,
    ):
        upstream.reply("A cat.")
        upstream.fail(400, error="Something about the image is wrong.")
        for server, key in ((recorder, KEY), (recorder, KEY), (upstream, KEY), (upstream, "no")):
            done = subprocess.run(
                [LLM, "-m", "xai/grok-4", "What is it?", "-a", str(planted), "-u"],
                env={
                    **os.environ,
                    "LLM_USER_PATH": str(user),
                    "XAI_API_KEY": f"{KEY}-bad" if key == "no" else key,
                    "XAI_API_BASE": server.url,
                },
                capture_output=True,
                check=False,
            )
            written += [done.stdout, done.stderr]
        for path in ("requests", "", *(str(number) for number in range(1, 5))):
            page = send(upstream, "GET", f"/_fake/{path}")
            assert page.status_code == 200
            written += [page.content, json.dumps(dict(page.headers)).encode()]
        written += [repr(upstream.requests).encode(), str(upstream.requests[0]).encode()]
    written += [path.read_bytes() for path in cassettes.glob("*.yaml")]
    written += [path.read_bytes() for path in user.rglob("*") if path.is_file()]
    written.append(caplog.text.encode())

    everything = b"\n".join(written).replace(b"\n", b"").replace(b" ", b"")
    assert b"Acat." in everything
    for secret in (KEY.encode(), *pieces(planted.read_bytes())):
        assert secret not in everything


def _upload(server: FakeServer, data: bytes) -> None:
    file = send(server, "POST", "/v1/files", files={"file": ("cat", data)}, headers=BEARER).json()
    send(server, "GET", f"/v1/files/{file['id']}/content", headers=BEARER)


def _store(server: FakeServer, data: bytes) -> None:
    answer = respond(server, prompt(input_image(data_url(data)))).json()
    send(server, "GET", f"/v1/responses/{answer['id']}/input_items", headers=BEARER)


def _message(server: FakeServer, data: bytes) -> None:
    source = {"type": "base64", "media_type": "image/png", "data": b64encode(data).decode()}
    asked = body({"type": "image", "source": source}, max_tokens=9)
    send(server, "POST", "/v1/messages", json=asked, headers=BEARER)


def _call(server: FakeServer, data: bytes) -> None:
    with xai_sdk.Client(api_key="k", api_host=server.api_host, use_insecure_channel=True) as client:
        asked = user(sdk_image(b64encode(data).decode()))
        chat = client.chat.create(model="grok-4", messages=[asked])
        with pytest.raises(grpc.RpcError):
            chat.sample()


# Ways in which the bytes of an image come to the fake, or leave it.
WAYS: dict[str, Callable[[FakeServer, bytes], object]] = {
    "upload": _upload,
    "file-of-a-batch": lambda server, data: _upload(
        server, json.dumps({"custom_id": "a", "body": body(image(data_url(data)))}).encode()
    ),
    "stored": _store,
    "message": _message,
    "capitals": lambda server, data: post(
        server, body(image(f"data:image/png;BASE64,{b64encode(data).decode()}"))
    ),
    "bare": lambda server, data: post(server, body(image(b64encode(data).decode()))),
    "torn": lambda server, data: send(
        server, "POST", CHAT, content=json.dumps(body(image(data_url(data))))[:-9], headers=BEARER
    ),
    "text": lambda server, data: send(
        server, "POST", TOKENS, json={"model": "grok-4", "text": data_url(data)}, headers=BEARER
    ),
    "grpc": _call,
}


@pytest.mark.parametrize("way", WAYS)
def test_the_journal_has_no_bytes_of_an_image(grok_server: FakeServer, planted: Path, way: str):
    data = planted.read_bytes()

    WAYS[way](grok_server, data)

    logs = [*grok_server.requests]
    pages = [send(grok_server, "GET", f"/_fake/{log.number}").content for log in logs]
    told = b"".join([*pages, *[log.raw_request + log.raw_answer for log in logs]])
    assert logs
    for secret in pieces(data):
        assert secret not in told
