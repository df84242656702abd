"""The only module of the plugin that talks to xAI: one request out, the answer or its events in.

The sync and the async half differ by `await` alone; what could be wrong is in the
functions that both call. An answer that fails before its first token is tried again, as
`retries` says.
"""

import asyncio
import json
from collections import deque
from collections.abc import Callable
from contextlib import AsyncExitStack, ExitStack, closing
from typing import TYPE_CHECKING, Any

import httpx2
import tenacity

from .connection import (
    LONGEST,
    Call,
    aread_whole,
    build_request,
    make_client,
    read_whole,
    refusal,
    translated,
)
from .errors import ApiError, StreamInterrupted
from .refusals import not_expected, refusal_in
from .retries import POLICY, again_if_it_may_pass

if TYPE_CHECKING:
    from typing_extensions import Self

_NO_BEGINNING = "xAI's answer ended before it had begun."

# What every answer holds, and no error does: of chat completions, and of responses.
_MARKS = ('"choices"', '"output"')
_ERROR = '"error"'


def exchange(call: Call) -> Any:
    """Send a request whose answer is JSON and no stream, and give the answer decoded.

    Tried again, and refused, as an `Answer` is. An answer without a body is None.
    """
    return again_if_it_may_pass(lambda: exchange_once(call))


def exchange_once(call: Call) -> Any:
    """Do what `exchange` does, without trying again."""
    with translated(call), make_client(httpx2.Client) as client:
        arriving = client.send(build_request(client, call), stream=True)
        with closing(arriving):
            answer = read_whole(arriving)
    if not answer.is_success:
        raise refusal(answer, call)
    if not answer.content:
        return None
    try:
        decoded = json.loads(answer.content)
    except (ValueError, RecursionError):
        raise not_expected(answer.status_code, "JSON") from None
    if refusal_in(decoded):
        raise refusal(answer, call)
    return decoded


Otherwise = Callable[[ApiError], Call]


class Answer:
    """An answer as it arrives: iterate for the data of each event, inside of `with`.

    An answer that is not streamed is one event. `begins` tells of an event's data whether
    it holds a first token, and raises the ApiError that it is; until then a failure is
    tried again. `otherwise` is handed a refusal, and gives the call to make instead or
    raises. Raises an ApiError for a refusal, a ConnectionFailed where no answer came.
    """

    def __init__(self, call: Call, begins: Callable[[str], bool], otherwise: Otherwise) -> None:
        self._call = call
        self._begins = begins
        self._otherwise = otherwise
        self._head: deque[str] = deque()

    def __enter__(self) -> "Self":
        while True:
            try:
                return self._try()
            except ApiError as error:  # noqa: PERF203 (nothing beside a request)
                self._call = self._otherwise(error)

    def _try(self) -> "Self":
        for attempt in tenacity.Retrying(**POLICY):
            with attempt:
                self._open()
        return self

    def _open(self) -> None:
        with translated(self._call), ExitStack() as stack:
            client = stack.enter_context(make_client(httpx2.Client))
            self._response = client.send(build_request(client, self._call), stream=True)
            stack.callback(self._response.close)
            self._receive()
            self._kept = stack.pop_all()

    def _receive(self) -> None:
        """Wait for the first token, or for the whole of an answer that is not streamed."""
        self._head.clear()
        if not _is_stream(self._response):
            self._head.append(_completion(read_whole(self._response), self._call))
            return
        self._events = iter(httpx2.EventSource(self._response, LONGEST))
        for event in self._events:
            self._head.append(event.data)
            if self._begins(event.data):
                return
        raise StreamInterrupted(_NO_BEGINNING)

    def __iter__(self) -> "Self":
        return self

    def __next__(self) -> str:
        if self._head:
            return self._head.popleft()
        if not _is_stream(self._response):
            raise StopIteration
        with translated(self._call):
            return next(self._events).data

    def __exit__(self, *error: object) -> None:
        self._kept.close()


class AsyncAnswer:
    """An answer as it arrives, as `Answer` is, for asyncio."""

    def __init__(self, call: Call, begins: Callable[[str], bool], otherwise: Otherwise) -> None:
        self._call = call
        self._begins = begins
        self._otherwise = otherwise
        self._head: deque[str] = deque()

    async def __aenter__(self) -> "Self":
        while True:
            try:
                return await self._try()
            except ApiError as error:  # noqa: PERF203 (nothing beside a request)
                self._call = await asyncio.to_thread(self._otherwise, error)

    async def _try(self) -> "Self":
        async for attempt in tenacity.AsyncRetrying(**POLICY):
            with attempt:
                await self._open()
        return self

    async def _open(self) -> None:
        with translated(self._call):
            async with AsyncExitStack() as stack:
                client = await stack.enter_async_context(make_client(httpx2.AsyncClient))
                self._response = await client.send(build_request(client, self._call), stream=True)
                stack.push_async_callback(self._response.aclose)
                await self._receive()
                self._kept = stack.pop_all()

    async def _receive(self) -> None:
        self._head.clear()
        if not _is_stream(self._response):
            self._head.append(_completion(await aread_whole(self._response), self._call))
            return
        self._events = aiter(httpx2.EventSource(self._response, LONGEST))
        async for event in self._events:
            self._head.append(event.data)
            if self._begins(event.data):
                return
        raise StreamInterrupted(_NO_BEGINNING)

    def __aiter__(self) -> "Self":
        return self

    async def __anext__(self) -> str:
        if self._head:
            return self._head.popleft()
        if not _is_stream(self._response):
            raise StopAsyncIteration
        with translated(self._call):
            return (await anext(self._events)).data

    async def __aexit__(self, *error: object) -> None:
        await self._kept.aclose()


def _is_stream(answer: httpx2.Response) -> bool:
    media_type = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    return answer.status_code == 200 and media_type == "text/event-stream"


def _completion(answer: httpx2.Response, call: Call) -> str:
    """Give the text of an answer that is not streamed; raises the error that it is instead."""
    body = answer.text
    if answer.status_code == 200 and any(mark in body for mark in _MARKS):
        return body
    if answer.is_success and _ERROR not in body:
        raise not_expected(answer.status_code, "what a model says", body, call.key)
    raise refusal(answer, call)
