"""What a server keeps has an end, however long it runs and whatever is sent."""

import itertools
from typing import Any

import openai
import pytest

from fake_server import FakeServer, batch, batches, journal
from tests import batching
from tests.asking import BEARER, body, image, post, send, text
from tests.pictures import data_url, picture

LONG = "word " * 10_000
PICTURE = picture(64, 64)
URL = "https://example.com/a.png"


def _posted(server: FakeServer, path: str, json: dict[str, Any]) -> Any:
    return send(server, "POST", path, json=json, headers=BEARER).json()


def _found_later(server: FakeServer, inputs: list[Any], **fields: Any) -> list[int]:
    """Ask for an answer to each input, and then, by its id, for each again; give the statuses of these."""
    made = [
        _posted(server, "/v1/responses", {"model": "grok-4", "input": given, **fields})["id"]
        for given in inputs
    ]
    got = [send(server, "GET", f"/v1/responses/{one}", headers=BEARER) for one in made]
    return [answer.status_code for answer in got]


def asked(server: FakeServer) -> list[int]:
    return [request.number for request in server.requests]


def test_the_oldest_requests_go_when_their_texts_are_too_long(grok_server, monkeypatch):
    monkeypatch.setattr(journal, "MOST_TEXT", 2 * len(LONG) + 2000)

    for words in ("short", LONG, "short", LONG, "short", LONG, "short"):
        assert post(grok_server, body(text(words))).status_code == 200

    assert asked(grok_server) == [3, 4, 5, 6, 7]
    assert grok_server.requests.find(6).last_text == LONG


def test_the_oldest_requests_go_when_their_answers_are_too_long(grok_server, monkeypatch):
    monkeypatch.setattr(journal, "MOST_TEXT", 2 * len(LONG) + 2000)

    for _ in range(3):
        grok_server.reply(LONG)
        post(grok_server, body())

    assert asked(grok_server) == [2, 3]


def test_the_oldest_requests_go_when_the_arguments_that_answer_them_are_too_long(
    grok_server, monkeypatch
):
    monkeypatch.setattr(journal, "MOST_TEXT", 2 * len(LONG) + 4000)
    parameters = {"type": "object", "properties": {"a": {"const": LONG}}, "required": ["a"]}
    tool = {"type": "function", "function": {"name": "f", "parameters": parameters}}

    for _ in range(3):
        post(grok_server, body(tools=[tool], tool_choice="required"))

    assert asked(grok_server) == [2, 3]


def test_the_oldest_requests_go_when_they_have_too_many_images(grok_server, monkeypatch):
    monkeypatch.setattr(journal, "MOST_TEXT", 70_000)
    grok_server.serve_image(URL, PICTURE)

    for _ in range(3):
        post(grok_server, body(*[image(URL)] * 60))

    assert asked(grok_server) == [2, 3]


def test_the_newest_request_stays_however_long_it_is(grok_server, monkeypatch):
    monkeypatch.setattr(journal, "MOST_TEXT", 10)

    for words in ("short", LONG, "short", LONG):
        post(grok_server, body(text(words)))

    assert asked(grok_server) == [3, 4]


def with_bodies(server: FakeServer) -> list[bool]:
    """Tell of each request whether its bodies are kept, both or none."""
    kept = [(bool(log.raw_request), bool(log.raw_answer)) for log in server.requests]
    assert all(asked == answered for asked, answered in kept)
    return [asked for asked, _ in kept]


def test_the_oldest_bodies_go_when_they_are_too_long(grok_server, monkeypatch):
    post(grok_server, body())
    (first,) = grok_server.requests
    size = len(first.raw_request) + len(first.raw_answer)
    monkeypatch.setattr(grok_server.requests, "exchange_room", 2 * size)

    for _ in range(2):
        post(grok_server, body())

    assert with_bodies(grok_server) == [False, True, True]


