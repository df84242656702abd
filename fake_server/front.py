"""Parts what is asked of the fake itself from what is asked of xAI's API."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

import msgspec

from .app import App
from .delivery import Line, Outgoing, Receive, Scope, Send, deliver, read_body
from .guard import objection
from .settings import HEALTH, OPENAPI, PREFIX

# Answers a request with its body, in the place of the API.
Instead = Callable[[Scope, bytes, Line], Coroutine[Any, Any, None]]


_BELOW = f"{PREFIX}/"


class Front(msgspec.Struct, frozen=True):
    """The ASGI application of a server: xAI's API, and below /_fake the fake itself.

    `instead` answers for the API, if there is one. Without a `token` only this machine may ask
    the fake itself.
    """

    app: App
    instead: Instead | None = None
    token: str | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        path = scope["path"]
        is_own = path in (PREFIX, OPENAPI) or path.startswith(_BELOW)
        answer = self._answer if is_own else self.instead
        if answer is None:
            await self.app(scope, receive, send)
            return
        line = Line.of(scope, receive, send)
        # A client that went away, and a server that stops, want no answer.
        with suppress(asyncio.CancelledError, ConnectionResetError):
            body = await read_body(receive, self.app.max_body)
            if body is None:
                await deliver(line, _TOO_LARGE, None)
            else:
                await self._count(line.while_there(answer(scope, body, line)))

    async def _count(self, answering: Coroutine[Any, Any, None]) -> None:
        """Have whoever stops the server wait for an answer."""
        self.app.answering += 1
        try:
            await answering
        finally:
            self.app.answering -= 1

    async def _answer(self, scope: Scope, body: bytes, line: Line) -> None:
        # Few ask for it, and templates take a while to load.
        from .control import answered, forbidden

        query = scope["query_string"].decode("latin-1")
        problem = "" if scope["path"] in (HEALTH, OPENAPI) else self._objection(scope)
        if problem:
            answer = forbidden(problem, wants_token=self.token is not None)
        else:
            answer = answered(self.app, scope["method"], scope["path"], query, body)
        await line.whole(answer.status, answer.headers, answer.body)

    def _objection(self, scope: Scope) -> str:
        client, *_ = scope.get("client") or (None,)
        headers = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
        }
        return objection(client, headers, self.token)


def refusal(status: int, code: str, text: str) -> Outgoing:
    """Say why there is no answer, where it is not xAI's API that says so."""
    body = msgspec.json.encode({"code": code, "error": text})
    return Outgoing(status, [(b"content-type", b"application/json")], [body])


_TOO_LARGE = refusal(413, "too-large", "The request is larger than --max-body.")
