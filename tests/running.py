"""What runs in a process of its own: the fake, told from outside when to stop, tests of strangers, and pip."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

MODULE = (sys.executable, "-m", "fake_server")


@dataclass
class Running:
    """A process that listens; `url` is the first line that it printed."""

    process: "subprocess.Popen[str]"
    url: str

    def stop(self, number: int) -> tuple[int, str, str]:
        """Send a signal; give the exit status and what was printed since."""
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=30)
        return self.process.returncode, out, err


@contextmanager
def running(*arguments: str, command: tuple[str, ...] = MODULE) -> Iterator[Running]:
    """Start the command and wait for its first line."""
    pipe = subprocess.PIPE
    with subprocess.Popen([*command, *arguments], stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdout is not None
        try:
            yield Running(process, process.stdout.readline().rstrip("\n"))
        finally:
            process.kill()


def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run the command to its end."""
    return subprocess.run(
        [*MODULE, *arguments], capture_output=True, text=True, timeout=30, check=False
    )


def nested(pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    """Run the tests of a stranger's project, who has no plugin but ours.

    langsmith comes with one of the clients that our own tests need, and takes seconds to load.
    """
    return pytester.runpytest_subprocess("-p", "no:langsmith_plugin", *arguments)


def install(folder: Path, *packages: str) -> None:
    """Install packages into a folder, for PYTHONPATH, without what they ask for themselves."""
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(folder)]
    subprocess.run([*pip, *packages], check=True, capture_output=True)
