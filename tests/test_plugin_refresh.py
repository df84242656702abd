"""`llm grok-vision refresh` asks xAI, keeps the list whole, and tells what changed."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import llm
import pytest

from fake_server import FakeServer
from llm_grok_vision.catalogue import vision_models
from tests.prompting import KEY, run_llm, run_process, shown_error, xai_answering
from tests.raw_server import Answer, http
from tests.test_plugin_model_cache import GROK_5

KNOWN = [
    {"id": model.id, "aliases": list(model.aliases), "input_modalities": ["text", "image"]}
    for model in vision_models()
]
ODD = (
    "Error: The service answered, but not with a list of models.\n"
    "XAI_API_BASE, if it is set, has to be the address of xAI's API, or of one like it.\n"
)


def listing(*rows: Any) -> Answer:
    """Answer as xAI does with these models."""
    return http(json.dumps({"models": rows}).encode(), headers="content-type: application/json")


@pytest.fixture
def file(own_llm_folder: Path) -> Path:
    """Where the list is kept."""
    return own_llm_folder / "grok_vision_models.json"


def test_what_the_fake_lists_is_known_already(xai: FakeServer, file: Path):
    result = run_llm("grok-vision", "refresh")

    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "No changes\n")
    assert (xai.requests[0].method, xai.requests[0].path) == ("GET", "/v1/language-models")
    assert xai.requests[0].key == "xai-test-key"
    kept = [row["id"] for row in json.loads(file.read_text())["models"]]
    assert sorted(kept) == sorted(model.id for model in vision_models())


def test_a_new_model_is_told_and_can_be_used_from_then_on(file: Path):
    with xai_answering(listing(*KNOWN, GROK_5)) as server:
        result = run_process("grok-vision", "refresh")

    assert (result.returncode, result.stdout) == (0, b"")
    assert result.stderr == b"Added models: xai/grok-5\n"
    assert f"authorization: bearer {KEY}" in server.requests[0].decode().lower()
    assert str(llm.get_model("grok-5-latest")) == "xAI: xai/grok-5"


def test_the_same_again_is_no_change():
    with xai_answering(listing(*KNOWN, GROK_5), listing(*KNOWN, GROK_5)):
        run_llm("grok-vision", "refresh")
        result = run_llm("grok-vision", "refresh")

    assert result.stderr == "No changes\n"


def test_what_is_gone_is_told_by_whether_it_can_still_be_used():
    without = [row for row in KNOWN if row["id"] not in {"grok-4-0709", "grok-4.3"}]
    grok_6 = {**GROK_5, "id": "grok-6"}

    with xai_answering(listing(*KNOWN, GROK_5), listing(*without, grok_6)):
        run_llm("grok-vision", "refresh")
        result = run_llm("grok-vision", "refresh")

    assert result.stderr.splitlines() == [
        "Added models: xai/grok-6",
        "Removed models: xai/grok-5",
        "No longer listed by xAI: xai/grok-4.3, xai/grok-4",
    ]
    assert llm.get_model("grok-4").model_id == "xai/grok-4"
    with pytest.raises(llm.UnknownModelError):
        llm.get_model("xai/grok-5")


def test_a_model_listed_under_another_name_or_for_text_only_is_listed():
    """OBSERVED 2025-09-04: grok-4-0709 stood there as a model that reads text."""
    others = [row for row in KNOWN if row["id"] not in {"grok-4-0709", "grok-4.6", "grok-4.3"}]
    text_only = {"id": "grok-4.6", "input_modalities": ["text"]}
    renamed = {"id": "grok-4.3-0501", "aliases": ["grok-4.3"], "input_modalities": ["text"]}
    by_its_alias = {"id": "grok-4", "input_modalities": ["text"]}

    with xai_answering(listing(*others, text_only, renamed, by_its_alias)):
        result = run_llm("grok-vision", "refresh")

    assert result.stderr == "No changes\n"


def test_only_models_that_read_images_are_kept_and_of_them_what_is_used(file: Path):
    row = {**GROK_5, "fingerprint": "fp_1", "owned_by": "xai"}
    text_only = {**GROK_5, "id": "grok-text", "input_modalities": ["text"]}

    with xai_answering(listing(row, text_only)):
        run_llm("grok-vision", "refresh")

    assert json.loads(file.read_text()) == {"models": [GROK_5]}


def test_a_key_is_taken_as_for_a_prompt(xai: FakeServer):
    run_llm("keys", "set", "work", "--value", "the-key-of-work")

    run_llm("grok-vision", "refresh", "--key", "work")

    assert xai.requests[0].key == "the-key-of-work"


@pytest.fixture
def earlier(file: Path) -> Iterator[str]:
    """Keep a list that must stay, and no other file beside it."""
    text = json.dumps({"models": [GROK_5]})
    file.write_text(text)
    yield text
    assert file.read_text() == text
    assert not [path for path in file.parent.iterdir() if path.name.startswith(f"{file.name}.")]
    assert [path.name for path in file.parent.glob("grok_vision_models*")] == [file.name]


@pytest.mark.usefixtures("earlier")
def test_a_wrong_key_is_said_in_xais_words(monkeypatch: pytest.MonkeyPatch):
    with FakeServer(api_key="good") as server:
        monkeypatch.setenv("XAI_API_BASE", server.url)
        result = run_llm("grok-vision", "refresh", "--key", "bad")

    assert result.exit_code == 1
    assert shown_error(result).startswith("Error: Incorrect API key provided. You can obtain")
    assert "Set a key with 'llm keys set xai'" in result.stderr


NO_LISTS = [
    pytest.param(b"{}", id="an-empty-object"),
    pytest.param(b"[]", id="an-empty-list"),
    pytest.param(b"null", id="null"),
    pytest.param(b"", id="no-body"),
    pytest.param(b'{"models": {}}', id="models-by-name"),
    pytest.param(b'{"data": [{"id": "grok-5"}]}', id="openapi-another-list"),
]


@pytest.mark.parametrize("body", NO_LISTS)
@pytest.mark.usefixtures("earlier")
def test_an_answer_that_is_no_list_changes_nothing(body: bytes):
    with xai_answering(http(body, headers="content-type: application/json")):
        result = run_llm("grok-vision", "refresh")

    assert shown_error(result) == ODD


@pytest.mark.usefixtures("earlier", "no_waiting", "nobody")
def test_without_a_network_nothing_changes():
    assert "Error: Could not connect to http://127.0.0.1:" in shown_error(
        run_llm("grok-vision", "refresh")
    )


@pytest.mark.usefixtures("no_waiting")
def test_a_busy_service_is_asked_again():
    busy = http(b'{"error": "Busy."}', status="503 Unavailable")

    with xai_answering(busy, listing(*KNOWN)):
        result = run_llm("grok-vision", "refresh")

    assert result.exit_code == 0
    assert result.stderr.endswith("No changes\n")


def test_a_list_that_cannot_be_put_in_its_place_is_said_and_leaves_nothing(
    xai: FakeServer, file: Path
):
    file.mkdir()

    result = run_llm("grok-vision", "refresh")

    assert result.exit_code == 1
    assert shown_error(result) == (
        "Error: The list of models could not be written to LLM's folder: Is a directory."
        " The models known so far can be used as before.\n"
    )
    assert list(file.parent.glob("grok_vision_models*")) == [file]


@pytest.mark.skipif(sys.platform != "linux", reason="needs a folder that root cannot write to")
def test_a_folder_that_is_read_only_is_said(xai: FakeServer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LLM_USER_PATH", "/proc/self")

    listed = run_llm("models", "-q", "xai")
    result = run_llm("grok-vision", "refresh")

    assert (listed.exit_code, listed.stderr) == (0, "")
    assert "could not be written to LLM's folder: " in shown_error(result)


def test_a_list_that_was_broken_is_written_anew(xai: FakeServer, file: Path):
    file.write_bytes(b"\x00\x00")

    assert run_llm("grok-vision", "refresh").stderr == "No changes\n"
    assert json.loads(file.read_text())["models"]


def test_it_is_shown_how_it_is_used():
    shown = run_llm("grok-vision", "refresh", "--help").stdout

    assert "$ llm grok-vision refresh" in shown
