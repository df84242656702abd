"""Who fetches a web address: xAI, this machine, or this machine when xAI could not use it."""

import json
from pathlib import Path

import llm
import pytest

from fake_server import FakeServer
from llm_grok_vision.errors import ImageNotReadable, RequestRefused, UnsupportedImage
from tests.pictures import data_url, picture
from tests.prompting import (
    BOTH,
    MODEL,
    ask,
    body_of,
    chunk,
    image,
    run_llm,
    run_process,
    shown_error,
    whole,
    xai_answering,
)
from tests.raw_server import Answer, http, stream
from tests.web import PICTURE, Web


def at(url: str) -> llm.Attachment:
    return llm.Attachment(type="image/png", url=url)


def sources(server: FakeServer) -> list[list[str]]:
    """Say for each request where its images came from."""
    return [[seen.source for seen in request.images] for request in server.requests]


def refusing(words: str, code: str = "invalid_image") -> Answer:
    body = json.dumps({"code": code, "error": words}).encode()
    return http(body, status="400 Bad Request", headers="content-type: application/json")


@BOTH
@pytest.mark.parametrize("options", [{}, {"image_urls": "auto"}, {"image_urls": "pass"}])
def test_an_address_is_left_to_xai(
    fetching_xai: FakeServer, web: Web, kind: str, options: dict[str, str]
):
    ask(kind, "What is this?", attachments=[at(f"{web.url}/cat.png")], **options)

    assert sources(fetching_xai) == [["network"]]
    assert [head["user-agent"] for head in web.seen] == ["XaiImageApiFetch/1.0"]
    assert fetching_xai.requests[0].parameters == {}


@BOTH
def test_an_address_is_downloaded_and_sent_inline_when_asked(
    fetching_xai: FakeServer, web: Web, kind: str
):
    ask(kind, attachments=[at(f"{web.url}/to-cat"), image(16, 32)], image_urls="inline")

    assert sources(fetching_xai) == [["data", "data"]]
    assert fetching_xai.requests[0].images[0].size == len(PICTURE)
    assert all("Xai" not in head["user-agent"] for head in web.seen)
    assert fetching_xai.requests[0].parameters == {}


def test_a_data_url_is_sent_as_it_is_even_then():
    address = data_url(picture(16, 32))

    with xai_answering(whole(content="ok")) as server:
        ask("sync", attachments=[llm.Attachment(url=address)], image_urls="inline")

    (part,) = body_of(server.requests[0])["messages"][0]["content"]
    assert part["image_url"]["url"] == address


UNFIT = [
    pytest.param("/people-only.png", "HTTP status 403 Forbidden.", id="a-host-that-refuses-xai"),
    pytest.param("/bytes.png", "Unsupported content-type", id="octet-stream"),
    pytest.param("/untyped.png", "Unsupported content-type", id="no-type"),
]


@BOTH
@pytest.mark.parametrize(("path", "words"), UNFIT)
def test_what_xai_cannot_use_is_downloaded_here(  # noqa: PLR0917 (fixtures)
    fetching_xai: FakeServer,
    web: Web,
    kind: str,
    path: str,
    words: str,
    caplog: pytest.LogCaptureFixture,
):
    asked = ask(kind, "What is this?", attachments=[at(web.url + path)])

    assert "PNG, 449x448 pixels" in asked.text
    assert sources(fetching_xai) == [[], ["data"]]
    assert words in fetching_xai.requests[0].error
    (record,) = caplog.records
    assert record.getMessage() == (
        f"{fetching_xai.requests[0].error} Downloading what is at web addresses to send it."
    )


def test_the_command_says_so_in_a_line_and_answers(fetching_xai: FakeServer, web: Web):
    result = run_process("-m", "grok-4", "Hi", "-a", f"{web.url}/people-only.png")

    assert result.returncode == 0
    assert result.stdout.startswith(b"The fake server saw 1 image. Image 1: PNG, 449x448 pixels")
    assert result.stderr.decode() == (
        "Image URL could not be fetched: Fetching image failed with HTTP status 403 Forbidden."
        " Downloading what is at web addresses to send it.\n"
    )


