"""What is installed: the wheel holds both packages, and a new environment can use it."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel, as pip would."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return next(folder.glob("*.whl"))


@pytest.mark.parametrize(
    "name",
    [
        "llm_grok_vision/plugin.py",
        "llm_grok_vision/catalogue.json",
        "llm_grok_vision/py.typed",
        "fake_server/__main__.py",
        "fake_server/placeholder.png",
        "fake_server/py.typed",
        "fake_server/templates/request.html",
        "fake_server/templates/page.js",
        "fake_server/wire/chat_completions.py",
    ],
)
def test_the_wheel_holds_everything_that_runs(wheel: Path, name: str) -> None:
    assert name in zipfile.ZipFile(wheel).namelist()


def test_the_wheel_holds_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()

    tops = {name.split("/")[0] for name in names}

    assert {top for top in tops if not top.endswith(".dist-info")} == {
        "llm_grok_vision",
        "fake_server",
    }


def test_the_changelog_opens_with_the_version_that_is_built(wheel: Path) -> None:
    version = wheel.name.split("-")[1]

    headings = [
        line for line in (ROOT / "CHANGELOG.md").read_text().splitlines() if line[:3] == "## "
    ]

    assert headings[0].startswith(f"## {version}")


def test_llm_install_makes_the_models_known(tmp_path: Path) -> None:
    """What the README says first, in an environment where LLM is and this is not."""
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "venv")], check=True)
    python = str(tmp_path / "venv" / "bin" / "python")
    site_packages = next(path for path in sys.path if path.endswith("site-packages"))
    others = tmp_path / "others"
    others.mkdir()
    for entry in Path(site_packages).iterdir():
        if "grok_vision" not in entry.name:
            (others / entry.name).symlink_to(entry)
    environment = {**os.environ, "PYTHONPATH": str(others), "PIP_DISABLE_PIP_VERSION_CHECK": "1"}

    def llm(*arguments: str) -> str:
        command = [python, "-m", "llm", *arguments]
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "$ llm install '.[fake]'" in (ROOT / "README.md").read_text()
    assert "xai/grok-4" not in llm("models")
    llm("install", ".[fake]")
    assert "xai/grok-4 " in llm("models")
