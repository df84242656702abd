"""The models LLM finds, under which names, and that finding them can never go wrong."""

import json
import os
import re
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import llm
import pytest
from llm.plugins import pm

from llm_grok_vision import catalogue
from tests.prompting import run_llm, shown_error

# Read off docs.x.ai's and older lists of models by hand: those that read images.
NAMES = [
    "grok-4.7",
    "grok-4.6",
    "grok-4.5",
    "grok-4.3",
    "grok-4.20-0309-reasoning",
    "grok-4.20-0309-non-reasoning",
    "grok-4.20-multi-agent-0309",
    "grok-build-0.1",
    "grok-4-1-fast-reasoning",
    "grok-4-1-fast-non-reasoning",
    "grok-4-fast-reasoning",
    "grok-4-fast-non-reasoning",
    "grok-4",
    "grok-2-vision-1212",
]


def _ours() -> list[Any]:
    rows = llm.get_models_with_aliases()
    return [row for row in rows if row.model.model_id.startswith("xai/")]


def test_every_vision_model_is_registered_for_both_ways_of_calling():
    rows = _ours()

    assert [row.model.model_id for row in rows] == [f"xai/{name}" for name in NAMES]
    assert [row.async_model.model_id for row in rows] == [f"xai/{name}" for name in NAMES]


ALIASES = [
    ("xai/grok-4", "xai/grok-4"),
    ("grok-4", "xai/grok-4"),
    ("grok-4-0709", "xai/grok-4"),
    ("xai/grok-4-0709", "xai/grok-4"),
    ("grok-4-latest", "xai/grok-4"),
    ("grok-2-vision-1212", "xai/grok-2-vision-1212"),
    ("grok-2-vision", "xai/grok-2-vision-1212"),
    ("grok-2-vision-latest", "xai/grok-2-vision-1212"),
    ("grok-latest", "xai/grok-4.7"),
    ("grok-4-fast", "xai/grok-4-fast-reasoning"),
    ("grok-4.20", "xai/grok-4.20-0309-reasoning"),
]


@pytest.mark.parametrize(("name", "model_id"), ALIASES, ids=[row[0] for row in ALIASES])
def test_a_name_of_xai_finds_its_model(name: str, model_id: str):
    assert llm.get_model(name).model_id == model_id
    assert llm.get_async_model(name).model_id == model_id


@pytest.mark.parametrize("name", ["latest", "grok-3", "grok-beta", "grok-imagine-image"])
def test_a_name_that_says_too_little_or_reads_no_images_finds_nothing(name: str):
    with pytest.raises(llm.UnknownModelError):
        llm.get_model(name)


def test_no_name_stands_for_two_models():
    names = Counter(
        name for row in _ours() for name in {row.model.model_id, *row.aliases, row.model.name}
    )

    assert [name for name, count in names.items() if count > 1] == []
    assert all(len(row.aliases) == len(set(row.aliases)) for row in _ours())


CATALOGUE = json.loads(Path(catalogue.__file__).with_name("catalogue.json").read_text())


@pytest.mark.parametrize("row", CATALOGUE, ids=[row["id"] for row in CATALOGUE])
def test_a_row_of_the_catalogue_says_how_it_is_known(row: dict[str, Any]):
    assert re.search(r"\b(DOC|OBSERVED|ASSUMED|DISPUTED)\b", row["source"])


