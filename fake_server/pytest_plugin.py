"""The fixture `grok_server`, for every project that installs this package.

pytest imports this module in every run, so it imports nothing but pytest.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .server import FakeServer


@pytest.fixture(scope="session")
def _grok_server() -> "Iterator[FakeServer]":
    try:
        from .server import FakeServer
    except ImportError as error:
        pytest.fail(
            f"grok_server needs: pip install 'llm-grok-vision[fake]' ({error})", pytrace=False
        )
    with FakeServer() as server:
        yield server


@pytest.fixture
def grok_server(_grok_server: "FakeServer") -> "FakeServer":
    """Give a fake of xAI's API: one server a session, with a clean log for each test."""
    _grok_server.clear()
    return _grok_server
