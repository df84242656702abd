"""How batches look over HTTP: shapes, pages, headers.

The recordings at hand have no batches; the shapes are those of `xai-wire.md` 1.9 (OBSERVED
2026-08-10) and of the types of xAI's SDK for TypeScript.
"""

import json
import re

import pytest

from tests.asking import BEARER, body, send
from tests.batching import add, ask, call, cancel, create, get
from tests.recorded import needed, newest, shape

# OBSERVED 2026-08-10.
BATCH = [
    ("batch_id", "str"),
    ("name", "str"),
    ("create_time", "str"),
    ("expire_time", "str"),
    ("create_api_key_id", "str"),
    ("cancel_time", "NoneType"),
    ("cancel_by_xai_message", "NoneType"),
    (
        "state",
        [
            ("num_requests", "int"),
            ("num_pending", "int"),
            ("num_success", "int"),
            ("num_error", "int"),
            ("num_cancelled", "int"),
        ],
    ),
]


def test_a_new_batch_has_the_recorded_shape(grok_server):
    answer = call(grok_server, "POST", "", {"name": "boats"})

    assert shape(answer.json()) == BATCH
    assert answer.json()["name"] == "boats"
    assert set(answer.json()["state"].values()) == {0}
    assert re.fullmatch(
        r"batch_[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", answer.json()["batch_id"]
    )


def test_a_batch_has_the_same_shape_wherever_it_stands(grok_server):
    batch = create(grok_server, ask())

    [listed] = call(grok_server, "GET", "").json()["batches"]
    cancelled = cancel(grok_server, batch)

    assert shape(get(grok_server, batch)) == shape(cancelled)
    assert shape(listed) == BATCH
    assert shape({**cancelled, "cancel_time": None}) == BATCH


def test_added_requests_are_answered_with_null(grok_server):
    """OBSERVED 2026-08-10."""
    assert add(grok_server, create(grok_server), ask()).text == "null"


def test_metadata_of_a_request_have_the_documented_shape(grok_server):
    """DOC, the types and tests of xAI's SDK for TypeScript."""
    grok_server.hold_batches()
    batch = create(grok_server, ask("1", model="grok-4.3"), ask("2"))
    grok_server.finish_batches(1)

    done, pending = call(grok_server, "GET", f"/{batch}/requests").json()["batch_request_metadata"]

    assert list(done.items()) == [
        ("batch_request_id", "1"),
        ("endpoint", "xai_api.Chat/GetCompletion"),
        ("model", "grok-4.3"),
        ("state", "succeeded"),
        ("create_time", "2026-01-01"),
        ("finish_time", "2026-01-01"),
    ]
    assert (pending["state"], pending["finish_time"]) == ("pending", None)


@needed
def test_a_result_has_the_recorded_shape(grok_server):
    recorded = newest("Aug 2026", streamed=False, holding='"stop"')
    grok_server.reply("A cat.", reasoning="It purrs.")
    batch = create(grok_server, ask("1", model="grok-4.3"))

    page = call(grok_server, "GET", f"/{batch}/results").json()

    completion = shape(json.loads(recorded.body))
    result = [
        ("batch_request_id", "str"),
        ("batch_result", [("response", [("chat_get_completion", completion)])]),
    ]
    assert shape(page) == [("results", [result]), ("pagination_token", "NoneType")]


def test_a_response_comes_back_as_a_chat_completion(grok_server):
    asked = {"model": "grok-4.3", "input": [{"role": "user", "content": "Hello"}]}
    batch = create(grok_server, {"batch_request_id": "1", "batch_request": {"responses": asked}})

    [result] = call(grok_server, "GET", f"/{batch}/results").json()["results"]

    answer = result["batch_result"]["response"]["chat_get_completion"]
    assert answer["object"] == "chat.completion"
    assert answer["choices"][0]["message"]["content"] == "The fake server saw no image."


def test_a_response_of_a_wrong_shape_is_refused_with_the_whole_addition(grok_server):
    asked = {"model": "grok-4.3", "input": "Hello", "tools": [{"type": "function"}]}
    batch = create(grok_server)

    answer = add(grok_server, batch, {"batch_request": {"responses": asked}})

    assert answer.status_code == 422
    assert get(grok_server, batch)["state"]["num_requests"] == 0


