"""The only module of the plugin that talks to xAI: one request out, the answer or its events in.

The sync and the async half differ by `await` alone; what could be wrong is in the
functions that both call. An answer that fails before its first token is tried again:
on 429, on 5xx and when the connection fails, ATTEMPTS times in all. What waited in vain
for an answer is not: the next silence would be as long.
"""

import asyncio
import functools
import json
import logging
import os
import ssl
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import httpx2
import tenacity

from .errors import (
    ApiError,
    ConnectionFailed,
    GrokError,
    InvalidSetting,
    RateLimited,
    ServerError,
    StreamInterrupted,
    TimedOut,
)
from .refusals import api_error, not_expected, refusal_in

if TYPE_CHECKING:
    from typing_extensions import Self

ATTEMPTS = 3
LONGEST_WAIT = 60.0
BACKOFF = tenacity.wait_exponential(multiplier=0.5, max=8.0) + tenacity.wait_random(0, 0.5)

# Reading may take long while a model thinks; a silence longer than this is a stall.
TIMEOUT = httpx2.Timeout(connect=10.0, read=600.0, write=120.0, pool=10.0)

_NO_BEGINNING = "xAI's answer ended before it had begun."

# What every answer holds, and no error does: of chat completions, and of responses.
_MARKS = ('"choices"', '"output"')

_logger = logging.getLogger("llm_grok_vision")

_Client = TypeVar("_Client", httpx2.Client, httpx2.AsyncClient)
_Value = TypeVar("_Value")


@dataclass(frozen=True)
class Call:
    """One request: where to, with which key, and the body as JSON; printing it shows neither."""

    url: str
    key: str = field(repr=False)
    body: bytes = field(default=b"", repr=False)
    method: str = "POST"

    @property
    def headers(self) -> dict[str, str]:
        """The headers to send; the key stands nowhere else."""
        typed = {"content-type": "application/json"} if self.body else {}
        return {"authorization": f"Bearer {self.key}", **typed}


def exchange(call: Call) -> Any:
    """Send a request whose answer is JSON and no stream, and give the answer decoded.

    Tried again, and refused, as an `Answer` is. An answer without a body is None.
    """
    return again_if_it_may_pass(lambda: exchange_once(call))


def again_if_it_may_pass(attempt: Callable[[], _Value]) -> _Value:
    """Try something as often, and after the same failures, as an `Answer` is tried."""
    return tenacity.Retrying(**_POLICY)(attempt)


def exchange_once(call: Call) -> Any:
    """Do what `exchange` does, without trying again."""
    with _translated(call), _client(httpx2.Client) as client:
        answer = client.send(_request(client, call))
    if not answer.is_success:
        raise _refusal(answer, call)
    if not answer.content:
        return None
    try:
        decoded = json.loads(answer.content)
    except (ValueError, RecursionError):
        raise not_expected(answer.status_code, "JSON") from None
    if refusal_in(decoded):
        raise _refusal(answer, call)
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
        for attempt in tenacity.Retrying(**_POLICY):
            with attempt:
                self._open()
        return self

    def _open(self) -> None:
        with _translated(self._call), ExitStack() as stack:
            client = stack.enter_context(_client(httpx2.Client))
            self._response = client.send(_request(client, self._call), stream=True)
            stack.callback(self._response.close)
            self._receive()
            self._kept = stack.pop_all()

    def _receive(self) -> None:
        """Wait for the first token, or for the whole of an answer that is not streamed."""
        self._head.clear()
        if not _is_stream(self._response):
            self._response.read()
            self._head.append(_completion(self._response, self._call))
            return
        self._events = iter(httpx2.EventSource(self._response))
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
        with _translated(self._call):
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
        async for attempt in tenacity.AsyncRetrying(**_POLICY):
            with attempt:
                await self._open()
        return self

    async def _open(self) -> None:
        with _translated(self._call):
            async with AsyncExitStack() as stack:
                client = await stack.enter_async_context(_client(httpx2.AsyncClient))
                self._response = await client.send(_request(client, self._call), stream=True)
                stack.push_async_callback(self._response.aclose)
                await self._receive()
                self._kept = stack.pop_all()

    async def _receive(self) -> None:
        self._head.clear()
        if not _is_stream(self._response):
            await self._response.aread()
            self._head.append(_completion(self._response, self._call))
            return
        self._events = aiter(httpx2.EventSource(self._response))
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
        with _translated(self._call):
            return (await anext(self._events)).data

    async def __aexit__(self, *error: object) -> None:
        await self._kept.aclose()


