"""Images of earlier turns: how many are sent again, and what is done about lost ones."""

import asyncio
import copy
import json
from collections.abc import Callable
from pathlib import Path

import llm
import pytest
from llm.parts import AttachmentPart, Message, ToolCallPart, ToolResultPart

from fake_server import FakeServer
from llm_grok_vision.errors import DamagedImage, ImageNotReadable, RequestRefused
from tests.pictures import picture
from tests.prompting import (
    BOTH,
    MODEL,
    ask,
    body_of,
    camera,
    image,
    run_llm,
    run_process,
    shape,
    shown_error,
    slow_camera,
    whole,
    xai_answering,
)
from tests.raw_server import Answer, http
from tests.web import Web

WriteFile = Callable[[str, bytes], Path]

LEFT_OUT = "[image left out: an image without a file name]"
LOST = "-o skip_lost_images 1"

# Two turns with images, and a question about them.
HISTORY = [
    llm.user("one", image(16, 32), "between", image(32, 16)),
    llm.assistant("ok"),
    llm.user("two", image(40, 16)),
    llm.assistant("ok"),
]

COUNTS = [
    pytest.param(None, ["one", "16x32", "between", "32x16"], ["two", "40x16"], id="unset"),
    pytest.param(9, ["one", "16x32", "between", "32x16"], ["two", "40x16"], id="more-than-all"),
    pytest.param(2, ["one", LEFT_OUT, "between", "32x16"], ["two", "40x16"], id="newest-two"),
    pytest.param(1, ["one", LEFT_OUT, "between", LEFT_OUT], ["two", "40x16"], id="newest"),
    pytest.param(0, ["one", LEFT_OUT, "between", LEFT_OUT], ["two", LEFT_OUT], id="none"),
]


@BOTH
@pytest.mark.parametrize(("count", "first", "second"), COUNTS)
def test_the_newest_images_of_earlier_turns_are_sent(
    xai: FakeServer, kind: str, count: int | None, first: list[str], second: list[str]
):
    ask(kind, "three", messages=HISTORY, attachments=[image(16, 40)], past_images=count)

    assert shape(xai.requests[0]) == [
        ("user", first),
        ("assistant", ["ok"]),
        ("user", second),
        ("assistant", ["ok"]),
        ("user", ["three", "16x40"]),
    ]
    assert xai.requests[0].parameters == {}


def test_an_image_that_is_left_out_is_named_without_its_folder(xai: FakeServer, photo: Path):
    message = llm.user(
        llm.Attachment(path=str(photo)),
        llm.Attachment(type="image/png", url="https://me:secret@example.com/a/cat.png?key=1"),
        "which?",
    )

    ask("sync", "two", messages=[message, llm.assistant("ok")], past_images=0)

    assert shape(xai.requests[0])[0] == (
        "user",
        [
            "[image left out: photo.jpg]",
            "[image left out: https://example.com/a/cat.png?...]",
            "which?",
        ],
    )


@pytest.mark.parametrize("value", ["-1", "some"])
def test_a_count_that_is_none_is_refused(xai: FakeServer, value: str):
    result = run_llm("-m", "grok-4", "Hello", "-o", "past_images", value)

    assert shown_error(result).startswith("Error: past_images\n  Input should be ")
    assert xai.requests == []


def two_rounds(xai: FakeServer, tool: str) -> None:
    xai.reply(tool_calls=[(tool, {"name": "front"})])
    xai.reply(tool_calls=[(tool, {"name": "back"})])
    xai.reply("Doors.")


IN_THE_CHAIN = [
    ("user", ["Who is there?", "40x16"]),
    ("assistant", [""]),
    ("tool", ["front door"]),
    ("user", ["16x32"]),
    ("assistant", [""]),
    ("tool", ["back door"]),
    ("user", ["32x16"]),
]


def test_images_of_a_chain_that_goes_on_are_not_of_the_past(xai: FakeServer):
    two_rounds(xai, "camera")
    conversation = llm.get_model(MODEL).conversation()

    conversation.chain(
        "Who is there?",
        tools=[camera],
        attachments=[image(40, 16)],
        options={"past_images": 0},
    ).text()

    assert shape(xai.requests[2]) == IN_THE_CHAIN


def test_images_of_an_async_chain_that_goes_on_are_not_of_the_past(xai: FakeServer):
    two_rounds(xai, "slow_camera")

    async def talk() -> None:
        conversation = llm.get_async_model(MODEL).conversation()
        await conversation.chain(
            "Who is there?",
            tools=[slow_camera],
            attachments=[image(40, 16)],
            options={"past_images": 0},
        ).text()

    asyncio.run(talk())

    assert shape(xai.requests[2]) == IN_THE_CHAIN


