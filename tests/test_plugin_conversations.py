"""What is sent for a later turn: conversations, `llm -c`, and replies to stored answers."""

import asyncio
import json
from pathlib import Path

import llm

from fake_server import FakeServer
from tests.prompting import MODEL, image, run_llm, shape

FIRST = [("system", ["S"]), ("user", ["one", "16x32"])]


def test_a_conversation_sends_its_images_again(xai: FakeServer):
    xai.reply("ok")
    conversation = llm.get_model(MODEL).conversation()

    conversation.prompt("one", attachments=[image(16, 32)], system="S").text()
    conversation.prompt("two").text()

    assert shape(xai.requests[0]) == FIRST
    assert shape(xai.requests[1]) == [*FIRST, ("assistant", ["ok"]), ("user", ["two"])]


def test_an_async_conversation_sends_its_images_again(xai: FakeServer):
    xai.reply("ok")

    async def talk() -> None:
        conversation = llm.get_async_model(MODEL).conversation()
        await conversation.prompt("one", attachments=[image(16, 32)], system="S").text()
        await conversation.prompt("two").text()

    asyncio.run(talk())

    assert shape(xai.requests[1]) == [*FIRST, ("assistant", ["ok"]), ("user", ["two"])]


def test_a_system_prompt_repeated_in_a_later_turn_is_sent_once(xai: FakeServer):
    xai.reply("ok")
    conversation = llm.get_model(MODEL).conversation()

    conversation.prompt("one", system="S").text()
    conversation.prompt("two", system="S").text()

    assert [role for role, _ in shape(xai.requests[1])] == ["system", "user", "assistant", "user"]


def test_reasoning_is_no_part_of_the_next_turn(xai: FakeServer):
    xai.reply("ok", reasoning="Let me think.")
    conversation = llm.get_model(MODEL).conversation()

    conversation.prompt("one").text()
    conversation.prompt("two").text()

    assert shape(xai.requests[1]) == [
        ("user", ["one"]),
        ("assistant", ["ok"]),
        ("user", ["two"]),
    ]


def test_llm_c_goes_on_with_text_images_and_system_prompt(xai: FakeServer, photo: Path):
    xai.reply("ok")
    run_llm("-m", "grok-4", "one", "-a", photo, "-s", "S")

    result = run_llm("-c", "two")

    assert result.exit_code == 0
    assert shape(xai.requests[1]) == [
        ("system", ["S"]),
        ("user", ["one", "1344x896"]),
        ("assistant", ["ok"]),
        ("user", ["two"]),
    ]


def test_llm_c_takes_another_image(xai: FakeServer, photo: Path, tmp_path: Path):
    xai.reply("ok")
    second = tmp_path / "second.png"
    second.write_bytes(image(16, 32).content or b"")
    run_llm("-m", "grok-4", "one", "-a", photo)

    run_llm("-c", "two", "-a", second)

    assert shape(xai.requests[1]) == [
        ("user", ["one", "1344x896"]),
        ("assistant", ["ok"]),
        ("user", ["two", "16x32"]),
    ]


def test_llm_c_with_another_system_prompt_sends_only_the_new_one(xai: FakeServer):
    xai.reply("ok")
    run_llm("-m", "grok-4", "one", "-s", "S")

    run_llm("-c", "two", "-s", "NEW")

    assert shape(xai.requests[1]) == [
        ("system", ["NEW"]),
        ("user", ["one"]),
        ("assistant", ["ok"]),
        ("user", ["two"]),
    ]


def test_llm_c_goes_on_with_the_async_model(xai: FakeServer, photo: Path):
    xai.reply("ok")
    run_llm("-m", "grok-4", "--async", "one", "-a", photo)

    run_llm("-c", "--async", "two")

    assert shape(xai.requests[1]) == [
        ("user", ["one", "1344x896"]),
        ("assistant", ["ok"]),
        ("user", ["two"]),
    ]


def test_llm_chat_sends_the_whole_chat_each_time(xai: FakeServer):
    xai.reply("ok")

    result = run_llm("chat", "-m", "grok-4", "-s", "S", stdin="one\ntwo\nquit\n")

    assert result.exit_code == 0
    assert shape(xai.requests[1]) == [
        ("system", ["S"]),
        ("user", ["one"]),
        ("assistant", ["ok"]),
        ("user", ["two"]),
    ]


def test_a_reply_to_an_answer_that_was_stored_sends_its_image_again(xai: FakeServer):
    xai.reply("ok")
    answer = llm.get_model(MODEL).prompt("x", attachments=[image(16, 32)])
    stored = json.dumps(answer.to_dict())

    llm.Response.from_dict(json.loads(stored)).reply("again").text()

    assert shape(xai.requests[1]) == [
        ("user", ["x", "16x32"]),
        ("assistant", ["ok"]),
        ("user", ["again"]),
    ]


def test_an_async_reply_to_an_answer_that_was_stored_sends_its_image_again(xai: FakeServer):
    xai.reply("ok")

    async def talk() -> None:
        answer = llm.get_async_model(MODEL).prompt("x", attachments=[image(16, 32)])
        await answer.text()
        stored = json.dumps(answer.to_dict())
        response = await llm.AsyncResponse.from_dict(json.loads(stored)).reply("again")
        await response.text()

    asyncio.run(talk())

    assert shape(xai.requests[1]) == [
        ("user", ["x", "16x32"]),
        ("assistant", ["ok"]),
        ("user", ["again"]),
    ]


def test_messages_are_taken_beside_a_prompt(xai: FakeServer):
    history = [llm.user("one", image(16, 32)), llm.assistant("ok")]

    llm.get_model(MODEL).prompt("two", messages=history, attachments=[image(32, 16)]).text()

    assert shape(xai.requests[0]) == [
        ("user", ["one", "16x32"]),
        ("assistant", ["ok"]),
        ("user", ["two", "32x16"]),
    ]
