"""xAI's Batch API as `describe` uses it; how it is written stands in `wire.batches`."""

from collections.abc import Callable, Iterator
from datetime import date, datetime, timezone
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

from ..connection import Call
from ..errors import InvalidSetting, NotFound
from ..refusals import presentable
from ..retries import again_if_it_may_pass
from ..settings import api_base
from ..transport import exchange, exchange_once
from ..wire import batches
from ..wire.batches import Batch, Result
from . import pace

_Value = TypeVar("_Value")


class BatchService:
    """Batches of the account that a key belongs to; `say` is told why something takes long.

    Every method raises what `exchange` raises, and a RateLimited only when it lasts.
    """

    def __init__(self, key: str, say: Callable[[str], None]) -> None:
        self._key = key
        self._say = say

    def create(self, name: str) -> Batch:
        """Make an empty batch.

        If the answer is lost and another is made, an empty batch stays, which costs nothing.
        """
        call = self._call("POST", body=batches.naming(name))
        return batches.batch(self._patiently(lambda: exchange(call)), _today())

    def find(self, batch_id: str, expires: str) -> Batch | None:
        """Give a batch as it is now; None if xAI has forgotten it since the day it expired.

        Raises InvalidSetting for one that xAI should know.
        """
        try:
            batch = batches.batch(self._get(_path(batch_id)), _today())
        except NotFound:
            if batches.is_past(expires, _today()):
                return None
            raise InvalidSetting(
                f"xAI knows no batch {batch_id}: look whether the key, and XAI_API_BASE, are"
                " those with which it was submitted."
            ) from None
        return batch._replace(ended=presentable(batch.ended, self._key))

    def add(self, batch_id: str, requests: dict[str, bytes]) -> None:
        """Add requests, by their ids, to a batch.

        Where an answer is lost, those that the batch has are not sent again.
        """
        path = _path(batch_id) + "/requests"
        rest = dict(requests)
        is_first = True

        def send() -> None:
            nonlocal is_first
            if not is_first:
                for known in self._ids(path):
                    rest.pop(known, None)
            is_first = False
            if rest:
                exchange_once(self._call("POST", path, batches.adding(rest.values())))

        self._patiently(lambda: again_if_it_may_pass(send))

    def request_ids(self, batch_id: str) -> set[str]:
        """Give the ids of the requests that a batch has."""
        return set(self._ids(_path(batch_id) + "/requests"))

    def results(self, batch_id: str) -> Iterator[Result]:
        """Give the results that are there, page by page."""
        for page in self._pages(_path(batch_id) + "/results"):
            for result in batches.results(page):
                yield result._replace(problem=presentable(result.problem, self._key))

    def _ids(self, path: str) -> Iterator[str]:
        for page in self._pages(path):
            yield from batches.request_ids(page)

    def _pages(self, path: str) -> Iterator[Any]:
        token: str | None = None
        seen: set[str | None] = set()
        # A token that comes back would lead round and round.
        while token not in seen:
            seen.add(token)
            # Half a character in it goes back as it came.
            query = urlencode({"pagination_token": token}, errors="surrogatepass") if token else ""
            page = self._get(f"{path}?{query}" if query else path)
            yield page
            token = batches.next_page(page)

    def _get(self, path: str) -> Any:
        call = self._call("GET", path)
        return self._patiently(lambda: exchange(call))

    def _call(self, method: str, path: str = batches.PATH, body: bytes = b"") -> Call:
        return Call(api_base() + path, self._key, body, method)

    def _patiently(self, attempt: Callable[[], _Value]) -> _Value:
        return pace.patiently(attempt, self._say)


def _path(batch_id: str) -> str:
    return f"{batches.PATH}/{quote(batch_id, safe='')}"


def _today() -> date:
    return datetime.now(timezone.utc).date()
