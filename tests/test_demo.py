"""`make demo` runs the main job to its end, and leaves the machine as it was."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path, Path]:
    """Run what `make demo` runs; give its output, the user's home, and its temporary folder."""
    home, scratch = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("scratch")
    folder = Path(sys.executable).parent
    environment = {
        "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(home),
        "TMPDIR": str(scratch),
        "XAI_API_KEY": "the user's own key",
        "LLM_MODEL": "the user's own model",
    }
    done = subprocess.run(
        ["sh", "examples/demo.sh"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout, home, scratch


def test_it_shows_the_prompt_the_answer_and_the_image_tokens(
    demo: tuple[str, Path, Path],
) -> None:
    lines = demo[0].splitlines()

    assert lines[0] == "$ llm -m grok-4 'What is in this image?' -a harbour.jpg --usage"
    assert lines[1].startswith("The fake server saw 1 image. Image 1: JPEG, 1920x1280 pixels")
    assert '"image_tokens": 1792' in lines[2]


def test_it_touches_nothing_of_the_users(demo: tuple[str, Path, Path]) -> None:
    _, home, scratch = demo

    assert list(home.iterdir()) == []
    assert list(scratch.iterdir()) == []


def test_it_leaves_no_process_behind(demo: tuple[str, Path, Path]) -> None:
    _, home, _ = demo

    # Each process of the demo has the demo's HOME in its environment.
    left = [
        entry.name
        for entry in Path("/proc").iterdir()
        if entry.name.isdigit() and f"HOME={home}".encode() in _environment(entry)
    ]

    assert left == []


def _environment(process: Path) -> bytes:
    try:
        return (process / "environ").read_bytes()
    except OSError:
        return b""


def test_the_photo_is_larger_than_six_tiles() -> None:
    from PIL import Image

    with Image.open(ROOT / "examples" / "harbour.jpg") as photo:
        width, height = photo.size

    assert (photo.format, width // 448 * (height // 448)) == ("JPEG", 8)