def test_bodies_that_went_with_their_requests_take_no_room(grok_server, monkeypatch):
    post(grok_server, body())
    (first,) = grok_server.requests
    monkeypatch.setattr(grok_server.requests, "exchange_room", 2 * len(first.raw_answer))
    grok_server.requests.clear()

    for _ in range(2):
        post(grok_server, body())

    assert with_bodies(grok_server) == [False, True]


def test_texts_that_went_with_others_are_counted_no_more(grok_server, monkeypatch):
    monkeypatch.setattr(journal, "MOST_TEXT", 2 * len(LONG) + 2000)
    post(grok_server, body(text(LONG)))
    grok_server.requests.clear()

    for _ in range(2):
        post(grok_server, body(text(LONG)))

    assert asked(grok_server) == [1, 2]


def test_a_request_that_was_forgotten_while_it_was_answered_takes_no_room(grok_server, monkeypatch):
    monkeypatch.setattr(journal, "MOST_TEXT", 2 * len(LONG) + 2000)

    def forget(_request: object) -> str:
        grok_server.requests.clear()
        return "hello"

    grok_server.reply(forget)
    for _ in range(3):
        post(grok_server, body(text(LONG)))

    assert asked(grok_server) == [1, 2]


SETTINGS = [
    pytest.param({"user": LONG}, id="a-setting"),
    pytest.param({"model": LONG}, id="a-model-that-there-is-not"),
    pytest.param(body(image(data_url(PICTURE, LONG))), id="a-type-of-an-image"),
]


@pytest.mark.parametrize("fields", SETTINGS)
def test_what_else_is_long_takes_room_too(fields, grok_server, monkeypatch):
    monkeypatch.setattr(journal, "MOST_TEXT", 10)

    for _ in range(3):
        post(grok_server, {**body(), **fields})

    assert asked(grok_server) == [3]


def test_a_text_in_a_batch_takes_room_too(grok_server, monkeypatch):
    monkeypatch.setattr(journal, "MOST_TEXT", 10)
    row = {"batch_request": {"chat_get_completion": body(text(LONG))}}
    batch = _posted(grok_server, "/v1/batches", {"name": "long"})["batch_id"]

    _posted(grok_server, f"/v1/batches/{batch}/requests", {"batch_requests": [row, row]})

    assert [request.last_text for request in grok_server.requests if request.messages] == [LONG]


def test_an_id_in_a_batch_takes_room_too(grok_server, monkeypatch):
    monkeypatch.setattr(journal, "MOST_TEXT", 10)
    question = {"chat_get_completion": body()}
    rows = [{"batch_request_id": f"{n} {LONG}", "batch_request": question} for n in range(2)]
    batch = _posted(grok_server, "/v1/batches", {"name": "long"})["batch_id"]

    _posted(grok_server, f"/v1/batches/{batch}/requests", {"batch_requests": rows})

    assert [one.batch_request_id[0] for one in grok_server.requests if one.messages] == ["1"]


def test_the_oldest_batches_go_when_there_are_too_many(grok_server, monkeypatch):
    monkeypatch.setattr(batches, "MOST_BATCHES", 2)

    made = [_posted(grok_server, "/v1/batches", {"name": "x"})["batch_id"] for _ in range(5)]

    listed = send(grok_server, "GET", "/v1/batches", headers=BEARER).json()["batches"]
    assert len(set(made)) == 5
    assert {batch["batch_id"] for batch in listed} == {*made[3:]}


