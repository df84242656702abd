"""Answers that are stored: gone on from, shown again and deleted, by OpenAI's own client."""

from collections.abc import Iterator

import httpx2
import openai
import pytest

from fake_server import FakeServer
from tests.asking import BEARER, Part, input_image, input_text, prompt, respond, send
from tests.pictures import data_url, picture

PHOTO = data_url(picture(449, 448))


@pytest.fixture
def client(grok_server: FakeServer) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=grok_server.url, api_key="any", max_retries=0) as client:
        yield client


def ask(server: FakeServer, *parts: Part, **fields: object) -> str:
    answer = respond(server, prompt(*parts, **fields))
    assert answer.status_code == 200, answer.text
    number = answer.json()["id"]
    assert isinstance(number, str)
    return number


def test_a_conversation_goes_on_from_an_answer(grok_server, client):
    grok_server.reply("A boat.")
    first = client.responses.create(
        model="grok-4.3",
        input=[{"role": "user", "content": [input_text("What is it?"), input_image(PHOTO)]}],
    )

    second = client.responses.create(
        model="grok-4.3", input="How long is it?", previous_response_id=first.id
    )

    seen = grok_server.requests[1].messages
    assert [message.role for message in seen] == ["user", "assistant", "user"]
    assert seen[1].parts == ["A boat."]
    assert seen[2].parts == ["How long is it?"]
    assert second.previous_response_id == first.id


def test_images_of_earlier_turns_are_counted_again(grok_server):
    first = ask(grok_server, input_image(PHOTO))
    ask(grok_server, input_text("And now?"), previous_response_id=first)

    alone, again = (request.usage["input_tokens"] for request in grok_server.requests)
    assert [image.tokens for image in grok_server.requests[1].images] == [768]
    assert again > alone >= 768


def test_an_answer_is_gone_on_from_over_three_turns(grok_server):
    first = ask(grok_server, input_text("One"))
    second = ask(grok_server, input_text("Two"), previous_response_id=first)
    ask(grok_server, input_text("Three"), previous_response_id=second)

    asked = [
        message.parts for message in grok_server.requests[2].messages if message.role == "user"
    ]
    assert asked == [["One"], ["Two"], ["Three"]]


def test_a_call_is_answered_with_the_id_of_the_answer_that_made_it(grok_server, client):
    grok_server.reply(tool_calls=[("tide", {"place": "Leith"})])
    tool = {"type": "function", "name": "tide", "parameters": {"type": "object"}}
    first = client.responses.create(model="grok-4.3", input="The tide?", tools=[tool])

    output = {"type": "function_call_output", "call_id": first.output[0].call_id, "output": "high"}
    client.responses.create(
        model="grok-4.3", input=[output], tools=[tool], previous_response_id=first.id
    )

    assert [message.role for message in grok_server.requests[1].messages] == [
        "user",
        "assistant",
        "tool",
    ]


def test_instructions_do_not_go_with_an_earlier_answer(grok_server):
    first = ask(grok_server)

    answer = respond(grok_server, prompt(instructions="Be brief.", previous_response_id=first))

    assert answer.status_code == 400
    assert answer.json() == {
        "code": "400",
        "error": "Argument not supported: instructions and previous_response_id together",
    }


def test_an_answer_is_shown_again_as_it_was(grok_server, client):
    asked = prompt(input_text("What is it?"), temperature=0.5)
    sent = respond(grok_server, asked)

    shown = send(grok_server, "GET", f"/v1/responses/{sent.json()['id']}", headers=BEARER)

    assert shown.content == sent.content
    assert (
        client.responses.retrieve(sent.json()["id"]).output_text
        == sent.json()["output"][-1]["content"][0]["text"]
    )


def test_an_answer_is_kept_without_its_reasoning_and_its_instructions(grok_server):
    """OBSERVED 2026-09-12 in the STACK NOTE."""
    grok_server.reply("A boat.", reasoning="It floats.")
    sent = respond(grok_server, prompt(instructions="Be brief.")).json()

    shown = send(grok_server, "GET", f"/v1/responses/{sent['id']}", headers=BEARER).json()

    assert [item["type"] for item in sent["output"]] == ["reasoning", "message"]
    assert shown == {**sent, "output": sent["output"][1:], "instructions": None}


