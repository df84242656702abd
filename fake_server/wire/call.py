"""One HTTP request on its way to whoever answers its path, and how it is answered."""

import re
from collections.abc import Awaitable, Callable, Container, Mapping, Sequence
from functools import cached_property
from typing import Any, TypeVar
from urllib.parse import parse_qs

import msgspec

from llm_grok_vision.limits import BATCH_PAGE, MAX_BATCH_PAGE

from ..batches import Batches
from ..journal import LoggedRequest
from ..refusals import ApiError, refuse
from ..service import Service
from . import errors

T = TypeVar("T")

_BLANK = re.compile(r"\{(\w+)\}")


class Answer(msgspec.Struct, frozen=True):
    """What is sent back."""

    body: bytes
    status: int = 200
    content_type: str = "application/json"


class Call(msgspec.Struct, frozen=True):
    """A request whose path is known; `blanks` is what stands in the blanks of its path."""

    service: Service
    batches: Batches
    log: LoggedRequest
    data: bytes
    blanks: Mapping[str, str]

    def decode(self, decoder: msgspec.json.Decoder[T]) -> T:
        """Read the body; raises ApiError."""
        return errors.json_body(self.log, lambda: decoder.decode(self.data))

    def page(
        self,
        rows: Sequence[T],
        write: Callable[[T], Any],
    ) -> tuple[list[Any], str | None]:
        """Write the page of a list that the query asks for, and the token of the next.

        ASSUMED: who asks for more than may stand on a page gets as much as may. Raises ApiError.
        """
        query = parse_qs(self.log.query)
        limit, token = query.get("limit", [str(BATCH_PAGE)])[-1], query.get("pagination_token")
        if not re.fullmatch(r"0*[1-9]\d{0,8}", limit, re.ASCII):
            raise refuse("bad limit", limit=limit)
        found = re.fullmatch(r"after_(\d{1,9})", token[-1]) if token else None
        if token and not found:
            raise refuse("bad pagination token", token=token[-1])
        start = int(found[1]) if found else 0
        end = start + min(int(limit), MAX_BATCH_PAGE)
        following = f"after_{end}" if end < len(rows) else None
        return [write(row) for row in rows[start:end]], following


Handler = Callable[[Call], Awaitable[Answer]]


class Route(msgspec.Struct, frozen=True):
    """A path and a verb, and who answers; `{name}` in the path is a blank.

    `body` is the shape of what is sent as JSON, if anything is; an `upload` is sent as a form.
    """

    verb: str
    path: str
    handler: Handler
    body: type | None = None
    upload: bool = False

    @property
    def pattern(self) -> "re.Pattern[str]":
        """The path as an expression, with a group for each blank."""
        return re.compile(_BLANK.sub(r"(?P<\1>[^/:]+)", self.path))


class Routes:
    """All paths; they are compiled once, when somebody asks for another than those of chats."""

    def __init__(self, *routes: Route) -> None:
        self.routes = routes

    @cached_property
    def _rows(self) -> "list[tuple[re.Pattern[str], Route]]":
        return [(route.pattern, route) for route in self.routes]

    def find(
        self, method: str, path: str, *, posts: Container[str]
    ) -> tuple[Handler, Mapping[str, str]]:
        """Find who answers a path, and what stands in its blanks; raises ApiError.

        `posts` are paths that exist too, and take POST.
        """
        found = [
            (match, route) for pattern, route in self._rows if (match := pattern.fullmatch(path))
        ]
        if not found and path not in posts:
            raise refuse("no such path", path=path)
        for match, route in found:
            if route.verb == method:
                return route.handler, match.groupdict()
        raise _wrong_verb(*[route.verb for _, route in found])


def _wrong_verb(*allowed: str) -> ApiError:
    error = refuse("wrong verb")
    error.allow = allowed or ("POST",)
    return error