def test_a_model_says_what_it_can_do():
    model = llm.get_model("grok-4")

    assert str(model) == "xAI: xai/grok-4"
    assert {"image/png", "image/jpeg", "image/webp", "image/heif"} <= model.attachment_types
    assert (model.can_stream, model.supports_tools) == (True, True)
    assert (model.needs_key, model.key_env_var) == ("xai", "XAI_API_KEY")


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no socket connect, and no name resolve."""

    def refuse(*args: object) -> None:
        raise AssertionError(f"the network was asked for {args}")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.mark.usefixtures("offline", "no_log_yet")
def test_models_are_listed_without_a_network_and_nothing_is_written(own_llm_folder: Path):
    own_llm_folder.chmod(0o500)

    result = run_llm("models")

    own_llm_folder.chmod(0o700)
    assert result.exit_code == 0
    assert "xAI: xai/grok-4 (aliases: grok-4, grok-4-0709" in result.output
    assert list(own_llm_folder.iterdir()) == []


@pytest.mark.usefixtures("offline")
def test_models_are_listed_beside_broken_files(own_llm_folder: Path):
    for name in ("keys.json", "model_options.json", "xai_models.json", "default_options.json"):
        (own_llm_folder / name).write_bytes(b"\xff{")

    result = run_llm("models", "-q", "xai")

    assert result.exit_code == 0
    assert len(result.stdout.splitlines()) == len(NAMES)


BROKEN: list[Any] = [
    pytest.param(None, "FileNotFoundError", id="no-file"),
    pytest.param(b"", "JSONDecodeError", id="nothing"),
    pytest.param(b'[{"id": "grok-4"', "JSONDecodeError", id="cut-short"),
    pytest.param(b"\xff\xfe", "UnicodeDecodeError", id="no-text"),
    pytest.param(b"null", "TypeError", id="null"),
    pytest.param(b'["grok-4"]', "TypeError", id="names-alone"),
    pytest.param(b'[{"id": "grok-4"}]', "KeyError", id="fields-missing"),
    pytest.param(
        b'[{"id": "x", "kind": "language", "status": "current", "aliases": [7],'
        b' "input_modalities": ["image"], "context_length": 1, "accounting": "tiles",'
        b' "usd_per_million": {"prompt": 1, "completion": 1}, "refuses": []}]',
        "AttributeError",
        id="an-alias-that-is-a-number",
    ),
]


@pytest.mark.parametrize(("content", "problem"), BROKEN)
def test_a_broken_catalogue_costs_our_models_and_nothing_else(
    content: bytes | None, problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    broken = tmp_path / "catalogue.json"
    if content is not None:
        broken.write_bytes(content)
    monkeypatch.setattr(catalogue, "_FILE", broken)

    result = run_llm("models")

    assert result.exit_code == 0
    assert "xai/" not in result.stdout
    assert "OpenAI Chat: " in result.stdout
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"llm-grok-vision: no models, its catalogue is broken: {problem}(")


def test_an_unknown_model_is_said_to_be_unknown():
    assert shown_error(run_llm("-m", "grok-9", "Hello")) == ("Error: 'Unknown model: grok-9'\n")


def test_loading_the_plugin_loads_nothing_else():
    program = (
        "import sys, llm.cli; before = set(sys.modules)\n"
        "import llm_grok_vision.plugin\n"
        "llm_grok_vision.plugin.register_models(lambda *args, **kwargs: None)\n"
        "print(*sorted(set(sys.modules) - before))"
    )

    loaded = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "LLM_LOAD_PLUGINS": ""},
        capture_output=True,
        text=True,
        check=True,
    )

    assert loaded.stdout.split() == [
        "llm_grok_vision",
        "llm_grok_vision.boilerplate",
        "llm_grok_vision.catalogue",
        "llm_grok_vision.known",
        "llm_grok_vision.models",
        "llm_grok_vision.plugin",
    ]


class OtherModel(llm.Model):
    """A model of somebody else."""

    model_id = "other/grok"

    def execute(self, *args: Any, **options: Any) -> Iterator[str]:
        yield "other"


@pytest.fixture(params=["before", "after"])
def other_plugin(request: pytest.FixtureRequest) -> Iterator[None]:
    """Load another plugin that calls its model grok-4, before or after this one."""

    def register_models(register: Callable[..., None]) -> None:
        register(OtherModel(), aliases=("grok-4",))

    module = ModuleType("llm_other_grok")
    module.__dict__["register_models"] = llm.hookimpl(
        register_models, tryfirst=request.param == "before", trylast=request.param == "after"
    )
    pm.register(module)
    yield
    pm.unregister(module)


@pytest.mark.usefixtures("other_plugin")
def test_our_ids_are_ours_beside_a_plugin_with_the_same_alias():
    assert llm.get_model("xai/grok-4").model_id == "xai/grok-4"
    assert llm.get_model("grok-4-0709").model_id == "xai/grok-4"
    assert llm.get_model("grok-4").model_id in {"xai/grok-4", "other/grok"}
    assert llm.get_model("other/grok").model_id == "other/grok"
