"""One table of questions, each over every protocol: what is decided is decided once."""

import json
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from fake_server import FakeServer
from tests.asking import body, image, text
from tests.pictures import data_url, picture, png_of_bytes
from tests.protocols import EVERY, GRPC, HTTP, Asked, Outcome, can_say
from tests.sound_headers import png_header

Ask = Callable[[FakeServer, Asked], Outcome]

TWO_TILES = data_url(picture(449, 448))
SIX_TILES = data_url(picture(1344, 896, "JPEG"), "image/jpeg")
FAR = "https://pictures.test/cat.png"
TIDE = {"type": "object", "properties": {"place": {"type": "string"}}, "required": ["place"]}
TOOLS = [{"type": "function", "function": {"name": "tide", "parameters": TIDE}}]
SHAPE = {"type": "json_schema", "json_schema": {"name": "boat", "schema": TIDE}}
SAW = "The fake server saw"


def seen(*pictures: str) -> str:
    count = f"{len(pictures)} image" + ("" if len(pictures) == 1 else "s")
    return " ".join([f"{SAW} {count}.", *(f"Image {n}: {p}." for n, p in enumerate(pictures, 1))])


def asking(*parts: dict[str, Any], **fields: Any) -> Asked:
    return body(*parts, **{"model": "grok-4.3", **fields})


# The question, and text, calls, tokens of the prompt and of the answer that everybody gets.
ANSWERED: list[Any] = [
    pytest.param(asking(text("Hello")), (f"{SAW} no image.", [], 1, 6), id="text"),
    pytest.param(
        asking(text("What is it?"), image(TWO_TILES, detail="high")),
        (
            seen("PNG, 449x448 pixels, 665 bytes, detail high, 2 tiles, 768 tokens"),
            [],
            771,
            19,
        ),
        id="documented-high",
    ),
    pytest.param(
        asking(image(TWO_TILES, detail="low"), text("What is it?")),
        (seen("PNG, 449x448 pixels, 665 bytes, detail low, 0 tiles, 256 tokens"), [], 259, 19),
        id="documented-low-and-the-image-first",
    ),
    pytest.param(
        asking(image(FAR)),
        (seen("PNG, 449x448 pixels, 665 bytes, detail auto, 2 tiles, 768 tokens"), [], 768, 19),
        id="documented-address",
    ),
    pytest.param(
        asking(text("Hello"), max_tokens=2), (f"{SAW[:8]}", [], 1, 2), id="documented-max-tokens"
    ),
    pytest.param(
        asking(tools=TOOLS, tool_choice="required"),
        ("", [("tide", '{"place":"text"}')], 1, 1),
        id="documented-required-tool",
    ),
    pytest.param(
        asking(response_format=SHAPE),
        ('{"place":"text"}', [], 1, 1),
        id="documented-schema",
    ),
]


def each(protocols: dict[str, Ask], rows: list[Any]) -> list[Any]:
    """Put each question over each protocol that has the words for it."""
    return [
        pytest.param(ask, *row.values, id=f"{name}-{row.id}")
        for name, ask in protocols.items()
        for row in rows
        if can_say(name, row.values[0])
    ]


@pytest.mark.parametrize(("ask", "asked", "expected"), each(EVERY, ANSWERED))
def test_everybody_gets_the_same_answer(
    grok_server: FakeServer, ask: Ask, asked: Asked, expected: tuple[Any, ...]
):
    grok_server.serve_image(FAR, picture(449, 448))

    got = ask(grok_server, asked)

    assert (got.text, got.calls, got.prompt_tokens, got.answer_tokens) == expected
    # 1.25 and 2.50 US dollars a million tokens; /v1/messages says nothing of them.
    assert got.cost in (None, got.prompt_tokens * 12_500 + got.answer_tokens * 25_000)


@pytest.mark.parametrize("ask", EVERY.values(), ids=EVERY)
def test_everybody_gets_what_is_scripted(grok_server: FakeServer, ask: Ask):
    grok_server.reply("A boat.", reasoning="Two masts.", tool_calls=[("tide", {"place": "Leith"})])

    got = ask(grok_server, asking(tools=TOOLS))

    assert (got.text, got.calls) == ("A boat.", [("tide", '{"place":"Leith"}')])
    assert got.answer_tokens == 5


@pytest.mark.parametrize("ask", EVERY.values(), ids=EVERY)
def test_the_log_shows_the_same_whoever_asks(grok_server: FakeServer, ask: Ask):
    ask(grok_server, asking(text("A"), image(TWO_TILES), text("B"), image(SIX_TILES)))

    seen = grok_server.requests[0]
    one, two = seen.images
    assert (seen.model, seen.status) == ("grok-4.3", 200)
    assert seen.parts == ["A", one, "B", two]
    assert (one.format, one.width, one.height, one.detail, one.tokens) == (
        ("PNG", 449, 448, "auto", 768)
    )
    assert (two.format, two.width, two.height, two.detail, two.tokens) == (
        ("JPEG", 1344, 896, "auto", 1792)
    )


