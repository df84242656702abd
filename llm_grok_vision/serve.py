"""`llm grok-vision serve`: the fake server as a process of its own, for as long as this one runs.

The plugin never imports the fake; it starts it as anybody would and reads its first line.
"""

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

import click

from .errors import InvalidSetting

_MODULE = "fake_server"


def serve(arguments: Sequence[str], api_key: str | None) -> int:
    """Run the fake until it ends, or until a signal asks for that; give its exit status.

    Raises InvalidSetting if it is not installed.
    """
    if find_spec(_MODULE) is None:
        raise InvalidSetting(
            "The fake server is not installed; llm install 'llm-grok-vision[fake]' brings it."
        )
    command = [sys.executable, "-m", _MODULE, *arguments]
    if api_key:
        command += ["--api-key", api_key]
    fake: subprocess.Popen[str] | None = None
    asked = False

    def stop(*_: Any) -> None:
        nonlocal asked
        again, asked = asked, True
        if fake is not None:
            # Whoever asks twice has waited long enough.
            (fake.kill if again else fake.terminate)()

    with _on_ending_signals(stop):
        fake = _start(command)
        if asked:
            fake.terminate()
        return _followed(fake, api_key or "any")


def _start(command: list[str]) -> "subprocess.Popen[str]":
    # In a session of its own it does not hear Ctrl-C beside this process: a second signal,
    # while it ends after the first, would end it as if it had failed.
    # PYTHONSAFEPATH: a folder called fake_server in the user's own folder is not meant.
    return subprocess.Popen(  # noqa: S603 (our own fake)
        command,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONSAFEPATH": "1"},
        start_new_session=True,
    )


def _followed(fake: "subprocess.Popen[str]", api_key: str) -> int:
    """Print what the fake prints, its base URL as settings; give its exit status at its end."""
    with fake:
        try:
            for line in fake.stdout or ():
                is_url = line.startswith("http")
                click.echo(settings(line.strip(), api_key) if is_url else line.rstrip("\n"))
        except BaseException:
            fake.terminate()
            raise
    status = fake.returncode
    # A shell tells of a process that a signal ended in this way.
    return status if status >= 0 else 128 - status


def settings(url: str, api_key: str, system: str = os.name) -> str:
    """Write the lines that point `llm` at the fake, as the shell of this system reads them."""
    values = {"XAI_API_BASE": url, "XAI_API_KEY": api_key}
    if system == "nt":
        return "\n".join(f"set {name}={value}" for name, value in values.items())
    return "\n".join(f"export {name}={shlex.quote(value)}" for name, value in values.items())


@contextmanager
def _on_ending_signals(handler: Callable[..., None]) -> Iterator[None]:
    """Handle what ends a command from outside."""
    numbers = [signal.SIGINT, signal.SIGTERM]
    # Windows has none; and who started the command with nohup means it to stay.
    hang_up = getattr(signal, "SIGHUP", None)
    if hang_up and signal.getsignal(hang_up) is not signal.SIG_IGN:
        numbers.append(hang_up)
    before = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)
