"""The command: `python -m fake_server`, also installed as `fake-xai`."""

import argparse
import asyncio
import signal
import sys
from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .settings import CLOCKS, CONTRACTS, DEFAULT_MAX_BODY

if TYPE_CHECKING:
    from .server import FakeServer

_HIGHEST_PORT = 65535
_MISSING = "The fake server needs more packages: pip install 'llm-grok-vision[fake]'."


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the result is its exit status."""
    options = _parser().parse_args(arguments)
    try:
        from .server import FakeServer

        server = FakeServer(
            host=options.host,
            port=options.port,
            images=options.images,
            allow_hosts=options.allow_host,
            placeholder=options.placeholder,
            contract=options.contract,
            api_key=options.api_key,
            max_body=options.max_body,
            clock=options.clock,
        )
        # Nobody can read the log of a server that runs as a command, and it would grow.
        server.app.journal = deque(maxlen=0)
        asyncio.run(_until_signalled(server))
    except ImportError as error:
        print(f"{_MISSING} ({error})", file=sys.stderr)
        return 1
    except (OSError, OverflowError, ValueError) as error:
        print(f"fake_server: {error}", file=sys.stderr)
        return 1
    return 0


async def _until_signalled(server: "FakeServer") -> None:
    """Listen until SIGINT or SIGTERM; the first line printed is the base URL."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))
    async with server.running():
        print(server.url, flush=True)
        await stop.wait()


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > _HIGHEST_PORT:
        raise argparse.ArgumentTypeError(
            f"a port is a number from 0 to {_HIGHEST_PORT}, not {text}"
        )
    return int(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="fake_server",
        description="A fake of xAI's API. The first line it prints is the base URL for clients;"
        " it stops on Ctrl-C.",
    )
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1)")
    add("--port", type=_port, default=0, help="port to listen on (default: a free one)")
    add("--images", metavar="DIR", help="answer https://host/path with the file DIR/host/path")
    add(
        "--allow-host",
        metavar="HOST",
        action="append",
        default=[],
        help="fetch image addresses of this host over the network; may be repeated",
    )
    add(
        "--no-placeholder",
        dest="placeholder",
        action="store_false",
        help="refuse any other image address, instead of answering with a built-in picture",
    )
    add(
        "--contract",
        choices=CONTRACTS,
        default="documented",
        help="whose rules to follow: those that xAI documents (default)",
    )
    add("--api-key", metavar="KEY", help="the one good key (default: any key is good)")
    add(
        "--max-body",
        metavar="BYTES",
        type=int,
        default=DEFAULT_MAX_BODY,
        help="largest request (1 GiB)",
    )
    add(
        "--clock",
        choices=CLOCKS,
        default="fixed",
        help="whether answers carry the same date each time (default), or today's",
    )
    return parser
