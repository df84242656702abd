"""Several clients at one batch: while one waits for its requests, another looks or cancels."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from fake_server import FakeServer
from tests.asking import image
from tests.batching import ask, cancel, counts, create, results
from tests.web import Web, serving


@pytest.fixture
def web() -> Iterator[Web]:
    with serving() as web:
        yield web


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer(allow_hosts=["127.0.0.1"]) as server:
        server.hold_batches()
        yield server


def slow(web: Web):
    """Write a request whose image does not come before `web.closing` is set."""
    request = ask("slow")
    [message] = request["batch_request"]["chat_get_completion"]["messages"]
    message["content"].append(image(f"{web.url}/slow"))
    return request


def ran(server: FakeServer) -> list[str]:
    return [request.batch_request_id for request in server.requests if request.batch_request_id]


def test_a_batch_is_cancelled_while_its_requests_are_answered(server, web):
    batch = create(server, slow(web), ask("next"))
    server.finish_batches()

    with ThreadPoolExecutor() as pool:
        looking = pool.submit(results, server, batch)
        assert web.asked.wait(30)
        state = cancel(server, batch)["state"]
        web.closing.set()

        assert (state["num_pending"], state["num_cancelled"]) == (0, 2)
        assert looking.result() == {"next": "Batch cancelled", "slow": "Batch cancelled"}
    assert counts(server, batch) == {"requests": 2, "cancelled": 2}
    assert ran(server) == ["slow"]


def test_two_clients_that_look_at_once_run_a_request_once(server, web):
    batch = create(server, slow(web), ask("next"))
    server.finish_batches()
    sent = len(server.requests)

    with ThreadPoolExecutor() as pool:
        looking = [pool.submit(counts, server, batch) for _ in range(2)]
        # Two that look, and the request that runs.
        while len(server.requests) < sent + 3:
            time.sleep(0.01)
        web.closing.set()
        seen = [look.result() for look in looking]

    assert seen == [{"requests": 2, "success": 1, "error": 1}] * 2
    assert ran(server) == ["slow", "next"]


def test_a_batch_that_expires_while_it_is_answered_goes_no_further(server, web):
    batch = create(server, slow(web), ask("next"))
    server.finish_batches()

    with ThreadPoolExecutor() as pool:
        looking = pool.submit(results, server, batch)
        assert web.asked.wait(30)
        server.expire_batches()
        web.closing.set()

        assert looking.result() == {}
    assert counts(server, batch) == {"requests": 2, "cancelled": 2}
    assert ran(server) == ["slow"]
