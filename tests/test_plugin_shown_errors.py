"""What `llm` and `llm chat` show of an error: `Error: ...`, and never a traceback."""

from pathlib import Path

import pytest

from fake_server import FakeServer
from tests.pictures import picture
from tests.prompting import KEY, chunk, run_llm, shown_error, xai_answering
from tests.raw_server import http, stream

pytestmark = pytest.mark.usefixtures("no_waiting")


def test_what_came_before_a_break_is_on_standard_output():
    with xai_answering(stream(chunk(content="half an answer"), end=b"")):
        result = run_llm("-m", "grok-4", "Hello")

    assert result.exit_code == 1
    assert result.stdout == "half an answer"
    assert shown_error(result).startswith("Error: The connection to http://127.0.0.1:")


COMMANDS = [
    pytest.param(["-m", "grok-4", "Hello"], "", id="llm"),
    pytest.param(["-m", "grok-4", "Hello", "--async"], "", id="llm-async"),
    pytest.param(["-m", "grok-4", "Hello", "--no-stream"], "", id="llm-no-stream"),
    pytest.param(["chat", "-m", "grok-4"], "Hello\nquit\n", id="llm-chat"),
]


@pytest.mark.parametrize(("command", "stdin"), COMMANDS)
def test_a_refusal_is_shown_in_two_lines(command: list[str], stdin: str):
    body = b'{"code":"invalid_image","error":"Invalid PNG image."}'

    with xai_answering(http(body, status="400 Bad Request")):
        result = run_llm(*command, stdin=stdin)

    assert result.exit_code == 1
    assert shown_error(result) == (
        "Error: Invalid PNG image.\n"
        "Look at the images of this prompt, and of the conversation it continues.\n"
    )


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(["-m", "grok-4", "\udce9t\udce9"], id="prompt"),
        pytest.param(["-m", "grok-4", "-s", "\udce9t\udce9", "Hello"], id="system"),
        pytest.param(["grok-vision", "describe", "\udce9t\udce9", "cat.png"], id="describe"),
        pytest.param(["grok-vision", "describe", "Hi", "cat.png", "-s", "\udce9"], id="describe-s"),
        pytest.param(
            ["grok-vision", "describe", "--batch", "submit", "--output", "o", "\udce9", "cat.png"],
            id="describe-batch",
        ),
    ],
)
def test_an_argument_that_is_no_text_is_shown_in_a_line(
    command: list[str], xai: FakeServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    Path("cat.png").write_bytes(picture(16, 32))

    result = run_llm(*command)

    assert result.exit_code == 1
    assert shown_error(result).splitlines()[-1].startswith("Error: The prompt, its tools or what")
    assert [log.path for log in xai.requests] == []


@pytest.mark.parametrize(("command", "stdin"), COMMANDS)
def test_a_connection_that_is_refused_is_shown_in_a_line(
    command: list[str], stdin: str, nobody: str
):
    result = run_llm(*command, stdin=stdin)

    assert result.exit_code == 1
    assert shown_error(result).splitlines()[-1].startswith(f"Error: Could not connect to {nobody}")


@pytest.mark.parametrize(("command", "stdin"), COMMANDS)
@pytest.mark.parametrize("base", ["nonsense", "http://127.0.0.1:99999"])
def test_a_bad_address_is_shown_in_a_line(
    command: list[str], stdin: str, base: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("XAI_API_KEY", KEY)
    monkeypatch.setenv("XAI_API_BASE", base)

    result = run_llm(*command, stdin=stdin)

    assert result.exit_code == 1
    assert shown_error(result) == (
        "Error: XAI_API_BASE is not an address like https://api.x.ai/v1.\n"
    )


SETTINGS = [
    pytest.param("ALL_PROXY", "nonsense://proxy", id="proxy-of-no-known-kind"),
    pytest.param("ALL_PROXY", "http://me:PASSWORD@[::1", id="proxy-that-is-no-address"),
    pytest.param("ALL_PROXY", "http://me:PASSWORD", id="proxy-without-its-port"),
    pytest.param("SSL_CERT_FILE", "no-such-file.pem", id="certificates-that-are-not-there"),
]


@pytest.mark.parametrize(("command", "stdin"), COMMANDS)
@pytest.mark.parametrize(("name", "value"), SETTINGS)
@pytest.mark.usefixtures("nobody")
def test_a_setting_of_the_machine_that_cannot_work_is_shown_in_a_line(
    command: list[str], stdin: str, name: str, value: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv(name, value)

    result = run_llm(*command, stdin=stdin)

    assert result.exit_code == 1
    assert shown_error(result).startswith(
        "Error: The proxy or certificate settings of this machine cannot be used: "
    )
    assert "PASSWORD" not in result.output
