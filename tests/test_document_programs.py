"""The programs of the user's document with nothing changed but host, key and path."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fake_server import FakeServer
from tests.pictures import picture
from tests.programs import programs

NODE = shutil.which("node")
MODULES = Path(__file__).parent / "node" / "node_modules"
PROGRAMS = programs()
CAT = "https://science.nasa.gov/wp-content/uploads/2023/09/web-first-images-release.png"

pytestmark = pytest.mark.skipif(
    not PROGRAMS, reason="the user's document is not beside this project"
)


def changed(program: str, server: FakeServer) -> str:
    """Change host, key and path, and say that the model is one of xAI's."""
    for was, becomes in {
        "https://api.x.ai/v1": server.url,
        "Client(api_key=os.getenv('XAI_API_KEY'))": (
            f"Client(api_key='any', api_host='{server.api_host}')"
        ),
        'os.getenv("XAI_API_KEY")': '"any"',
        "process.env.XAI_API_KEY": '"any"',
        '"..."': '"photo.jpg"',
        "./data/comic-cat.png": "./photo.png",
        "import { xai } from '@ai-sdk/xai';": (
            "import { createXai } from '@ai-sdk/xai';"
            f"const xai = createXai({{ apiKey: 'any', baseURL: '{server.url}' }});"
        ),
        "model: \"grok-4\",\nmessages: [\n{\nrole: 'user'": (
            "model: xai('grok-4'),\nmessages: [\n{\nrole: 'user'"
        ),
    }.items():
        program = program.replace(was, becomes)
    return program


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_of_the_document_asks_the_fake(
    name: str, grok_server: FakeServer, tmp_path: Path
):
    is_node = "-node-" in name
    if is_node and NODE is None:
        pytest.skip("there is no Node on this machine")
    grok_server.serve_image(CAT, picture(449, 448))
    (tmp_path / "photo.jpg").write_bytes(picture(449, 448, "JPEG"))
    (tmp_path / "photo.png").write_bytes(picture(449, 448))
    (tmp_path / "node_modules").symlink_to(MODULES)
    script = tmp_path / ("program.mjs" if is_node else "program.py")
    script.write_text(changed(PROGRAMS[name], grok_server))

    ran = subprocess.run(
        [NODE if is_node and NODE else sys.executable, str(script)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert ran.returncode == 0, ran.stderr
    (seen,) = grok_server.requests[0].images
    assert (seen.width, seen.height, seen.tokens) == (449, 448, 768)
    assert seen.url == (CAT if name.endswith("address") else "")
    assert seen.detail == ("auto" if name.startswith("@ai-sdk") else "high")
    assert ran.stdout.startswith("The fake server saw 1 image. Image 1: ")
