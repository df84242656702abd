"""The fake without a socket, for clients of httpx and httpx2."""

import asyncio
import gc
import json
import random
import signal
import subprocess
import sys
import threading
import time
import weakref

import httpx
import httpx2
import openai
import pytest

from fake_server import FakeServer
from tests import batching
from tests.asking import BEARER, body
from tests.sessions import STEPS, Known, Question
from tests.sockets import error_of

URL = "https://api.x.ai/v1/chat/completions"
LIBRARIES = [pytest.param(httpx, id="httpx"), pytest.param(httpx2, id="httpx2")]


@pytest.fixture
def server() -> FakeServer:
    return FakeServer()


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_client_asks_without_a_socket(server, library):
    server.reply("A cat.")
    with library.Client(transport=server.transport(library)) as client:
        answer = client.post(URL, json=body(), headers=BEARER)

    assert answer.json()["choices"][0]["message"]["content"] == "A cat."
    assert server.requests[0].headers["host"] == "api.x.ai"


@pytest.mark.parametrize("library", LIBRARIES)
def test_an_answer_has_the_headers_that_it_has_over_a_socket(server, library):
    with library.Client(transport=server.transport(library)) as client:
        here = client.post(URL, json=body(), headers=BEARER)
    with FakeServer() as other, library.Client(trust_env=False) as client:
        there = client.post(f"{other.url}/chat/completions", json=body(), headers=BEARER)

    assert here.headers.multi_items() == there.headers.multi_items()
    assert len(here.headers) > 10


@pytest.mark.parametrize("library", LIBRARIES)
def test_an_answer_to_head_has_no_body(server, library):
    with library.Client(transport=server.transport(library)) as client:
        answer = client.head("https://api.x.ai/v1/models", headers=BEARER)

    assert (answer.status_code, answer.headers["allow"], answer.content) == (405, "GET", b"")


def answered(
    client: httpx2.Client, base: str, question: Question
) -> tuple[int | str, str | None, bytes]:
    """Give the status of an answer, its id and its body; or the name of an error."""
    url = f"{base}{question.path}?{question.query}"
    headers = {**BEARER, "content-type": question.content_type}
    try:
        answer = client.request(question.method, url, content=question.data, headers=headers)
    except httpx2.HTTPError as error:
        return type(error).__name__, None, b""
    return answer.status_code, answer.headers.get("x-request-id"), answer.content


def test_a_made_up_session_is_answered_as_over_a_socket(server):
    dice = random.Random(7)
    known = Known(dice)
    with (
        FakeServer() as other,
        httpx2.Client(transport=server.transport(httpx2)) as here,
        httpx2.Client(trust_env=False) as there,
    ):
        base = other.url.removesuffix("/v1")
        for _ in range(200):
            question = dice.choice(STEPS)(dice, known)
            answers = [answered(client, base, question) for client in (here, there)]
            assert question.is_timed or answers[0] == answers[1], question
            known.hear(answers[0][2])


@pytest.mark.parametrize("library", LIBRARIES)
def test_an_async_client_asks_without_a_socket(server, library):
    async def ask():
        async with library.AsyncClient(transport=server.async_transport(library)) as client:
            return await client.post(URL, json=body(), headers=BEARER)

    answer = asyncio.run(ask())

    assert answer.status_code == 200
    assert len(server.requests) == 1


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_stream_comes_piece_by_piece(server, library):
    server.reply("one two", fault={"per_token": 0.2})
    with (
        library.Client(transport=server.transport(library)) as client,
        client.stream("POST", URL, json=body(stream=True), headers=BEARER) as answer,
    ):
        pieces = [piece for piece in answer.iter_raw() if piece]

    assert [piece[:5] for piece in pieces] == [b"data:"] * 4
    assert json.loads(pieces[0][6:])["choices"][0]["delta"]["content"] == "one"


@pytest.mark.parametrize("library", LIBRARIES)
def test_an_async_stream_comes_piece_by_piece(server, library):
    server.reply("one two")

    async def ask():
        async with (
            library.AsyncClient(transport=server.async_transport(library)) as client,
            client.stream("POST", URL, json=body(stream=True), headers=BEARER) as answer,
        ):
            return [piece async for piece in answer.aiter_raw() if piece]

    assert len(asyncio.run(ask())) == 4


ENDINGS = [
    pytest.param("fin", "RemoteProtocolError", id="fin"),
    pytest.param("rst", "ReadError", id="rst"),
    pytest.param("stall", "ReadTimeout", id="stall"),
]


