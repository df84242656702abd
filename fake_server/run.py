"""Runs a program whose requests to xAI reach the fake, as it stands.

Python and Node are told by the environment to load a small file of `redirect` first.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from .settings import FAKE_KEY
from .signals import on_signal

if TYPE_CHECKING:
    from .server import FakeServer

_REDIRECT = Path(__file__).with_name("redirect")

# What a shell answers for a command that there is not, and for one that can't be run.
_NOT_FOUND, _NOT_EXECUTABLE = 127, 126

_HOSTS = "api.x.ai,.api.x.ai,127.0.0.1,localhost"


async def run(server: "FakeServer", command: Sequence[str], key: str | None) -> int:
    """Run a command beside the server until it ends; the result is its exit status."""
    async with server.running():
        address = urlsplit(server.url).netloc
        try:
            process = await asyncio.create_subprocess_exec(
                *command, env=environment(os.environ, address, key or FAKE_KEY)
            )
        except FileNotFoundError:
            print(f"fake_server: {command[0]}: command not found", file=sys.stderr)
            return _NOT_FOUND
        except OSError as error:
            print(f"fake_server: {command[0]}: {error.strerror}", file=sys.stderr)
            return _NOT_EXECUTABLE
        _pass_signals_on(process)
        status = await process.wait()
    return status if status >= 0 else 128 - status


def environment(given: Mapping[str, str], address: str, key: str) -> dict[str, str]:
    """Give the environment of a program that is to reach the fake at `address`.

    What is set already stays: the program's own key, and what Python and Node are to load.
    """
    python = [str(_REDIRECT), *filter(None, [given.get("PYTHONPATH")])]
    preload = str(_REDIRECT / "redirect.cjs").replace("\\", "\\\\").replace('"', '\\"')
    node = [*filter(None, [given.get("NODE_OPTIONS")]), f'--require "{preload}"']
    made = {
        "XAI_API_KEY": key,
        **given,
        "FAKE_SERVER_ADDRESS": address,
        "PYTHONPATH": os.pathsep.join(python),
        "NODE_OPTIONS": " ".join(node),
    }
    # A proxy of this machine knows nothing of the fake.
    for name in ("no_proxy", "NO_PROXY"):
        made[name] = ",".join([*filter(None, [given.get(name)]), _HOSTS])
    return made


def _pass_signals_on(process: asyncio.subprocess.Process) -> None:
    """Let the program end by what was meant to end this."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            number = getattr(signal, name)
            on_signal(number, partial(_send, process, number))


def _send(process: asyncio.subprocess.Process, number: int) -> None:
    # A terminal sends Ctrl-C to the program too.
    has_it = number == signal.SIGINT and sys.stdin and sys.stdin.isatty()
    if process.returncode is None and not has_it:
        process.send_signal(number)
