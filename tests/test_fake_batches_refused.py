"""Every refusal below /v1/batches is provoked once; nothing of a refused addition is kept."""

import json
from typing import Any

import pytest

from fake_server import FakeServer
from llm_grok_vision import limits
from tests.asking import BEARER, send
from tests.batching import PATH, add, ask, call, cancel, create, get

BATCH = "<batch>"
HTML = "<html><head><title>413 Request Entity Too Large</title></head></html>"
SHAPE = "Failed to deserialize the JSON body into the target type: "
IMAGE_EDIT = {"batch_request": {"image_edit": {"model": "grok-imagine-image"}}}


def adding(*requests: Any) -> dict[str, Any]:
    return {"batch_requests": list(requests)}


def flat(code: str, error: str) -> str:
    return json.dumps({"code": code, "error": error}, separators=(",", ":"))


# One row or more for each refusal of its own; a batch with the request "1" stands for <batch>.
BATCHES: dict[str, tuple[str, str, Any, int, str]] = {
    "unknown batch": (
        "GET",
        "/batch_none",
        None,
        404,
        flat("not-found", "Cannot find batch with ID batch_none"),
    ),
    "bad limit": (
        "GET",
        f"/{BATCH}/results?limit=many",
        None,
        400,
        "Failed to deserialize query string: limit: many",
    ),
    "bad pagination token": (
        "GET",
        f"/{BATCH}/results?pagination_token=2",
        None,
        400,
        flat("invalid-argument", "Invalid pagination token: 2"),
    ),
    "batch payload too large": (
        "POST",
        f"/{BATCH}/requests",
        adding(ask("a" * limits.MAX_BATCH_PAYLOAD)),
        413,
        HTML,
    ),
    "batch request of another kind": (
        "POST",
        f"/{BATCH}/requests",
        adding(IMAGE_EDIT),
        400,
        flat(
            "invalid-argument",
            "The fake server takes chat_get_completion and responses in a batch, and no image_edit.",
        ),
    ),
    "batch request twice": (
        "POST",
        f"/{BATCH}/requests",
        adding(ask("1", model="grok-4.3")),
        412,
        flat(
            "failed-precondition",
            "batch_request_id '1' content differs from originally submitted",
        ),
    ),
    "model not for batches": (
        "POST",
        f"/{BATCH}/requests",
        adding(ask("2", model="grok-4.5")),
        400,
        flat("invalid-argument", "Model grok-4.5 is not supported for batch processing."),
    ),
}


@pytest.mark.parametrize("name", BATCHES)
def test_a_row_of_batches_is_refused_with_its_status_and_words(grok_server, name):
    method, path, sent, status, said = BATCHES[name]
    batch = create(grok_server, ask("1"))

    answer = call(grok_server, method, path.replace(BATCH, batch), sent)

    assert (answer.status_code, answer.text) == (status, said)
    assert (grok_server.requests[-1].status, bool(grok_server.requests[-1].error)) == (status, True)


@pytest.mark.parametrize("ended", ["was cancelled", "has expired"])
def test_a_batch_that_has_ended_takes_no_more(grok_server, ended):
    batch = create(grok_server, ask("1"))
    if ended == "was cancelled":
        cancel(grok_server, batch)
    else:
        grok_server.expire_batches()

    answer = add(grok_server, batch, ask("2"))

    words = f"Batch {batch} {ended} and takes no more requests."
    assert (answer.status_code, answer.text) == (403, flat("permission-denied", words))


SHAPES = [
    pytest.param("", {}, "missing field `name`", id="no-name"),
    pytest.param("", {"name": 1}, "name: invalid type: int, expected str", id="name-is-a-number"),
    pytest.param(
        f"/{BATCH}/requests",
        {"requests": []},
        "missing field `batch_requests`",
        id="observed-2026-08-22-requests",
    ),
    pytest.param(
        f"/{BATCH}/requests",
        adding({"batch_request_id": "2"}),
        "batch_requests[0]: missing field `batch_request`",
        id="no-request",
    ),
    pytest.param(
        f"/{BATCH}/requests",
        adding(ask(), {"batch_request": {}}),
        "batch_requests[1].batch_request: missing field `chat_get_completion`",
        id="empty-request",
    ),
    pytest.param(
        f"/{BATCH}/requests",
        adding({"batch_request": {"chat_get_completion": {"model": "grok-4.3"}}}),
        "batch_requests[0].batch_request.chat_get_completion: missing field `messages`",
        id="no-messages",
    ),
]


