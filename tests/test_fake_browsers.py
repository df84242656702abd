"""Pages of other sites ask the fake in a browser, as they ask xAI."""

from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from fake_server import FakeServer
from tests.asking import body, post
from tests.browsing import browsing, there_is_a_browser
from tests.web import serving_folder

NODE_MODULES = Path(__file__).parent / "node/node_modules"

PREFLIGHT = {
    "origin": "https://app.example",
    "access-control-request-method": "POST",
    "access-control-request-headers": "authorization,content-type",
}

# The openai package as it stands, in a page.
ASK = """
const [url, stream, done] = arguments;
import("/openai/index.mjs").then(async ({ OpenAI }) => {
  const client = new OpenAI({ baseURL: url, apiKey: "k", dangerouslyAllowBrowser: true });
  const messages = [{ role: "user", content: "Hello" }];
  const asked = await client.chat.completions.create({ model: "grok-4", messages, stream });
  let said = "";
  if (stream) for await (const chunk of asked) said += chunk.choices[0]?.delta.content ?? "";
  else said = asked.choices[0].message.content;
  done(said);
}).catch((error) => done(`${error}`));
"""


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    with serving_folder(NODE_MODULES) as url:
        yield url


@pytest.mark.skipif(not there_is_a_browser(), reason="there is no chromium")
@pytest.mark.skipif(not (NODE_MODULES / "openai").exists(), reason="there is no npm")
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_openai_in_a_page_gets_its_answer(grok_server, site, tmp_path, stream):
    grok_server.reply("Hello, page.")

    with browsing(tmp_path / "browser") as browser:
        browser.get(f"{site}/openai/package.json")
        said = browser.execute_async_script(ASK, grok_server.url, stream)

    assert said == "Hello, page."
    assert [log.method for log in grok_server.requests] == ["OPTIONS", "POST"]


def _preflight(server: FakeServer, path: str) -> httpx2.Response:
    with httpx2.Client(trust_env=False, verify=False) as client:
        return client.options(server.url.removesuffix("/v1") + path, headers=PREFLIGHT)


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/models/grok-4", "/v1/nowhere"])
def test_a_browser_that_asks_whether_a_page_may_ask_is_told_so_without_a_key(grok_server, path):
    answer = _preflight(grok_server, path)

    assert (answer.status_code, answer.content) == (200, b"")
    allowed = [
        answer.headers[f"access-control-allow-{n}"] for n in ("origin", "methods", "headers")
    ]
    assert allowed == ["*", "*", "*"]


def test_no_page_is_told_that_it_may_ask_the_fake_itself(grok_server):
    answer = _preflight(grok_server, "/_fake/requests")

    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers


def test_a_question_of_a_browser_uses_no_script(grok_server):
    grok_server.reply("for the page")
    _preflight(grok_server, "/v1/chat/completions")

    answer = post(grok_server, body())

    assert answer.json()["choices"][0]["message"]["content"] == "for the page"