def patience(ending: str) -> float:
    """Say how long a client waits: of an end that comes it hears, however slow the machine is."""
    return 0.3 if ending == "stall" else 30


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(("ending", "kind"), ENDINGS)
def test_faults_are_errors_of_the_library(server, library, stream, ending, kind):
    server.when().reply("one two", fault={"after_bytes": 20, "ending": ending})
    with (
        library.Client(transport=server.transport(library), timeout=patience(ending)) as client,
        pytest.raises(getattr(library, kind)) as broken,
    ):
        client.post(URL, json=body(stream=stream), headers=BEARER)

    assert broken.value.request.url == URL


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize(("ending", "kind"), ENDINGS)
def test_faults_are_errors_of_an_async_client_too(server, library, ending, kind):
    server.when().reply("one two", fault={"ending": ending})

    async def ask():
        transport = server.async_transport(library)
        async with library.AsyncClient(transport=transport, timeout=patience(ending)) as client:
            await client.post(URL, json=body(), headers=BEARER)

    with pytest.raises(getattr(library, kind)):
        asyncio.run(ask())


def test_a_client_that_stops_listening_is_let_go(server):
    server.reply("one " * 50, fault={"per_token": 0.05})
    with (
        httpx2.Client(transport=server.transport(httpx2)) as client,
        client.stream("POST", URL, json=body(stream=True), headers=BEARER) as answer,
    ):
        next(answer.iter_raw())

    assert server.requests[0].error == "The client went away before its answer was complete."


def test_a_client_that_runs_out_of_patience_is_let_go(server):
    server.reply("one", fault={"first_token": 60})

    async def ask():
        transport = server.async_transport(httpx2)
        async with httpx2.AsyncClient(transport=transport, timeout=0.1) as client:
            await client.post(URL, json=body(), headers=BEARER)

    with pytest.raises(httpx2.ReadTimeout):
        asyncio.run(ask())

    assert server.requests[0].error == "The client went away before its answer was complete."


def test_a_client_that_gives_up_before_the_headers_is_let_go(server):
    server.reply("one", fault={"first_token": 60, "after_events": 0})

    async def ask():
        transport = server.async_transport(httpx2)
        async with httpx2.AsyncClient(transport=transport, timeout=None) as client:
            await asyncio.wait_for(client.post(URL, json=body(), headers=BEARER), 0.5)

    with pytest.raises(asyncio.TimeoutError):
        asyncio.run(ask())

    assert server.requests[0].error == "The client went away before its answer was complete."


def test_a_client_that_is_interrupted_is_let_go(server):
    server.reply("one", fault={"first_token": 60, "after_events": 0})
    waiting = threading.get_ident()

    def interrupt() -> None:
        while not server.requests:
            time.sleep(0.01)
        time.sleep(0.1)
        signal.pthread_kill(waiting, signal.SIGALRM)

    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    threading.Thread(target=interrupt).start()
    with (
        httpx2.Client(transport=server.transport(httpx2), timeout=None) as client,
        pytest.raises(KeyboardInterrupt),
    ):
        client.post(URL, json=body(), headers=BEARER)

    signal.signal(signal.SIGALRM, before)
    assert error_of(server.requests[0]) == "The client went away before its answer was complete."


def test_a_client_that_does_not_wait_for_a_function_of_the_test_is_let_go(server):
    async def slow(_request):
        await asyncio.sleep(60)

    server.reply(slow)
    with (
        httpx2.Client(transport=server.transport(httpx2), timeout=0.1) as client,
        pytest.raises(httpx2.ReadTimeout),
    ):
        client.post(URL, json=body(), headers=BEARER)

    assert server.requests[0].seconds < 30


def test_an_answer_may_be_closed_after_its_client(server):
    server.reply("one " * 50, fault={"per_token": 0.05})
    with httpx2.Client(transport=server.transport(httpx2)) as client:
        request = client.build_request("POST", URL, json=body(stream=True), headers=BEARER)
        answer = client.send(request, stream=True)

    answer.close()

    assert server.requests[0].error == "The client went away before its answer was complete."


def test_clients_that_nobody_closed_leave_no_threads():
    before = threading.enumerate()
    server = FakeServer()
    clients = [httpx2.Client(transport=server.transport(httpx2)) for _ in range(20)]
    for client in clients:
        client.get("https://api.x.ai/v1/models", headers=BEARER)
    (thread,) = set(threading.enumerate()) - set(before)

    del server, clients, client
    gc.collect()

    thread.join(30)
    assert not thread.is_alive()


