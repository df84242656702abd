"""The bodies below /v1/batches: requests written, and what xAI says of a batch read.

OBSERVED 2026-08-10: a batch, the answer `null` to added requests, a result that is a chat
completion, whichever endpoint was asked. DOC, the types of xAI's SDK for TypeScript: the
ids of a batch's requests, a page's token. DISPUTED: the error of a request is a text
(OBSERVED 2026-08-28), or has a code and a message (batch.proto, @ai-sdk/xai); both are read.
"""

import json
import re
from collections.abc import Iterable
from datetime import date
from typing import Any, NamedTuple

from ..body import Body
from ..refusals import not_expected, refusal_in
from . import chat_completions, responses

PATH = "/batches"

# What a request is called in a batch, by the path that it has alone.
_KINDS = {chat_completions.PATH: "chat_get_completion", responses.PATH: "responses"}

_BEFORE, _BETWEEN, _BEHIND = b'{"batch_requests": [', b", ", b"]}"
_DAY = re.compile(r"\d{4}-\d\d-\d\d")


class Batch(NamedTuple):
    """A batch as it is now; `created` and `expires` are days, as 2026-08-10, "" if unknown.

    `ended` says why nothing more is answered in it; it is "" where more may be.
    """

    id: str
    created: str
    expires: str
    ended: str
    pending: int
    done: int
    failed: int
    cancelled: int


class Result(NamedTuple):
    """What became of a request: the JSON of a chat completion, or else what went wrong."""

    request_id: str
    completion: str | None
    problem: str


def naming(name: str) -> bytes:
    """Write the body that makes an empty batch."""
    return json.dumps({"name": name}).encode()


def request(request_id: str, path: str, body: dict[str, Any]) -> bytes:
    """Write a request that would go to this path alone."""
    asked = {"batch_request_id": request_id, "batch_request": {_KINDS[path]: body}}
    return bytes(Body(asked))


def adding(requests: Iterable[bytes]) -> bytes:
    """Write the body that adds requests to a batch."""
    return _BEFORE + _BETWEEN.join(requests) + _BEHIND


def size(requests: int, their_bytes: int) -> int:
    """Count the bytes of that body."""
    return len(_BEFORE + _BEHIND) + their_bytes + len(_BETWEEN) * (requests - 1)


def batch(answer: Any, today: date) -> Batch:
    """Read a batch; raises ApiError for what is none, or has an id that no terminal can show."""
    batch_id = answer.get("batch_id") if isinstance(answer, dict) else None
    if not (isinstance(batch_id, str) and batch_id and batch_id.isprintable()):
        raise not_expected(200, "a batch")
    expires = _day(answer.get("expire_time"))
    ended = "has expired" if is_past(expires, today) else ""
    if answer.get("cancel_time"):
        why = answer.get("cancel_by_xai_message")
        ended = f"was cancelled by xAI: {why}".rstrip(".") if why else "was cancelled"
    state = answer.get("state")
    counts = state if isinstance(state, dict) else {}
    pending, done, failed, cancelled = (
        count if isinstance(count, int) else 0
        for count in map(counts.get, ("num_pending", "num_success", "num_error", "num_cancelled"))
    )
    created = _day(answer.get("create_time"))
    return Batch(batch_id, created, expires, ended, pending, done, failed, cancelled)


def is_past(day: str, today: date) -> bool:
    """Tell whether a day is over; the hour at which a batch expires is not always told."""
    return bool(day) and day < today.isoformat()


def _day(time: Any) -> str:
    found = _DAY.match(time) if isinstance(time, str) else None
    return found[0] if found else ""


def request_ids(page: Any) -> list[str]:
    """Read which requests are in a batch; raises ApiError for what is no such page."""
    return [str(row.get("batch_request_id")) for row in _rows(page, "batch_request_metadata")]


def results(page: Any) -> list[Result]:
    """Read what became of requests; raises ApiError for what is no such page."""
    return [_result(row) for row in _rows(page, "results")]


def next_page(page: Any) -> str | None:
    """Give the token of the page that follows, or None on the last."""
    token = page.get("pagination_token")
    return token if isinstance(token, str) and token else None


def _rows(page: Any, name: str) -> list[dict[str, Any]]:
    rows = page.get(name) if isinstance(page, dict) else None
    if not isinstance(rows, list):
        raise not_expected(200, "a page of a batch")
    return [row for row in rows if isinstance(row, dict)]


def _result(row: dict[str, Any]) -> Result:
    request_id, said = str(row.get("batch_request_id")), row.get("batch_result")
    if refusal := refusal_in(said):
        return Result(request_id, None, refusal.error)
    response = said.get("response") if isinstance(said, dict) else None
    completion = response.get("chat_get_completion") if isinstance(response, dict) else None
    if not isinstance(completion, dict):
        return Result(request_id, None, "xAI's result has a shape that this plugin does not know.")
    return Result(request_id, json.dumps(completion), "")
