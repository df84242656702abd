"""Many clients at once, and those that vanish: everybody else is answered, and nothing grows."""

import asyncio
import gc
import socket
import time
from contextlib import ExitStack

import httpx2
import pytest
from uvicorn.protocols.http.zttp_impl import ZttpProtocol

from fake_server import FakeServer
from tests.asking import BEARER, body, post
from tests.sockets import connected, error_of, question, reset


@pytest.fixture
def slow(grok_server: FakeServer) -> FakeServer:
    """Answer in a stream that takes a while."""
    grok_server.when(stream=True).reply("word " * 20, fault={"per_token": 0.01})
    return grok_server


def test_two_hundred_streams_at_once_all_come_to_their_end(slow):
    async def ask(client: httpx2.AsyncClient) -> str:
        answer = await client.post("/chat/completions", json=body(stream=True), headers=BEARER)
        return answer.text

    async def ask_all() -> list[str]:
        limits = httpx2.Limits(max_connections=200)
        async with httpx2.AsyncClient(
            base_url=slow.url, trust_env=False, limits=limits, timeout=60
        ) as client:
            return await asyncio.gather(*(ask(client) for _ in range(200)))

    answers = asyncio.run(ask_all())

    assert len(answers) == 200
    assert all(answer.endswith("data: [DONE]\n\n") for answer in answers)
    assert len(set(answers)) == 1


@pytest.fixture
def many_files():
    resource = pytest.importorskip("resource", reason="this system has no limit to raise")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # Each connection has an end here and one in the server.
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 4096), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("many_files")
def test_a_thousand_idle_connections_keep_nobody_from_an_answer(grok_server):
    with ExitStack() as stack:
        for _ in range(1000):
            stack.enter_context(connected(grok_server))

        assert post(grok_server, body()).status_code == 200


@pytest.mark.parametrize("leave", [reset, socket.socket.close], ids=["reset", "close"])
@pytest.mark.parametrize("when", ["before", "in-the-head", "in-the-body", "in-the-stream"])
def test_clients_that_vanish_are_forgotten(slow, caplog, leave, when):
    whole = question(stream=True)
    sent = {"before": b"", "in-the-head": whole[:40], "in-the-body": whole[:-9]}.get(when, whole)
    for _ in range(20):
        connection = connected(slow)
        connection.sendall(sent)
        if when == "in-the-stream":
            assert connection.recv(64)
        leave(connection)

    assert post(slow, body(stream=True)).text.endswith("data: [DONE]\n\n")
    assert caplog.messages == []


@pytest.mark.parametrize("leave", [reset, socket.socket.close], ids=["reset", "close"])
def test_nothing_is_kept_of_a_client_that_vanishes_behind_its_answer(grok_server, leave):
    before = _connections()
    connection = connected(grok_server)
    connection.sendall(question())
    assert connection.recv(65536).startswith(b"HTTP/1.1 200")
    leave(connection)

    until = time.monotonic() + 10
    while _connections() > before and time.monotonic() < until:
        time.sleep(0.01)
    assert _connections() <= before


def _connections() -> int:
    """Count what servers of this process know of connections, open or not."""
    gc.collect()
    return sum(isinstance(thing, ZttpProtocol) for thing in gc.get_objects())


@pytest.mark.parametrize("fault", [{"first_token": 60}, {"per_token": 60}], ids=["first", "next"])
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_an_answer_that_waits_ends_when_nobody_waits_for_it(grok_server, fault, stream):
    grok_server.reply("one two", fault=fault)
    with connected(grok_server) as connection:
        connection.sendall(question(stream=stream))
        # It is on its way when the next is there.
        post(grok_server, body())

    (gone, _) = grok_server.requests
    assert error_of(gone) == "The client went away before its answer was complete."
    assert grok_server.app.answering == 0


@pytest.mark.parametrize("ending", ["fin", "rst"])
@pytest.mark.parametrize("events", [0, 1])
def test_a_client_that_is_cut_off_has_not_gone_away(grok_server, ending, events):
    grok_server.reply("one two", fault={"after_events": events, "ending": ending})

    with pytest.raises(httpx2.HTTPError):
        post(grok_server, body(stream=True))

    post(grok_server, body())
    assert [log.error for log in grok_server.requests] == ["", ""]


def test_a_client_that_reads_late_gets_all_of_it(grok_server):
    grok_server.reply("word" + " word" * 999)
    with connected(grok_server) as connection:
        connection.sendall(question(stream=True, n=16))
        # Meanwhile what sockets hold is full, and the server waits; others do not.
        assert post(grok_server, body()).status_code == 200
        time.sleep(0.5)
        pieces = [connection.recv(1 << 20)]
        while not pieces[-1].endswith(b"0\r\n\r\n"):
            pieces.append(connection.recv(1 << 20))

    got = b"".join(pieces)
    assert got.count(b'"content":"word"') == 16
    assert got.count(b'"content":" word"') == 16 * 999


def test_a_client_that_writes_slowly_is_answered(grok_server):
    whole = question()
    with connected(grok_server) as connection:
        for at in range(0, len(whole), 7):
            connection.sendall(whole[at : at + 7])
        assert connection.recv(100).startswith(b"HTTP/1.1 200 OK")


def test_the_journal_does_not_grow_and_forgets_its_requests():
    with FakeServer() as server:
        server.requests.most = 50
        with httpx2.Client(base_url=server.url, trust_env=False, headers=BEARER) as client:
            for number in range(300):
                asked = {"model": "grok-4", "messages": [{"role": "user", "content": f"{number}"}]}
                client.post("/chat/completions", json=asked)
        gc.collect()
        kept = len(server.requests)

        assert server.requests.total == 300
        assert kept <= 50
        assert server.requests[-1].parts == ["299"]
