"""Several processes on one port: they share the work, end together, and are one with a state."""

import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import httpx2
import pytest

from tests.asking import BEARER, body, text
from tests.redis_server import redis_running, there_is_redis
from tests.running import MODULE, Running, run, running

pytestmark = pytest.mark.covers_processes

HELLO = body(text("Hello"))

# What is left behind by a clean stop.
CLEAN = (0, "", "")


def clients(server: Running, count: int, stack: ExitStack) -> list[httpx2.Client]:
    """Connect as many clients, each with a connection of its own."""
    made = [
        httpx2.Client(trust_env=False, verify=False, headers=BEARER, base_url=server.url)
        for _ in range(count)
    ]
    return [stack.enter_context(client) for client in made]


def children(pid: int) -> list[int]:
    """Give the processes that answer; multiprocessing has one more, which watches."""
    path = Path(f"/proc/{pid}/task/{pid}/children")
    return [
        int(child)
        for child in path.read_text().split()
        if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()
    ]


def is_running(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def has_begun(pid: int) -> bool:
    """Whether a process has loaded what the server is made of."""
    return b"msgspec" in Path(f"/proc/{pid}/maps").read_bytes()


def have_begun(count: int, pids: list[int]) -> bool:
    """Whether there are so many processes, and all have begun."""
    return len(pids) >= count and all(map(has_begun, pids))


def gone(pids: list[int]) -> bool:
    """Whether these processes are gone; waits for it a while."""
    until = time.monotonic() + 10
    while any(map(is_running, pids)) and time.monotonic() < until:
        time.sleep(0.02)
    return not any(map(is_running, pids))


def test_the_first_line_is_the_base_url_of_all():
    with running("--workers", "2") as server, ExitStack() as stack:
        (client,) = clients(server, 1, stack)
        answer = client.post("/chat/completions", json=HELLO)
        ended = server.stop(signal.SIGTERM)

    assert answer.status_code == 200
    assert ended == CLEAN


def test_connections_are_shared_out():
    with running("--workers", "2") as server, ExitStack() as stack:
        asking = clients(server, 24, stack)
        for client in asking:
            assert client.post("/chat/completions", json=HELLO).status_code == 200
        # Each process keeps a journal of its own.
        totals = [client.get("../_fake/requests").json()["total"] for client in asking]

    by_worker = Counter(totals)
    assert sum(by_worker.keys()) == 24 or by_worker == {12: 24}
    assert max(totals) < 24


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["INT", "TERM"])
def test_a_signal_ends_all_of_them(number):
    with running("--workers", "3") as server:
        workers = children(server.process.pid)
        ended = server.stop(number)

    assert ended == CLEAN
    assert len(workers) == 3
    assert gone(workers)


def test_all_end_when_one_is_killed():
    with running("--workers", "3") as server:
        workers = children(server.process.pid)
        os.kill(workers[1], signal.SIGKILL)
        out, err = server.process.communicate(timeout=30)

    assert (server.process.returncode, out) == (1, "")
    assert err == "fake_server: a worker has ended, and with it all others\n"
    assert gone(workers)


@contextmanager
def starting(
    count: int, scenario: Path | None = None, *, at_the_first: bool = False
) -> Iterator[tuple["subprocess.Popen[str]", list[int]]]:
    """Give a server in a session of its own, and its workers, which know what they are to do.

    They do not listen yet if there is a `scenario`, a pipe: each waits for somebody to write into it.
    `at_the_first` worker, the others are still to be started.
    """
    pipe = subprocess.PIPE
    named = ("--scenario", str(scenario)) if scenario else ()
    command = (*MODULE, "--workers", str(count), *named)
    with subprocess.Popen(
        command, stdout=pipe, stderr=pipe, text=True, start_new_session=True
    ) as process:
        if scenario:
            # Who starts them reads it first.
            scenario.write_text("rules: []")
        ready: Callable[[list[int]], bool] = bool if at_the_first else partial(have_begun, count)
        while not ready(workers := children(process.pid)):
            time.sleep(0.001)
        try:
            yield process, workers
        finally:
            process.kill()


@pytest.fixture
def unwritten(tmp_path: Path) -> Path:
    """Give a scenario that whoever reads it waits for."""
    scenario = tmp_path / "scenario.yaml"
    os.mkfifo(scenario)
    return scenario


