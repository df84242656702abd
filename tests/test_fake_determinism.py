"""The same request gets the same answer to the byte, unless the clock is real."""

import httpx2
import pytest

from fake_server import FakeServer
from tests.asking import body, image, post, send
from tests.pictures import data_url, picture

ICON = data_url(picture(128, 128))


def seen_by_a_client(answer: httpx2.Response) -> tuple[list[tuple[bytes, bytes]], bytes]:
    return answer.headers.raw, answer.content


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_the_same_request_is_answered_with_the_same_bytes(grok_server, stream):
    asked = body(image(ICON), stream=stream)

    first = post(grok_server, asked)
    again = post(grok_server, asked)
    with FakeServer() as another:
        elsewhere = post(another, asked)

    assert seen_by_a_client(first) == seen_by_a_client(again) == seen_by_a_client(elsewhere)


def test_another_request_has_another_id(grok_server):
    assert post(grok_server, body()).json()["id"] != post(grok_server, body(seed=1)).json()["id"]


def test_the_clock_stands_still_unless_it_is_real(grok_server):
    with FakeServer(clock="real") as real:
        now = post(real, body())

    fixed = post(grok_server, body())
    assert fixed.json()["created"] == 1767225600
    assert fixed.headers["date"] == "Thu, 01 Jan 2026 00:00:00 GMT"
    assert now.json()["created"] > 1767225600
    assert now.headers["date"] != fixed.headers["date"]


def test_only_the_right_key_is_good():
    with FakeServer(api_key="xai-test-key") as server:
        right = post(server, body())
        wrong = send(server, "GET", "/v1/models", headers={"authorization": "Bearer xai-test"})

    assert (right.status_code, wrong.status_code) == (200, 400)
