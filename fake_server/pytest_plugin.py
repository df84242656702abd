"""The fixture `grok_server`, for every project that installs this package.

pytest imports this module in every run, so it imports nothing but pytest.
"""

from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .server import FakeServer

Servers = Callable[[dict[str, Any]], "FakeServer"]

_MARKER = (
    "grok_server(**options): options of the server that the fixture grok_server gives, such as"
    " contract, era, models, images and scenario; paths are seen from the file of the test."
)


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", _MARKER)


@pytest.fixture(scope="session")
def _grok_servers() -> "Iterator[Servers]":
    """Give a server by its options: each is started once a session."""
    try:
        from .server import FakeServer
    except ImportError as error:
        pytest.fail(
            f"grok_server needs: pip install 'llm-grok-vision[fake]' ({error})", pytrace=False
        )
    servers: dict[str, FakeServer] = {}
    with ExitStack() as stack:

        def server(options: dict[str, Any]) -> "FakeServer":
            name = repr(sorted(options.items()))
            if name not in servers:
                servers[name] = stack.enter_context(FakeServer(**options))
            return servers[name]

        yield server


@pytest.fixture
def grok_server(
    _grok_servers: "Servers", request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> "FakeServer":
    """Give a fake of xAI's API: one server a session, with a clean log for each test.

    The environment points clients at it as long as the test runs.
    """
    try:
        server = _grok_servers(_options(request))
    except (OSError, TypeError, ValueError) as error:
        pytest.fail(f"grok_server: {error}", pytrace=False)
    server.clear()
    for name, value in server.environment().items():
        monkeypatch.setenv(name, value)
    return server


def _options(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Put the options of all markers together; the nearest wins. Raises TypeError."""
    options: dict[str, Any] = {}
    for marker in reversed(list(request.node.iter_markers("grok_server"))):
        for value in marker.args:
            raise TypeError(
                f"its options have names, as in contract='observed'; {value!r} has none"
            )
        options |= marker.kwargs
    for name in ("images", "scenario"):
        if name in options:
            options[name] = str(request.path.parent / options[name])
    return options


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, None]:
    """Raise in the test what a function of it raised in the server."""
    outcome = yield
    server = _server_of(item)
    if server is None or outcome.excinfo is not None:
        return
    try:
        server.raise_errors()
    except BaseException as error:  # noqa: BLE001 (whatever it is, it is the test's)
        outcome.force_exception(error)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, None]:
    """Show beside a test that failed what the server was asked."""
    outcome = yield
    report, server = outcome.get_result(), _server_of(item)
    if report.when == "call" and report.failed and server is not None:
        lines = [str(request) for request in server.requests]
        report.sections.append(("Requests to grok_server", "\n".join(lines) or "none"))


def _server_of(item: pytest.Item) -> "FakeServer | None":
    found: FakeServer | None = getattr(item, "funcargs", {}).get("grok_server")
    return found