def room_of_batches(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    """Leave so many bytes for a batch, and for all together."""
    for module in (batch, batches):
        monkeypatch.setattr(module, "MOST_BYTES", size)


def room_for_requests(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    """Leave room for so many short requests in all batches together."""
    room_of_batches(monkeypatch, count * 2300)


def test_the_oldest_batches_go_when_there_are_too_many_requests_in_them(grok_server, monkeypatch):
    room_for_requests(monkeypatch, 5)
    made = [batching.create(grok_server, *map(batching.ask, "123")) for _ in range(3)]

    (left,) = batching.call(grok_server, "GET", "").json()["batches"]
    assert left["batch_id"] == made[2]


def test_a_batch_takes_requests_until_it_is_full(grok_server, monkeypatch):
    room_for_requests(monkeypatch, 5)
    batch = batching.create(grok_server, *map(batching.ask, "123"))

    answer = batching.add(grok_server, batch, *map(batching.ask, "456"))

    assert answer.status_code == 413
    assert "The fake server keeps at most 11,500 bytes of a batch." in answer.text
    assert batching.counts(grok_server, batch) == {"requests": 3, "success": 3}


LONG_REQUESTS = [
    pytest.param(batching.ask("1") | {"batch_request_id": LONG}, id="an-id"),
    pytest.param(batching.ask("1", model=LONG), id="a-model-that-there-is-not"),
]


@pytest.mark.parametrize("asked", LONG_REQUESTS)
def test_a_long_request_fills_a_batch(asked, grok_server, monkeypatch):
    room_of_batches(monkeypatch, len(LONG))
    batch = batching.create(grok_server)

    assert batching.add(grok_server, batch, asked).status_code == 413


def test_names_of_batches_take_room_too(grok_server, monkeypatch):
    room_of_batches(monkeypatch, 2 * len(LONG))

    made = [batching.create(grok_server, name=LONG) for _ in range(3)]

    listed = batching.call(grok_server, "GET", "").json()["batches"]
    assert [batch["batch_id"] for batch in listed] == made[1:]


def test_answers_fail_when_their_batch_is_full(grok_server, monkeypatch):
    room_of_batches(monkeypatch, 2 * len(LONG))
    grok_server.when().reply(LONG)

    batch = batching.create(grok_server, *map(batching.ask, "123"))

    assert batching.counts(grok_server, batch) == {"requests": 3, "success": 1, "error": 2}
    _, second, _ = batching.call(grok_server, "GET", f"/{batch}/results").json()["results"]
    assert second["batch_result"]["error"].startswith("The fake server keeps at most")


def test_long_errors_fill_a_batch(grok_server, monkeypatch):
    room_of_batches(monkeypatch, len(LONG))
    grok_server.when().fail(400, error=LONG)
    batch = batching.create(grok_server, batching.ask("1"))

    assert batching.add(grok_server, batch, batching.ask("2")).status_code == 413


def test_the_oldest_deferred_answers_go_when_they_are_too_long(grok_server, monkeypatch):
    monkeypatch.setattr(grok_server.app.service.deferred.waiting, "room", 2 * len(LONG))
    grok_server.when().reply(LONG)
    ids = [post(grok_server, body(deferred=True)).json()["request_id"] for _ in range(3)]

    got = [
        send(grok_server, "GET", f"/v1/chat/deferred-completion/{one}", headers=BEARER)
        for one in ids
    ]

    assert [answer.status_code for answer in got] == [404, 202, 202]


def test_what_is_kept_is_kept_in_one_piece(grok_server):
    grok_server.when().reply(LONG)
    _posted(grok_server, "/v1/responses", {"model": "grok-4", "input": "Hello"})
    post(grok_server, body(deferred=True))
    batching.create(grok_server, batching.ask("1"))

    service, (batch,) = grok_server.app.service, grok_server.app.batches.all()
    kept = [
        *[one.completion for one in service.stored.shelf.all()],
        *service.deferred.waiting.all(),
        *[result.outcome for result in batch.results],
    ]
    assert [completion.words for completion in kept] == [[LONG]] * 3


def test_a_body_is_not_kept_beside_what_was_read_in_it(grok_server):
    _posted(grok_server, "/v1/responses", {"model": "grok-4", "input": LONG})

    (kept,) = grok_server.app.service.stored.shelf.all()
    assert LONG.encode() not in kept.request.seed


def test_the_oldest_requests_go_when_their_messages_are_too_many(grok_server, monkeypatch):
    monkeypatch.setattr(journal, "MOST_TEXT", 100_000)
    many = [{"role": "user", "content": "a"}] * 400

    for _ in range(4):
        post(grok_server, {**body(), "messages": many})

    assert asked(grok_server) == [4]


def test_the_oldest_answers_go_when_their_messages_are_too_many(grok_server, monkeypatch):
    monkeypatch.setattr(grok_server.app.service.stored.shelf, "room", 100_000)
    many = [{"role": "user", "content": "a"}] * 400

    assert _found_later(grok_server, [many[1:], many[2:]]) == [404, 200]


def test_the_oldest_files_go_when_there_are_too_many(grok_server, monkeypatch):
    monkeypatch.setattr(grok_server.app.service.files.shelf, "most", 2)
    with openai.OpenAI(base_url=grok_server.url, api_key="any") as client:
        kept = [client.files.create(file=("a", b"x"), purpose="assistants").id for _ in range(4)]
        assert [one.id for one in client.files.list()] == kept[2:]


def test_a_file_that_was_deleted_leaves_its_room(grok_server, monkeypatch):
    monkeypatch.setattr(grok_server.app.service.files.shelf, "room", 10)
    with openai.OpenAI(base_url=grok_server.url, api_key="any") as client:
        first = client.files.create(file=("a", b"12345"), purpose="assistants").id
        client.files.delete(client.files.create(file=("b", b"12345"), purpose="assistants").id)
        last = client.files.create(file=("c", b"12345"), purpose="assistants").id

        assert [one.id for one in client.files.list()] == [first, last]


def test_the_oldest_answers_go_when_their_texts_are_too_long(grok_server, monkeypatch):
    monkeypatch.setattr(grok_server.app.service.stored.shelf, "room", 2 * len(LONG))
    with openai.OpenAI(base_url=grok_server.url, api_key="any", max_retries=0) as client:
        kept = [client.responses.create(model="grok-4", input=LONG + word).id for word in "abc"]

        assert client.responses.retrieve(kept[2]).id == kept[2]
        with pytest.raises(openai.NotFoundError):
            client.responses.retrieve(kept[0])


ALONGSIDE = [
    pytest.param({"tools": [{"type": "function", "name": "f", "description": LONG}]}, id="a-tool"),
    pytest.param({"user": LONG}, id="a-setting"),
]


@pytest.mark.parametrize("fields", ALONGSIDE)
def test_the_oldest_answers_go_when_what_was_asked_beside_texts_is_too_long(
    fields, grok_server, monkeypatch
):
    monkeypatch.setattr(grok_server.app.service.stored.shelf, "room", len(LONG))

    assert _found_later(grok_server, ["first", "second"], **fields) == [404, 200]


def test_the_oldest_answers_go_when_they_are_too_long(grok_server, monkeypatch):
    monkeypatch.setattr(grok_server.app.service.stored.shelf, "room", len(LONG))
    grok_server.when().reply(LONG)

    assert _found_later(grok_server, ["first", "second"]) == [404, 200]


def test_an_answer_takes_the_room_of_what_it_goes_on_from(grok_server, monkeypatch):
    monkeypatch.setattr(grok_server.app.service.stored.shelf, "room", 1.5 * len(LONG))
    with openai.OpenAI(base_url=grok_server.url, api_key="any", max_retries=0) as client:
        first = client.responses.create(model="grok-4", input=LONG).id
        last = client.responses.create(model="grok-4", input="on", previous_response_id=first).id

        assert client.responses.retrieve(last).id == last
        with pytest.raises(openai.NotFoundError):
            client.responses.retrieve(first)


def test_of_what_functions_raise_the_first_hundred_are_kept():
    raised = itertools.count()

    def broken(_request: object) -> str:
        raise ValueError(next(raised))

    with FakeServer() as server:
        server.when().reply(broken)
        for _ in range(120):
            assert post(server, body()).status_code == 500

        assert [_raised(server) for _ in range(101)] == [*map(str, range(100)), ""]


def _raised(server: FakeServer) -> str:
    try:
        server.raise_errors()
    except ValueError as error:
        return str(error)
    return ""
