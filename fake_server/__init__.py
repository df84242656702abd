"""A fake of xAI's API: it enforces the documented limits and counts image tokens by tiles.

    with FakeServer() as server:
        client = openai.OpenAI(base_url=server.url, api_key="anything")

Importing this package imports no server; using `FakeServer` does.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .server import FakeServer as FakeServer

__all__ = ["FakeServer"]


def __getattr__(name: str) -> Any:
    # pytest imports this package for its plugin in every run of everybody who has it.
    if name == "FakeServer":
        from .server import FakeServer

        return FakeServer
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
