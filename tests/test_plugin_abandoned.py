"""An answer that nobody reads to its end is not paid for any longer: the connection closes."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import llm

from tests.prompting import MODEL, chunk, xai_answering
from tests.raw_server import stream


@contextmanager
def answering_without_end() -> Iterator[threading.Event]:
    """Say "one" and no more; the event is set when the client closes the connection."""
    closed = threading.Event()

    def answer(connection: socket.socket) -> None:
        head, event, _ = stream(chunk(content="one"))
        connection.sendall(head + event)
        if connection.recv(1) == b"":
            closed.set()

    with xai_answering(answer):
        yield closed


def test_the_connection_is_closed_when_an_answer_is_abandoned():
    with answering_without_end() as closed:
        texts = iter(llm.get_model(MODEL).prompt("Hello"))
        first = next(texts)
        del texts

        assert first == "one"
        assert closed.wait(30)


def test_the_connection_is_closed_when_an_async_answer_is_abandoned():
    async def abandon() -> str:
        events: Any = llm.get_async_model(MODEL).prompt("Hello").astream_events()
        first = await anext(events)
        await events.aclose()
        return str(first.chunk)

    with answering_without_end() as closed:
        assert asyncio.run(abandon()) == "one"
        assert closed.wait(30)


def test_the_connection_is_closed_when_the_task_that_reads_is_cancelled():
    async def read(heard: asyncio.Event) -> None:
        async for _ in llm.get_async_model(MODEL).prompt("Hello"):
            heard.set()

    async def give_up() -> bool:
        heard = asyncio.Event()
        task = asyncio.ensure_future(read(heard))
        await heard.wait()
        task.cancel()
        await asyncio.wait([task])
        return task.cancelled()

    with answering_without_end() as closed:
        assert asyncio.run(give_up())
        assert closed.wait(30)
