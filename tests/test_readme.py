"""The README's commands are run and its programs are run: what it shows is what happens."""

import os
import pty
import re
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from fake_server import FakeServer
from tests.deviations import CHOICES, DEVIATIONS
from tests.pictures import picture

ROOT = Path(__file__).parents[1]
DOCUMENTS = ("README.md", "fake_server/README.md", "fake_server/DEVIATIONS.md")
README = (ROOT / "README.md").read_text()
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCKS = [block for name in DOCUMENTS for block in _BLOCK.findall((ROOT / name).read_text())]
CONSOLE = [text for kind, text in BLOCKS if kind == "console" and "llm install" not in text]
PROGRAMS = [text for kind, text in BLOCKS if kind == "python" and "def test_" not in text]
TESTS = [text for kind, text in BLOCKS if kind == "python" and "def test_" in text]
# Their first line names them, behind the mark of a comment.
FILES = [text for kind, text in BLOCKS if kind in ("yaml", "javascript")]
NODE_MODULES = ROOT / "tests" / "node" / "node_modules"

ESCAPES = re.compile(r"\x1b\[[0-9;]*m")

# A user types the next command when a server in the background has said where it is.
BACKGROUND = "rm -f .shown; {} > .shown & until [ -s .shown ]; do sleep 0.05; done; cat .shown"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the files that the README speaks of."""
    for name in ("ask.py", "harbour.jpg"):
        shutil.copy(ROOT / "examples" / name, tmp_path)
    (tmp_path / "notes.jpg").write_bytes(picture(64, 64, "GIF"))
    (tmp_path / "rowing-boat.png").write_bytes(picture(64, 64))
    (tmp_path / "node_modules").symlink_to(NODE_MODULES)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def shell(xai: FakeServer, folder: Path) -> Callable[[str], str]:
    """Run a script in a terminal, as a user would, and give what the terminal showed."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"

    def run(script: str) -> str:
        screen, terminal = pty.openpty()
        with subprocess.Popen(
            ["bash", "-c", f"trap 'kill $(jobs -p) 2>/dev/null' EXIT\n{script}"],
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            env={**os.environ, "PATH": path},
            start_new_session=True,
        ) as process:
            os.close(terminal)
            alarm = threading.Timer(60, process.kill)
            alarm.start()
            shown = b""
            while data := _read(screen):
                shown += data
                if shown.endswith(b"Enter key: "):
                    os.write(screen, b"a-key-that-is-typed\n")
            alarm.cancel()
        os.close(screen)
        return ESCAPES.sub("", shown.decode()).replace("\r", "")

    return run


def _read(screen: int) -> bytes:
    try:
        return os.read(screen, 65536)
    except OSError:  # Linux says so when the last program has closed the terminal.
        return b""


@pytest.mark.parametrize("block", CONSOLE, ids=[text.splitlines()[0][2:42] for text in CONSOLE])
def test_a_session_prints_what_the_readme_shows(
    block: str, shell: Callable[[str], str], folder: Path
) -> None:
    if "node" in block and not shutil.which("node"):
        pytest.skip("there is no Node")
    ported = _on_free_ports()
    for text in FILES:
        (folder / text.split(maxsplit=2)[1]).write_text(ported(text))
    commands = [line[2:] for line in block.splitlines() if line.startswith("$ ")]
    script = "\n".join(f"echo {_quoted('$ ' + command)}\n{_run(command)}" for command in commands)

    printed = shell(ported(script))

    assert re.fullmatch(ported(_filled(block)), _stripped(printed)), printed


def _on_free_ports() -> Callable[[str], str]:
    ports = {"8400": str(_free_port()), "8401": str(_free_port())}
    return lambda text: re.sub("840[01]", lambda found: ports[found[0]], text)


@pytest.mark.parametrize("program", PROGRAMS, ids=["order", "async", "errors"])
def test_a_program_prints_what_the_readme_says(program: str, xai: FakeServer, folder: Path) -> None:
    expected = "\n".join(re.findall(r"print\(.*\)  # (.*)$", program, re.MULTILINE))

    printed = _run_program(program)

    assert expected
    assert re.fullmatch(_filled(expected), _stripped(printed)), printed


def test_text_and_images_stay_in_the_order_of_the_readme(xai: FakeServer, folder: Path) -> None:
    _run_program(PROGRAMS[0])

    assert [type(part).__name__ for part in xai.requests[0].parts] == ["str", "LoggedImage", "str"]


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Run all tests of the documents, each block as a file, as a stranger would."""
    folder = tmp_path_factory.mktemp("blocks")
    shutil.copy(ROOT / "examples" / "harbour.jpg", folder)
    for number, block in enumerate(TESTS):
        (folder / f"test_block_{number}.py").write_text(block)
    options = ("-p", "no:langsmith_plugin", "-p", "no:cacheprovider", "-rA", "--rootdir", ".")
    return subprocess.run(
        [sys.executable, "-m", "pytest", *options],
        cwd=folder,
        env={**os.environ, "LLM_USER_PATH": str(folder)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    ).stdout


@pytest.mark.parametrize(
    ("number", "block"),
    list(enumerate(TESTS)),
    ids=[re.findall(r"def test_(\w+)", text)[0] for text in TESTS],
)
def test_tests_of_the_readme_pass(number: int, block: str, outcomes: str) -> None:
    passed = re.findall(rf"^PASSED test_block_{number}\.py::(\w+)$", outcomes, re.MULTILINE)

    assert passed == re.findall(r"def (test_\w+)", block), outcomes


def test_the_limits_of_the_readme_are_those_of_the_seed_document() -> None:
    for words in (
        "20,971,520 bytes",
        "JPEG and PNG",
        "no limit",
        "448x448",
        "6 at most",
    ):
        assert words in (ROOT / "fake_server" / "DEVIATIONS.md").read_text()


@pytest.mark.parametrize("name", [row.test for row in (*CHOICES, *DEVIATIONS)])
def test_what_the_page_says_is_shown_by_a_test_that_there_is(name: str) -> None:
    file, _, function = name.partition("::")

    assert f"\ndef {function}(" in (ROOT / "tests" / file).read_text()


def test_links_of_the_documents_lead_somewhere() -> None:
    for name in DOCUMENTS:
        path = ROOT / name
        for target, anchor in re.findall(r"\]\((?!http)([^)#]*)(?:#([^)]*))?\)", path.read_text()):
            there = (path.parent / target).resolve() if target else path
            assert there.exists(), f"{name}: {target}"
            assert not anchor or anchor in _anchors(there), f"{name}: {target}#{anchor}"


def _anchors(path: Path) -> list[str]:
    titles = re.findall(r"^#+ (.*)$", path.read_text(), re.MULTILINE)
    return [re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles]


def _run_program(program: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=False, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _run(command: str) -> str:
    return BACKGROUND.format(command.rstrip(" &")) if command.endswith("&") else command


def _filled(block: str) -> str:
    """Make a pattern of a session, in which `...` stands for anything."""
    return re.escape(_stripped(block)).replace(re.escape("..."), r"[\s\S]*?")


def _stripped(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
