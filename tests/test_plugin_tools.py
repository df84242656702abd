"""Tools: what is sent of calls, results and the images that come with them."""

import asyncio

import llm
import pytest
from llm.parts import Message, ToolCallPart, ToolResultPart

from fake_server import FakeServer
from tests.pictures import data_url, picture
from tests.prompting import (
    BOTH,
    MODEL,
    ask,
    body_of,
    camera,
    image,
    shape,
    slow_camera,
    whole,
    xai_answering,
)
from tests.raw_server import Answer


def test_an_image_of_a_tool_follows_its_result(xai: FakeServer):
    xai.reply(tool_calls=[("camera", {"name": "front"})])
    xai.reply("A door.")

    text = llm.get_model(MODEL).chain("Who is there?", tools=[camera]).text()

    assert text == "A door."
    assert xai.requests[0].tools == ["camera"]
    assert shape(xai.requests[1]) == [
        ("user", ["Who is there?"]),
        ("assistant", [""]),
        ("tool", ["front door"]),
        ("user", ["16x32"]),
    ]


@pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])
def test_a_call_is_kept_for_the_log_as_xai_writes_it(xai: FakeServer, stream: bool):
    xai.reply("Wait.", reasoning="A door.", tool_calls=[("camera", {"name": "front"})])

    response = llm.get_model(MODEL).prompt("Who is there?", tools=[camera], stream=stream)
    response.text()

    (choice,) = (response.response_json or {})["choices"]
    (call,) = choice["message"].pop("tool_calls")
    assert call.pop("id") == response.tool_calls()[0].tool_call_id
    assert call == {
        "function": {"name": "camera", "arguments": '{"name":"front"}'},
        "type": "function",
    }
    assert choice == {
        "index": 0,
        "message": {"role": "assistant", "content": "Wait.", "reasoning_content": "A door."},
        "finish_reason": "tool_calls",
    }


def test_an_image_of_an_async_tool_follows_its_result(xai: FakeServer):
    xai.reply(tool_calls=[("slow_camera", {"name": "front"})])
    xai.reply("A door.")

    async def talk() -> str:
        return await llm.get_async_model(MODEL).chain("Who?", tools=[slow_camera]).text()

    assert asyncio.run(talk()) == "A door."
    assert shape(xai.requests[1])[2:] == [("tool", ["front door"]), ("user", ["16x32"])]


def test_results_of_parallel_calls_stay_together_before_their_images(xai: FakeServer):
    xai.reply(tool_calls=[("camera", {"name": "front"}), ("camera", {"name": "back"})])
    xai.reply("Doors.")

    llm.get_model(MODEL).chain("Who is there?", tools=[camera]).text()

    assert shape(xai.requests[1])[2:] == [
        ("tool", ["front door"]),
        ("tool", ["back door"]),
        ("user", ["16x32", "32x16"]),
    ]


def test_a_chain_goes_on_after_the_images_of_a_first_round(xai: FakeServer):
    xai.reply(tool_calls=[("camera", {"name": "front"})])
    xai.reply(tool_calls=[("camera", {"name": "back"})])
    xai.reply("Doors.")

    llm.get_model(MODEL).chain("Who is there?", tools=[camera], system="S").text()

    assert shape(xai.requests[2]) == [
        ("system", ["S"]),
        ("user", ["Who is there?"]),
        ("assistant", [""]),
        ("tool", ["front door"]),
        ("user", ["16x32"]),
        ("assistant", [""]),
        ("tool", ["back door"]),
        ("user", ["32x16"]),
    ]


def _result(call_id: str, output: str, *images: llm.Attachment) -> ToolResultPart:
    return ToolResultPart("camera", output, call_id, attachments=list(images))


@BOTH
def test_tool_messages_in_a_row_stay_together_before_their_images(xai: FakeServer, kind: str):
    calls = [ToolCallPart("camera", {}, "call_0"), ToolCallPart("camera", {}, "call_1")]
    messages = [
        llm.user("Who?"),
        Message("assistant", [*calls]),
        llm.tool_message(_result("call_0", "front door", image(16, 32))),
        llm.tool_message(_result("call_1", "back door", image(32, 16))),
        llm.user("Well?"),
    ]

    ask(kind, messages=messages)

    assert shape(xai.requests[0])[2:] == [
        ("tool", ["front door"]),
        ("tool", ["back door"]),
        ("user", ["16x32", "32x16"]),
        ("user", ["Well?"]),
    ]


@BOTH
def test_images_in_tool_results_of_the_caller_are_sent(xai: FakeServer, kind: str):
    result = llm.ToolResult("camera", "front door", [image(16, 32)], "call_0")

    ask(kind, tool_results=[result])

    assert shape(xai.requests[0]) == [("tool", ["front door"]), ("user", ["16x32"])]