# As recorded from the service, or in its documents (xai-wire.md, 3.2 and 4.2).
WORDINGS = [
    pytest.param(
        "Image URL could not be fetched: Fetching image failed with HTTP status 404 Not Found.",
        "invalid-argument",
        id="observed-2026-status",
    ),
    pytest.param(
        "Image URL could not be fetched: Unsupported content-type encountered when downloading"
        ' image. The only supported content types are ["image/jpeg", "image/jpg", "image/png",'
        ' "image/webp"]',
        "invalid-argument",
        id="observed-2026-content-type",
    ),
    pytest.param(
        "Downloaded response does not contain a valid JPG, PNG, WebP, or ICO image.",
        "invalid_image",
        id="observed-2026-bytes",
    ),
    pytest.param(
        "code: 'Client specified an invalid argument', message: \"Downloaded response does not"
        ' contain a valid JPG, PNG, WebP, or ICO image."',
        "invalid-argument",
        id="observed-2026-nested",
    ),
    pytest.param(
        "Invalid request content: Downloaded response does not contain a valid JPG or PNG image.",
        "Client specified an invalid argument",
        id="observed-2025-bytes",
    ),
    pytest.param("Too slow.", "invalid_image", id="assumed-words-nobody-knows"),
]


@BOTH
@pytest.mark.parametrize(("words", "code"), WORDINGS)
def test_each_known_wording_leads_to_a_download(web: Web, kind: str, words: str, code: str):
    with xai_answering(refusing(words, code), whole(content="A cat.")) as server:
        asked = ask(kind, attachments=[at(f"{web.url}/cat.png")], stream=False)

    (part,) = body_of(server.requests[1])["messages"][0]["content"]
    assert asked.text == "A cat."
    assert part["image_url"]["url"] == data_url(PICTURE)


@BOTH
def test_a_refusal_in_a_stream_leads_to_a_download_before_the_first_token(web: Web, kind: str):
    refusal = f"data: {json.dumps({'code': 'invalid_image', 'error': 'No.'})}\n\n"
    answers = stream(chunk(role="assistant"), refusal), whole(content="A cat.")

    with xai_answering(*answers) as server:
        asked = ask(kind, attachments=[at(f"{web.url}/cat.png")])

    assert asked.text == "A cat."
    assert len(server.requests) == 2


@BOTH
def test_a_refusal_after_the_first_token_stands(web: Web, kind: str):
    refusal = f"data: {json.dumps({'code': 'invalid_image', 'error': 'No.'})}\n\n"

    with (
        xai_answering(stream(chunk(content="A c"), refusal)) as server,
        pytest.raises(RequestRefused) as caught,
    ):
        ask(kind, attachments=[at(f"{web.url}/cat.png")])

    assert caught.value.partial_text == "A c"
    assert len(server.requests) == 1


STANDING = [
    pytest.param("Invalid PNG image.", "invalid_image", "pass", id="pass"),
    pytest.param("Invalid PNG image.", "invalid_image", "inline", id="inline-already"),
    pytest.param("Image inputs are not supported by this model.", "x", "auto", id="text-model"),
    pytest.param("The model x is an image model and is not here.", "x", "auto", id="image-model"),
    pytest.param("Argument not supported on this model: stop", "x", "auto", id="another-reason"),
]


@BOTH
@pytest.mark.parametrize(("words", "code", "policy"), STANDING)
def test_other_refusals_stand(web: Web, kind: str, words: str, code: str, policy: str):
    with (
        xai_answering(refusing(words, code)) as server,
        pytest.raises(RequestRefused, match=words),
    ):
        ask(kind, attachments=[at(f"{web.url}/cat.png")], image_urls=policy)

    assert len(server.requests) == 1


@BOTH
def test_without_an_address_there_is_nothing_to_download(kind: str):
    with xai_answering(refusing("No.")) as server, pytest.raises(RequestRefused):
        ask(kind, attachments=[image(16, 32), llm.Attachment(url=data_url(picture(16, 32)))])

    assert len(server.requests) == 1


