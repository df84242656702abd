"""Batches as they go over the wire, written by hand."""

from typing import Any

import httpx2

from fake_server import FakeServer
from tests.asking import BEARER, body, send

PATH = "/v1/batches"


def ask(words: str = "Hello", **fields: Any) -> dict[str, Any]:
    """Write a request of a batch; its id is what it says."""
    asked = body({"type": "text", "text": words}, **fields)
    return {"batch_request_id": words, "batch_request": {"chat_get_completion": asked}}


def call(server: FakeServer, method: str, path: str, json: Any = None) -> httpx2.Response:
    """Send any request below /v1/batches."""
    options = {} if json is None else {"json": json}
    return send(server, method, PATH + path, headers=BEARER, **options)


def create(server: FakeServer, *requests: dict[str, Any], name: str = "boats") -> str:
    """Make a batch with these requests in it; give its id."""
    batch = str(call(server, "POST", "", {"name": name}).json()["batch_id"])
    if requests:
        answer = add(server, batch, *requests)
        assert answer.status_code == 200, answer.text
    return batch


def add(server: FakeServer, batch: str, *requests: dict[str, Any]) -> httpx2.Response:
    """Add requests to a batch."""
    return call(server, "POST", f"/{batch}/requests", {"batch_requests": requests})


def cancel(server: FakeServer, batch: str) -> Any:
    """Cancel a batch; give it as it is then."""
    return call(server, "POST", f"/{batch}:cancel").json()


def get(server: FakeServer, batch: str) -> Any:
    """Give a batch."""
    return call(server, "GET", f"/{batch}").json()


def counts(server: FakeServer, batch: str) -> dict[str, int]:
    """Count the requests of a batch by what became of them; those of which there are none left out."""
    state = get(server, batch)["state"]
    return {name.removeprefix("num_"): count for name, count in state.items() if count}


def states(server: FakeServer, batch: str) -> dict[str, str]:
    """Give the state of each request of a batch by its id."""
    rows = call(server, "GET", f"/{batch}/requests").json()["batch_request_metadata"]
    return {row["batch_request_id"]: row["state"] for row in rows}


def results(server: FakeServer, batch: str) -> dict[str, Any]:
    """Give what the requests of a batch got by their ids: the words of an answer or an error."""
    rows = call(server, "GET", f"/{batch}/results").json()["results"]
    return {row["batch_request_id"]: _words(row["batch_result"]) for row in rows}


def _words(result: dict[str, Any]) -> Any:
    if "error" in result:
        return result["error"]
    return result["response"]["chat_get_completion"]["choices"][0]["message"]["content"]
