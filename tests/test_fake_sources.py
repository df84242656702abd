"""Pictures that need no network: mapped by a test, files of a folder, the placeholder."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from fake_server import FakeServer
from fake_server.journal import LoggedImage
from tests.asking import body, image, post
from tests.pictures import picture
from tests.web import serving

URL = "https://example.com/cat.png"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of pictures, beside a secret one of 50x50."""
    (tmp_path / "secret.png").write_bytes(picture(50, 50))
    host = tmp_path / "pictures" / "example.com"
    (host / "a" / "b").mkdir(parents=True)
    (host / "cat.png").write_bytes(picture(40, 30))
    (host / "my cat.png").write_bytes(picture(41, 30))
    (host / "a" / "b" / "cat.jpg").write_bytes(picture(42, 30, "JPEG"))
    (host / "link.png").symlink_to(tmp_path / "secret.png")
    (tmp_path / "pictures" / "other.test").mkdir()
    (tmp_path / "pictures" / "other.test" / "cat.png").write_bytes(picture(43, 30))
    (tmp_path / "pictures" / "linked.test").symlink_to(tmp_path)
    return tmp_path / "pictures"


@pytest.fixture
def server(folder: Path) -> Iterator[FakeServer]:
    with FakeServer(images=folder) as server:
        yield server


def seen(server: FakeServer, url: str) -> LoggedImage:
    answer = post(server, body(image(url)))
    assert answer.status_code == 200, answer.text
    return server.requests[-1].images[0]


def test_a_picture_is_the_one_that_the_test_mapped(grok_server):
    grok_server.serve_image(URL, picture(449, 448, "JPEG"))

    image = seen(grok_server, URL)
    assert (image.source, image.url, image.format) == ("scenario", URL, "JPEG")
    assert (image.width, image.height, image.tiles, image.tokens) == (449, 448, 2, 768)


def test_a_mapped_picture_is_refused_like_any_other(grok_server):
    grok_server.serve_image(URL, b"GIF89a")

    answer = post(grok_server, body(image(URL)))

    assert answer.json()["error"] == (
        "Downloaded response does not contain a valid JPG or PNG image."
    )


def test_a_mapped_picture_comes_before_a_file(server):
    server.serve_image(URL, picture(60, 60))

    assert seen(server, URL).width == 60


def test_even_an_invalid_host_may_be_mapped(grok_server):
    grok_server.serve_image("https://pictures.invalid/cat.png", picture(60, 60))

    assert seen(grok_server, "https://pictures.invalid/cat.png").source == "scenario"


FILES = [
    pytest.param("https://example.com/cat.png", 40, id="plain"),
    pytest.param("http://example.com/cat.png", 40, id="over-http"),
    pytest.param("https://EXAMPLE.com./cat.png", 40, id="host-in-capitals-with-a-dot"),
    pytest.param("https://user@example.com:8443/cat.png?size=1#top", 40, id="port-query-fragment"),
    pytest.param("https://example.com/my%20cat.png", 41, id="percent-encoded"),
    pytest.param("https://example.com/a/b/cat.jpg", 42, id="nested"),
    pytest.param("https://example.com/a/../cat.png", 40, id="dots-within-the-host"),
    pytest.param("https://example.com//cat.png", 40, id="two-slashes"),
    pytest.param("https://other.test/cat.png", 43, id="another-host"),
]


@pytest.mark.parametrize(("url", "width"), FILES)
def test_a_picture_is_the_file_of_its_host_and_path(server, url, width):
    image = seen(server, url)

    assert (image.source, image.width, image.url) == ("images", width, url)


OUTSIDE = [
    pytest.param("https://example.com/none.png", id="no-such-file"),
    pytest.param("https://example.com/a", id="a-folder"),
    pytest.param("https://example.com", id="no-path"),
    pytest.param("https://none.test/cat.png", id="no-such-host"),
    pytest.param("https://example.com/../../secret.png", id="dots"),
    pytest.param("https://example.com/%2e%2e/%2e%2e/secret.png", id="encoded-dots"),
    pytest.param("https://example.com/..%2f..%2fsecret.png", id="encoded-slashes"),
    pytest.param("https://example.com/../other.test/cat.png", id="another-host-by-dots"),
    pytest.param("https://example.com/link.png", id="a-link-that-leads-out"),
    pytest.param("https://linked.test/secret.png", id="a-host-that-leads-out"),
    pytest.param("https://example.com/a%00.png", id="a-zero-byte"),
    pytest.param("https://example.com/" + "a" * 5000, id="a-name-too-long"),
]


@pytest.mark.parametrize("url", OUTSIDE)
def test_what_is_no_file_of_the_folder_is_the_placeholder(server, url):
    assert seen(server, url).source == "placeholder"


def test_an_absolute_path_stays_in_the_folder(server, folder):
    secret = folder.parent / "secret.png"

    assert seen(server, f"https://example.com/{secret}").source == "placeholder"


def test_a_file_of_the_folder_is_refused_like_any_image(server, folder):
    (folder / "example.com" / "cut.png").write_bytes(picture(40, 30)[:-1])

    answer = post(server, body(image("https://example.com/cut.png")))

    assert answer.json() == {"code": "invalid_image", "error": "Invalid PNG image."}


def test_a_file_comes_before_the_network(tmp_path):
    (tmp_path / "127.0.0.1").mkdir()
    (tmp_path / "127.0.0.1" / "cat.png").write_bytes(picture(40, 30))

    with serving() as web, FakeServer(images=tmp_path, allow_hosts=["127.0.0.1"]) as server:
        source = seen(server, f"{web.url}/cat.png").source

    assert source == "images"
    assert web.seen == []


def test_any_other_address_is_the_placeholder(grok_server):
    image = seen(grok_server, URL)

    assert (image.source, image.url, image.format) == ("placeholder", URL, "PNG")
    assert (image.width, image.height, image.tiles) == (800, 600, 4)


def test_an_answer_says_that_it_is_about_a_placeholder(grok_server):
    answer = post(grok_server, body(image(URL)))

    said = answer.json()["choices"][0]["message"]["content"]
    assert said.endswith(f"1280 tokens (a placeholder for {URL}).")


def test_without_a_placeholder_any_other_address_fails():
    with FakeServer(placeholder=False) as server:
        answer = post(server, body(image(URL)))

    assert answer.json()["error"] == (
        "Image URL could not be fetched: Fetching image failed with HTTP status 404 Not Found."
    )


def test_an_invalid_host_fails_though_there_is_a_placeholder(grok_server):
    answer = post(grok_server, body(image("https://a.b.invalid/cat.png")))

    assert answer.json()["error"] == (
        "Image URL could not be fetched: Fetching image failed with HTTP status 404 Not Found."
    )


def test_a_picture_that_is_not_allowed_is_never_asked_for(grok_server):
    with serving() as web:
        post(grok_server, body(image(f"{web.url}/cat.png")))

        seen_by_web = list(web.seen)

    assert seen_by_web == []


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="root may read all files but this")
def test_a_file_that_can_not_be_read_fails_as_a_web_server_says_it(caplog):
    with FakeServer(images="/proc") as server:
        answer = post(server, body(image(f"https://{os.getpid()}/mem")))

    assert answer.json()["error"].endswith("Fetching image failed with HTTP status 403 Forbidden.")
    assert caplog.messages == []
