"""`--record DIR`: passes requests on to xAI, and writes what came and went into cassettes.

A cassette is written when its answer is complete; an answer that broke off is none.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

import httpx2
import msgspec

from .delivery import Line, Outgoing, Receive, Scope, Send, deliver, read_body
from .headers import Headers
from .recordings import OF_THE_WAY, write

# Answers of a model that thinks take minutes; what is dead is given up all the same.
_PATIENCE = httpx2.Timeout(30, read=600)
_GRPC = b"application/grpc"


@dataclass
class Recorder:
    """The ASGI application that records; `upstream` is the address of xAI's API."""

    folder: Path
    upstream: str
    max_body: int
    _written: int = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on, and its answer back."""
        line = Line.of(scope, receive, send)
        headers: Headers = scope["headers"]
        if any(name == b"content-type" and value.startswith(_GRPC) for name, value in headers):
            await _refuse(line, 501, "Calls of gRPC can't be recorded: use the REST API.")
            return
        try:
            body = await read_body(receive, self.max_body)
        except ConnectionResetError:
            return
        if body is None:
            await _refuse(line, 413, "The request is larger than --max-body.")
            return
        try:
            await self._pass(scope, headers, body, line)
        except httpx2.HTTPError as error:
            await _refuse(line, 502, f"{self.upstream} gave no answer: {type(error).__name__}.")

    async def _pass(self, scope: Scope, headers: Headers, body: bytes, line: Line) -> None:
        query = scope["query_string"].decode("latin-1")
        url = f"{self.upstream}{scope['path']}{'?' if query else ''}{query}"
        passed = [(name, value) for name, value in headers if name not in _NOT_PASSED]
        passed.append((b"accept-encoding", b"identity"))
        asked = httpx2.Request(scope["method"], url, headers=passed, content=body)
        async with httpx2.AsyncClient(timeout=_PATIENCE) as client:
            answer = await client.send(asked, stream=True)
            try:
                pieces = await _hand_over(line, answer)
            except httpx2.HTTPError:
                # It began, and can only end as it did.
                await line.close("fin")
                return
            finally:
                await answer.aclose()
        self._write(asked, body, answer, b"".join(pieces))
        # Whoever has the whole answer finds its cassette.
        await line.end(None)

    def _write(
        self, asked: httpx2.Request, body: bytes, answer: httpx2.Response, answered: bytes
    ) -> None:
        self._written += 1
        now = datetime.now(timezone.utc)
        path = asked.url.path.removeprefix("/v1").lower()
        name = re.sub(r"[^a-z0-9]+", "-", path).strip("-") or "root"
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
    async for piece in answer.aiter_raw():
        if piece:
            pieces.append(piece)
            await line.piece(piece)
    return pieces


def _as_text(headers: Headers) -> tuple[tuple[str, str], ...]:
    return tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in headers)


async def _refuse(line: Line, status: int, text: str) -> None:
    body = msgspec.json.encode({"code": "not-recorded", "error": text})
    headers = [(b"content-type", b"application/json")]
    await deliver(line, Outgoing(status, headers, [body]), None)