BAD = "Invalid request content: "
UNABLE = "Image URL could not be fetched: "

# The question, the statuses over HTTP and over gRPC, and the beginning of the words.
REFUSED: list[Any] = [
    pytest.param(
        asking(image(data_url(picture(1, 1)))),
        (400, "INVALID_ARGUMENT"),
        "Image dimensions 1x1 are too small.",
        id="observed-side",
    ),
    pytest.param(
        asking(image(data_url(picture(16, 16)))),
        (400, "INVALID_ARGUMENT"),
        "Image has 256 total pixels (16x16), which is below the minimum of 512 pixels.",
        id="observed-area",
    ),
    pytest.param(
        asking(image(data_url(png_header(16000, 16000)))),
        (400, "INVALID_ARGUMENT"),
        "Image has 256000000 total pixels",
        id="observed-pixels",
    ),
    pytest.param(
        asking(image(data_url(picture(64, 64, "GIF")))),
        (400, "INVALID_ARGUMENT"),
        "Downloaded response does not contain a valid JPG or PNG image.",
        id="documented-type",
    ),
    pytest.param(
        asking(image(data_url(picture(64, 64)[:-1]))),
        (400, "INVALID_ARGUMENT"),
        "Invalid PNG image.",
        id="observed-cut",
    ),
    pytest.param(
        asking(image("data:image/png;base64,!")),
        (400, "INVALID_ARGUMENT"),
        "Base64 string of provided image cannot be decoded.",
        id="observed-base64",
    ),
    pytest.param(
        asking(image(data_url(png_of_bytes(20 * 1024**2 + 1)))),
        (400, "INVALID_ARGUMENT"),
        "Image has 20971521 bytes, which is above the maximum of 20971520 bytes.",
        id="documented-size",
    ),
    pytest.param(
        asking(image("https://pictures.invalid/cat.png")),
        (400, "DATA_LOSS"),
        UNABLE + "Fetching image failed with HTTP status 404 Not Found.",
        id="observed-fetch",
    ),
    pytest.param(
        asking(image("http://127.0.0.1/cat.png")),
        (400, "DATA_LOSS"),
        UNABLE + "The host 127.0.0.1 is not allowed.",
        id="assumed-private",
    ),
    pytest.param(
        asking(image(TWO_TILES), model="grok-3"),
        (400, "INVALID_ARGUMENT"),
        BAD + "Image inputs are not supported by this model.",
        id="observed-text-only",
    ),
    pytest.param(
        asking(model="grok-beta"),
        (404, "NOT_FOUND"),
        "The model grok-beta was deprecated on 2025-09-15",
        id="observed-retired",
    ),
    pytest.param(
        asking(model="grok-imagine-image"),
        (400, "INVALID_ARGUMENT"),
        "The model grok-imagine-image is an image model",
        id="observed-image-model",
    ),
    pytest.param(
        asking(temperature=2.5),
        (400, "INVALID_ARGUMENT"),
        BAD + "temperature must be between 0 and 2.",
        id="documented-range",
    ),
    pytest.param(
        asking(tool_choice="auto"),
        (400, "INVALID_ARGUMENT"),
        BAD + "A tool_choice was set on the request but no tools were specified.",
        id="observed-tool-choice",
    ),
    pytest.param(
        asking(tools=TOOLS, tool_choice={"type": "function", "function": {"name": "boat"}}),
        (400, "INVALID_ARGUMENT"),
        BAD + "A tool_choice names boat, which is not among the tools.",
        id="assumed-unknown-tool",
    ),
    pytest.param(
        asking(messages=[{"role": "user", "content": []}]),
        (400, "INVALID_ARGUMENT"),
        BAD + "Each message must have at least one content element.",
        id="observed-no-content",
    ),
    pytest.param(
        asking(text("")),
        (400, "INVALID_ARGUMENT"),
        BAD + "Text content is empty.",
        id="assumed-empty-text",
    ),
    pytest.param(
        asking({"type": "video"}),
        (400, "INVALID_ARGUMENT"),
        BAD + "Content part of type video is not supported.",
        id="assumed-part",
    ),
    pytest.param(
        asking(search_parameters={}),
        (410, "INVALID_ARGUMENT"),
        "Live search is deprecated.",
        id="observed-live-search",
    ),
    pytest.param(
        asking(messages=[]),
        (400, "INVALID_ARGUMENT"),
        "Bad data: Messages cannot be empty",
        id="observed-no-messages",
    ),
    pytest.param(
        asking(text("a " * 1_000_001)),
        (400, "INVALID_ARGUMENT"),
        "This model's maximum prompt length is 1000000 but the request contains 1000001 tokens.",
        id="observed-context",
    ),
    pytest.param(
        asking(response_format={**SHAPE, "json_schema": {"schema": {"properties": [1]}}}),
        (400, "INVALID_ARGUMENT"),
        BAD + "Invalid JSON schema.",
        id="assumed-schema",
    ),
]


