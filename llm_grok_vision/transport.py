"""The only module of the plugin with a socket: one request out, the answer's events in.

The sync and the async half differ by `await` alone; what could be wrong is in the
functions that both call. An answer that fails before its first event is tried again:
on 429, on 5xx and when the connection fails, ATTEMPTS times in all.
"""

import logging
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from contextlib import AsyncExitStack, ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

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
from .refusals import api_error

ATTEMPTS = 3
LONGEST_WAIT = 60.0
BACKOFF = tenacity.wait_exponential(multiplier=0.5, max=8.0) + tenacity.wait_random(0, 0.5)

# Reading may take long while a model thinks; a silence longer than this is a stall.
TIMEOUT = httpx2.Timeout(connect=10.0, read=600.0, write=120.0, pool=10.0)

_logger = logging.getLogger("llm_grok_vision")

_Client = TypeVar("_Client", httpx2.Client, httpx2.AsyncClient)


@dataclass(frozen=True)
class Call:
    """One request: where to, with which key, and the body as JSON; printing it shows neither."""

    url: str
    key: str = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def headers(self) -> dict[str, str]:
        """The headers to send; the key stands nowhere else."""
        return {"authorization": f"Bearer {self.key}", "content-type": "application/json"}


def events(call: Call) -> Generator[str, None, None]:
    """Yield the data of each event; an answer that is not streamed is one event.

    Raises an ApiError for a refusal and a ConnectionFailed where no answer came.
    """
    for attempt in tenacity.Retrying(**_POLICY):
        with attempt, ExitStack() as stack:
            with _translated(call):
                client = stack.enter_context(_client(httpx2.Client))
                answer = stack.enter_context(_request(client, call))
                if not _is_stream(answer):
                    answer.read()
                    _raise_refusal(answer, call)
                data = _data(answer)
                first = next(data, None)
            kept = stack.pop_all()
    with kept, _translated(call):
        if first is not None:
            yield first
            yield from data


async def async_events(call: Call) -> AsyncGenerator[str, None]:
    """Yield the data of each event, as `events` does."""
    async for attempt in tenacity.AsyncRetrying(**_POLICY):
        with attempt:
            async with AsyncExitStack() as stack:
                with _translated(call):
                    client = await stack.enter_async_context(_client(httpx2.AsyncClient))
                    answer = await stack.enter_async_context(_request(client, call))
                    if not _is_stream(answer):
                        await answer.aread()
                        _raise_refusal(answer, call)
                    data = _async_data(answer)
                    first = await anext(data, None)
                kept = stack.pop_all()
    async with kept:
        with _translated(call):
            if first is not None:
                yield first
                async for item in data:
                    yield item


def _client(kind: type[_Client]) -> _Client:
    """Make a client; that reads the machine's settings for proxies and certificates."""
    try:
        return kind(timeout=TIMEOUT)
    except (ValueError, ImportError, OSError) as error:
        raise InvalidSetting(
            f"The proxy or certificate settings of this machine cannot be used: {error}."
        ) from None


def _request(client: Any, call: Call) -> Any:
    if (httpx2.URL(call.url).port or 0) > 65535:
        raise httpx2.InvalidURL("no port is that high")
    return client.stream("POST", call.url, headers=call.headers, content=call.body)


def _is_stream(answer: httpx2.Response) -> bool:
    media_type = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    return answer.status_code == 200 and media_type == "text/event-stream"


def _raise_refusal(answer: httpx2.Response, call: Call) -> None:
    """Raise the error that an answer is, unless it is a completion."""
    body = answer.text
    if answer.status_code == 200 and '"choices"' in body:
        return
    error = api_error(answer.status_code, body, call.key)
    error.retry_after = _retry_after(answer)
    raise error


def _retry_after(answer: httpx2.Response) -> float | None:
    """Read Retry-After in seconds; a date, which xAI was never seen to send, is ignored."""
    try:
        return max(0.0, float(answer.headers["retry-after"]))
    except (KeyError, ValueError):
        return None


def _data(answer: httpx2.Response) -> Iterator[str]:
    if not _is_stream(answer):
        yield answer.text
        return
    for event in httpx2.EventSource(answer):
        yield event.data


async def _async_data(answer: httpx2.Response) -> AsyncIterator[str]:
    if not _is_stream(answer):
        yield answer.text
        return
    async for event in httpx2.EventSource(answer):
        yield event.data


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
            return TimedOut(f"{where} did not answer in {TIMEOUT.connect:.0f} seconds.")
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
    return isinstance(error, ConnectionFailed)


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
