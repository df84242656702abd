"""What is sent for a prompt, whichever way the user came: asserted where the fake reads it."""

import copy
from typing import Any

import llm
import pytest
from llm.parts import AttachmentPart, Message, ReasoningPart, TextPart, ToolCallPart, ToolResultPart

from fake_server import FakeServer
from llm_grok_vision.errors import EmptyPrompt
from tests.pictures import data_url, picture
from tests.prompting import BOTH, ask, body_of, image, shape, whole, xai_answering


@BOTH
def test_arguments_become_a_system_message_and_one_of_the_user(xai: FakeServer, kind: str):
    ask(kind, "p", fragments=["F"], attachments=[image(16, 32)], system="S")

    assert shape(xai.requests[-1]) == [("system", ["S"]), ("user", ["F\np", "16x32"])]


@BOTH
def test_the_order_of_text_and_images_is_kept(xai: FakeServer, kind: str):
    message = llm.user("A:", image(16, 32), "B:", image(32, 16), "Which is higher?")

    ask(kind, messages=[message], system="S")

    assert shape(xai.requests[-1]) == [
        ("system", ["S"]),
        ("user", ["A:", "16x32", "B:", "32x16", "Which is higher?"]),
    ]


def test_text_and_images_are_sent_as_the_guide_writes_them():
    with xai_answering(whole(content="ok")) as server:
        ask("sync", messages=[llm.user("A:", image(16, 32), "B:")], system="S")

    assert body_of(server.requests[0])["messages"] == [
        {"role": "system", "content": "S"},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "A:"},
                {"type": "image_url", "image_url": {"url": data_url(picture(16, 32))}},
                {"type": "text", "text": "B:"},
            ],
        },
    ]


@BOTH
def test_text_alone_is_sent_as_a_string(kind: str):
    with xai_answering(whole(content="ok")) as server:
        ask(kind, "Hello, wörld")

    assert body_of(server.requests[0])["messages"] == [{"role": "user", "content": "Hello, wörld"}]


@BOTH
def test_a_web_address_is_passed_on_as_it_is(kind: str):
    address = "https://example.com/a%20cat.png?size=large&x=1#top"

    with xai_answering(whole(content="ok")) as server:
        ask(kind, "Hello", attachments=[llm.Attachment(type="image/png", url=address)])

    assert body_of(server.requests[0])["messages"][0]["content"][1] == {
        "type": "image_url",
        "image_url": {"url": address},
    }


def test_the_type_in_a_data_url_is_that_of_the_bytes():
    jpeg_called_png = llm.Attachment(type="image/png", content=picture(16, 32, "JPEG"))

    with xai_answering(whole(content="ok")) as server:
        ask("sync", attachments=[jpeg_called_png])

    (part,) = body_of(server.requests[0])["messages"][0]["content"]
    assert part["image_url"]["url"] == data_url(picture(16, 32, "JPEG"), "image/jpeg")


@pytest.mark.parametrize("kind", [bytearray, memoryview])
def test_bytes_of_any_kind_are_an_image(xai: FakeServer, kind: type):
    content: Any = kind(picture(16, 32))

    ask("sync", attachments=[llm.Attachment(type="image/png", content=content)])

    assert shape(xai.requests[-1]) == [("user", ["16x32"])]


@BOTH
def test_an_image_alone_is_a_prompt(xai: FakeServer, kind: str):
    ask(kind, attachments=[image(16, 32)])

    assert shape(xai.requests[-1]) == [("user", ["16x32"])]


def test_fragments_stand_before_the_prompt_and_system_fragments_before_the_system(
    xai: FakeServer,
):
    ask("sync", "p", fragments=["F1", "F2"], system="S", system_fragments=["SF1", "SF2"])

    assert shape(xai.requests[-1]) == [("system", ["SF1\n\nSF2\n\nS"]), ("user", ["F1\nF2\np"])]


