"""Redis, as the parts of the state use it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar
from urllib.parse import urlsplit

import msgspec
import redis
from redis.lock import Lock

from ..refusals import StateLost
from ..settings import PREFIX

T = TypeVar("T")

_PREFIX = "fake-xai"

# Seconds to wait for Redis. Nothing is answered meanwhile.
_PATIENCE = 5


# With which structs begin in JSON, and in msgpack nothing that is kept.
_JSON = (b"{", b"[")


def encoded(thing: object) -> bytes:
    """Write what is to be kept: as msgpack, or as JSON where a number has more than 64 bits."""
    try:
        return msgspec.msgpack.encode(thing)
    except OverflowError:
        return msgspec.json.encode(thing)


class Store:
    """A database of Redis at an address such as redis://localhost:6379/0.

    Raises ValueError for an address that is none, and StateLost where nobody answers.
    """

    def __init__(self, url: str) -> None:
        try:
            self._redis = redis.Redis.from_url(
                url, protocol=2, socket_timeout=_PATIENCE, socket_connect_timeout=_PATIENCE
            )
            parts = urlsplit(url)
            # The address may hold a password.
            self._shown = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
        except ValueError as error:
            raise ValueError(
                f"state is an address such as redis://localhost:6379/0: {error}"
            ) from None
        self.ask("PING")

    def key(self, name: str) -> str:
        """Give the name under which something is kept."""
        return f"{_PREFIX}:{name}"

    def ask(self, *words: str | bytes | float) -> Any:
        """Run a command; raises StateLost."""
        with self.reached():
            return self._redis.execute_command(*words)  # type: ignore[no-untyped-call] # it has no types

    def together(self, *commands: tuple[str | bytes | float, ...]) -> list[Any]:
        """Run commands that nobody's come between; raises StateLost."""
        with self.reached(), self._redis.pipeline(transaction=True) as pipeline:
            for words in commands:
                pipeline.execute_command(*words)  # type: ignore[no-untyped-call] # it has no types
            return pipeline.execute()

    def decoded(self, data: bytes, kind: type[T]) -> T:
        """Read what was kept; raises StateLost where another version wrote it in other ways."""
        decode = msgspec.json.decode if data.startswith(_JSON) else msgspec.msgpack.decode
        try:
            return decode(data, type=kind)
        except msgspec.DecodeError:
            raise StateLost(
                f"the state at {self._shown} is of another version of the fake:"
                f" POST {PREFIX}/reset forgets it"
            ) from None

    def script(self, text: str, *names: str) -> Callable[..., Any]:
        """Make a function of a script in Lua that uses what is kept under these names."""
        script = self._redis.register_script(text)
        keys = [self.key(name) for name in names]

        def run(*arguments: str | bytes | float) -> Any:
            with self.reached():
                return script(keys=keys, args=arguments)

        return run

    def lock(self, name: str, seconds: float) -> Lock:
        """Make a lock that opens by itself when whoever has it says nothing for so long."""
        return Lock(self._redis, self.key(name), timeout=seconds, thread_local=False)

    @contextmanager
    def reached(self) -> Iterator[None]:
        """Say in a sentence that Redis can't be reached; raises StateLost."""
        try:
            yield
        except redis.RedisError as error:
            raise StateLost(f"the state at {self._shown} can't be used: {error}") from None
