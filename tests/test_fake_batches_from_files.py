"""A whole batch as one file: a request a line, uploaded, and looked at when the batch is made."""

import json
from typing import Any

import pytest

from fake_server import FakeServer
from fake_server.wire import batch_file
from llm_grok_vision import limits
from tests.asking import BEARER, body, image, send
from tests.batching import add, ask, call, counts, get, results
from tests.pictures import data_url, picture

ICON = data_url(picture(128, 128))
CHAT, RESPONSES = "/v1/chat/completions", "/v1/responses"
INVALID = "JSONL file validation failed: "


def line(name: str = "1", url: str = CHAT, **fields: Any) -> str:
    """Write a line that asks about a picture."""
    asked = body(image(ICON), model="grok-4.3")
    return json.dumps({"custom_id": name, "method": "POST", "url": url, "body": asked, **fields})


def upload(server: FakeServer, text: str) -> str:
    """Upload a file of a batch; its id."""
    files = {"file": ("batch.jsonl", text.encode(), "application/jsonl")}
    return str(send(server, "POST", "/v1/files", headers=BEARER, files=files).json()["id"])


def make(server: FakeServer, text: str) -> Any:
    """Make a batch of a file; the answer."""
    wanted = {"name": "boats", "input_file_id": upload(server, text)}
    return call(server, "POST", "", wanted).json()


def test_each_line_is_a_request(grok_server):
    batch = make(grok_server, line("b") + "\n" + line("a") + "\n")["batch_id"]

    assert counts(grok_server, batch) == {"requests": 2, "success": 2}
    assert list(results(grok_server, batch)) == ["a", "b"]
    assert results(grok_server, batch)["a"].startswith("The fake server saw 1 image.")


def test_the_batch_is_empty_in_the_answer_that_makes_it(grok_server):
    """OBSERVED 2026-08-28 in the BATCH NOTE: so much is told before the file is read."""
    made = make(grok_server, line())
    then = get(grok_server, made["batch_id"])

    assert set(made["state"].values()) == {0}
    assert then["state"]["num_success"] == 1
    assert {**made, "state": then["state"]} == then
    assert made["input_file_id"].startswith("file_")


def test_only_a_batch_of_a_file_names_one(grok_server):
    """OBSERVED 2026-08-28 in the BATCH NOTE."""
    assert "input_file_id" not in call(grok_server, "POST", "", {"name": "boats"}).json()


def test_a_line_to_responses_comes_back_as_a_chat_completion(grok_server):
    """OBSERVED 2026-08-28 in the BATCH NOTE."""
    asked = {"model": "grok-4.3", "input": "Hello"}
    batch = make(grok_server, line(url=RESPONSES, body=asked))["batch_id"]

    assert results(grok_server, batch) == {"1": "The fake server saw no image."}


def test_the_requests_of_a_file_are_held_and_logged_as_others(grok_server):
    grok_server.hold_batches()
    batch = make(grok_server, line("1") + "\n" + line("2"))["batch_id"]
    grok_server.finish_batches(1)

    assert counts(grok_server, batch) == {"requests": 2, "pending": 1, "success": 1}
    [ran] = [request for request in grok_server.requests if request.batch_request_id]
    assert (ran.batch_request_id, ran.path, ran.images[0].tokens) == ("1", CHAT, 512)


def test_a_batch_of_a_file_takes_no_more_requests(grok_server):
    """OBSERVED 2026-08-28 in the BATCH NOTE; ASSUMED code."""
    answer = add(grok_server, make(grok_server, line())["batch_id"], ask("2"))

    said = {
        "code": "failed-precondition",
        "error": "Cannot add inline requests to a file-based batch",
    }
    assert (answer.status_code, answer.json()) == (412, said)


def test_a_file_that_is_not_there_makes_no_batch(grok_server):
    answer = call(grok_server, "POST", "", {"name": "boats", "input_file_id": "file_none"})

    assert answer.status_code == 404
    assert call(grok_server, "GET", "").json()["batches"] == []


def test_a_file_that_is_deleted_later_is_not_missed(grok_server):
    made = make(grok_server, line())
    send(grok_server, "DELETE", f"/v1/files/{made['input_file_id']}", headers=BEARER)

    assert counts(grok_server, made["batch_id"]) == {"requests": 1, "success": 1}


WRONG = [
    pytest.param(
        line(body={**body(), "model": "grok-4.5"}),
        "Model grok-4.5 is not supported for batch processing.",
        id="observed-2026-08-04-model",
    ),
    pytest.param(line() + "\n{", "line 2: invalid JSON: ", id="observed-2026-08-28-no-json"),
    pytest.param(line() + "\n[]", "line 2: invalid type: array, expected object", id="no-object"),
    pytest.param(line()[:-1] + ', "deep": ' + "[" * 100_000, "line 1: invalid JSON: ", id="deep"),
    pytest.param('{"url": "/v1/responses"}', "line 1: missing field `custom_id`", id="no-id"),
    pytest.param(
        "\n" + line(body={"model": "grok-4.3"}),
        "line 2: missing field `messages`",
        id="no-messages",
    ),
    pytest.param(line(method="GET"), "line 1: method GET is not POST", id="method"),
    pytest.param(
        line(url="/v1/images/edits"),
        "line 1: the fake server takes /v1/chat/completions and /v1/responses in a batch, and no"
        " /v1/images/edits",
        id="other-path",
    ),
    pytest.param(
        line() + "\n" + line(body=body()),
        "batch_request_id '1' content differs from originally submitted",
        id="one-id-twice",
    ),
    pytest.param(" \n\n", "the file has no requests", id="empty"),
    pytest.param(
        line() + "\n" + line(more="a" * limits.MAX_BATCH_LINE),
        "line 2: more than 25,000,000 bytes",
        id="long-line",
    ),
    pytest.param(
        "{}\n" * (limits.MAX_BATCH_FILE_REQUESTS + 1), "more than 50,000 requests", id="long-file"
    ),
]


@pytest.mark.parametrize(("text", "problem"), WRONG)
def test_a_file_that_is_no_good_is_told_when_its_batch_is_looked_at(grok_server, text, problem):
    """OBSERVED 2026-08-04 in raif #525, and 2026-08-28 in the BATCH NOTE."""
    made = make(grok_server, text)
    then = get(grok_server, made["batch_id"])

    assert (made["cancel_time"], made["cancel_by_xai_message"]) == (None, None)
    assert then["cancel_time"] == "2026-01-01"
    assert then["cancel_by_xai_message"].startswith(INVALID + problem)
    assert set(then["state"].values()) == {0}
    assert results(grok_server, made["batch_id"]) == {}


def test_a_file_of_letters_that_are_none_is_no_good():
    with pytest.raises(
        batch_file.Unreadable, match="line 1: invalid JSON: invalid unicode code point"
    ):
        batch_file.read(b'{"custom_id": "\xff"}')


def test_as_many_requests_as_a_file_may_have_are_read():
    text = "\n".join([line(str(number), body={"model": "grok-4.3", "messages": []}) for number in
                      range(limits.MAX_BATCH_FILE_REQUESTS)])  # fmt: skip

    assert len(batch_file.read(text.encode())) == limits.MAX_BATCH_FILE_REQUESTS
