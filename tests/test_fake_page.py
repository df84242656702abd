"""The page at /_fake/, in a real browser."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from PIL import Image
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait
from xai_sdk import Client
from xai_sdk.chat import image as xai_image
from xai_sdk.chat import user

from fake_server import FakeServer
from tests.asking import body, image, post, text
from tests.browsing import browsing, there_is_a_browser
from tests.pictures import data_url, picture

pytestmark = pytest.mark.skipif(not there_is_a_browser(), reason="there is no chromium")
EVIL = "<script>document.title = 'run'</script><img src=x onerror=\"document.title = 'run'\">"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    with browsing(tmp_path_factory.mktemp("browser")) as browser:
        yield browser


@pytest.fixture
def page(browser: Chrome, grok_server: FakeServer) -> str:
    # A proxy that the environment names is not asked for this machine.
    return grok_server.url.removesuffix("/v1") + "/_fake/"


def rows(browser: Chrome) -> list[list[str]]:
    found = browser.find_elements(By.CSS_SELECTOR, "#rows tr")
    return [[cell.text for cell in row.find_elements(By.TAG_NAME, "td")] for row in found]


def complaints(browser: Chrome) -> list[str]:
    return [str(entry["message"]) for entry in browser.get_log("browser")]


def test_each_request_is_a_row_the_newest_first(browser, page, grok_server):
    post(grok_server, body(image(data_url(picture(449, 448)), detail="high")))
    post(grok_server, body(model="grok-99"))

    browser.get(page)

    second, first = rows(browser)
    assert first[2:8] == ["POST /v1/chat/completions", "grok-4", "200", "1", "787", "$0.002589"]
    assert second[4].startswith("404 The model grok-99 does not exist")
    assert complaints(browser) == []


def test_new_requests_show_up_by_themselves(browser, page, grok_server):
    browser.get(page)
    assert "No request yet." in browser.find_element(By.ID, "state").text

    post(grok_server, body())
    WebDriverWait(browser, 10).until(lambda _: len(rows(browser)) == 1)

    assert browser.find_element(By.ID, "state").text == "1 new request."
    post(grok_server, body())
    WebDriverWait(browser, 10).until(lambda _: len(rows(browser)) == 2)
    assert [row[0] for row in rows(browser)] == ["2", "1"]


def test_a_request_that_is_still_answered_is_shown_as_it_ends(browser, page, grok_server):
    is_seen = threading.Event()

    async def slowly(_request: object) -> str:
        await asyncio.to_thread(is_seen.wait, 10)
        return "at last"

    grok_server.reply(slowly)
    client = threading.Thread(target=post, args=(grok_server, body()))
    client.start()
    WebDriverWait(browser, 10).until(lambda _: grok_server.requests)
    browser.get(page)
    states = [rows(browser)[0][4]]
    is_seen.set()
    client.join()
    # The page may put another row in the place of one that is being read.
    patient = WebDriverWait(browser, 10, ignored_exceptions=[StaleElementReferenceException])
    patient.until(lambda _: rows(browser)[0][4] != "none yet")
    states += [row[4] for row in rows(browser)]

    assert states == ["none yet", "200"]


def test_a_request_is_opened_with_the_keyboard(browser, page, grok_server):
    post(grok_server, body())
    browser.get(page)

    browser.switch_to.active_element.send_keys(Keys.TAB)
    browser.switch_to.active_element.send_keys(Keys.ENTER)

    WebDriverWait(browser, 10).until(lambda _: browser.title == "Request 1")
    browser.switch_to.active_element.send_keys(Keys.TAB)
    assert browser.switch_to.active_element.text == "All requests"


def test_a_request_shows_the_conversation_and_its_images(browser, page, grok_server):
    grok_server.reply("Two boats.", reasoning="I count.", tool_calls=[("tide", {"at": "Brest"})])
    first = image(data_url(picture(896, 896, "JPEG")), detail="high")
    post(
        grok_server, body(text("What is it?"), first, text("And here?"), image("https://a.test/b"))
    )

    browser.get(f"{page}1")

    figures = browser.find_elements(By.TAG_NAME, "figcaption")
    assert figures[0].text == (
        f"JPEG, 896x896 pixels, {len(picture(896, 896, 'JPEG')):,} bytes, detail high:"
        " 4 tiles, and one more for the whole = 1280 tokens."
    )
    assert figures[1].text.endswith("https://a.test/b (a placeholder)")
    told = [part.text for part in browser.find_elements(By.CSS_SELECTOR, ".message .text")]
    assert told == [
        "What is it?",
        "And here?",
        "I count.",
        "Two boats.",
        'tide({"at":"Brest"})',
    ]
    assert complaints(browser) == []


def test_the_grid_is_drawn_over_the_picture(browser, page, grok_server, tmp_path: Path):
    post(grok_server, body(image(data_url(picture(896, 448, "PNG")), detail="high")))
    browser.get(f"{page}1")
    drawn = browser.find_element(By.TAG_NAME, "svg")

    drawn.screenshot(str(tmp_path / "drawn.png"))

    with Image.open(tmp_path / "drawn.png") as shot:
        pixels = shot.convert("RGB")
    middle = pixels.height // 2
    plain = pixels.getpixel((pixels.width // 4, middle))
    # The picture is of one colour; where its two tiles meet, there is a line.
    line = {pixels.getpixel((pixels.width // 2 + by, middle)) for by in range(-3, 4)}
    assert line != {plain}
    assert pixels.getpixel((pixels.width * 3 // 4, middle)) == plain


def test_a_refused_request_says_why(browser, page, grok_server):
    post(grok_server, body(image(data_url(picture(7, 900)))))

    browser.get(f"{page}1")

    told = browser.find_element(By.CLASS_NAME, "refusal").text
    assert "Image dimensions 7x900 are too small." in told
    assert "The limit: an image with a side of less than 8 pixels (OBSERVED 2026)" in told


def test_the_raw_exchange_has_no_image_bytes_and_no_key(browser, page, grok_server):
    url = data_url(picture(64, 64))
    post(grok_server, body(image(url)))

    browser.get(f"{page}1")

    asked, answered = (pre.text for pre in browser.find_elements(By.CSS_SELECTOR, "[open] pre"))
    assert f"data:image/png;base64,({len(url) - len('data:image/png;base64,')} bytes" in asked
    assert url not in browser.page_source
    assert "xai-test-key" not in browser.page_source
    assert '"finish_reason": "stop"' in answered


def test_a_call_of_grpc_is_shown_as_text(browser, page, grok_server):
    with closing(Client(api_key="xai-test-key", api_host=grok_server.api_host)) as client:
        chat = client.chat.create(model="grok-4.3")
        chat.append(user("What is it?", xai_image(data_url(picture(64, 64)))))
        chat.sample()

    browser.get(f"{page}1")

    asked, answered = (pre.text for pre in browser.find_elements(By.CSS_SELECTOR, "[open] pre"))
    assert 'text: "What is it?"' in asked
    assert "bytes of base64)" in asked
    assert "bytes of protobuf)" in answered
    assert len(browser.find_elements(By.TAG_NAME, "svg")) == 1


def test_nothing_that_was_sent_runs(browser, page, grok_server):
    grok_server.reply(EVIL, reasoning=EVIL, tool_calls=[("tide", {"at": EVIL})])
    post(grok_server, body(text(EVIL)))
    post(grok_server, body(model=EVIL))

    for path in ("", "1", "2"):
        browser.get(page + path)
        assert browser.title != "run"
        assert EVIL in browser.page_source.replace("&lt;", "<").replace("&gt;", ">") or not path
    assert complaints(browser) == []


def test_an_image_that_is_not_kept_is_said_to_be_gone(browser):
    with FakeServer(keep_images=0) as server:
        post(server, body(image(data_url(picture(64, 64)))))
        browser.get(server.url.removesuffix("/v1") + "/_fake/1")
        told = browser.find_element(By.CLASS_NAME, "gone").text

    assert told.startswith("The bytes of this image are not kept")


def test_patches_are_drawn_where_the_model_counts_them(browser):
    with FakeServer(contract="observed") as server:
        post(server, body(image(data_url(picture(64, 64))), model="grok-4.3"))
        browser.get(server.url.removesuffix("/v1") + "/_fake/1")
        told = browser.find_element(By.TAG_NAME, "figcaption").text

    assert told.endswith("4 patches of 32 pixels and 2 more = 6 tokens.")


@pytest.mark.parametrize(("scheme", "is_dark"), [("dark", True), ("light", False)])
def test_the_page_is_light_or_dark_as_the_reader_likes(browser, page, scheme, is_dark):
    media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    browser.get(page)

    script = "return getComputedStyle(document.documentElement).getPropertyValue('--soft')"
    assert (browser.execute_script(script).strip() == "#22262c") is is_dark


def test_a_server_that_ended_is_told(browser):
    with FakeServer() as server:
        browser.get(server.url.removesuffix("/v1") + "/_fake/")
    state = browser.find_element(By.ID, "state")

    WebDriverWait(browser, 30).until(lambda _: "does not answer" in state.text)
