"""The guide's own programs run against the fake, with only the address and the key changed."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from fake_server import FakeServer
from fake_server.journal import LoggedImage
from tests.pictures import picture

SEED = Path(__file__).parents[2] / "shared" / "seed" / "image-understanding.txt"

pytestmark = pytest.mark.skipif(
    not SEED.exists(), reason="the guide is not part of this repository"
)


def program(number: int) -> str:
    """Take the n-th program for openai's Python client, as it stands in the guide."""
    programs = re.findall(
        r"import os\nfrom openai import OpenAI\n.*?print\(completion\.choices\[0\]\.message\.content\)",
        SEED.read_text(),
        re.DOTALL,
    )
    # The copy of the guide has lost all indentation, which only `def` and `with` need.
    text = str(programs[number]).replace("\nwith open", "\n with open")
    text = text.replace("\nencoded_string", "\n  encoded_string")
    return text.replace("\nreturn encoded_string", "\n return encoded_string")


def run(text: str, server: FakeServer) -> str:
    done = subprocess.run(
        [sys.executable, "-c", text.replace("https://api.x.ai/v1", server.url)],
        env={**os.environ, "XAI_API_KEY": "any"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_program_with_an_image_address_gets_an_answer(grok_server: FakeServer) -> None:
    shown = run(program(0), grok_server)

    assert shown.startswith("The fake server saw 1 image. Image 1: PNG, 800x600 pixels")
    image, text = grok_server.requests[0].parts
    assert isinstance(image, LoggedImage)
    assert (image.source, image.detail, image.tiles, image.tokens) == (
        "placeholder",
        "high",
        4,
        1280,
    )
    assert text == "What's in this image?"


def test_the_program_with_a_local_image_gets_an_answer(
    grok_server: FakeServer, tmp_path: Path
) -> None:
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(picture(449, 448, "JPEG"))

    shown = run(
        program(1).replace('image_path = "..."', f"image_path = {str(photo)!r}"), grok_server
    )

    assert shown.startswith("The fake server saw 1 image. Image 1: JPEG, 449x448 pixels")
    assert grok_server.requests[0].usage["prompt_tokens_details"]["image_tokens"] == 768