def _client(kind: type[_Client]) -> _Client:
    """Make a client; that reads the machine's settings for proxies and certificates."""
    try:
        certificates = _certificates(*map(os.environ.get, ("SSL_CERT_FILE", "SSL_CERT_DIR")))
        return kind(timeout=TIMEOUT, verify=certificates)
    except (ValueError, ImportError, OSError) as error:
        raise InvalidSetting(
            f"The proxy or certificate settings of this machine cannot be used: {error}."
        ) from None


@functools.cache
def _certificates(*_places: str | None) -> ssl.SSLContext:
    """Read the machine's certificates once: that takes longer than many a request.

    `_places` are the settings by which httpx2 finds them.
    """
    return httpx2.create_ssl_context()


def _request(client: httpx2.Client | httpx2.AsyncClient, call: Call) -> httpx2.Request:
    if (httpx2.URL(call.url).port or 0) > 65535:
        raise httpx2.InvalidURL("no port is that high")
    return client.build_request(call.method, call.url, headers=call.headers, content=call.body)


def _is_stream(answer: httpx2.Response) -> bool:
    media_type = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    return answer.status_code == 200 and media_type == "text/event-stream"


def _completion(answer: httpx2.Response, call: Call) -> str:
    """Give the text of an answer that is not streamed; raises the error that it is instead."""
    body = answer.text
    if answer.status_code == 200 and any(mark in body for mark in _MARKS):
        return body
    raise _refusal(answer, call)


def _refusal(answer: httpx2.Response, call: Call) -> ApiError:
    error = api_error(answer.status_code, answer.text, call.key)
    error.retry_after = _retry_after(answer)
    return error


def _retry_after(answer: httpx2.Response) -> float | None:
    """Read Retry-After in seconds; a date, which xAI was never seen to send, is ignored."""
    try:
        return max(0.0, float(answer.headers["retry-after"]))
    except (KeyError, ValueError):
        return None


@contextmanager
def _translated(call: Call) -> Iterator[None]:
    """Say what httpx2 raises in a sentence for the user, without its traceback."""
    try:
        yield
    except (httpx2.HTTPError, httpx2.InvalidURL, UnicodeError) as error:
        raise _sentence(error, call) from None


def _sentence(error: Exception, call: Call) -> GrokError:
    url = httpx2.URL(call.url) if not isinstance(error, httpx2.InvalidURL) else None
    where = f"{url.scheme}://{url.host}" + (f":{url.port}" if url.port else "") if url else ""
    match error:
        case httpx2.InvalidURL() | httpx2.UnsupportedProtocol() | UnicodeError():
            return InvalidSetting("XAI_API_BASE is not an address like https://api.x.ai/v1.")
        case httpx2.ConnectTimeout():
            return ConnectionFailed(f"{where} did not answer in {TIMEOUT.connect:.0f} seconds.")
        case httpx2.WriteTimeout():
            return TimedOut(f"{where} took nothing of the request for {TIMEOUT.write:.0f} seconds.")
        case httpx2.TimeoutException():
            return TimedOut(f"{where} fell silent for {TIMEOUT.read:.0f} seconds.")
        case httpx2.ConnectError():
            return ConnectionFailed(f"Could not connect to {where}: {error}.")
        case _:
            return StreamInterrupted(f"The connection to {where} broke: {error}.")


def _again(error: BaseException) -> bool:
    if isinstance(error, ApiError):
        wait = error.retry_after or 0.0
        return isinstance(error, RateLimited | ServerError) and wait <= LONGEST_WAIT
    return isinstance(error, ConnectionFailed) and not isinstance(error, TimedOut)


def _wait(state: tenacity.RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    asked = error.retry_after if isinstance(error, ApiError) else None
    return BACKOFF(state) if asked is None else asked


def _announce(state: tenacity.RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    reason = str(error).partition("\n")[0]
    _logger.warning("%s Trying again in %.1f s.", reason, state.upcoming_sleep)


_POLICY: dict[str, Any] = {
    "stop": tenacity.stop_after_attempt(ATTEMPTS),
    "retry": tenacity.retry_if_exception(_again),
    "wait": _wait,
    "before_sleep": _announce,
    "reraise": True,
}
