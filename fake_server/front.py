"""Parts what is asked of the fake itself from what is asked of xAI's API."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import msgspec

from .app import App
from .delivery import Line, Receive, Scope, Send, read_body
from .guard import objection
from .settings import HEALTH, OPENAPI, PREFIX

Application = Callable[[Scope, Receive, Send], Awaitable[None]]


class Front(msgspec.Struct, frozen=True):
    """The ASGI application of a server: xAI's API, and below /_fake the fake itself.

    `instead` answers for the API where it is recorded or replayed. Without a `token` only this
    machine may ask the fake itself.
    """

    app: App
    instead: Application | None = None
    token: str | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        path = scope["path"]
        if path in (PREFIX, OPENAPI) or path.startswith(f"{PREFIX}/"):
            await self._answer(scope, Line.of(scope, receive, send))
        else:
            await (self.instead or self.app)(scope, receive, send)

    async def _answer(self, scope: Scope, line: Line) -> None:
        # Few ask for it, and templates take a while to load.
        from .control import answered, forbidden

        # A client that went away, and a server that stops, want no answer.
        with suppress(asyncio.CancelledError, ConnectionResetError):
            body = await read_body(line.receive, self.app.max_body)
            query = scope["query_string"].decode("latin-1")
            problem = "" if scope["path"] in (HEALTH, OPENAPI) else self._objection(scope)
            if problem:
                answer = forbidden(problem, wants_token=self.token is not None)
            else:
                answer = answered(self.app, scope["method"], scope["path"], query, body or b"")
            await line.whole(answer.status, answer.headers, answer.body)

    def _objection(self, scope: Scope) -> str:
        client, *_ = scope.get("client") or (None,)
        headers = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
        }
        return objection(client, headers, self.token)
