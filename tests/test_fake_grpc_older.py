"""The oldest xai-sdk that the extra `grpc` takes, whose messages lack fields that newer ones have."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.running import install

PROGRAM = """
import json

import xai_sdk
from xai_sdk.chat import image, tool, user

from fake_server import FakeServer

with FakeServer() as server:
    client = xai_sdk.Client(api_key="xai-test-key", api_host=server.api_host)
    tide = tool("tide", "Tell the tide.", {"type": "object", "properties": {}})
    asked = user("What is it?", image("https://pictures.test/cat.png"))
    chat = client.chat.create(model="grok-4", messages=[asked])
    server.reply("A boat.")
    whole = chat.sample()
    server.reply("A boat.")
    chunks = [chunk.content for _, chunk in chat.stream()]
    calling = client.chat.create(
        model="grok-4", messages=[asked], tools=[tide], tool_choice="required"
    )
    calls = [call.function.name for call in calling.sample().tool_calls]
    models = [model.name for model in client.models.list_language_models()]
print(
    json.dumps(
        {
            "version": xai_sdk.__version__,
            "whole": whole.content,
            "image_tokens": whole.usage.prompt_image_tokens,
            "chunks": chunks,
            "calls": calls,
            "knows grok-4.3": "grok-4.3" in models,
        }
    )
)
"""


@pytest.fixture
def older(tmp_path: Path) -> Path:
    """Install it into a folder of its own, with a protobuf that it knows."""
    install(tmp_path, "xai-sdk==1.4.0", "protobuf==6.33.6")
    return tmp_path


def test_a_client_of_2025_is_answered(older: Path):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, "PYTHONPATH": str(older)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert done.stderr == ""
    assert json.loads(done.stdout) == {
        "version": "1.4.0",
        "whole": "A boat.",
        "image_tokens": 1280,
        "chunks": ["A", " boat.", ""],
        "calls": ["tide"],
        "knows grok-4.3": True,
    }