def test_a_streamed_answer_is_stored_too(grok_server, client):
    with client.responses.create(model="grok-4.3", input="Hello", stream=True) as stream:
        events = list(stream)

    kept = client.responses.retrieve(events[-1].response.id)

    assert kept.output_text == events[-1].response.output_text


def test_what_was_asked_is_listed_in_order(grok_server, client):
    first = ask(grok_server, input_text("What is it?"), input_image(PHOTO, detail="low"))

    (item,) = client.responses.input_items.list(first).data

    assert (item.type, item.role) == ("message", "user")
    text, image = item.content
    assert (text.type, text.text) == ("input_text", "What is it?")
    assert (image.type, image.image_url, image.detail) == ("input_image", PHOTO, "low")


def test_assumed_items_are_a_list_as_openai_has_it(grok_server):
    grok_server.reply("A boat.")
    first = ask(grok_server, input_text("What is it?"))
    second = ask(grok_server, input_text("Whose?"), previous_response_id=first)

    told = send(grok_server, "GET", f"/v1/responses/{second}/input_items", headers=BEARER).json()

    items = told["data"]
    assert [(item["role"], item["content"]) for item in items] == [
        ("user", [{"type": "input_text", "text": "What is it?"}]),
        ("assistant", [{"type": "output_text", "text": "A boat."}]),
        ("user", [{"type": "input_text", "text": "Whose?"}]),
    ]
    assert told == {
        "object": "list",
        "data": items,
        "first_id": items[0]["id"],
        "last_id": items[2]["id"],
        "has_more": False,
    }


def test_a_deleted_answer_is_gone(grok_server, client):
    first = ask(grok_server)

    deleted = send(grok_server, "DELETE", f"/v1/responses/{first}", headers=BEARER)

    assert deleted.json() == {"id": first, "object": "response", "deleted": True}
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(first)


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", ""), ("DELETE", ""), ("GET", "/input_items")],
    ids=["get", "delete", "input-items"],
)
def test_what_was_not_to_be_stored_is_not_found(grok_server, method, path):
    first = ask(grok_server, store=False)

    answer = send(grok_server, method, f"/v1/responses/{first}{path}", headers=BEARER)

    assert answer.status_code == 404
    assert answer.json()["error"] == "No responses could be found with the given response_id."


def test_stored_answers_are_forgotten_between_tests(grok_server):
    first = ask(grok_server)

    grok_server.clear()

    answer = send(grok_server, "GET", f"/v1/responses/{first}", headers=BEARER)
    assert answer.status_code == 404


def kept(server: FakeServer, numbers: list[str]) -> list[bool]:
    with httpx2.Client(base_url=server.url, headers=BEARER, trust_env=False) as client:
        return [client.get(f"responses/{number}").status_code == 200 for number in numbers]


def test_the_oldest_answers_go_when_there_are_too_many(grok_server, monkeypatch):
    monkeypatch.setattr(grok_server.app.service.stored.shelf, "most", 2)

    numbers = [ask(grok_server, input_text(word)) for word in ("One", "Two", "Three")]

    assert kept(grok_server, numbers) == [False, True, True]


def test_the_oldest_answers_go_when_their_images_are_too_large(grok_server, monkeypatch):
    monkeypatch.setattr(grok_server.app.service.stored.shelf, "room", (len(PHOTO) + 1000) * 2)

    numbers = [ask(grok_server, input_text(word), input_image(PHOTO)) for word in ("1", "2", "3")]

    assert kept(grok_server, numbers) == [False, True, True]


def test_the_newest_answer_stays_however_large_it_is(grok_server, monkeypatch):
    monkeypatch.setattr(grok_server.app.service.stored.shelf, "room", 10)

    numbers = [ask(grok_server, input_text(word), input_image(PHOTO)) for word in ("1", "2")]

    assert kept(grok_server, numbers) == [False, True]