def test_images_of_a_chain_are_of_the_past_in_the_next_turn(xai: FakeServer):
    two_rounds(xai, "camera")
    conversation = llm.get_model(MODEL).conversation()
    conversation.chain("Who is there?", tools=[camera], attachments=[image(40, 16)]).text()

    conversation.prompt("Sure?", past_images=1).text()

    assert shape(xai.requests[3]) == [
        ("user", ["Who is there?", LEFT_OUT]),
        ("assistant", [""]),
        ("tool", ["front door"]),
        ("user", [LEFT_OUT]),
        ("assistant", [""]),
        ("tool", ["back door"]),
        ("user", ["32x16"]),
        ("assistant", ["Doors."]),
        ("user", ["Sure?"]),
    ]


def test_a_chain_in_a_later_turn_has_a_past_before_it(xai: FakeServer):
    xai.reply("ok")
    two_rounds(xai, "camera")
    conversation = llm.get_model(MODEL).conversation()
    conversation.prompt("one", attachments=[image(40, 16)]).text()

    conversation.chain("Who is there?", tools=[camera], options={"past_images": 0}).text()

    assert shape(xai.requests[3])[0] == ("user", ["one", LEFT_OUT])
    assert shape(xai.requests[3])[5:] == [
        ("user", ["16x32"]),
        ("assistant", [""]),
        ("tool", ["back door"]),
        ("user", ["32x16"]),
    ]


def test_images_in_results_of_this_prompt_are_not_of_the_past(xai: FakeServer):
    messages = [
        llm.user("Who?", image(40, 16)),
        Message("assistant", [ToolCallPart("camera", {}, "call_0")]),
        llm.tool_message(ToolResultPart("camera", "door", "call_0", attachments=[image(16, 32)])),
        llm.user("Well?"),
    ]

    ask("sync", messages=messages, past_images=0)

    assert shape(xai.requests[0]) == [
        ("user", ["Who?", LEFT_OUT]),
        ("assistant", [""]),
        ("tool", ["door"]),
        ("user", ["16x32"]),
        ("user", ["Well?"]),
    ]


TURNS = [
    pytest.param([llm.user(image(16, 32)), llm.user("What?")], id="user-after-user"),
    pytest.param(
        [llm.user("one", image(16, 32)), llm.assistant("ok")], id="an-answer-to-go-on-with"
    ),
    pytest.param([llm.system("S"), llm.user("one", image(16, 32))], id="behind-a-system-message"),
]


@pytest.mark.parametrize("messages", TURNS)
def test_what_is_not_answered_yet_is_the_present(xai: FakeServer, messages: list[Message]):
    ask("sync", messages=messages, past_images=0)

    assert [(seen.width, seen.height) for seen in xai.requests[0].images] == [(16, 32)]


def test_an_image_alone_is_a_turn(xai: FakeServer):
    messages = [llm.user("one", image(16, 32)), llm.assistant("ok"), llm.user(image(32, 16))]

    ask("sync", messages=messages, past_images=0)

    assert shape(xai.requests[0])[2] == ("user", ["32x16"])
    assert len(xai.requests[0].images) == 1


def test_llm_c_takes_the_options(xai: FakeServer, photo: Path):
    xai.reply("ok")
    run_llm("-m", "grok-4", "one", "-a", photo)

    run_llm("-c", "two", "-o", "past_images", "0")

    assert shape(xai.requests[1]) == [
        ("user", ["one", "[image left out: photo.jpg]"]),
        ("assistant", ["ok"]),
        ("user", ["two"]),
    ]


@BOTH
def test_messages_of_the_caller_are_not_changed_by_it(
    xai: FakeServer, image_file: WriteFile, kind: str
):
    path = image_file("gone.png", picture(16, 32))
    gone = llm.Attachment(path=str(path))
    gone.id()
    path.unlink()
    messages = [llm.user("one", image(16, 32), gone), llm.assistant("ok"), llm.user("two")]
    before = copy.deepcopy(messages)

    ask(kind, messages=messages, past_images=1, skip_lost_images=True)

    assert messages == before
    assert messages[0].parts[2] == AttachmentPart(gone)
    assert shape(xai.requests[0])[0] == ("user", ["one", LEFT_OUT, "[image left out: gone.png]"])


# What becomes of a file between two turns.
LOSSES = [
    pytest.param(None, "could not be read: No such file or directory.", id="deleted"),
    pytest.param(b"", "is empty (0 bytes): there is no image to send.", id="emptied"),
    pytest.param(
        picture(64, 64)[:-20], "is a PNG that ends too early: the file is cut short.", id="cut"
    ),
]


def lose(path: Path, data: bytes | None) -> None:
    if data is None:
        path.unlink()
    else:
        path.write_bytes(data)


