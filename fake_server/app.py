"""The fake as an ASGI application: HTTP in, HTTP out, and nothing decided here.

A request is read to its end before it is refused: a client that is still sending when
the connection closes sees a broken connection instead of the answer.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, MutableMapping, MutableSequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

from . import grpc, headers
from .accounting import Usage
from .batches import Batches
from .completion import Completion
from .journal import LoggedRequest
from .refusals import ApiError, refuse
from .request import ChatRequest
from .service import Service
from .settings import DEFAULT_MAX_BODY
from .wire import (
    batches,
    chat_completions,
    completions,
    deferred,
    embeddings,
    errors,
    files,
    keys,
    messages,
    models,
    responses,
    stored,
    tokenize,
)
from .wire.call import Call, Routes

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class WireFormat(Protocol):
    """What a module of `wire` has to have to answer a POST."""

    def decode(self, data: bytes) -> Any:
        """Read a body; raises msgspec.DecodeError."""

    def to_request(self, body: Any, data: bytes) -> ChatRequest:
        """Translate a body; raises msgspec.DecodeError."""

    def to_json(self, completion: Completion, body: Any) -> bytes:
        """Write a whole answer."""

    def to_events(self, completion: Completion, body: Any) -> Iterator[bytes]:
        """Write an answer as server-sent events."""

    def usage_json(self, usage: Usage) -> dict[str, Any]:
        """Write usage."""


_POSTS: dict[str, WireFormat] = {
    chat_completions.PATH: chat_completions,
    responses.PATH: responses,
    messages.PATH: messages,
    completions.PATH: completions,
}

_ROUTES = Routes(
    *models.ROUTES,
    *keys.ROUTES,
    *batches.ROUTES,
    *deferred.ROUTES,
    *stored.ROUTES,
    *tokenize.ROUTES,
    *embeddings.ROUTES,
    *files.ROUTES,
)


@dataclass
class App:
    """The ASGI application; `api_key` is the one good key, or None where any will do."""

    service: Service
    journal: MutableSequence[LoggedRequest] = field(default_factory=list)
    api_key: str | None = None
    max_body: int = DEFAULT_MAX_BODY

    def __post_init__(self) -> None:
        self.batches = Batches(self.service, self.journal, chat_completions.usage_json)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        log = _log(scope)
        self.journal.append(log)
        # Only a server that stops cancels a request: nobody is left to hear of it.
        with suppress(asyncio.CancelledError):
            try:
                body = await _read(receive, self.max_body)
            except ConnectionResetError:
                log.error = "The client went away before its request was complete."
                return
            end_call = _end_of_call(scope, log)
            try:
                if end_call:
                    await self._answer_call(log, body, send)
                else:
                    await self._answer(log, body, send)
            except ApiError as error:
                log.status, log.error = error.status, error.error
                if end_call:
                    grpc.send_error(end_call, error)
                else:
                    await self._refuse(error, log, send)

    async def _answer(self, log: LoggedRequest, body: bytes | None, send: Send) -> None:
        if body is None:
            raise refuse("body too large")
        wire = _POSTS.get(log.path) if log.method == "POST" else None
        if wire:
            self._check_key(log.key)
            await self._complete(wire, log, body, send)
            return
        handler, blanks = _ROUTES.find(log.method, log.path, others=_POSTS)
        self._check_key(log.key)
        answer = await handler(Call(self.service, self.batches, log, body, blanks))
        log.status = answer.status
        start = headers.of_list(self.service.now(), answer.content_type, log.path)
        await _send_whole(send, answer.status, start, answer.body)

    async def _answer_call(self, log: LoggedRequest, body: bytes | None, send: Send) -> None:
        """Answer a call of gRPC."""
        if body is None:
            raise refuse("body too large")
        try:
            from .wire import grpc_methods
        except ImportError as error:
            raise refuse("no protobuf", problem=error) from None
        if log.path not in grpc_methods.METHODS:
            raise refuse("no such method", path=log.path)
        self._check_key(log.key)
        try:
            data = grpc.unframed(body, log.headers.get("grpc-encoding", ""), self.max_body)
        except ValueError as error:
            raise refuse("bad frame", problem=error) from None
        messages = await grpc_methods.call(self.service, log, data)
        log.status = 200
        await grpc.send_messages(send, messages)

    def _check_key(self, key: str) -> None:
        if not key:
            raise refuse("no key")
        if self.api_key is not None and key != self.api_key:
            shown = f": {key[:2]}***{key[-2:]}" if self.service.contract.era.shows_key else ""
            raise refuse("wrong key", shown=shown)

    async def _complete(
        self, wire: WireFormat, log: LoggedRequest, data: bytes, send: Send
    ) -> None:
        body = errors.json_body(log, lambda: wire.decode(data))
        request = errors.json_body(log, lambda: wire.to_request(body, data))
        completion = await self.service.complete(request, log)
        era = self.service.contract.era
        log.status = 200
        log.usage = wire.usage_json(completion.usage)
        if request.deferred:
            request_id = self.service.deferred.start(completion)
            answer = deferred.started(request_id)
            start = headers.of_completion(completion.created, request_id, answer.content_type, era)
            await _send_whole(send, 200, start, answer.body)
            return
        if not request.stream:
            start = headers.of_completion(
                completion.created, completion.id, "application/json", era
            )
            await _send_whole(send, 200, start, wire.to_json(completion, body))
            return
        start = headers.of_completion(completion.created, completion.id, "text/event-stream", era)
        await send({"type": "http.response.start", "status": 200, "headers": start})
        for event in wire.to_events(completion, body):
            await send({"type": "http.response.body", "body": event, "more_body": True})
            # One turn of the loop, so that each event leaves by itself: a burst is no stream.
            await asyncio.sleep(0)
        await send({"type": "http.response.body", "body": b""})

    async def _refuse(self, error: ApiError, log: LoggedRequest, send: Send) -> None:
        content_type, body = errors.body(error, self.service.contract.era, log.path)
        start = headers.of_error(self.service.now(), content_type, len(body), error.retry_after)
        await _send_whole(send, error.status, start, body)


def _end_of_call(scope: Scope, log: LoggedRequest) -> Callable[[headers.Headers], None] | None:
    """Give what ends a call of gRPC that failed, or None for any other request."""
    if not log.headers.get("content-type", "").startswith(grpc.MEDIA_TYPE):
        return None
    end: Callable[[headers.Headers], None] | None
    end = scope.get("extensions", {}).get(grpc.END_WITH_HEADERS)
    return end


def _log(scope: Scope) -> LoggedRequest:
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    scheme, _, key = headers.pop("authorization", "").partition(" ")
    key = key.strip() if scheme.lower() == "bearer" else ""
    # DOC OPENAPI: /v1/messages takes the key in a header of its own too.
    other = headers.pop("x-api-key", "")
    if scope["path"] == messages.PATH:
        key = key or other
    query = scope["query_string"].decode("latin-1")
    return LoggedRequest(scope["method"], scope["path"], headers, key, query=query)


async def _read(receive: Receive, most: int) -> bytes | None:
    """Read the whole body; None if it was larger than allowed.

    Raises ConnectionResetError if the client goes away before its end.
    """
    chunks: list[bytes] = []
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionResetError
        chunk = message.get("body", b"")
        size += len(chunk)
        if size <= most:
            chunks.append(chunk)
        else:
            chunks.clear()
        more = message.get("more_body", False)
    return b"".join(chunks) if size <= most else None


async def _send_whole(send: Send, status: int, start: headers.Headers, body: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": start})
    await send({"type": "http.response.body", "body": body})
