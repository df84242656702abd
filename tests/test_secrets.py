"""A key and the bytes of an image are planted, and searched for in everything that is written."""

import base64
import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fake_server import FakeServer
from tests.asking import send

KEY = "xai-planted-key-0123456789"
LLM = str(Path(sys.executable).with_name("llm"))


@pytest.fixture
def planted(tmp_path: Path) -> Path:
    """An image whose bytes are found nowhere by chance."""
    from PIL import Image

    path = tmp_path / "planted.png"
    Image.frombytes("RGB", (64, 64), os.urandom(64 * 64 * 3)).save(path)
    return path


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
    encoded = base64.b64encode(planted.read_bytes())
    assert b"Acat." in everything
    for secret in (KEY.encode(), planted.read_bytes()[60:100], encoded[80:120], encoded[-40:]):
        assert secret not in everything