@pytest.mark.parametrize(("ask", "asked", "statuses", "words"), each(HTTP, REFUSED))
def test_http_refuses_it(
    grok_server: FakeServer, ask: Ask, asked: Asked, statuses: tuple[int, str], words: str
):
    got = ask(grok_server, asked)

    assert got.status == statuses[0]
    assert got.error.startswith(words)


@pytest.mark.parametrize(("ask", "asked", "statuses", "words"), each(GRPC, REFUSED))
def test_grpc_refuses_it_with_the_status_for_it(
    grok_server: FakeServer, ask: Ask, asked: Asked, statuses: tuple[int, str], words: str
):
    got = ask(grok_server, asked)

    assert got.status == statuses[1]
    assert got.error.startswith(words)
    assert (grok_server.requests[0].status, grok_server.requests[0].error) == (
        statuses[0],
        got.error,
    )


FAILED: list[Any] = [
    (400, "INVALID_ARGUMENT"),
    (401, "UNAUTHENTICATED"),
    (403, "PERMISSION_DENIED"),
    (404, "NOT_FOUND"),
    (418, "INVALID_ARGUMENT"),
    (429, "RESOURCE_EXHAUSTED"),
    (500, "INTERNAL"),
    (503, "UNAVAILABLE"),
    (504, "DEADLINE_EXCEEDED"),
    (529, "UNAVAILABLE"),
]


@pytest.mark.parametrize("ask", EVERY.values(), ids=EVERY)
@pytest.mark.parametrize("statuses", FAILED, ids=[str(row[0]) for row in FAILED])
def test_a_scripted_failure_fails_whoever_asks(
    grok_server: FakeServer, ask: Ask, statuses: tuple[int, str]
):
    grok_server.fail(statuses[0], error="As scripted: 5 % é.")

    got = ask(grok_server, asking())

    assert got.status in statuses
    assert got.error == "As scripted: 5 % é."


@pytest.mark.parametrize("ask", EVERY.values(), ids=EVERY)
def test_a_rule_answers_whoever_asks(grok_server: FakeServer, ask: Ask):
    grok_server.when(images=1, text="What", model="grok-4.3").reply("By rule.")
    grok_server.when(images=0).reply(lambda request: f"By function, of {request.model}.")

    answers = [ask(grok_server, asking(text("What?"), image(FAR))), ask(grok_server, asking())]

    assert [answer.text for answer in answers] == ["By rule.", "By function, of grok-4.3."]


@pytest.mark.parametrize("ask", EVERY.values(), ids=EVERY)
def test_a_refusal_of_the_model_is_told_to_whoever_asks(grok_server: FakeServer, ask: Ask):
    grok_server.reply(refusal="I will not.")

    got = ask(grok_server, asking())

    assert (got.text, got.answer_tokens) == ("I will not.", 3)


@pytest.mark.parametrize("ask", EVERY.values(), ids=EVERY)
def test_a_limit_of_a_minute_holds_for_whoever_asks(ask: Ask):
    with FakeServer(requests_per_minute=1) as server:
        first, second = ask(server, asking()), ask(server, asking())
        server.advance(60)
        third = ask(server, asking())

    assert [first.text, third.text] == [f"{SAW} no image."] * 2
    assert second.status in (429, "RESOURCE_EXHAUSTED")
    assert "Requests per Minute (actual/limit): 2/1." in second.error


@pytest.mark.parametrize("ask", [ask for ask in EVERY if "deferred" not in ask])
@pytest.mark.parametrize(
    "fault", [{"ending": "rst"}, {"after_bytes": 7}, {"malformed": True}], ids=["rst", "cut", "bad"]
)
def test_a_fault_spoils_the_answer_of_whoever_asks(
    grok_server: FakeServer, ask: str, fault: dict[str, Any]
):
    grok_server.when().fault(**fault)

    try:
        outcome = EVERY[ask](grok_server, asking())
    except (httpx2.TransportError, json.JSONDecodeError) as error:
        outcome = Outcome(status=type(error).__name__)
    # gRPC tells of it by a status.
    assert outcome.status in (
        "ReadError",
        "RemoteProtocolError",
        "JSONDecodeError",
        "UNAVAILABLE",
        "INTERNAL",
    )


@pytest.mark.parametrize("ask", EVERY.values(), ids=EVERY)
def test_an_image_that_can_not_be_fetched_by_script_fails_whoever_asks(
    grok_server: FakeServer, ask: Ask
):
    grok_server.fail_image_fetch()

    got = ask(grok_server, asking(image(FAR)))

    assert got.status in (400, "DATA_LOSS")
    assert got.error == "Image URL could not be fetched: Fetching image failed."
