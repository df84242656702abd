"""The commands: `python -m fake_server`, its `run` and its `verify`, also installed as `fake-xai`."""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .era import FIRST, NEWEST
from .process import serve, settle, uncollected
from .run import run
from .settings import CLOCKS, CONTRACTS, DEFAULT_KEPT_IMAGES, UPSTREAM

_HIGHEST_PORT = 65535
_MOST_WORKERS = 256
# What a shell answers for a command that Ctrl-C ended, here before it listened.
_INTERRUPTED = 130
_MISSING = "The fake server needs more packages: pip install 'llm-grok-vision[{extra}]'."


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the result is its exit status."""
    parser = _parser()
    options = parser.parse_args(arguments)
    command = options.command[1:] if options.command[:1] == ["--"] else options.command
    if options.verb == "run" and not command:
        parser.error("run needs a command behind its options: run -- python app.py")
    try:
        return _done(options, command)
    except ImportError as error:
        extra = "record" if options.verb == "verify" else "fake"
        print(f"{_MISSING.format(extra=extra)} ({error})", file=sys.stderr)
    except (OSError, OverflowError, ValueError) as error:
        print(f"fake_server: {error}", file=sys.stderr)
    except KeyboardInterrupt:
        return _INTERRUPTED
    return 1


def _done(options: argparse.Namespace, command: Sequence[str]) -> int:
    """Do what was typed; the result is an exit status."""
    if options.verb == "verify":
        return _verify(options)
    given = _given(options)
    if options.verb != "run" and options.workers > 1:
        from .workers import serve_together

        return serve_together(options.workers, given)
    with uncollected():
        from .server import FakeServer

    server = FakeServer(**given)
    settle(server)
    if options.verb == "run":
        return asyncio.run(run(server, command, options.api_key))
    asyncio.run(serve(server, lambda: print(server.url, flush=True)))
    return 0


def _given(options: argparse.Namespace) -> dict[str, Any]:
    """Give the arguments of FakeServer."""
    return {name: getattr(options, name) for name in vars(server_options().parse_args([]))}


def _verify(options: argparse.Namespace) -> int:
    """Compare recordings with the fake; what differs is printed."""
    from .verify import run as verify

    status, text = verify(
        options.cassettes, options.images, options.scores, json_wanted=options.json
    )
    print(text)
    return status


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > _HIGHEST_PORT:
        raise argparse.ArgumentTypeError(
            f"a port is a number from 0 to {_HIGHEST_PORT}, not {text}"
        )
    return int(text)


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= _MOST_WORKERS:
        raise argparse.ArgumentTypeError(f"workers are from 1 to {_MOST_WORKERS}, not {text}")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="fake_server",
        description="A fake of xAI's API. The first line it prints is the base URL for clients;"
        " it stops on Ctrl-C.",
        parents=[server_options()],
    )
    parser.set_defaults(verb="", command=[])
    parser.add_argument(
        "--workers",
        metavar="N",
        type=_count,
        default=1,
        help="answer in so many processes, for load tests; with --state they are one server",
    )
    verbs = parser.add_subparsers(metavar="COMMAND", title="commands")
    running = verbs.add_parser(
        "run",
        help="run a command whose requests to xAI reach the fake",
        usage="fake_server run [options] -- COMMAND ...",
        description="Run a program as it stands, in Python or Node: what it asks of api.x.ai"
        " reaches the fake. The exit status is the program's.",
        epilog="example: fake_server run --images pictures -- python app.py",
        parents=[server_options()],
    )
    running.add_argument("command", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    running.set_defaults(verb="run")
    verifying = verbs.add_parser(
        "verify",
        help="compare recorded answers of xAI with the fake's",
        description="Ask the fake what was recorded of xAI, and tell what differs. The exit"
        " status is 1 if something does.",
        epilog="example: fake_server verify cassettes/live",
    )
    add = verifying.add_argument
    add("cassettes", nargs="+", type=Path, metavar="CASSETTE", help="a file, or a folder of them")
    add("--json", action="store_true", help="print JSON")
    add("--images", type=Path, metavar="DIR", help="pictures, as DIR/host/path")
    add("--scores", type=Path, metavar="FILE", help="fail only where it is worse than these")
    verifying.set_defaults(verb="verify", command=[])
    return parser


def server_options() -> argparse.ArgumentParser:
    """Give the options that the server has, whoever starts it."""
    parser = argparse.ArgumentParser(add_help=False)
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1)")
    add("--port", type=_port, default=0, help="port to listen on (default: a free one)")
    add("--images", metavar="DIR", help="answer https://host/path with the file DIR/host/path")
    add(
        "--allow-host",
        dest="allow_hosts",
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
        help="whose rules to follow: those that xAI documents (default), or what was seen of it",
    )
    add("--api-key", metavar="KEY", help="the one good key (default: any key is good)")
    add(
        "--max-body",
        metavar="BYTES",
        type=int,
        help="largest request (1 GiB; observed: 50 MiB)",
    )
    add(
        "--clock",
        choices=CLOCKS,
        default="fixed",
        help="whether answers carry the same date each time (default), or today's",
    )
    add(
        "--era",
        metavar="MONTH",
        default=NEWEST,
        help=f"whose answers: {FIRST} to {NEWEST} (default)",
    )
    add(
        "--model",
        dest="models",
        metavar="ID",
        action="append",
        help="have this model, and no others but those named too (default: all)",
    )
    add("--requests-per-minute", metavar="N", type=int, help="refuse more for a model (429)")
    add("--tokens-per-minute", metavar="N", type=int, help="refuse more for a model (429)")
    add(
        "--keep-images",
        metavar="BYTES",
        type=int,
        default=DEFAULT_KEPT_IMAGES,
        help="bytes of images that are kept to look at, the newest (default: 8 MiB)",
    )
    add("--scenario", metavar="FILE", help="answer by the rules of this YAML file, as it stands")
    add(
        "--record",
        metavar="DIR",
        help="pass requests on to xAI, and write cassettes for vcrpy, without keys, into this folder",
    )
    add(
        "--upstream", metavar="URL", default=UPSTREAM, help=f"record this API (default: {UPSTREAM})"
    )
    add("--token", help="let whoever has this token ask the fake itself (default: this machine)")
    add("--state", metavar="URL", help="be one server with all that name this redis://host:port/0")
    add("--seed", metavar="N", type=int, default=0, help="throw other dice for probabilities")
    add(
        "--replay", metavar="DIR", help="answer with the cassettes of this folder, and nothing else"
    )
    return parser