def test_an_error_in_a_result_is_a_text(grok_server):
    """OBSERVED 2026-08-28 in the BATCH NOTE; DISPUTED by batch.proto."""
    grok_server.fail(403, error="Not this one.")
    batch = create(grok_server, ask("1"))

    page = call(grok_server, "GET", f"/{batch}/results").json()

    assert page["results"] == [
        {"batch_request_id": "1", "batch_result": {"error": "Not this one."}}
    ]


def test_answers_have_the_headers_of_lists(grok_server):
    answer = call(grok_server, "POST", "", {"name": "boats"})
    models = send(grok_server, "GET", "/v1/models", headers=BEARER)

    assert list(answer.headers) == list(models.headers)


def test_tools_and_schemas_work_in_a_batch(grok_server):
    look = {"type": "function", "function": {"name": "look", "parameters": {}}}
    asked = body(tools=[look], tool_choice="required")
    batch = create(grok_server, {"batch_request": {"chat_get_completion": asked}})

    [row] = call(grok_server, "GET", f"/{batch}/results").json()["results"]
    [choice] = row["batch_result"]["response"]["chat_get_completion"]["choices"]
    assert choice["message"]["tool_calls"][0]["function"]["name"] == "look"
    assert grok_server.requests[2].tools == ["look"]


LISTS = [
    pytest.param("results", "results", id="results"),
    pytest.param("requests", "batch_request_metadata", id="requests"),
]


@pytest.mark.parametrize(("path", "key"), LISTS)
def test_a_list_is_read_page_by_page(grok_server, path, key):
    batch = create(grok_server, *[ask(str(number)) for number in range(5)])

    pages, token = [], ""
    while token is not None:
        after = f"&pagination_token={token}" if token else ""
        page = call(grok_server, "GET", f"/{batch}/{path}?limit=2{after}").json()
        pages.append([row["batch_request_id"] for row in page[key]])
        token = page["pagination_token"]

    assert pages == [["0", "1"], ["2", "3"], ["4"]]


def test_batches_are_read_page_by_page(grok_server):
    first, second = create(grok_server), create(grok_server)

    page = call(grok_server, "GET", "?limit=1").json()
    token = page["pagination_token"]
    last = call(grok_server, "GET", f"?limit=1&pagination_token={token}").json()

    assert [batch["batch_id"] for batch in page["batches"] + last["batches"]] == [first, second]
    assert last["pagination_token"] is None


def test_a_page_that_is_just_full_is_the_last(grok_server):
    batch = create(grok_server, ask("1"), ask("2"))

    assert call(grok_server, "GET", f"/{batch}/results?limit=2").json()["pagination_token"] is None


def test_a_page_has_a_hundred_rows_unless_told(grok_server):
    """DOC batch.proto: "Defaults to 100.\""""
    batch = create(grok_server, *[ask(str(number)) for number in range(101)])

    page = call(grok_server, "GET", f"/{batch}/results").json()

    assert (len(page["results"]), page["pagination_token"] is None) == (100, False)


def test_a_page_has_a_thousand_rows_at_most(grok_server):
    """DOC xAI's REST reference, in the words of the BATCH NOTE; ASSUMED answer to more."""
    grok_server.hold_batches()
    batch = create(grok_server, *[ask(str(number)) for number in range(1001)])

    page = call(grok_server, "GET", f"/{batch}/requests?limit=100000").json()

    assert (len(page["batch_request_metadata"]), page["pagination_token"] is None) == (1000, False)


def test_results_that_come_while_pages_are_read_are_neither_lost_nor_twice(grok_server):
    grok_server.hold_batches()
    batch = create(grok_server, *[ask(str(number)) for number in range(4)])
    grok_server.finish_batches(3)
    page = call(grok_server, "GET", f"/{batch}/results?limit=2").json()
    grok_server.finish_batches()

    token = page["pagination_token"]
    rest = call(grok_server, "GET", f"/{batch}/results?limit=2&pagination_token={token}").json()

    assert [row["batch_request_id"] for row in page["results"] + rest["results"]] == list("0123")
