"""`llm grok-vision check` says where the key came from, and what it may do."""

import json
from pathlib import Path
from typing import Any

import pytest

from fake_server import FakeServer
from llm_grok_vision.settings import Key, find_key
from tests.prompting import KEY, run_llm, run_process, shown_error, xai_answering
from tests.raw_server import Answer, http

# DOC OPENAPI, in its shape.
GOOD: dict[str, Any] = {
    "redacted_api_key": "xai-...b14o",
    "name": "My API Key",
    "acls": ["api-key:model:*", "api-key:endpoint:*"],
    "team_blocked": False,
    "api_key_blocked": False,
    "api_key_disabled": False,
}
GROK_4 = {"id": "grok-4-0709", "aliases": ["grok-4"], "input_modalities": ["text", "image"]}
TEXT_ONLY = {"id": "grok-3", "input_modalities": ["text"]}


def answers(facts: Any, *rows: Any) -> list[Answer]:
    """Answer both questions as xAI does."""
    headers = "content-type: application/json"
    return [http(json.dumps(body).encode(), headers=headers) for body in (facts, {"models": rows})]


def test_a_good_key_is_told_in_a_line_each(xai: FakeServer):
    result = run_process("grok-vision", "check")

    assert (result.returncode, result.stderr) == (0, b"")
    assert result.stdout.decode().splitlines() == [
        "Key: from XAI_API_KEY",
        f"Base URL: {xai.url}, from XAI_API_BASE",
        "Known to xAI as: fake_server (xai-...-key)",
        "May use: api-key:model:*, api-key:endpoint:*",
        "Models: 14 that read images; xai/grok-4 is among them",
    ]
    assert [(seen.method, seen.path) for seen in xai.requests] == [
        ("GET", "/v1/api-key"),
        ("GET", "/v1/language-models"),
    ]


def test_the_key_is_never_shown(own_llm_folder: Path):
    echo = {**GOOD, "name": KEY, "redacted_api_key": KEY, "acls": [f"x:{KEY}"]}

    with xai_answering(*answers(echo, GROK_4)):
        result = run_llm("grok-vision", "check")

    assert result.exit_code == 0
    assert KEY not in result.output
    assert "Known to xAI as: (your key) ((your key))" in result.stdout


def test_what_would_colour_a_terminal_is_taken_out():
    with xai_answering(*answers({**GOOD, "name": "\x1b[31mred\n"}, GROK_4)):
        result = run_llm("grok-vision", "check")

    assert "Known to xAI as: [31mred (xai-...b14o)\n" in result.stdout


FLAGS = ["team_blocked", "api_key_blocked", "api_key_disabled"]


@pytest.mark.parametrize("flag", FLAGS)
def test_a_key_that_is_blocked_is_an_error(flag: str):
    with xai_answering(*answers({**GOOD, flag: True}, GROK_4)):
        result = run_llm("grok-vision", "check")

    assert result.exit_code == 1
    assert shown_error(result) == (
        f"Error: The key cannot be used: {flag}.\nSee https://console.x.ai.\n"
    )
    assert "Known to xAI as: My API Key" in result.stdout


MODELS = [
    pytest.param([GROK_4, TEXT_ONLY], None, "1 that read images; xai/grok-4 is among them"),
    pytest.param([TEXT_ONLY], None, "0 that read images; xai/grok-4 is not among them"),
    pytest.param([GROK_4], "grok-4.6", "1 that read images; xai/grok-4.6 is not among them"),
    pytest.param([GROK_4], "grok-4-latest", "1 that read images; xai/grok-4 is among them"),
    pytest.param([GROK_4], "xai/grok-4", "1 that read images; xai/grok-4 is among them"),
    pytest.param([GROK_4], "gpt-4o", "1 that read images; xai/grok-4 is among them"),
]


@pytest.mark.parametrize(
    ("rows", "default", "said"),
    MODELS,
    ids=["listed", "text-only", "llms-default", "by-an-alias", "by-its-id", "not-ours"],
)
def test_the_default_model_is_looked_for(
    rows: list[Any], default: str | None, said: str, own_llm_folder: Path
):
    if default:
        (own_llm_folder / "default_model.txt").write_text(default)

    with xai_answering(*answers(GOOD, *rows)):
        result = run_llm("grok-vision", "check")

    assert result.stdout.splitlines()[-1] == f"Models: {said}"


