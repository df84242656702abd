"""Answers that are ready in the same turn of the loop leave together, and none is left behind."""

import asyncio
from contextlib import suppress
from typing import Any, cast

import pytest

from fake_server import FakeServer
from fake_server.delivery import AT_ONCE, Receive, Scope, Send
from fake_server.front import Front
from fake_server.listening import listener, listening
from fake_server.outbox import ByOutbox, Outbox
from tests.sockets import connected, question, read_all, reset

CLIENTS, EACH = 16, 50

# Of which one is not answered: an answer waits only while others are on their way.
CONNECTIONS = 2

# More than a socket takes at once: it has to be waited for, too.
LATE = b"late" * 4_000_000


class Turn:
    """A loop that stands still: what is to be done at its next turn, and the time."""

    def __init__(self) -> None:
        self.next: list[Any] = []
        self.now = 0.0

    def time(self) -> float:
        return self.now

    def call_soon(self, callback: Any) -> None:
        self.next.append(callback)


class Desk:
    """An outbox in a turn, and the names of the answers that were written."""

    def __init__(self) -> None:
        self.turn = Turn()
        self.outbox = Outbox(cast("asyncio.AbstractEventLoop", self.turn))
        self.written: list[str] = []

    def put(self, *names: str) -> None:
        for name in names:
            self.outbox.put(self.written.append, name)


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_answers_wait_for_the_end_of_the_turn(desk: Desk) -> None:
    desk.put("first", "second")
    assert desk.written == []
    assert len(desk.outbox) == 2


def test_answers_are_written_in_the_order_in_which_they_were_ready(desk: Desk) -> None:
    desk.put("first", "second")
    for callback in desk.turn.next:
        callback()
    assert desk.written == ["first", "second"]
    assert len(desk.outbox) == 0


def test_a_turn_is_asked_for_once_for_all_answers_that_it_writes(desk: Desk) -> None:
    desk.put("first", "second")
    assert len(desk.turn.next) == 1


def test_answers_that_have_waited_enough_are_written_before_the_turn_ends(desk: Desk) -> None:
    desk.put("first")
    desk.turn.now = 0.0011
    desk.put("second")
    assert desk.written == ["first", "second"]


def test_the_answers_behind_those_that_had_waited_enough_wait_anew(desk: Desk) -> None:
    desk.put("first")
    desk.turn.now = 0.0011
    desk.put("second", "third")
    assert desk.written == ["first", "second"]
    assert len(desk.turn.next) == 2


def test_many_clients_at_once_get_every_answer(grok_server: FakeServer) -> None:
    asked = question() * (EACH - 1) + question("connection: close")
    clients = [connected(grok_server) for _ in range(CLIENTS)]
    for client in clients:
        client.sendall(asked)
    answers = [read_all(client) for client in clients]
    for client in clients:
        client.close()
    assert [answer.count(b"HTTP/1.1 200") for answer in answers] == [EACH] * CLIENTS
    assert [answer.count(b"\r\n0\r\n\r\n") for answer in answers] == [EACH] * CLIENTS


class Paper:
    """A transport that notes what is done with it."""

    def __init__(self) -> None:
        self.done: list[str] = []

    def write(self, data: bytes) -> None:
        self.done.append(data.decode())

    def close(self) -> None:
        self.done.append("close")

    def abort(self) -> None:
        self.done.append("abort")

    def is_closing(self) -> bool:
        return "close" in self.done


@pytest.fixture
def paper() -> Paper:
    return Paper()


def by_outbox(paper: Paper, desk: Desk, others: int = 2) -> ByOutbox:
    return ByOutbox(cast("asyncio.Transport", paper), desk.outbox, range(others))


def test_who_is_alone_is_answered_at_once(paper: Paper, desk: Desk) -> None:
    by_outbox(paper, desk, others=1).write(b"answer")
    assert paper.done == ["answer"]


def test_who_is_not_alone_is_answered_with_others(paper: Paper, desk: Desk) -> None:
    by_outbox(paper, desk, others=2).write(b"answer")
    assert paper.done == []
    desk.outbox.empty()
    assert paper.done == ["answer"]


def test_nothing_overtakes_what_waits(paper: Paper, desk: Desk) -> None:
    by_outbox(paper, desk, others=2).write(b"first")
    by_outbox(paper, desk, others=1).write(b"second")
    desk.outbox.empty()
    assert paper.done == ["first", "second"]


@pytest.mark.parametrize("others", [1, 2])
def test_nothing_is_written_to_a_client_that_is_gone(paper: Paper, desk: Desk, others: int) -> None:
    transport = by_outbox(paper, desk, others)
    paper.close()
    transport.write(b"answer")
    desk.outbox.empty()
    assert paper.done == ["close"]


@pytest.mark.parametrize("end", ["close", "abort"])
def test_a_connection_ends_behind_what_was_written(paper: Paper, desk: Desk, end: str) -> None:
    transport = by_outbox(paper, desk)
    transport.write(b"answer")
    getattr(transport, end)()
    desk.outbox.empty()
    assert paper.done == ["answer", end]


@pytest.mark.parametrize("others", [1, 2])
def test_a_connection_that_is_going_to_close_is_closing(
    paper: Paper, desk: Desk, others: int
) -> None:
    transport = by_outbox(paper, desk, others)
    transport.write(b"answer")
    assert not transport.is_closing()
    transport.close()
    assert transport.is_closing()


def test_a_connection_that_is_closed_by_its_client_is_closing(paper: Paper, desk: Desk) -> None:
    transport = by_outbox(paper, desk)
    paper.close()
    assert transport.is_closing()


class LastMoment:
    """An application whose answer is ready in the very turn in which the server looks whether it may stop."""

    def __init__(self) -> None:
        self.app = self
        self.answers: list[Any] = []
        self.all_asked = asyncio.Event()

    async def __call__(self, scope: Scope, _receive: Receive, _send: Send) -> None:
        self.answers.append(scope["state"][AT_ONCE])
        if len(self.answers) == CONNECTIONS:
            self.all_asked.set()
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()

    @property
    def answering(self) -> int:
        if self.answers:
            self.answers.pop()(200, [(b"content-length", b"%d" % len(LATE))], LATE)
            self.answers.clear()
        return 0


async def _ask_and_stop() -> bytes:
    app = LastMoment()
    with listener("127.0.0.1", 0) as door:
        async with listening(cast("Front", app), door, patience=5):
            address = door.getsockname()
            lines = [await asyncio.open_connection(*address) for _ in range(CONNECTIONS)]
            for _, writer in lines:
                writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
            await app.all_asked.wait()
            reading = asyncio.gather(*[reader.read() for reader, _ in lines])
        read = await reading
        for _, writer in lines:
            writer.close()
    return b"".join(read)


def test_an_answer_that_waits_to_be_written_is_not_lost_when_the_server_stops() -> None:
    assert asyncio.run(_ask_and_stop()).endswith(LATE)


def test_a_client_that_is_gone_before_its_answer_is_written_takes_none_from_others(
    grok_server: FakeServer,
) -> None:
    gone = [connected(grok_server) for _ in range(CLIENTS)]
    for client in gone:
        client.sendall(question())
        reset(client)
    with connected(grok_server) as client:
        client.sendall(question("connection: close"))
        assert read_all(client).startswith(b"HTTP/1.1 200")
