"""Where the key comes from, and what is said when there is none or none that can work."""

import json
from pathlib import Path

import llm
import pytest

from fake_server import FakeServer
from llm_grok_vision.errors import GrokError, InvalidSetting, NoKeyError
from tests.prompting import BOTH, MODEL, ask, run_llm, shown_error

NO_KEY = (
    "No key for xAI was found: add one with 'llm keys set xai', or set XAI_API_KEY."
    " Keys come from https://console.x.ai."
)
ODD = (
    "The key for xAI holds characters that no key has; copy it again from"
    " https://console.x.ai and store it with 'llm keys set xai'."
)


@pytest.fixture
def keyless(xai: FakeServer, monkeypatch: pytest.MonkeyPatch) -> FakeServer:
    """Take the key away again."""
    monkeypatch.delenv("XAI_API_KEY")
    return xai


def store(**keys: object) -> None:
    """Store keys as `llm keys set` does."""
    (llm.user_dir() / "keys.json").write_text(json.dumps(keys))


# What is given, and which of it is sent.
ORDER = [
    pytest.param("given", {"xai": "stored", "grok": "old"}, "env", "given", id="given-first"),
    pytest.param(None, {"xai": "stored", "grok": "old"}, "env", "stored", id="then-stored"),
    pytest.param(None, {"grok": "old"}, "env", "old", id="then-as-llm-grok-stored-it"),
    pytest.param(None, {"openai": "other"}, "env", "env", id="then-the-environment"),
    pytest.param("work", {"work": "from-alias", "xai": "stored"}, "", "from-alias", id="an-alias"),
    pytest.param("", {"xai": "stored"}, "env", "stored", id="nothing-given-is-not-given"),
    pytest.param(None, {"xai": ""}, "env", "env", id="nothing-stored-is-not-stored"),
]


@BOTH
@pytest.mark.parametrize(("given", "stored", "environment", "sent"), ORDER)
def test_the_order_is_that_of_llm(  # noqa: PLR0917 (a row of the table)
    keyless: FakeServer,
    kind: str,
    given: str | None,
    stored: dict[str, str],
    environment: str,
    sent: str,
):
    store(**stored)

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XAI_API_KEY", environment)
        ask(kind, "Hello", key=given)

    assert keyless.requests[0].key == sent


def test_a_key_set_on_the_model_comes_before_all(keyless: FakeServer):
    store(xai="stored")
    model = llm.get_model(MODEL)
    model.key = "set-on-the-model"

    model.prompt("Hello", key="given").text()

    assert keyless.requests[0].key == "set-on-the-model"


@pytest.mark.parametrize("name", ["xai", "grok"])
def test_a_key_stored_by_the_command_is_found(keyless: FakeServer, name: str):
    run_llm("keys", "set", name, "--value", "stored-by-command")

    result = run_llm("-m", "grok-4", "Hello")

    assert result.exit_code == 0
    assert keyless.requests[0].key == "stored-by-command"


@pytest.mark.parametrize("extra", [[], ["--async"]], ids=["sync", "async"])
def test_a_key_given_to_the_command_is_sent(keyless: FakeServer, extra: list[str]):
    result = run_llm("-m", "grok-4", "Hello", "--key", "given", *extra)

    assert result.exit_code == 0
    assert keyless.requests[0].key == "given"


def test_a_key_given_to_a_chat_is_sent(keyless: FakeServer):
    run_llm("chat", "-m", "grok-4", "--key", "given", stdin="Hello\nquit\n")

    assert keyless.requests[0].key == "given"


@pytest.mark.parametrize(
    "key", ["good\n", " good", "\tgood \r\n"], ids=["newline", "space", "both"]
)
def test_white_space_around_a_key_is_taken_off(keyless: FakeServer, key: str):
    ask("sync", "Hello", key=key)

    assert keyless.requests[0].key == "good"


@BOTH
def test_without_a_key_nothing_is_sent(keyless: FakeServer, kind: str):
    with pytest.raises(NoKeyError) as caught:
        ask(kind, "Hello")

    assert str(caught.value) == NO_KEY
    assert isinstance(caught.value, llm.NeedsKeyException)
    assert isinstance(caught.value, GrokError)
    assert keyless.requests == []


COMMANDS = [
    pytest.param(["-m", "grok-4", "Hello"], "", id="llm"),
    pytest.param(["-m", "grok-4", "Hello", "--async"], "", id="llm-async"),
    pytest.param(["chat", "-m", "grok-4"], "Hello\nquit\n", id="llm-chat"),
]


@pytest.mark.parametrize(("command", "stdin"), COMMANDS)
@pytest.mark.usefixtures("keyless")
def test_a_missing_key_is_shown_in_a_line(command: list[str], stdin: str):
    result = run_llm(*command, stdin=stdin)

    assert result.exit_code == 1
    assert shown_error(result) == f"Error: {NO_KEY}\n"


@pytest.mark.parametrize("key", [" ", "\n"], ids=["space", "newline"])
@pytest.mark.usefixtures("keyless")
def test_a_key_of_white_space_is_none(key: str):
    with pytest.raises(NoKeyError):
        ask("sync", "Hello", key=key)


ODD_KEYS = [
    pytest.param("schlüssel", id="not-ascii"),
    pytest.param("xai-one\nxai-two", id="a-line-break"),
    pytest.param("xai-\x1b[31mred", id="a-control-character"),
    pytest.param("\N{ZERO WIDTH SPACE}xai-key", id="an-invisible-character"),
]


@BOTH
@pytest.mark.parametrize("key", ODD_KEYS)
def test_a_key_that_no_header_can_hold_is_refused_and_not_shown(
    keyless: FakeServer, kind: str, key: str
):
    with pytest.raises(InvalidSetting) as caught:
        ask(kind, "Hello", key=key)

    assert str(caught.value) == ODD
    assert keyless.requests == []


BROKEN = [
    pytest.param(b"{oops", id="no-json"),
    pytest.param(b"\xff\xfe", id="no-text"),
    pytest.param(b"null", id="null"),
    pytest.param(b'["xai"]', id="a-list"),
    pytest.param(b'{"xai": 7}', id="a-key-that-is-a-number"),
]


@pytest.mark.parametrize("content", BROKEN)
@pytest.mark.parametrize(("command", "stdin"), COMMANDS)
def test_a_broken_keys_file_is_named_in_a_line(
    keyless: FakeServer, own_llm_folder: Path, content: bytes, command: list[str], stdin: str
):
    (own_llm_folder / "keys.json").write_bytes(content)

    result = run_llm(*command, stdin=stdin)

    assert result.exit_code == 1
    assert shown_error(result) == (
        f"Error: {own_llm_folder / 'keys.json'} does not hold keys as LLM stores them;"
        " mend it or set the key again.\n"
    )
    assert keyless.requests == []
