"""`-a` with a web address, and a template's attachments, where LLM 0.36 alone would fail."""

import json
from collections.abc import Callable
from pathlib import Path

import llm.cli
import pytest
import yaml

from fake_server import FakeServer
from tests.prompting import run_llm, shown_error
from tests.web import PICTURE, Web

WriteFile = Callable[[str, bytes], Path]

# What LLM's HEAD, which follows no redirect, cannot look at.
HARD = [
    pytest.param("/to-to-to-cat", "image/png", id="moved"),
    pytest.param("/to-cat", "image/png", id="found-elsewhere"),
    pytest.param("/no-head.png", "image/png", id="head-405"),
    pytest.param("/shy-head.png", "image/png", id="head-403-and-octet-stream"),
    pytest.param("/untyped.png", "image/png", id="head-without-a-type"),
]


def logged_types() -> list[str]:
    (row,) = json.loads(run_llm("logs", "--json").output)
    return [attachment["type"] for attachment in row["attachments"]]


@pytest.mark.parametrize(("path", "media_type"), HARD)
def test_an_address_that_llm_cannot_look_at_is_attached(
    fetching_xai: FakeServer, web: Web, path: str, media_type: str
):
    result = run_llm("-m", "grok-4", "What is this?", "-a", web.url + path)

    assert result.exit_code == 0, result.stderr
    assert "PNG, 449x448 pixels" in result.stdout
    assert fetching_xai.requests[-1].images[0].size == len(PICTURE)
    assert logged_types() == [media_type]


# What LLM's HEAD says: it stays as it is, and no model of ours minds.
ODD = [
    pytest.param("/cat.png", "image/png", id="plain"),
    pytest.param("/parameter.png", "Image/PNG; q=1", id="capitals-and-a-parameter"),
    pytest.param("/bytes.png", "application/octet-stream", id="octet-stream"),
]


@pytest.mark.parametrize(("path", "declared"), ODD)
def test_an_address_that_llm_can_look_at_is_left_to_llm(
    fetching_xai: FakeServer, web: Web, path: str, declared: str
):
    result = run_llm("-m", "grok-4", "What is this?", "-a", web.url + path)

    assert result.exit_code == 0, result.stderr
    assert web.asked_for[:2] == [f"HEAD {path}", f"GET {path}"]
    assert "Xai" in web.seen[0]["user-agent"]
    assert logged_types() == [declared]


@pytest.mark.parametrize("media_type", ["Image/PNG", "image/png; charset=x", "text/plain"])
def test_a_type_that_the_user_gives_does_not_matter(
    fetching_xai: FakeServer, web: Web, media_type: str
):
    result = run_llm("-m", "grok-4", "Hi", "--at", f"{web.url}/no-head.png", media_type)

    assert result.exit_code == 0
    assert "PNG, 449x448 pixels" in result.stdout
    assert web.asked_for == ["GET /no-head.png"]


@pytest.fixture
def template(own_llm_folder: Path) -> Callable[..., None]:
    """Store a template called `look`."""

    def store(**fields: object) -> None:
        folder = own_llm_folder / "templates"
        folder.mkdir()
        (folder / "look.yaml").write_text(yaml.safe_dump({"model": "xai/grok-4", **fields}))

    return store


@pytest.mark.parametrize("path", ["/to-to-to-cat", "/no-head.png", "/untyped.png", "/bytes.png"])
def test_a_template_may_hold_such_an_address(
    fetching_xai: FakeServer, web: Web, template: Callable[..., None], path: str
):
    template(prompt="What is this?", attachments=[web.url + path])

    result = run_llm("-t", "look")

    assert result.exit_code == 0, result.stderr
    assert "PNG, 449x448 pixels" in result.stdout


def test_a_template_may_hold_an_address_with_any_type(
    fetching_xai: FakeServer, web: Web, template: Callable[..., None]
):
    given = {"type": "text/plain", "value": f"{web.url}/no-head.png"}
    template(prompt="What is this?", attachment_types=[given])

    result = run_llm("-t", "look")

    assert "PNG, 449x448 pixels" in result.stdout


def test_a_template_with_an_address_that_nobody_can_look_at_ends_in_a_sentence(
    fetching_xai: FakeServer, web: Web, template: Callable[..., None]
):
    template(attachments=[f"{web.url}/none.png"])

    result = run_llm("-t", "look")

    assert f"{web.url}/none.png could not be downloaded: 404 Not Found." in shown_error(result)
    assert fetching_xai.requests == []


def test_a_template_with_an_empty_file_ends_in_a_sentence(
    xai: FakeServer, template: Callable[..., None], image_file: WriteFile
):
    path = image_file("empty.png", b"")
    template(attachments=[str(path)])

    result = run_llm("-t", "look")

    assert f"{path} is empty (0 bytes): there is nothing to attach." in shown_error(result)
    assert xai.requests == []


FAILING = [
    pytest.param("/none.png", "none.png could not be downloaded: 404 Not Found.", id="not-there"),
    pytest.param("/unknown", None, id="of-no-type"),
    pytest.param(
        "/loop", "loop could not be downloaded: more than 5 redirects.", id="endless-redirects"
    ),
]


@pytest.mark.parametrize(("path", "words"), FAILING)
def test_where_looking_fails_too_it_is_said_why(
    fetching_xai: FakeServer, web: Web, path: str, words: str | None
):
    result = run_llm("-m", "grok-4", "Hi", "-a", web.url + path, "-o", "image_urls", "pass")

    shown = shown_error(result)
    assert (words is None) == (len(fetching_xai.requests) == 1)
    assert (words or "Image URL could not be fetched") in shown


OTHERS = [
    pytest.param("no-such-file.png", "File no-such-file.png does not exist", id="no-file"),
    pytest.param("ftp://127.0.0.1/cat.png", "unsupported protocol 'ftp://'", id="no-web-address"),
]


@pytest.mark.parametrize(("value", "words"), OTHERS)
def test_what_is_no_web_address_is_refused_in_the_words_of_llm(value: str, words: str):
    result = run_llm("-m", "grok-4", "Hi", "-a", value)

    assert result.exit_code == 2
    assert "Error: Invalid value for '-a' / '--attachment': " in shown_error(result)
    assert words in result.stderr


def test_files_are_attached_as_before(photo: Path):
    attachment = llm.cli.resolve_attachment(str(photo))

    assert (attachment.type, attachment.path, attachment.url) == ("image/jpeg", str(photo), None)


def test_a_password_in_an_address_is_not_shown(web: Web):
    secret = web.url.replace("http://", "http://joe:secret@")

    result = run_llm("-m", "grok-4", "Hi", "-a", f"{secret}/none.png?token=abc")

    assert "/none.png?... could not be downloaded: 404 Not Found." in shown_error(result)
    assert "secret" not in result.output
    assert "abc" not in result.output
