"""Downloading what is behind an address: redirects, faults and limits, each in a sentence."""

import importlib.metadata

import httpx2
import pytest

from llm_grok_vision import download
from llm_grok_vision.errors import ImageNotReadable, ImageTooLarge
from tests.web import PICTURE, Web

PATHS = [
    pytest.param("/cat.png", id="plain"),
    pytest.param("/named-jpeg.png", id="another-type-than-the-bytes"),
    pytest.param("/bytes.png", id="octet-stream"),
    pytest.param("/untyped.png", id="no-type"),
    pytest.param("/no-head.png", id="no-head"),
    pytest.param("/to-to-to-cat", id="three-redirects"),
]


@pytest.mark.parametrize("path", PATHS)
def test_the_bytes_behind_an_address_are_downloaded(web: Web, path: str):
    assert download.download(web.url + path) == PICTURE


def test_a_host_learns_who_asks_and_what_is_wanted(web: Web):
    download.download(f"{web.url}/cat.png")

    version = importlib.metadata.version("llm-grok-vision")
    assert web.seen[0]["user-agent"] == f"llm-grok-vision/{version}"
    assert web.seen[0]["accept"].startswith("image/png, image/jpeg")


FAULTS = [
    pytest.param("/none.png", "404 Not Found.", id="not-there"),
    pytest.param("/forbidden.png", "403 Forbidden.", id="forbidden"),
    pytest.param("/loop", "more than 5 redirects.", id="endless-redirects"),
    pytest.param("/to-nowhere", "302 Found.", id="redirect-to-nowhere"),
    pytest.param("/to-ftp", "it is no http or https address.", id="redirect-to-ftp"),
    pytest.param("/slow", "the host took too long.", id="no-answer-in-time"),
]


@pytest.mark.parametrize(("path", "reason"), FAULTS)
def test_a_fault_names_the_address_and_the_reason(
    web: Web, path: str, reason: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(download, "TIMEOUT", httpx2.Timeout(0.3))

    with pytest.raises(ImageNotReadable) as caught:
        download.download(web.url + path)

    assert str(caught.value) == f"{web.url}{path} could not be downloaded: {reason}"


@pytest.mark.parametrize("address", ["ftp://127.0.0.1/cat.png", "file:///etc/passwd", "cat.png"])
def test_only_web_addresses_are_downloaded(address: str):
    with pytest.raises(ImageNotReadable) as caught:
        download.download(address)

    reason = "it is no http or https address"
    assert str(caught.value) == f"{address} could not be downloaded: {reason}."


def test_a_host_where_nobody_listens_is_named(nobody: str):
    with pytest.raises(ImageNotReadable, match=r"/cat\.png could not .*: .*refused\.$") as caught:
        download.download(f"{nobody}/cat.png")

    assert caught.value.name == f"{nobody}/cat.png"


def test_an_address_that_is_none_is_a_sentence_too():
    with pytest.raises(ImageNotReadable, match="An address that is none could not be downloaded"):
        download.download("http://[")


def test_a_picture_without_end_is_given_up(web: Web, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(download, "MAX_BYTES", 2 * 1024**2)

    with pytest.raises(ImageTooLarge) as caught:
        download.download(f"{web.url}/endless")

    assert str(caught.value) == f"{web.url}/endless has more than 2 MiB: too much to download."
    assert web.closing.wait(10)
    assert web.sent < 200 * 1024**2


def test_a_picture_may_be_as_large_as_is_allowed(web: Web, monkeypatch: pytest.MonkeyPatch):
    size = len(download.download(f"{web.url}/cat.png"))
    monkeypatch.setattr(download, "MAX_BYTES", size)

    assert len(download.download(f"{web.url}/cat.png")) == size


def test_a_host_that_drips_is_given_up(web: Web, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(download, "MAX_SECONDS", 0.1)

    with pytest.raises(ImageNotReadable, match=r"/dripping could not be downloaded in 0 seconds"):
        download.download(f"{web.url}/dripping")


def test_settings_of_the_machine_that_cannot_work_are_a_sentence(
    web: Web, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("ALL_PROXY", "nonsense://me:PASSWORD@proxy")

    with pytest.raises(ImageNotReadable, match=r"/cat\.png could not be downloaded: ") as caught:
        download.download(f"{web.url}/cat.png")

    assert "PASSWORD" not in str(caught.value)


TYPES = [
    pytest.param("/named-jpeg.png", "image/png", id="by-the-bytes"),
    pytest.param("/to-to-to-cat", "image/png", id="behind-redirects"),
    pytest.param("/paper.pdf", "application/pdf", id="a-pdf"),
    pytest.param("/unknown", None, id="unknown-and-not-declared"),
    pytest.param("/nothing.png", None, id="no-bytes"),
    pytest.param("/endless", "image/png", id="unknown-bytes-as-declared"),
]


@pytest.mark.parametrize(("path", "media_type"), TYPES)
def test_the_type_behind_an_address_is_told(web: Web, path: str, media_type: str | None):
    assert download.media_type(web.url + path) == media_type


def test_no_more_than_the_first_bytes_are_read_for_a_type(web: Web):
    download.media_type(f"{web.url}/endless")

    assert web.closing.wait(10)
    assert web.sent < 200 * 1024**2
