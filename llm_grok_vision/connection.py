"""One request to xAI as httpx2 sends it, and httpx2's errors as sentences for the user."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

import httpx2

from .body import Body
from .errors import (
    ApiError,
    ConnectionFailed,
    GrokError,
    InvalidAddress,
    InvalidSetting,
    StreamInterrupted,
    TimedOut,
)
from .names import shown_reason
from .refusals import api_error
from .trust import certificates

# Reading may take long while a model thinks; a silence longer than this is a stall.
TIMEOUT = httpx2.Timeout(connect=10.0, read=600.0, write=120.0, pool=10.0)

# Bytes of an answer that is no stream, or of an event of one, and of a refusal: what is longer has no
# end, or was packed to become too much.
LONGEST, _LONGEST_REFUSAL = 64 * 1024**2, 1024**2

_Client = TypeVar("_Client", httpx2.Client, httpx2.AsyncClient)


@dataclass(frozen=True)
class Call:
    """One request: where to, with which key, and the body as JSON; printing it shows neither."""

    url: str
    key: str = field(repr=False)
    body: bytes | Body = field(default=b"", repr=False)
    method: str = "POST"

    @property
    def headers(self) -> dict[str, str]:
        """The headers to send; the key stands nowhere else."""
        typed = {"content-type": "application/json"} if self.body else {}
        return {"authorization": f"Bearer {self.key}", **typed}


def make_client(kind: type[_Client]) -> _Client:
    """Make a client; that reads the machine's settings for proxies and certificates."""
    with _usable_settings():
        return kind(timeout=TIMEOUT, verify=certificates())


def read_certificates() -> None:
    """Read the machine's certificates, if nobody has yet; raises InvalidSetting."""
    with _usable_settings():
        certificates()


@contextmanager
def _usable_settings() -> Iterator[None]:
    try:
        yield
    except (httpx2.InvalidURL, ValueError, ImportError, OSError) as error:
        # What is no address may have a password in it.
        is_address = isinstance(error, httpx2.InvalidURL)
        problem = "the address of a proxy is none" if is_address else str(error).rstrip(".")
        raise InvalidSetting(
            f"The proxy or certificate settings of this machine cannot be used: {problem}."
        ) from None


def build_request(client: httpx2.Client | httpx2.AsyncClient, call: Call) -> httpx2.Request:
    """Build the request; raises InvalidURL for an address that httpx2 takes and nobody has."""
    if (httpx2.URL(call.url).port or 0) > 65535:
        raise httpx2.InvalidURL("no port is that high")
    if not isinstance(call.body, Body):
        return client.build_request(call.method, call.url, headers=call.headers, content=call.body)
    headers = {**call.headers, "content-length": str(len(call.body))}
    request = client.build_request(call.method, call.url, headers=headers)
    request.stream = call.body
    return request


def read_whole(answer: httpx2.Response) -> httpx2.Response:
    """Read an answer that is no stream, as far as anything that long is one."""
    body = bytearray()
    for piece in answer.iter_bytes():
        body += piece
        if len(body) > _most(answer):
            break
    return _with_body(answer, body)


async def aread_whole(answer: httpx2.Response) -> httpx2.Response:
    """Read an answer, as `read_whole` does, for asyncio."""
    body = bytearray()
    async for piece in answer.aiter_bytes():
        body += piece
        if len(body) > _most(answer):
            break
    return _with_body(answer, body)


def _most(answer: httpx2.Response) -> int:
    return LONGEST if answer.is_success else _LONGEST_REFUSAL


def _with_body(answer: httpx2.Response, body: bytearray) -> httpx2.Response:
    # Without its type: JSON is UTF-8 whatever that says, and httpx2 raises where it names another encoding.
    headers = [
        (name, value) for name, value in answer.headers.raw if name.lower() == b"retry-after"
    ]
    return httpx2.Response(answer.status_code, headers=headers, content=bytes(body))


def refusal(answer: httpx2.Response, call: Call) -> ApiError:
    """Make the error that an answer is, with the wait that it asks for."""
    error = api_error(answer.status_code, answer.text, call.key)
    error.retry_after = _retry_after(answer)
    if error.retry_after:
        error.add_advice(f"It asks to wait for {error.retry_after:,.0f} s.")
    return error


def _retry_after(answer: httpx2.Response) -> float | None:
    """Read Retry-After in seconds; a date, which xAI was never seen to send, is ignored."""
    try:
        return max(0.0, float(answer.headers["retry-after"]))
    except (KeyError, ValueError):
        return None


@contextmanager
def translated(call: Call) -> Iterator[None]:
    """Say what httpx2 raises in a sentence for the user, without its traceback."""
    try:
        yield
    except (httpx2.HTTPError, httpx2.InvalidURL, UnicodeError) as error:
        raise _sentence(error, call) from None


def _sentence(error: Exception, call: Call) -> GrokError:
    url = httpx2.URL(call.url) if not isinstance(error, httpx2.InvalidURL) else None
    problem = shown_reason(error)
    where = f"{url.scheme}://{url.host}" + (f":{url.port}" if url.port else "") if url else ""
    match error:
        case httpx2.InvalidURL() | httpx2.UnsupportedProtocol() | UnicodeError():
            return InvalidAddress()
        case httpx2.ConnectTimeout():
            return ConnectionFailed(
                f"{where} did not answer in {TIMEOUT.connect:.0f} seconds{_by_proxy(url)}."
            )
        case httpx2.WriteTimeout():
            return TimedOut(f"{where} took nothing of the request for {TIMEOUT.write:.0f} seconds.")
        case httpx2.TimeoutException():
            return TimedOut(f"{where} fell silent for {TIMEOUT.read:.0f} seconds.")
        case httpx2.ConnectError():
            return ConnectionFailed(_not_connected(where, _by_proxy(url), problem))
        case _:
            return StreamInterrupted(f"The connection to {where} broke: {problem}.")


def _not_connected(where: str, by_proxy: str, problem: str) -> str:
    if "CERTIFICATE_VERIFY_FAILED" in problem:
        return (
            f"{where} shows a certificate that this machine does not trust: {problem}."
            " If it is your network's own, let SSL_CERT_FILE name the file of its authority."
        )
    return f"Could not connect to {where}{by_proxy}: {problem}."


def _by_proxy(url: httpx2.URL | None) -> str:
    """Say so where a request goes to a proxy: then it is the proxy that can't be reached."""
    from urllib.request import getproxies, proxy_bypass

    if url is None or not getproxies().keys() & {url.scheme, "all"} or proxy_bypass(url.host):
        return ""
    return " through the proxy of this machine's settings"