def test_all_end_when_one_is_killed_before_it_listens(unwritten):
    with starting(2, unwritten) as (process, workers):
        # The other one waits on.
        os.kill(workers[1], signal.SIGKILL)
        out, err = process.communicate(timeout=30)

    assert (process.returncode, out) == (1, "")
    assert err == "fake_server: a worker has ended, and with it all others\n"
    assert gone(workers)


def test_all_end_without_a_word_on_ctrl_c_before_they_listen(unwritten):
    with starting(2, unwritten) as (process, workers):
        # As a terminal does: to all of them.
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=30)

    assert (process.returncode, out, err) == (130, "", "")
    assert gone(workers)


def test_all_end_without_a_word_on_ctrl_c_while_some_are_not_even_started(unwritten):
    with starting(8, unwritten, at_the_first=True) as (process, workers):
        os.kill(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=30)

    assert (process.returncode, out, err) == (130, "", "")
    assert gone(workers)


def test_a_worker_hears_of_ctrl_c_from_who_started_it_alone():
    with running("--workers", "2") as server, ExitStack() as stack:
        for worker in children(server.process.pid):
            os.kill(worker, signal.SIGINT)
        asked = [
            client.post("/chat/completions", json=HELLO) for client in clients(server, 20, stack)
        ]
        ended = server.stop(signal.SIGTERM)

    assert [answer.status_code for answer in asked] == [200] * 20
    assert ended == CLEAN


def test_workers_whose_starter_ends_before_they_listen_end_without_a_word():
    with starting(2) as (process, workers):
        process.terminate()
        _, err = process.communicate(timeout=30)

    assert err == ""
    assert gone(workers)


def test_all_end_when_who_started_them_is_killed():
    with running("--workers", "2") as server:
        workers = children(server.process.pid)
        server.process.kill()
        server.process.wait()

        assert gone(workers)


def test_an_answer_on_its_way_finishes():
    with running("--workers", "2") as server, ExitStack() as stack:
        (client,) = clients(server, 1, stack)
        question = {**HELLO, "stream": True, "n": 128}
        with client.stream("POST", "/chat/completions", json=question) as answer:
            lines = answer.iter_lines()
            next(lines)
            server.process.send_signal(signal.SIGTERM)
            rest = [*lines]
        server.process.communicate(timeout=30)

    assert "data: [DONE]" in rest


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--workers", "0"], "workers are from 1 to 256, not 0"),
        (["--workers", "many"], "workers are from 1 to 256, not many"),
        (["--workers", "2", "--era", "1999-01"], "era is a month from"),
        (["--workers", "2", "--record", "cassettes"], "--record takes no --workers"),
        (
            ["--state", "memcached://localhost"],
            "state is an address such as redis://localhost:6379",
        ),
        (
            ["--state", "redis://me:secret@127.0.0.1:1/0"],
            "the state at redis://127.0.0.1:1/0 can't be used",
        ),
        (
            ["--workers", "2", "--state", "redis://127.0.0.1:1/0"],
            "the state at redis://127.0.0.1:1",
        ),
    ],
)
def test_what_is_wrong_is_said_once(options, problem):
    ended = run(*options)

    assert ended.returncode in (1, 2)
    assert ended.stdout == ""
    assert ended.stderr.count(problem) == 1
    assert "Traceback" not in ended.stderr
    assert "secret" not in ended.stderr


@pytest.mark.skipif(not there_is_redis(), reason="there is no redis-server")
def test_with_a_state_they_are_one_server(tmp_path):
    with redis_running(tmp_path) as redis, ExitStack() as stack:
        server = stack.enter_context(running("--workers", "2", "--state", redis.url))
        asking = clients(server, 12, stack)
        script = {"rules": [{"reply": "Once.", "times": 1}]}
        asking[0].put("../_fake/scenario", json=script).raise_for_status()
        answers = [client.post("/chat/completions", json=HELLO).json() for client in asking]
        totals = {client.get("../_fake/requests").json()["total"] for client in asking}

    said = [answer["choices"][0]["message"]["content"] for answer in answers]
    assert said.count("Once.") == 1
    assert totals == {12}