def test_images_in_tool_results_come_before_the_new_question(xai: FakeServer):
    result = llm.ToolResult("camera", "front door", [image(16, 32)], "call_0")

    ask("sync", "Well?", tool_results=[result], attachments=[image(32, 16)])

    assert shape(xai.requests[0]) == [
        ("tool", ["front door"]),
        ("user", ["16x32"]),
        ("user", ["Well?", "32x16"]),
    ]


def test_an_image_beside_a_result_follows_it_too(xai: FakeServer):
    ask("sync", messages=[llm.tool_message(_result("call_0", "front door"), image(16, 32))])

    assert shape(xai.requests[0]) == [("tool", ["front door"]), ("user", ["16x32"])]


def test_an_empty_result_is_sent_all_the_same(xai: FakeServer):
    ask("sync", tool_results=[llm.ToolResult("camera", "", [], "call_0")])

    assert shape(xai.requests[0]) == [("tool", [""])]


def test_calls_and_results_are_sent_as_the_service_writes_them():
    called = whole(
        "tool_calls",
        content=None,
        tool_calls=[
            {
                "id": "call-7",
                "type": "function",
                "function": {"name": "camera", "arguments": '{"name":"front"}'},
            }
        ],
    )

    with xai_answering(called, whole(content="A door.")) as server:
        llm.get_model(MODEL).chain("Who is there?", tools=[camera]).text()

    assert body_of(server.requests[1])["messages"] == [
        {"role": "user", "content": "Who is there?"},
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [
                {
                    "id": "call-7",
                    "type": "function",
                    "function": {"name": "camera", "arguments": '{"name": "front"}'},
                }
            ],
        },
        {"role": "tool", "tool_call_id": "call-7", "content": "front door"},
        {
            "role": "user",
            "content": [{"type": "image_url", "image_url": {"url": data_url(picture(16, 32))}}],
        },
    ]


def test_a_tool_is_described_as_the_service_wants_it():
    with xai_answering(whole(content="ok")) as server:
        ask("sync", "Hello", tools=[camera])

    assert body_of(server.requests[0])["tools"] == [
        {
            "type": "function",
            "function": {
                "name": "camera",
                "description": "Take a picture.",
                "parameters": {
                    "type": "object",
                    "properties": {"name": {"type": "string"}},
                    "required": ["name"],
                },
            },
        }
    ]


class Harbour(llm.Toolbox):
    """A harbour that remembers its boats."""

    def __init__(self) -> None:
        self.boats: list[str] = []

    def moor(self, boat: str) -> str:
        """Moor a boat."""
        self.boats.append(boat)
        return f"{len(self.boats)} boats"


def test_a_toolbox_keeps_its_state_from_call_to_call(xai: FakeServer):
    harbour = Harbour()
    for boat in ("Isla", "Mara"):
        xai.reply(tool_calls=[("Harbour_moor", {"boat": boat})])
    xai.reply("Two.")

    text = llm.get_model(MODEL).chain("Moor both.", tools=[harbour]).text()

    assert (text, harbour.boats) == ("Two.", ["Isla", "Mara"])
    assert xai.requests[0].tools == ["Harbour_moor"]
    assert [
        role_and_parts for role_and_parts in shape(xai.requests[2]) if role_and_parts[0] == "tool"
    ] == [
        ("tool", ["1 boats"]),
        ("tool", ["2 boats"]),
    ]


def test_a_tool_that_fails_tells_the_model_so(xai: FakeServer):
    def broken() -> str:
        """Break."""
        raise RuntimeError("no film in the camera")

    xai.reply(tool_calls=[("broken", {})])
    xai.reply("It has no film.")

    text = llm.get_model(MODEL).chain("Who is there?", tools=[broken]).text()

    assert text == "It has no film."
    assert shape(xai.requests[1])[2] == ("tool", ["Error: no film in the camera"])


def _called(arguments: str) -> Answer:
    call = {
        "id": "call-7",
        "type": "function",
        "function": {"name": "door", "arguments": arguments},
    }
    return whole("tool_calls", content="", tool_calls=[call])


@pytest.mark.parametrize("arguments", ["", "{}", "null"], ids=["nothing", "empty", "null"])
def test_a_tool_without_parameters_is_called_however_its_arguments_are_written(arguments: str):
    def door() -> str:
        """Look at the door."""
        return "shut"

    with xai_answering(_called(arguments), whole(content="It is shut.")) as server:
        text = llm.get_model(MODEL).chain("The door?", tools=[door]).text()

    assert text == "It is shut."
    assert body_of(server.requests[1])["messages"][-1]["content"] == "shut"


def test_arguments_that_are_no_json_end_in_a_result_that_says_so():
    def door(name: str) -> str:
        """Look at a door."""
        return name

    with xai_answering(_called('{"name": "fro'), whole(content="Sorry.")) as server:
        text = llm.get_model(MODEL).chain("The door?", tools=[door]).text()

    assert text == "Sorry."
    assert body_of(server.requests[1])["messages"][-1]["content"].startswith("Error: ")
