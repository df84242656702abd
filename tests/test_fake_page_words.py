"""What the page at /_fake/ says, without a browser."""

import pytest

from fake_server import page
from fake_server.journal import LoggedAnswer, LoggedImage, LoggedRequest
from tests.asking import send


def seen(
    width: int, height: int, *, tiles: int, tokens: int, patches: int = 0, detail: str = "auto"
) -> LoggedImage:
    return LoggedImage("PNG", width, height, 99, detail, tiles, tokens, "data", patches=patches)


@pytest.mark.parametrize(
    ("image", "told"),
    [
        pytest.param(
            seen(448, 448, tiles=1, tokens=512),
            {"side": 448, "told": "1 tile, and one more for the whole = 512 tokens"},
            id="one-tile",
        ),
        pytest.param(
            seen(1344, 896, tiles=6, tokens=1792),
            {"side": 448, "told": "6 tiles, and one more for the whole = 1792 tokens"},
            id="as-many-as-there-may-be",
        ),
        pytest.param(
            seen(1345, 897, tiles=6, tokens=1792),
            {
                "side": 448,
                "told": "6 tiles (of 12 that would cover it), and one more for the whole"
                " = 1792 tokens",
            },
            id="fewer-than-cover-it",
        ),
        pytest.param(
            seen(448, 448, tiles=0, tokens=256),
            {"side": 0, "told": "seen as a whole = 256 tokens"},
            id="low",
        ),
        pytest.param(
            seen(64, 32, tiles=0, patches=2, tokens=4),
            {"side": 32, "told": "2 patches of 32 pixels and 2 more = 4 tokens"},
            id="patches",
        ),
        pytest.param(
            seen(1024, 512, tiles=0, patches=128, tokens=130, detail="low"),
            {"side": 64, "told": "128 patches of 64 pixels and 2 more = 130 tokens"},
            id="patches-at-low",
        ),
        pytest.param(
            seen(64, 32, tiles=0, patches=2, tokens=4, detail="low"),
            {"side": 32, "told": "2 patches of 32 pixels and 2 more = 4 tokens"},
            id="few-patches-at-low",
        ),
    ],
)
def test_it_is_said_how_an_image_was_cut(image, told):
    assert page.grid(image) == told


@pytest.mark.parametrize(
    ("seconds", "told"), [(0.0024, "2 ms"), (0.9994, "999 ms"), (1, "1.0 s"), (61.26, "61.3 s")]
)
def test_the_time_of_an_answer_is_in_milliseconds_or_seconds(seconds, told):
    log = LoggedRequest("POST", "/v1/chat/completions", {}, status=200, seconds=seconds)

    assert f"<td>{told}</td>" in page.rows([log], -1)


@pytest.mark.parametrize(
    ("cost", "told"), [(0.005676, "$0.005676"), (0.25, "$0.25"), (2.0, "$2"), (0.0, "$0")]
)
def test_a_price_has_no_more_digits_than_it_needs(cost, told):
    log = LoggedRequest("POST", "/", {}, status=200, answer=LoggedAnswer(cost_usd=cost))

    assert f"<td>{told}</td>" in page.rows([log], -1)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("page.css", "text/css; charset=utf-8"),
        ("page.js", "text/javascript; charset=utf-8"),
        ("icon.svg", "image/svg+xml"),
    ],
)
def test_files_of_the_page_say_what_they_are(grok_server, name, kind):
    answer = send(grok_server, "GET", f"/_fake/{name}")

    assert answer.headers["content-type"] == kind
    assert answer.headers["content-security-policy"] == page.POLICY