@pytest.mark.parametrize(("data", "problem"), LOSSES)
def test_a_lost_image_is_named_with_what_to_do(
    xai: FakeServer, image_file: WriteFile, data: bytes | None, problem: str
):
    path = image_file("boat.png", picture(64, 64))
    run_llm("-m", "grok-4", "one", "-a", path)
    lose(path, data)

    result = run_llm("-c", "two")

    assert shown_error(result) == (
        f"Error: {path} {problem}\nIt is of an earlier turn; '{LOST}' goes on without it.\n"
    )
    assert len(xai.requests) == 1


def test_a_chat_names_a_lost_image_with_what_to_do(xai: FakeServer, image_file: WriteFile):
    path = image_file("boat.png", picture(64, 64))
    run_llm("-m", "grok-4", "one", "-a", path)
    path.unlink()

    result = run_llm("chat", "-c", stdin="two\nquit\n")

    assert shown_error(result).splitlines()[-1] == (
        f"It is of an earlier turn; '{LOST}' goes on without it."
    )


@pytest.mark.parametrize(("data", "problem"), LOSSES)
def test_a_conversation_goes_on_without_a_lost_image(
    xai: FakeServer, image_file: WriteFile, data: bytes | None, problem: str
):
    xai.reply("ok")
    path = image_file("boat.png", picture(64, 64))
    other = image_file("cat.png", picture(16, 32))
    run_llm("-m", "grok-4", "one", "-a", path, "-a", other)
    lose(path, data)

    result = run_process("-c", "two", "-o", "skip_lost_images", "1")

    assert result.returncode == 0
    assert result.stderr.decode() == f"Left out: {path} {problem}\n"
    assert shape(xai.requests[1]) == [
        ("user", ["one", "[image left out: boat.png]", "16x32"]),
        ("assistant", ["ok"]),
        ("user", ["two"]),
    ]


@BOTH
def test_a_new_image_is_never_skipped(xai: FakeServer, kind: str, tmp_path: Path):
    gone = llm.Attachment(type="image/png", path=str(tmp_path / "gone.png"))

    with pytest.raises(ImageNotReadable) as caught:
        ask(kind, "three", messages=HISTORY, attachments=[gone], skip_lost_images=True)

    assert "earlier turn" not in str(caught.value)
    assert xai.requests == []


@BOTH
def test_off_is_as_good_as_unset(xai: FakeServer, kind: str, tmp_path: Path):
    gone = llm.Attachment(type="image/png", path=str(tmp_path / "gone.png"))
    messages = [llm.user("one", gone), llm.assistant("ok"), llm.user("two")]

    with pytest.raises(ImageNotReadable, match=LOST):
        ask(kind, messages=messages, skip_lost_images=False)


def talk_of(*urls: str) -> list[Message]:
    """Make a conversation of which each turn shows an address."""
    turns = [
        (llm.user("look", llm.Attachment(type="image/png", url=url)), llm.assistant("ok"))
        for url in urls
    ]
    return [message for turn in turns for message in turn]


@BOTH
def test_an_address_that_is_gone_is_left_out_once_nobody_can_fetch_it(
    fetching_xai: FakeServer, web: Web, kind: str, caplog: pytest.LogCaptureFixture
):
    messages = talk_of(f"{web.url}/none.png", f"{web.url}/cat.png")

    ask(kind, "Well?", messages=messages, skip_lost_images=True)

    assert [request.status for request in fetching_xai.requests] == [400, 200]
    assert shape(fetching_xai.requests[1]) == [
        ("user", ["look", f"[image left out: {web.url}/none.png]"]),
        ("assistant", ["ok"]),
        ("user", ["look", "449x448"]),
        ("assistant", ["ok"]),
        ("user", ["Well?"]),
    ]
    assert [record.getMessage() for record in caplog.records] == [
        f"{fetching_xai.requests[0].error} Downloading what is at web addresses to send it.",
        f"Left out: {web.url}/none.png could not be downloaded: 404 Not Found.",
    ]


@BOTH
def test_an_address_that_is_gone_is_named_with_what_to_do(
    fetching_xai: FakeServer, web: Web, kind: str
):
    with pytest.raises(ImageNotReadable) as caught:
        ask(kind, "Well?", messages=talk_of(f"{web.url}/none.png"))

    assert str(caught.value).splitlines() == [
        f"{web.url}/none.png could not be downloaded: 404 Not Found.",
        f"It is of an earlier turn; '{LOST}' goes on without it.",
    ]


@BOTH
def test_without_a_download_all_of_the_past_is_left_out_when_xai_refuses(
    fetching_xai: FakeServer, web: Web, kind: str
):
    messages = talk_of(f"{web.url}/none.png", f"{web.url}/cat.png")

    ask(kind, "Well?", messages=messages, skip_lost_images=True, image_urls="pass")

    assert [request.status for request in fetching_xai.requests] == [400, 200]
    assert fetching_xai.requests[1].images == []
    assert set(web.asked_for) == {"GET /none.png"}