def test_a_wrong_key_is_said_in_xais_words_with_advice(monkeypatch: pytest.MonkeyPatch):
    with FakeServer(api_key="good") as server:
        monkeypatch.setenv("XAI_API_BASE", server.url)
        result = run_llm("grok-vision", "check", "--key", "bad-key-of-mine")

    assert result.exit_code == 1
    assert result.stdout.splitlines()[0] == "Key: given with --key"
    assert shown_error(result) == (
        "Error: Incorrect API key provided. You can obtain an API key from https://console.x.ai.\n"
        "Set a key with 'llm keys set xai', or in XAI_API_KEY;"
        " keys come from https://console.x.ai.\n"
    )
    assert "bad-key-of-mine" not in result.output


def test_a_key_that_may_not_list_models_is_an_error():
    facts, _ = answers(GOOD)
    refused = http(b'{"code": "permission-denied", "error": "Not allowed."}', status="403 No")

    with xai_answering(facts, refused):
        result = run_llm("grok-vision", "check")

    assert result.exit_code == 1
    assert shown_error(result).startswith("Error: Not allowed.\n")
    assert "May use: api-key:model:*" in result.stdout


ODD = [
    pytest.param({}, "unnamed (unnamed)", "xAI does not say", id="nothing"),
    pytest.param({**GOOD, "name": None}, "unnamed (xai-...b14o)", None, id="no-name"),
    pytest.param({**GOOD, "acls": "all"}, None, "xAI does not say", id="acls-a-text"),
    pytest.param({**GOOD, "acls": [1]}, None, "unnamed", id="acls-a-number"),
]


@pytest.mark.parametrize(("facts", "name", "may"), ODD)
def test_what_xai_does_not_say_is_said_so(facts: Any, name: str | None, may: str | None):
    with xai_answering(*answers(facts, GROK_4)):
        result = run_llm("grok-vision", "check")

    assert result.exit_code == 0
    assert f"Known to xAI as: {name or 'My API Key (xai-...b14o)'}\n" in result.stdout
    assert f"May use: {may or 'api-key:model:*, api-key:endpoint:*'}\n" in result.stdout


@pytest.mark.parametrize("facts", [[], None, 5], ids=["list", "null", "number"])
def test_an_answer_of_another_kind_is_an_error(facts: Any):
    with xai_answering(*answers(facts)):
        result = run_llm("grok-vision", "check")

    assert shown_error(result).startswith(
        "Error: The service answered, but not with what it knows of the key.\n"
    )


def test_without_a_key_it_says_how_to_get_one(xai: FakeServer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("XAI_API_KEY")

    result = run_llm("grok-vision", "check")

    assert (result.exit_code, result.stdout) == (1, "")
    assert "No key for xAI was found: add one with 'llm keys set xai'" in shown_error(result)
    assert xai.requests == []


SOURCES = [
    pytest.param("given", {"xai": "a"}, "given", "given with --key", id="given"),
    pytest.param("work", {"work": "a"}, "a", "stored as work in {file}", id="given-by-its-name"),
    pytest.param(None, {"xai": "a", "grok": "b"}, "a", "stored as xai in {file}", id="xai"),
    pytest.param(None, {"grok": "b"}, "b", "stored as grok in {file}", id="grok"),
    pytest.param(None, {}, "env", "from XAI_API_KEY", id="environment"),
]


@pytest.mark.parametrize(("given", "stored", "value", "source"), SOURCES)
def test_the_place_of_the_key_is_known(  # noqa: PLR0917 (a row of the table)
    given: str | None,
    stored: dict[str, str],
    value: str,
    source: str,
    own_llm_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setenv("XAI_API_KEY", "env")
    file = own_llm_folder / "keys.json"
    file.write_text(json.dumps(stored))

    found = find_key(given)

    assert (found.value, found.source) == (value, source.format(file=file))


def test_a_key_is_not_shown_where_it_is_printed():
    assert KEY not in repr(Key(KEY, "from XAI_API_KEY"))


def test_a_base_url_with_a_password_is_refused_without_showing_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("XAI_API_BASE", "http://joe:secret@127.0.0.1:1/v1")

    result = run_llm("grok-vision", "check", "--key", "any")

    assert "XAI_API_BASE holds a user name or a password" in shown_error(result)
    assert "secret" not in result.output
