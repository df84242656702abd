"""The plugin's requests as recorded on the wire, and replayed with the network closed.

`make cassettes` removes them and records them again from the fake server.
"""

import base64
import json
import os
import socket
from collections.abc import Callable
from pathlib import Path

import httpx2
import llm
import pytest
import vcr
import yaml

from fake_server import FakeServer

CASSETTES = Path(__file__).parents[1] / "cassettes" / "fake"
# A black square of 64 pixels a side, as bytes: what an encoder makes changes with its version.
PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAEAAAABACAIAAAAlC+aJAAAAIklEQVR4nO3BAQ0AAADCoPdPbQ8HFAAAAAAAAAAA"
    "AAAA8G4wQAABiwCo9wAAAABJRU5ErkJggg=="
)
NOWHERE = "http://127.0.0.1:9/v1"

recorder = vcr.VCR(
    match_on=["method", "path", "body"],
    filter_headers=["authorization"],
    record_mode=vcr.mode.ONCE if "RECORD_CASSETTES" in os.environ else vcr.mode.NONE,
    decode_compressed_response=True,
)


def ask_with_an_image(*, stream: bool) -> llm.Response:
    image = llm.Attachment(content=PICTURE)
    return llm.get_model("xai/grok-4").prompt(
        "What is it?", attachments=[image], image_detail="low", stream=stream, key="xai-secret"
    )


def refused_question() -> llm.Response:
    image = llm.Attachment(url="https://pictures.invalid/cat.png", type="image/png")
    return llm.get_model("xai/grok-4").prompt(
        "What is it?", attachments=[image], image_urls="pass", key="xai-secret"
    )


CALLS: dict[str, Callable[[], llm.Response]] = {
    "streamed": lambda: ask_with_an_image(stream=True),
    "whole": lambda: ask_with_an_image(stream=False),
    "refused": refused_question,
}


@pytest.fixture(params=CALLS)
def cassette(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Name a cassette, recorded just now if that was asked for."""
    name: str = request.param
    path = CASSETTES / f"{name}.yaml"
    if "RECORD_CASSETTES" in os.environ:
        with FakeServer() as server:
            monkeypatch.setenv("XAI_API_BASE", server.url)
            with recorder.use_cassette(str(path)):
                _outcome(CALLS[name])
    monkeypatch.setenv("XAI_API_BASE", NOWHERE)
    return name


@pytest.fixture
def closed_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no connection out."""

    def connect(*_: object) -> None:
        raise AssertionError("a test that replays a cassette opened a connection")

    monkeypatch.setattr(socket.socket, "connect", connect)


def _outcome(call: Callable[[], llm.Response]) -> str:
    try:
        return call().text()
    except llm.ModelError as error:
        return str(error)


EXPECTED = {
    "streamed": "The fake server saw 1 image. Image 1: PNG, 64x64 pixels, 91 bytes,"
    " detail low, 0 tiles, 256 tokens.",
    "whole": "The fake server saw 1 image. Image 1: PNG, 64x64 pixels, 91 bytes,"
    " detail low, 0 tiles, 256 tokens.",
    "refused": "Image URL could not be fetched: Fetching image failed with HTTP status 404 Not Found.\n"
    "Look at the images of this prompt, and of the conversation it continues.\n"
    "Images of this turn: https://pictures.invalid/cat.png.",
}


def test_a_cassette_replays_with_the_network_closed(cassette: str, closed_network: None) -> None:
    with recorder.use_cassette(str(CASSETTES / f"{cassette}.yaml")) as played:
        outcome = _outcome(CALLS[cassette])

    assert outcome == EXPECTED[cassette]
    assert played.all_played


def test_a_cassette_holds_no_key(cassette: str) -> None:
    text = (CASSETTES / f"{cassette}.yaml").read_text()

    assert "xai-secret" not in text
    assert "authorization" not in text.lower()


def test_another_request_is_not_answered_from_a_cassette(closed_network: None) -> None:
    call = llm.get_model("xai/grok-4").prompt("Another question?", key="xai-secret")

    with (
        recorder.use_cassette(str(CASSETTES / "streamed.yaml")),
        pytest.raises(vcr.errors.CannotOverwriteExistingCassetteException),
    ):
        call.text()


def test_the_request_on_the_wire_is_the_one_the_guide_shows(cassette: str) -> None:
    recorded = yaml.safe_load((CASSETTES / f"{cassette}.yaml").read_text())

    body = json.loads(recorded["interactions"][0]["request"]["body"])

    text, image = body["messages"][0]["content"]
    assert text == {"type": "text", "text": "What is it?"}
    assert image["type"] == "image_url"
    if cassette == "refused":
        assert image["image_url"] == {"url": "https://pictures.invalid/cat.png"}
        return
    assert image["image_url"]["url"].startswith("data:image/png;base64,iVBORw0KGgo")
    assert image["image_url"]["detail"] == "low"
    assert (body["model"], body["stream"]) == ("grok-4", cassette == "streamed")


def test_the_fake_still_answers_as_it_was_recorded(cassette: str, grok_server: FakeServer) -> None:
    recorded = yaml.safe_load((CASSETTES / f"{cassette}.yaml").read_text())
    request, response = (recorded["interactions"][0][side] for side in ("request", "response"))

    answer = httpx2.post(
        f"{grok_server.url}/chat/completions",
        content=request["body"],
        headers={"authorization": "Bearer any", "content-type": "application/json"},
    )

    assert answer.status_code == response["status"]["code"]
    assert answer.text == response["body"]["string"]
