"""What is said of a request that a rule, or an assertion, is not for."""

import pytest

from fake_server.journal import LoggedImage, LoggedMessage, LoggedRequest
from fake_server.when import when

LONG = "What is in this image, who painted it, and when was it painted?"
CAT = LoggedImage("PNG", 449, 448, 512, "low", 0, 256, "data", sha256="ab")
DOG = LoggedImage("JPEG", 64, 32, 99, "high", 1, 512, "network", url="https://dogs.test/d.jpg")
ASKED = LoggedRequest(
    "POST",
    "/v1/chat/completions",
    {"x-test": "one"},
    model="grok-4",
    messages=[
        LoggedMessage("system", ["Be brief."]),
        LoggedMessage("user", [LONG, CAT, DOG]),
    ],
    tools=["tide"],
)
SHORT = "'What is in this image, who painted it, and when was it paint…'"


@pytest.mark.parametrize(
    ("conditions", "told"),
    [
        pytest.param({"model": "grok-3"}, "model is 'grok-4', not 'grok-3'", id="model"),
        pytest.param(
            {"path": "/v1/responses"},
            "path is '/v1/chat/completions', not '/v1/responses'",
            id="path",
        ),
        pytest.param({"stream": True}, "stream is False, not True", id="stream"),
        pytest.param({"text": "brief"}, f"the last message has no 'brief': {SHORT}", id="text"),
        pytest.param(
            {"text_matches": "^who"},
            f"the last message does not match '^who': {SHORT}",
            id="text-matches",
        ),
        pytest.param({"images": 1}, "images is 2, not 1", id="images"),
        pytest.param(
            {"image": {"format": "PNG", "width": 64}},
            "no image has format PNG, width 64:"
            " ['PNG 449x448, 512 bytes, low', 'JPEG 64x32, 99 bytes, high']",
            id="image",
        ),
        pytest.param({"detail": "high"}, "detail is high and low, not high", id="detail"),
        pytest.param({"tool": "moon"}, "tools are ['tide'], without 'moon'", id="tool"),
        pytest.param(
            {"headers": {"X-Test": "two"}}, "header X-Test is 'one', not 'two'", id="header"
        ),
        pytest.param(
            {"headers": {"X-Other": "two"}}, "header X-Other is None, not 'two'", id="no-header"
        ),
    ],
)
def test_a_condition_that_is_not_met_is_told(conditions, told):
    assert when(**conditions).differences(ASKED) == [told]


@pytest.mark.parametrize(
    "conditions",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"model": "grok-4", "stream": False, "images": 2}, id="several"),
        pytest.param({"text": "who painted"}, id="text"),
        pytest.param({"text_matches": r"painted\?$"}, id="text-matches"),
        pytest.param({"image": {"sha256": "ab", "size": 512}}, id="first-image"),
        pytest.param({"image": {"url": "https://dogs.test/d.jpg", "height": 32}}, id="last-image"),
        pytest.param({"tool": "tide", "headers": {"X-TEST": "one"}}, id="tool-and-header"),
    ],
)
def test_conditions_that_are_met_are_not(conditions):
    assert when(**conditions).differences(ASKED) == []


def test_a_detail_without_an_image_is_nowhere():
    asked = LoggedRequest("POST", "/v1/chat/completions", {})

    assert when(detail="low").differences(asked) == ["detail is nowhere, not low"]


def test_sixty_letters_are_told_whole():
    asked = LoggedRequest("POST", "/", {}, messages=[LoggedMessage("user", ["a" * 60])])

    assert when(text="b").differences(asked) == [f"the last message has no 'b': '{'a' * 60}'"]


def test_conditions_are_told_by_their_names():
    conditions = when(model="grok-4", image={"format": "PNG", "width": 64}, headers={"a": "b"})

    assert str(conditions) == "model='grok-4', image=format PNG, width 64, headers={'a': 'b'}"
    assert str(when()) == "any request"