def refusing(words: str) -> Answer:
    return http(
        json.dumps({"code": "invalid_image", "error": words}).encode(), status="400 Bad Request"
    )


@BOTH
def test_an_image_that_xai_refuses_is_looked_for_in_the_past(
    kind: str, caplog: pytest.LogCaptureFixture
):
    with xai_answering(refusing("Invalid PNG image."), whole(content="A boat.")) as server:
        asked = ask(
            kind, "three", messages=HISTORY, attachments=[image(16, 40)], skip_lost_images=True
        )

    first, second = (json.dumps(body_of(request)) for request in server.requests)
    assert asked.text == "A boat."
    assert (first.count("base64"), second.count("base64")) == (4, 1)
    assert second.count(LEFT_OUT) == 3
    assert [record.getMessage() for record in caplog.records] == [
        "Invalid PNG image. Asking again without the images of earlier turns."
    ]


@BOTH
def test_first_downloaded_then_left_out(web: Web, kind: str):
    answers = refusing("No."), refusing("Still no."), whole(content="A boat.")

    with xai_answering(*answers) as server:
        ask(kind, "Well?", messages=talk_of(f"{web.url}/cat.png"), skip_lost_images=True)

    bodies = [json.dumps(body_of(request)) for request in server.requests]
    assert ["cat.png" in body for body in bodies] == [True, False, True]
    assert ["base64" in body for body in bodies] == [False, True, False]
    assert f"[image left out: {web.url}/cat.png]" in bodies[2]


@BOTH
def test_it_ends_when_the_new_image_is_refused(kind: str):
    with (
        xai_answering(refusing("No."), refusing("Still no.")) as server,
        pytest.raises(RequestRefused) as caught,
    ):
        ask(kind, "three", messages=HISTORY, attachments=[image(16, 40)], skip_lost_images=True)

    assert len(server.requests) == 2
    assert str(caught.value).splitlines()[0] == "Still no."
    assert str(caught.value).splitlines()[2] == "Images of this turn: an image without a file name."


@BOTH
def test_a_refusal_names_the_images_of_the_past_and_what_to_do(
    kind: str, photo: Path, image_file: WriteFile
):
    past = llm.Attachment(path=str(photo))
    new = llm.Attachment(path=str(image_file("new.png", picture(16, 32))))

    with (
        xai_answering(refusing("Invalid PNG image.")) as server,
        pytest.raises(RequestRefused) as caught,
    ):
        ask(kind, "b", messages=[llm.user("a", past), llm.assistant("ok")], attachments=[new])

    assert len(server.requests) == 1
    assert str(caught.value).splitlines()[2] == (
        "Images of this turn: new.png. Of earlier turns: photo.jpg."
        f" '{LOST}' goes on without those."
    )


def test_the_option_says_nothing_of_images_that_were_not_sent(photo: Path):
    messages = [llm.user("a", llm.Attachment(path=str(photo))), llm.assistant("ok")]

    with xai_answering(refusing("No.")), pytest.raises(RequestRefused) as caught:
        ask("sync", "b", messages=messages, past_images=0)

    assert "photo.jpg" not in str(caught.value)


def test_a_chat_goes_on_without_a_file_that_was_deleted(xai: FakeServer, image_file: WriteFile):
    path = image_file("boat.png", picture(64, 64))
    run_llm("-m", "grok-4", "one", "-a", path)
    path.unlink()

    result = run_llm("chat", "-c", "-o", "skip_lost_images", "1", stdin="two\nthree\nquit\n")

    assert result.exit_code == 0
    assert len(xai.requests) == 3
    assert all("[image left out: boat.png]" in str(shape(r)) for r in xai.requests[1:])


@BOTH
def test_a_damaged_image_counts_as_sent_only_once_it_is(xai: FakeServer, kind: str):
    """The newest are counted before it is known whether they can be sent."""
    damaged = llm.Attachment(type="image/png", content=picture(16, 32)[:-1])
    messages = [llm.user("one", image(16, 32), damaged), llm.assistant("ok"), llm.user("two")]

    ask(kind, messages=messages, past_images=1, skip_lost_images=True)

    assert shape(xai.requests[0])[0] == ("user", ["one", LEFT_OUT, LEFT_OUT])
    with pytest.raises(DamagedImage):
        ask(kind, messages=messages, past_images=1)


def test_the_options_can_be_stored_for_a_model(xai: FakeServer, photo: Path):
    for name, value in (("past_images", "0"), ("skip_lost_images", "1")):
        run_llm("models", "options", "set", "grok-4", name, value)
    run_llm("-m", "grok-4", "one", "-a", photo)

    result = run_llm("-c", "two")

    assert result.exit_code == 0
    assert len(xai.requests[0].images) == 1
    assert xai.requests[1].images == []