@pytest.mark.parametrize(("path", "sent", "problem"), SHAPES)
def test_a_body_of_another_shape_is_refused_where_it_is_wrong(grok_server, path, sent, problem):
    batch = create(grok_server)

    answer = call(grok_server, "POST", path.replace(BATCH, batch), sent)

    assert (answer.status_code, answer.text) == (422, SHAPE + problem)


@pytest.mark.parametrize("limit", ["0", "-1", "1.5", "", "٣", "9" * 5000])
def test_a_limit_is_a_number_from_1(grok_server, limit):
    assert call(grok_server, "GET", f"?limit={limit}x").status_code == 400
    answer = call(grok_server, "GET", f"?limit={limit}")
    # An empty value is no value, for parse_qs as for others.
    assert answer.status_code == (400 if limit else 200)


UNSUPPORTED = ["grok-4.7", "grok-latest", "grok-4.6", "grok-4.5-latest", "grok-build-0.1"]


@pytest.mark.parametrize("model", UNSUPPORTED)
def test_models_that_were_seen_refused_are_refused(grok_server, model):
    answer = add(grok_server, create(grok_server), ask(model=model))

    assert answer.json()["error"] == f"Model {model} is not supported for batch processing."


@pytest.mark.parametrize("model", ["grok-4.3", "grok-4.20", "grok-4.20-non-reasoning"])
def test_models_that_were_seen_taken_are_taken(grok_server, model):
    """OBSERVED 2026-07-12 and 2026-08-04."""
    assert add(grok_server, create(grok_server), ask(model=model)).status_code == 200


REFUSED = [
    pytest.param(ask("2", model="grok-4.3"), 412, id="twice-at-once"),
    pytest.param(ask("3", model="grok-4.7"), 400, id="model"),
    pytest.param(IMAGE_EDIT, 400, id="another-kind"),
]


@pytest.mark.parametrize(("bad", "status"), REFUSED)
def test_of_a_refused_addition_nothing_is_kept(grok_server, bad, status):
    """OBSERVED 2026-08-29 in the BATCH NOTE, of ids and models."""
    batch = create(grok_server)

    assert add(grok_server, batch, ask("2"), bad).status_code == status
    assert get(grok_server, batch)["state"]["num_requests"] == 0
    assert not any(request.batch_request_id for request in grok_server.requests)


def test_a_payload_that_just_fits_is_taken(grok_server):
    batch = create(grok_server)
    frame = json.dumps(adding(ask("")))
    sent = frame.replace("Hello", "").replace('"text": ""', '"text": "%s"')
    sent %= "a" * (limits.MAX_BATCH_PAYLOAD - len(sent) + 2)
    typed = {**BEARER, "content-type": "application/json"}
    path = f"{PATH}/{batch}/requests"

    fits = send(grok_server, "POST", path, content=sent.encode(), headers=typed)
    above = send(grok_server, "POST", path, content=sent.encode() + b" ", headers=typed)

    assert len(sent) == limits.MAX_BATCH_PAYLOAD
    assert (fits.status_code, above.status_code) == (200, 413)


OUTER = [
    pytest.param("GET", "/a/b", {}, 404, id="path-before-key"),
    pytest.param("GET", "x", BEARER, 404, id="longer-name"),
    pytest.param("POST", "/a:stop", BEARER, 404, id="unknown-verb-of-a-batch"),
    pytest.param("DELETE", "", {}, 405, id="verb-before-key"),
    pytest.param("GET", "/a:cancel", {}, 405, id="cancel-is-posted"),
    pytest.param("POST", "/a/results", {}, 405, id="results-are-read"),
    pytest.param("POST", "/a/requests", {}, 401, id="key-before-batch"),
    pytest.param("POST", "/a/requests", BEARER, 404, id="batch-before-type"),
    pytest.param("POST", "", BEARER, 415, id="type-before-json"),
]


@pytest.mark.parametrize(("method", "path", "headers", "status"), OUTER)
def test_the_outer_layers_come_first_for_batches_too(grok_server, method, path, headers, status):
    answer = send(grok_server, method, PATH + path, headers=headers, content=b"{")

    assert answer.status_code == status


def test_a_body_that_is_no_json_is_refused(grok_server):
    typed = {**BEARER, "content-type": "application/json"}
    for content in (b"{", b"\xff", b'{"name":' + b"[" * 100_000):
        answer = send(grok_server, "POST", PATH, headers=typed, content=content)
        assert answer.status_code in (400, 422)


def test_only_the_right_key_is_good_for_batches():
    with FakeServer(api_key="xai-another-key") as server:
        assert call(server, "GET", "").status_code == 400
