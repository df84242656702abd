"""`llm grok-vision serve` runs the fake as long as it is wanted, and leaves nothing behind."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from llm_grok_vision import serve
from tests.prompting import run_llm, run_process, shown_error

pytestmark = pytest.mark.covers_processes

COMMAND = (str(Path(sys.executable).with_name("llm")), "grok-vision", "serve")


class Serving:
    """The command as a process group of its own, as a terminal starts it; `lines` are the first two."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdout is not None
        self.process = process
        self.lines = [process.stdout.readline().rstrip("\n") for _ in range(2)]

    @property
    def settings(self) -> dict[str, str]:
        pairs = (line.removeprefix("export ").split("=", 1) for line in self.lines)
        return dict(pairs)

    @property
    def port(self) -> int:
        return int(self.settings["XAI_API_BASE"].removesuffix("/v1").rpartition(":")[2])

    def is_listening(self) -> bool:
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", self.port)) == 0

    def ended(self) -> tuple[int, str, str]:
        out, err = self.process.communicate(timeout=30)
        return self.process.returncode, out, err


@contextmanager
def serving(*arguments: str) -> Iterator[Serving]:
    """Start the command and wait for its settings."""
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [*COMMAND, *arguments], stdout=pipe, stderr=pipe, text=True, start_new_session=True
    ) as process:
        try:
            yield Serving(process)
        finally:
            # Twice: the second time it kills what does not hear.
            process.terminate()
            process.terminate()


def _in_the_terminal(number: int) -> Callable[[Serving], None]:
    return lambda server: os.killpg(server.process.pid, number)


def _to_the_command(number: int) -> Callable[[Serving], None]:
    return lambda server: server.process.send_signal(number)


ENDS = [
    pytest.param(_in_the_terminal(signal.SIGINT), id="ctrl-c"),
    pytest.param(_in_the_terminal(signal.SIGHUP), id="terminal-closed"),
    pytest.param(_to_the_command(signal.SIGINT), id="int"),
    pytest.param(_to_the_command(signal.SIGTERM), id="term"),
    pytest.param(_to_the_command(signal.SIGHUP), id="hup"),
]


@pytest.mark.parametrize("end", ENDS)
def test_it_ends_without_a_word_and_leaves_nothing_behind(end: Callable[[Serving], None]):
    with serving() as server:
        assert server.is_listening()

        end(server)

        assert server.ended() == (0, "", "")
        assert not server.is_listening()


def test_the_printed_settings_point_llm_at_it(photo: Path, monkeypatch: pytest.MonkeyPatch):
    with serving() as server:
        for name, value in server.settings.items():
            monkeypatch.setenv(name, value)
        answer = run_process("-m", "grok-4", "What is this?", "-a", photo)

    assert re.fullmatch(r"export XAI_API_BASE=http://127\.0\.0\.1:\d+/v1", server.lines[0])
    assert server.lines[1] == "export XAI_API_KEY=any"
    assert answer.returncode == 0
    assert answer.stdout.startswith(b"The fake server saw 1 image. Image 1: JPEG, 1344x896 pixels")


def test_it_takes_the_arguments_of_the_fake():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]

    with serving("--port", str(port), "--no-placeholder") as server:
        assert server.port == port


def test_a_key_of_ones_own_is_printed_for_the_shell(monkeypatch: pytest.MonkeyPatch):
    with serving("--api-key", "open sesame") as server:
        monkeypatch.setenv("XAI_API_BASE", server.settings["XAI_API_BASE"])
        good = run_process("-m", "grok-4", "Hello", "--key", "open sesame")
        bad = run_process("-m", "grok-4", "Hello", "--key", "any")

    assert server.lines[1] == "export XAI_API_KEY='open sesame'"
    assert (good.returncode, bad.returncode) == (0, 1)


def test_settings_are_written_for_windows_as_well():
    url = "http://127.0.0.1:8400/v1"

    assert serve.settings(url, "any", "nt") == f"set XAI_API_BASE={url}\nset XAI_API_KEY=any"


def test_what_the_fake_cannot_do_is_said_by_the_fake():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = run_process("grok-vision", "serve", "--port", port)

    assert (ended.returncode, ended.stdout) == (1, b"")
    assert b"ddress already in use" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def test_its_status_is_that_of_the_fake():
    ended = run_process("grok-vision", "serve", "--no-such-argument")

    assert ended.returncode == 2
    assert b"unrecognized arguments: --no-such-argument" in ended.stderr


def test_the_fakes_own_help_is_passed_on():
    ended = run_process("grok-vision", "serve", "--", "--help")

    assert ended.returncode == 0
    assert ended.stdout.startswith(b"usage: fake_server")


def test_a_server_that_is_not_installed_is_said(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(serve, "_MODULE", "no_such_server")

    assert shown_error(run_llm("grok-vision", "serve")) == (
        "Error: The fake server is not installed; llm install 'llm-grok-vision[fake]' brings it.\n"
    )


def test_a_server_without_what_it_needs_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "uvicorn.py").write_text("raise ImportError('No module named uvicorn')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    ended = run_process("grok-vision", "serve")

    assert ended.returncode == 1
    assert ended.stderr.startswith(b"The fake server needs more packages: ")
    assert b"llm-grok-vision[fake]" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def _package(folder: Path, program: str) -> None:
    """Make a package of the same name that does something else."""
    (folder / "fake_server").mkdir()
    (folder / "fake_server" / "__init__.py").write_text("")
    (folder / "fake_server" / "__main__.py").write_text(program)


STUBBORN = """
import signal, sys, time
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, signal.SIG_IGN)
print("http://127.0.0.1:1/v1", flush=True)
print("still here", flush=True)
time.sleep(60)
"""


def test_whoever_asks_twice_is_obeyed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A fake that does not hear is killed by the second Ctrl-C."""
    _package(tmp_path, STUBBORN)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    # Python 3.10 looks here first.
    monkeypatch.chdir(tmp_path)

    with serving() as server:
        assert server.process.stdout is not None
        assert server.process.stdout.readline() == "still here\n"
        server.process.send_signal(signal.SIGINT)
        with pytest.raises(subprocess.TimeoutExpired):
            server.process.wait(0.3)
        server.process.send_signal(signal.SIGINT)

        assert server.ended() == (128 + signal.SIGKILL, "", "")


def test_who_started_it_with_nohup_means_it_to_stay():
    with subprocess.Popen(
        ["nohup", *COMMAND], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        server = Serving(process)
        process.send_signal(signal.SIGHUP)
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.3)
        stayed = server.is_listening()
        process.terminate()

        assert (stayed, process.wait(30)) == (True, 0)


def test_a_reader_that_goes_away_ends_it(tmp_path: Path):
    """As in `llm grok-vision serve | head -1`."""
    read, write = os.pipe()
    os.close(read)
    with subprocess.Popen([*COMMAND], stdout=write, stderr=subprocess.PIPE, text=True) as process:
        os.close(write)
        with suppress(subprocess.TimeoutExpired):
            process.wait(30)
        ended = process.poll()
        process.terminate()

        assert (ended, process.stderr and process.stderr.read()) == (1, "")


@pytest.mark.skipif(sys.version_info < (3, 11), reason="Python 3.10 always looks here first")
def test_a_folder_of_the_same_name_is_not_taken_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    _package(tmp_path, "print('mine')")
    monkeypatch.chdir(tmp_path)

    with serving() as server:
        assert server.is_listening()
