"""The fake as an ASGI application: HTTP in, HTTP out, and nothing decided here.

A request is read to its end before it is refused: a client that is still sending when
the connection closes sees a broken connection instead of the answer.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from . import grpc, headers
from .batches import Batches
from .completion import Completion
from .delivery import Line, Outgoing, Receive, Scope, Send, deliver, read_body
from .exchange import LONG, Recording, abbreviated, without_base64, without_bytes
from .journal import LoggedRequest
from .large_body import LARGE
from .refusals import FAILURES, ApiError, StateLost, refuse
from .request import ChatRequest
from .service import Service
from .settings import DEFAULT_MAX_BODY
from .wire import chat_completions, deferred, errors, messages
from .wire.call import Call
from .wire.paths import POSTS, ROUTES, WireFormat

_logger = logging.getLogger("fake_server")

# What ends a call of gRPC with nothing but headers.
EndCall = Callable[[headers.Headers], None]


@dataclass
class App:
    """The ASGI application; `api_key` is the one good key, or None where any will do.

    `restore` reads the scenario's file again, if there is one. `after_large` hears when a large
    request was answered, or all was forgotten.
    """

    service: Service
    api_key: str | None = None
    max_body: int = DEFAULT_MAX_BODY
    batching: Callable[..., Batches] = Batches
    restore: Callable[[], None] = lambda: None
    after_large: Callable[[], None] = lambda: None

    def __post_init__(self) -> None:
        self.journal = self.service.journal
        self.batches = self.batching(self.service, self.journal, chat_completions.usage_json)
        # How many answers are on their way.
        self.answering = 0

    def clear(self) -> None:
        """Forget scripts, mapped images, requests, batches, files and kept answers."""
        self.service.scenario.clear()
        self.restore()
        self.journal.clear()
        self.batches.clear()
        self.service.clear()
        self.after_large()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        log = _log(scope)
        end_call = _end_of_call(scope, log)
        try:
            self.journal.append(log)
        except StateLost as error:
            _warn(error)
        began = time.perf_counter()

        def end(answer: bytes) -> None:
            log.seconds = time.perf_counter() - began
            if end_call:
                shown = b"(%d bytes of protobuf)" % len(answer)
            else:
                log.raw_request, shown = _without_images(log, answer)
            try:
                self.journal.keep_answer(log, shown)
            except StateLost as error:
                _warn(error)

        recording = Recording(end)
        try:
            await self._answer(log, end_call, Line.of(scope, receive, send, recording.hear))
        except ConnectionResetError:
            log.error = "The client went away before its answer was complete."
        except asyncio.CancelledError:
            log.error = "The server was stopped before its answer was complete."
        recording.close()

    async def _answer(self, log: LoggedRequest, end_call: EndCall | None, line: Line) -> None:
        try:
            body = await read_body(line.receive, self.max_body)
        except ConnectionResetError:
            log.error = "The client went away before its request was complete."
            return
        if end_call is None:
            self.journal.keep_request(log, abbreviated(body or b""))
        self.answering += 1
        try:
            await self._answer_body(log, body, end_call, line)
        finally:
            self.answering -= 1
            if body and len(body) > LARGE:
                self.after_large()

    async def _answer_body(
        self, log: LoggedRequest, body: bytes | None, end_call: EndCall | None, line: Line
    ) -> None:
        try:
            if body is None:
                raise refuse("body too large")
            self.service.refresh()
            if end_call:
                await self._answer_call(log, body, line)
            else:
                await self._answer_http(log, body, line)
        # A name that stayed would hold its traceback, this frame, and so the body until the
        # collector comes.
        except ApiError as error:
            await self._fail(error, log, end_call, line)
        except StateLost as problem:
            await self._fail(refuse("state lost", problem=problem), log, end_call, line)

    async def _fail(
        self, error: ApiError, log: LoggedRequest, end_call: EndCall | None, line: Line
    ) -> None:
        log.status, log.error, log.why = error.status, error.error, error.why
        if end_call:
            await _end(end_call, error, log, line)
        else:
            await self._refuse(error, log, line)

    async def _answer_http(self, log: LoggedRequest, body: bytes, line: Line) -> None:
        wire = POSTS.get(log.path) if log.method == "POST" else None
        if wire:
            await self._complete(wire, log, body, line)
            return
        if log.method == "OPTIONS" and "access-control-request-method" in log.headers:
            log.status = 200
            await line.whole(200, headers.of_preflight(self.service.now(), log.path), b"")
            return
        handler, blanks = ROUTES.find(log.method, log.path, posts=POSTS)
        self._check_key(log.key)
        answer = await handler(Call(self.service, self.batches, log, body, blanks))
        log.status = answer.status
        start = headers.of_list(self.service.now(), answer.content_type, log.path)
        await line.whole(answer.status, start, answer.body)

    async def _answer_call(self, log: LoggedRequest, body: bytes, line: Line) -> None:
        """Answer a call of gRPC."""
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
        await deliver(line, grpc.outgoing(messages, _stream_error()), log.fault)

    def _check_key(self, key: str) -> None:
        if not key:
            raise refuse("no key")
        if self.api_key is not None and key != self.api_key:
            shown = f": {key[:2]}***{key[-2:]}" if self.service.contract.era.shows_key else ""
            raise refuse("wrong key", shown=shown)

    async def _complete(
        self, wire: WireFormat, log: LoggedRequest, data: bytes, line: Line
    ) -> None:
        # OBSERVED 2026-09-12 in the STACK NOTE: what is no request, or for no model, is refused
        # whatever the key. ASSUMED: on chat completions, which tell a team's models, the model later.
        body, request = errors.json_body(log, lambda: _read(wire, data))
        log.model = request.model
        if request.endpoint == "responses" and not self.service.find(request.model):
            raise refuse("model not found", model=request.model)
        self._check_key(log.key)
        completion = await self.service.complete(request, log)
        log.status = 200
        usage = log.usage = wire.usage_json(completion.usage)
        if request.deferred:
            request_id = self.service.deferred.start(completion)
            answer = deferred.started(request_id)
            start = self._start(completion, request_id, answer.content_type)
            await line.whole(200, start, answer.body)
            return
        content_type = "text/event-stream" if request.stream else "application/json"
        start = self._start(completion, completion.id, content_type)
        pieces: Iterable[bytes]
        if request.stream:
            pieces = wire.to_events(completion, body)
        else:
            pieces = [wire.to_json(completion, body, usage)]
            if log.fault is None:
                await line.whole(200, start, *pieces)
                return
        failed = wire.error_event(_stream_error()) if request.stream else b""
        await deliver(line, Outgoing(200, start, pieces, failed), log.fault)

    def _start(self, completion: Completion, request_id: str, content_type: str) -> headers.Headers:
        era = self.service.contract.era
        told = completion.limits
        return headers.of_completion(completion.created, request_id, content_type, era, told)

    async def _refuse(self, error: ApiError, log: LoggedRequest, line: Line) -> None:
        content_type, body = errors.body(error, self.service.contract.era, log.path)
        start = headers.of_error(self.service.now(), content_type, len(body), error)
        if log.fault is None:
            await line.whole(error.status, start, body)
        else:
            await deliver(line, Outgoing(error.status, start, [body]), log.fault)


def _read(wire: WireFormat, data: bytes) -> tuple[Any, ChatRequest]:
    body = wire.decode(data)
    return body, wire.to_request(body, data)


def _without_images(log: LoggedRequest, answer: bytes) -> tuple[bytes, bytes]:
    """Give what came and went without images, in whichever way they are written."""
    asked = log.raw_request
    if log.status == 200 and log.path in POSTS:
        # To list what may be images takes longer than to see that there is no room for one.
        return without_base64(asked) if len(asked) >= LONG and log.images else asked, answer
    # It was not understood, or has files.
    return without_bytes(asked), without_bytes(answer)


def _warn(error: StateLost) -> None:
    _logger.warning("a request is not in the journal: %s", error)


async def _end(end_call: EndCall, error: ApiError, log: LoggedRequest, line: Line) -> None:
    """End a call of gRPC that failed; of its faults there is only the time before it."""
    if log.fault and log.fault.cuts:
        await line.close(log.fault.ending or "fin")
        return
    if log.fault:
        await asyncio.sleep(log.fault.first_token)
    line.hear(b"", is_last=True)
    grpc.send_error(end_call, error)


def _stream_error() -> ApiError:
    """Make the error that a fault puts inside a stream: the one of a service that is at its end."""
    code, text = FAILURES[503]
    return ApiError(503, code, text)


def _end_of_call(scope: Scope, log: LoggedRequest) -> EndCall | None:
    """Give what ends a call of gRPC that failed, or None for any other request."""
    if not log.headers.get("content-type", "").startswith(grpc.MEDIA_TYPE):
        return None
    end: EndCall | None
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
    path, began = scope["path"], time.time()
    return LoggedRequest(scope["method"], path, headers, key, query=query, began=began)
