"""Who answers which path."""

from collections.abc import Iterator
from typing import Any, Protocol

from ..accounting import Usage
from ..completion import Completion
from ..refusals import ApiError
from ..request import ChatRequest
from . import (
    batches,
    chat_completions,
    completions,
    deferred,
    embeddings,
    files,
    keys,
    messages,
    models,
    responses,
    stored,
    tokenize,
)
from .call import Routes


class WireFormat(Protocol):
    """What a module of `wire` has to have to answer a POST."""

    @property
    def Body(self) -> type:  # noqa: N802 (a module has its class there)
        """The shape of a body."""

    def decode(self, data: bytes) -> Any:
        """Read a body; raises msgspec.DecodeError."""

    def to_request(self, body: Any, data: bytes) -> ChatRequest:
        """Translate a body; raises msgspec.DecodeError."""

    def to_json(self, completion: Completion, body: Any, usage: dict[str, Any]) -> bytes:
        """Write a whole answer, with its usage as `usage_json` wrote it."""

    def to_events(self, completion: Completion, body: Any) -> Iterator[bytes]:
        """Write an answer as server-sent events."""

    def usage_json(self, usage: Usage) -> dict[str, Any]:
        """Write usage."""

    def error_event(self, error: ApiError) -> bytes:
        """Write an error that comes inside a stream."""


POSTS: dict[str, WireFormat] = {
    chat_completions.PATH: chat_completions,
    responses.PATH: responses,
    messages.PATH: messages,
    completions.PATH: completions,
}

ROUTES = Routes(
    *models.ROUTES,
    *keys.ROUTES,
    *batches.ROUTES,
    *deferred.ROUTES,
    *stored.ROUTES,
    *tokenize.ROUTES,
    *embeddings.ROUTES,
    *files.ROUTES,
)