@BOTH
def test_it_is_asked_once_more_and_not_twice(web: Web, kind: str):
    with (
        xai_answering(refusing("No."), refusing("Still no.")) as server,
        pytest.raises(RequestRefused, match="Still no"),
    ):
        ask(kind, attachments=[at(f"{web.url}/cat.png")])

    assert len(server.requests) == 2


@BOTH
def test_an_address_that_nobody_can_fetch_is_named(fetching_xai: FakeServer, web: Web, kind: str):
    with pytest.raises(ImageNotReadable) as caught:
        ask(kind, attachments=[at(f"{web.url}/none.png")])

    assert str(caught.value) == f"{web.url}/none.png could not be downloaded: 404 Not Found."
    assert len(fetching_xai.requests) == 1


@pytest.mark.parametrize("options", [[], ["-o", "image_urls", "inline"]], ids=["auto", "inline"])
def test_a_pdf_is_called_one(fetching_xai: FakeServer, web: Web, options: list[str]):
    result = run_llm("-m", "grok-4", "Sum up", "-a", f"{web.url}/paper.pdf", *options)

    assert result.stdout == ""
    assert shown_error(result).splitlines()[-1] == (
        f"Error: {web.url}/paper.pdf is a PDF; xAI takes PNG and JPEG."
        " Convert it to one of them first."
    )


def test_a_pdf_that_xai_is_left_to_fetch_is_refused_in_its_words(
    fetching_xai: FakeServer, web: Web
):
    address = f"{web.url}/paper.pdf"

    result = run_llm("-m", "grok-4", "Sum up", "-a", address, "-o", "image_urls", "pass")

    first, *_, last = shown_error(result).splitlines()
    assert first.startswith("Error: Image URL could not be fetched: Unsupported content-type")
    assert last == f"Images of this turn: {address}."


@pytest.mark.parametrize(("count", "more"), [(5, ""), (6, " and 1 more"), (7, " and 2 more")])
def test_the_images_of_a_refused_prompt_are_named_shortly(tmp_path: Path, count: int, more: str):
    files = [tmp_path / f"photo{number}.png" for number in range(count)]
    for file in files:
        file.write_bytes(picture(16, 32))
    attachments = [llm.Attachment(path=str(file)) for file in files]

    with xai_answering(refusing("Invalid PNG image.")), pytest.raises(RequestRefused) as caught:
        ask("sync", attachments=attachments)

    assert str(caught.value).splitlines()[2] == (
        f"Images of this turn: photo0.png, photo1.png, photo2.png, photo3.png, photo4.png{more}."
    )


@BOTH
def test_no_secret_of_an_address_is_shown(
    fetching_xai: FakeServer, web: Web, kind: str, caplog: pytest.LogCaptureFixture
):
    address = web.url.replace("://", "://me:PASSWORD@") + "/animation.png?key=SIGNATURE#x"

    with pytest.raises((UnsupportedImage, ImageNotReadable)) as caught:
        ask(kind, attachments=[at(address)], image_urls="inline")
    with pytest.raises(RequestRefused) as refused:
        ask(kind, attachments=[at(address)], image_urls="pass")

    shown = f"{web.url}/animation.png?..."
    assert str(caught.value).startswith(f"{shown} ")
    assert f"Images of this turn: {shown}." in str(refused.value)
    everything = f"{caught.value!r} {refused.value!r} {caplog.text}"
    assert "PASSWORD" not in everything
    assert "SIGNATURE" not in everything


def test_an_address_that_xai_refused_is_downloaded_at_once_in_the_next_step(
    xai: FakeServer, web: Web, caplog: pytest.LogCaptureFixture
):
    """The service may not fetch from this machine here; a chain asks about the image again."""

    def look() -> str:
        """Look closer."""
        return "closer"

    xai.reply(tool_calls=[("look", {})])
    xai.reply("A cat.")

    chain = llm.get_model(MODEL).chain(
        "What is this?", attachments=[at(f"{web.url}/cat.png")], tools=[look]
    )

    assert chain.text() == "A cat."
    assert [request.status for request in xai.requests] == [400, 200, 200]
    assert len(caplog.messages) == 1
