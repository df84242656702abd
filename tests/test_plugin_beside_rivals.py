"""Beside llm-grok and llm-xai in one environment: each keeps what is its own."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from fake_server import FakeServer
from tests.prompting import shape
from tests.running import install

# The rivals, and what they load that LLM does not bring.
RIVALS = ("llm-grok==1.4.2", "llm-xai==0.2", "httpx-sse", "rich", "markdown-it-py", "mdurl")

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def rivals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the rivals into a folder of their own."""
    folder = tmp_path_factory.mktemp("rivals")
    install(folder, *RIVALS)
    return folder


@pytest.fixture
def run(rivals: Path, xai: FakeServer) -> Run:
    """Run `llm` with the rivals installed."""

    def run_llm(*arguments: object, **environment: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "llm", *map(str, arguments)],
            env={**os.environ, "PYTHONPATH": str(rivals), **environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    return run_llm


def test_all_three_are_loaded(run: Run):
    plugins = run("plugins").stdout

    for name in ("llm-grok-vision", "llm-grok", "llm-xai"):
        assert f'"name": "{name}"' in plugins


def test_our_ids_are_answered_by_us(run: Run, xai: FakeServer, photo: Path):
    result = run("-m", "xai/grok-4", "What is it?", "-a", photo)

    assert (result.returncode, result.stderr) == (0, "")
    assert shape(xai.requests[0]) == [("user", ["What is it?", "1344x896"])]


def test_names_that_nobody_else_has_are_ours(run: Run, xai: FakeServer, photo: Path):
    result = run("-m", "grok-4", "What is it?", "-a", photo)

    assert result.returncode == 0
    assert [seen.width for seen in xai.requests[0].images] == [1344]


def test_ids_of_llm_grok_stay_its_own(run: Run):
    listed = run("models").stdout

    assert "\nGrok: grok-4-fast\n" in f"\n{listed}"
    assert "xAI: xai/grok-4 " in listed


def test_each_has_its_own_commands(run: Run):
    assert "Commands for the Grok model" in run("grok", "--help").stdout
    assert "Commands for xAI's vision models" in run("grok-vision", "--help").stdout


def test_a_key_that_llm_grok_stored_is_found(run: Run, xai: FakeServer, own_llm_folder: Path):
    (own_llm_folder / "keys.json").write_text('{"grok": "xai-stored-by-llm-grok"}')

    result = run("-m", "xai/grok-4", "Hello", XAI_API_KEY="")

    assert result.returncode == 0, result.stderr
    assert xai.requests[0].key == "xai-stored-by-llm-grok"


def test_a_conversation_goes_on_with_us(run: Run, xai: FakeServer, photo: Path):
    run("-m", "xai/grok-4", "What is it?", "-a", photo)
    run("-c", "Are you sure?")

    assert [role for role, _ in shape(xai.requests[1])] == ["user", "assistant", "user"]