# What is left of it is thrown away when Python has ended its threads.
# Without a client, which notes how long an answer took: Python 3.13.0 crashes where it does so at the end.
CARELESS = f"""
import httpx2
from fake_server import FakeServer

class Answer:
    def __init__(self):
        asked = httpx2.Request("POST", {URL!r}, json={body(stream=True)!r}, headers={BEARER!r})
        self.stream = FakeServer().transport(httpx2).handle_request(asked).stream
        self.pieces = iter(self.stream)

    def __del__(self):
        self.stream.close()

left = Answer()
print(next(left.pieces)[:5])
"""


def test_a_program_ends_that_closes_nothing():
    ended = subprocess.run(
        [sys.executable, "-X", "dev", "-c", CARELESS],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "b'data:'\n", "")


def test_clients_in_several_threads_are_answered_as_by_one_server(server):
    states: list[dict[str, int]] = []

    def ask(name: str) -> None:
        with httpx2.Client(
            transport=server.transport(httpx2), base_url="https://api.x.ai/v1", headers=BEARER
        ) as client:
            for number in range(10):
                made = client.post("/batches", json={"name": f"{name} {number}"}).json()
                batch = f"/batches/{made['batch_id']}"
                requests = [batching.ask(str(each)) for each in range(20)]
                client.post(f"{batch}/requests", json={"batch_requests": requests})
                states.append(client.get(batch).json()["state"])

    threads = [threading.Thread(target=ask, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [state["num_success"] for state in states] == [20] * 40


def test_batches_are_answered_in_one_loop_after_another(server):
    async def slow(_request: object) -> str:
        await asyncio.sleep(0)
        return "A boat."

    loops: list[weakref.ref[asyncio.AbstractEventLoop]] = []

    async def ask_twice_at_once() -> list[int]:
        loops.append(weakref.ref(asyncio.get_running_loop()))
        transport = server.async_transport(httpx2)
        async with httpx2.AsyncClient(
            transport=transport, base_url="https://api.x.ai/v1", headers=BEARER
        ) as client:
            made = (await client.post("/batches", json={"name": "boats"})).json()["batch_id"]
            path = f"/batches/{made}/requests"
            added = [{"batch_requests": [batching.ask(word)]} for word in ("one", "two")]
            answers = await asyncio.gather(*(client.post(path, json=each) for each in added))
            return [answer.status_code for answer in answers]

    server.when().reply(slow)

    assert [asyncio.run(ask_twice_at_once()) for _ in range(2)] == [[200, 200]] * 2
    gc.collect()
    assert [loop() for loop in loops] == [None, None]


def test_who_answers_can_not_ask_the_server_that_waits_for_it(server):
    client = httpx2.Client(transport=server.transport(httpx2))
    server.reply(lambda _request: client.get("https://api.x.ai/v1/models").text)

    answer = client.post(URL, json=body(), headers=BEARER)

    assert answer.status_code == 500
    with pytest.raises(RuntimeError, match="whoever answers can't ask the same server"):
        server.raise_errors()


def test_a_sync_client_may_be_used_where_a_loop_runs(server):
    async def ask():
        with httpx2.Client(transport=server.transport(httpx2)) as client:
            return client.get("https://api.x.ai/v1/models?page=1", headers=BEARER)

    assert asyncio.run(ask()).status_code == 200
    assert server.requests[0].query == "page=1"


def test_others_have_their_turn_between_the_requests_of_a_batch(server):
    path = "https://api.x.ai/v1/batches"
    requests = {"batch_requests": [batching.ask(str(number)) for number in range(50)]}

    async def turns() -> int:
        transport = httpx2.ASGITransport(server.asgi)
        async with httpx2.AsyncClient(transport=transport, headers=BEARER) as client:
            made = await client.post(path, json={"name": "boats"})
            url = f"{path}/{made.json()['batch_id']}/requests"
            adding = asyncio.create_task(client.post(url, json=requests))
            count = 0
            while not adding.done():
                count += 1
                await asyncio.sleep(0)
        return count

    assert asyncio.run(turns()) >= 50


def test_any_client_of_an_asgi_application_may_ask(server):
    async def ask():
        transport = httpx.ASGITransport(server.asgi)
        async with httpx.AsyncClient(transport=transport) as client:
            return await client.post(URL, json=body(), headers=BEARER)

    assert asyncio.run(ask()).status_code == 200


def test_the_openai_package_asks_without_a_socket(server):
    http = httpx2.Client(transport=server.transport(httpx2))
    with openai.OpenAI(base_url="https://api.x.ai/v1", api_key="k", http_client=http) as client:
        answer = client.chat.completions.create(**body())

    assert "no image" in (answer.choices[0].message.content or "")
