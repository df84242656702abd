"""The command and the open files that a system allows: each connection is one."""

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from urllib.parse import urlsplit

import httpx2
import pytest

from tests.asking import BEARER
from tests.running import MODULE, Running, running

pytestmark = [
    pytest.mark.covers_processes,
    pytest.mark.skipif(os.name != "posix", reason="ulimit is of Unix and its shells"),
]

FULL = "As many connections are open as this system allows (see `ulimit -n`); others wait."


def running_within(limit: str, *options: str) -> AbstractContextManager[Running]:
    """Start the command within a limit, in the words of ulimit."""
    command = ("sh", "-c", f'ulimit {limit} && exec "$@"', "sh", *MODULE)
    return running(*options, command=command)


@contextmanager
def idle(server: Running, count: int) -> Iterator[None]:
    """Hold so many connections that ask nothing."""
    address = urlsplit(server.url)
    connections = [
        socket.create_connection((address.hostname, address.port or 0)) for _ in range(count)
    ]
    try:
        yield
    finally:
        for connection in connections:
            connection.close()


def models(server: Running) -> httpx2.Response:
    return httpx2.get(f"{server.url}/models", headers=BEARER, timeout=30, trust_env=False)


@pytest.mark.parametrize("options", [(), ("--workers", "2")], ids=["one", "workers"])
def test_it_asks_for_as_many_connections_as_it_may_have(options):
    with running_within("-Sn 40", *options) as server:
        with idle(server, 200):
            assert models(server).status_code == 200
        assert server.stop(signal.SIGTERM) == (0, "", "")


def test_who_finds_no_room_waits_until_others_have_gone():
    with running_within("-n 40") as server:
        with idle(server, 100), pytest.raises(httpx2.ReadTimeout):
            httpx2.get(f"{server.url}/models", timeout=0.5, trust_env=False)

        assert models(server).status_code == 200
        code, out, err = server.stop(signal.SIGTERM)

    assert (code, out) == (0, "")
    assert set(err.splitlines()) == {FULL}