SYSTEMS = [
    pytest.param([], "S", [("system", ["S"])], id="alone"),
    pytest.param(
        [llm.system("old"), llm.user("hi")],
        "NEW",
        [("system", ["NEW"]), ("user", ["hi"])],
        id="system-argument-replaces-the-first",
    ),
    pytest.param(
        [llm.system("old"), llm.user("hi")],
        None,
        [("system", ["old"]), ("user", ["hi"])],
        id="no-argument-keeps-the-first",
    ),
    pytest.param(
        [llm.user("hi"), llm.system("now in French"), llm.user("again")],
        None,
        [("user", ["hi"]), ("system", ["now in French"]), ("user", ["again"])],
        id="in-the-middle-it-stays",
    ),
    pytest.param(
        [llm.user("hi"), llm.system("now in French"), llm.user("again")],
        "S",
        [("system", ["S"]), ("user", ["hi"]), ("system", ["now in French"]), ("user", ["again"])],
        id="in-the-middle-it-stays-beside-the-argument",
    ),
]


@pytest.mark.parametrize(("messages", "system", "expected"), SYSTEMS)
def test_a_system_message_stands_where_it_belongs(
    xai: FakeServer,
    messages: list[Message],
    system: str | None,
    expected: list[tuple[str, list[str]]],
):
    ask("sync", messages=messages, system=system)

    assert shape(xai.requests[-1]) == expected


EMPTY = [
    pytest.param([llm.user("", image(16, 32))], [("user", ["16x32"])], id="before-an-image"),
    pytest.param(
        [llm.user("hi"), llm.assistant(""), llm.user("again")],
        [("user", ["hi"]), ("user", ["again"])],
        id="a-whole-message",
    ),
    pytest.param([llm.system(""), llm.user("hi")], [("user", ["hi"])], id="the-system-message"),
]


@pytest.mark.parametrize(("messages", "expected"), EMPTY)
def test_empty_text_is_never_sent(
    xai: FakeServer, messages: list[Message], expected: list[tuple[str, list[str]]]
):
    ask("sync", messages=messages)

    assert shape(xai.requests[-1]) == expected


def test_reasoning_and_tools_that_ran_on_a_server_are_not_sent_back():
    searched = [
        ReasoningPart(text="Let me search."),
        ToolCallPart("web_search", {"query": "x"}, "call_0", server_executed=True),
        ToolResultPart("web_search", "found", "call_0", server_executed=True),
        TextPart(text="Found it."),
    ]

    with xai_answering(whole(content="ok")) as server:
        ask("sync", messages=[llm.user("hi"), Message("assistant", searched), llm.user("again")])

    assert body_of(server.requests[0])["messages"] == [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": "Found it."},
        {"role": "user", "content": "again"},
    ]


def test_a_message_of_reasoning_alone_is_not_sent_at_all(xai: FakeServer):
    thought = Message("assistant", [ReasoningPart(text="", redacted=True)])

    ask("sync", messages=[llm.user("hi"), thought, llm.user("again")])

    assert shape(xai.requests[-1]) == [("user", ["hi"]), ("user", ["again"])]


@BOTH
def test_messages_of_the_caller_are_not_changed(xai: FakeServer, kind: str):
    result = ToolResultPart("look", "seen", "call_0", attachments=[image(16, 32)])
    messages = [
        llm.system("old"),
        llm.user("", "hi", image(32, 16)),
        Message("assistant", [ToolCallPart("look", {}, "call_0")]),
        Message("tool", [result, AttachmentPart(None)]),
    ]
    before = copy.deepcopy(messages)

    ask(kind, messages=messages, system="NEW")

    assert messages == before
    assert len(xai.requests[-1].messages) == 5


@BOTH
def test_a_prompt_of_nothing_is_not_sent(kind: str, xai: FakeServer):
    with pytest.raises(EmptyPrompt, match="give a prompt or an image"):
        ask(kind, "")

    assert xai.requests == []
