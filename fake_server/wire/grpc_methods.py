"""The methods of xAI's gRPC services that the fake has, by their paths.

The classes of the messages come with xai-sdk (the extra `grpc`), so this is imported at the
first gRPC request, and not before.
"""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import msgspec
from google.protobuf.message import DecodeError, Message

from ..exchange import abbreviated, without_base64
from ..journal import LoggedRequest
from ..refusals import refuse
from ..service import Service
from . import grpc_chat, grpc_models

# Bytes of a message that are worth writing as text.
_LEGIBLE = 64 * 1024

Handler = Callable[[Service, LoggedRequest, Any], Awaitable[Iterable[Message]]]


class Method(msgspec.Struct, frozen=True):
    """A method: the class of its request, and who answers with one message or many."""

    request: type[Message]
    handler: Handler


METHODS: dict[str, Method] = {
    path: Method(request, handler)
    for path, request, handler in (*grpc_chat.METHODS, *grpc_models.METHODS)
}


async def call(service: Service, log: LoggedRequest, data: bytes) -> Iterable[Message]:
    """Answer a call; raises the ApiError that it earns."""
    method = METHODS[log.path]
    try:
        request = method.request.FromString(data)
    except DecodeError:
        raise refuse("not a message", type=method.request.DESCRIPTOR.full_name) from None
    shown = str(request) if len(data) <= _LEGIBLE else f"({len(data)} bytes of protobuf)"
    service.journal.keep_request(log, without_base64(abbreviated(shown.encode())))
    return await method.handler(service, log, request)
