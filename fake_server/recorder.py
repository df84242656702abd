"""`--record DIR`: passes requests on to xAI, and writes what came and went into cassettes.

A cassette is written when its answer is complete; an answer that broke off is none.
"""

import logging
import re
import ssl
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

import httpx2

from .delivery import Line, Scope, deliver
from .front import refusal
from .headers import Headers
from .recordings import OF_THE_WAY, STATUSES, is_header, write

_logger = logging.getLogger("fake_server")

# Answers of a model that thinks take minutes; what is dead is given up all the same.
_PATIENCE = httpx2.Timeout(30, read=600)
_GRPC = b"application/grpc"

# Letters of a path in the name of a cassette; file systems have 255 for all of it.
_LONGEST_NAME = 100


def trusted() -> ssl.SSLContext:
    """Read the settings of this machine for certificates and proxies; raises ValueError."""
    try:
        context = httpx2.create_ssl_context()
        # Whoever makes a client learns what the proxies are.
        httpx2.AsyncClient(verify=context)
    except (httpx2.InvalidURL, ValueError, ImportError, OSError) as error:
        # What is no address may have a password in it.
        is_address = isinstance(error, httpx2.InvalidURL)
        problem = "the address of a proxy is none" if is_address else error
        raise ValueError(
            f"the proxy or certificate settings of this machine can't be used: {problem}"
        ) from None
    return context


@dataclass
class Recorder:
    """Passes requests on to `upstream`, the address of xAI's API, and its answers back."""

    folder: Path
    upstream: str
    trusted: ssl.SSLContext
    _written: int = 0

    async def __call__(self, scope: Scope, body: bytes, line: Line) -> None:
        """Pass one request on, and its answer back."""
        headers: Headers = scope["headers"]
        if any(name == b"content-type" and value.startswith(_GRPC) for name, value in headers):
            await _refuse(line, 501, "Calls of gRPC can't be recorded: use the REST API.")
            return
        # Behind a host, anything else would be part of its name.
        if not scope["raw_path"].startswith(b"/"):
            await _refuse(line, 400, f"A path begins with a slash: {scope['path']}")
            return
        try:
            await self._pass(self._asked(scope, headers, body), body, line)
        except httpx2.HTTPError as error:
            await _refuse(line, 502, f"{self.upstream} gave no answer: {type(error).__name__}.")

    def _asked(self, scope: Scope, headers: Headers, body: bytes) -> httpx2.Request:
        path, query = scope["raw_path"].decode("latin-1"), scope["query_string"].decode("latin-1")
        url = f"{self.upstream}{path}{'?' if query else ''}{query}"
        passed = [(name, value) for name, value in headers if name not in _NOT_PASSED]
        passed.append((b"accept-encoding", b"identity"))
        return httpx2.Request(scope["method"], url, headers=passed, content=body)

    async def _pass(self, asked: httpx2.Request, body: bytes, line: Line) -> None:
        async with httpx2.AsyncClient(timeout=_PATIENCE, verify=self.trusted) as client:
            answer = await client.send(asked, stream=True)
            if odd := _odd(answer):
                await answer.aclose()
                await _refuse(line, 502, f"{self.upstream} answered with {odd}.")
                return
            try:
                pieces = await _hand_over(line, answer)
            except httpx2.HTTPError:
                # It began, and can only end as it did.
                await line.close("fin")
                return
            finally:
                await answer.aclose()
        try:
            self._write(asked, body, answer, b"".join(pieces))
        except OSError as error:
            # Whoever asked has the answer all the same.
            _logger.warning("an answer was not recorded: %s", error)
        # Whoever has the whole answer finds its cassette.
        await line.end(None)

    def _write(
        self, asked: httpx2.Request, body: bytes, answer: httpx2.Response, answered: bytes
    ) -> None:
        self._written += 1
        now = datetime.now(timezone.utc)
        path = asked.url.path.removeprefix("/v1").lower()
        name = re.sub(r"[^a-z0-9]+", "-", path).strip("-")[:_LONGEST_NAME] or "root"
        write(
            self.folder,
            f"{now:%Y%m%dT%H%M%S}-{self._written:04}-{name}",
            method=asked.method,
            url=str(asked.url),
            request_headers=_as_text(asked.headers.raw),
            request=body,
            status=(answer.status_code, answer.reason_phrase),
            headers=_as_text(answer.headers.raw),
            body=answered,
        )


_NOT_PASSED = {b"host", b"accept-encoding", *(name.encode() for name in OF_THE_WAY)}


def _odd(answer: httpx2.Response) -> str:
    """Say what of an answer can't be passed on, or "": httpx2 takes what no server sends."""
    if answer.status_code not in STATUSES:
        return f"status {answer.status_code}, which is none"
    odd = [header[0] for header in _as_text(answer.headers.raw) if not is_header(header)]
    return f"a header that is none, its {odd[0]}" if odd else ""


async def _hand_over(line: Line, answer: httpx2.Response) -> list[bytes]:
    """Pass an answer on up to its end, and give its pieces."""
    start = [
        (name.lower(), value)
        for name, value in answer.headers.raw
        if name.decode().lower() not in OF_THE_WAY
    ]
    message = {"type": "http.response.start", "status": answer.status_code, "headers": start}
    await line.send(message)
    pieces = []
    async for piece in answer.aiter_bytes():
        if piece:
            pieces.append(piece)
            await line.piece(piece)
    return pieces


def _as_text(headers: Headers) -> tuple[tuple[str, str], ...]:
    return tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in headers)


async def _refuse(line: Line, status: int, text: str) -> None:
    await deliver(line, refusal(status, "not-recorded", text), None)
