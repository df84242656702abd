"""A real Redis, with nothing in it."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import redis


@dataclass(frozen=True)
class Redis:
    """A Redis that runs; `url` is its address."""

    url: str
    process: "subprocess.Popen[bytes]"

    def everything(self) -> str:
        """Give all that is kept there, as one text."""
        with redis.Redis.from_url(self.url, protocol=2) as client:
            return "\n".join(f"{key!r}: {_value(client, key)!r}" for key in client.scan_iter())

    def names(self) -> set[str]:
        """Give the names under which something is kept."""
        with redis.Redis.from_url(self.url, protocol=2) as client:
            return {bytes(key).decode() for key in client.scan_iter()}


def _value(client: "redis.Redis", key: str | bytes) -> object:
    kind = client.type(key)
    if kind == b"string":
        return client.get(key)
    if kind == b"hash":
        return client.hgetall(key)
    return client.lrange(key, 0, -1) if kind == b"list" else client.smembers(key)


def there_is_redis() -> bool:
    """Whether this machine has one."""
    return shutil.which("redis-server") is not None


@contextmanager
def redis_running(folder: Path, port: int = 0) -> Iterator[Redis]:
    """Start one that writes no files."""
    port = port or _free_port()
    options = {"port": port, "bind": "127.0.0.1", "dir": folder, "save": "", "appendonly": "no"}
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    command = ["redis-server", *words]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            _wait_for(port)
            yield Redis(f"redis://127.0.0.1:{port}/0", process)
        finally:
            process.kill()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])


def _wait_for(port: int) -> None:
    until = time.monotonic() + 10
    while not _listens(port):
        assert time.monotonic() < until, "Redis does not start"
        time.sleep(0.02)


def _listens(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0
