"""A test scripts answers by rule: what a request has to be, and which rule comes nearest."""

import asyncio
import hashlib
import math
import re
from typing import Any

import pytest

from fake_server import FakeServer
from fake_server.scenario import Failure, Reply
from tests.asking import BEARER, body, image, post, send, text
from tests.pictures import data_url, picture

CAT, DOG = picture(64, 64), picture(448, 449, "JPEG")
TIDE = [{"type": "function", "function": {"name": "tide", "parameters": {}}}]


def said(server: FakeServer, *parts: Any, **fields: Any) -> str:
    message = post(server, body(*parts, **fields)).json()["choices"][0]["message"]
    return str(message["content"])


CONDITIONS = [
    pytest.param({"model": "grok-4.3"}, body(model="grok-4.3"), body(), id="model"),
    pytest.param(
        {"text": "cat"}, body(text("What cat is it?")), body(text("What dog is it?")), id="text"
    ),
    pytest.param(
        {"text_matches": r"^\d+ cats$"}, body(text("2 cats")), body(text("2 cats?")), id="matches"
    ),
    pytest.param({"images": 0}, body(), body(image(data_url(CAT))), id="no-image"),
    pytest.param(
        {"images": 2},
        body(image(data_url(CAT)), image(data_url(CAT))),
        body(image(data_url(CAT))),
        id="images",
    ),
    pytest.param(
        {"image": {"width": 448, "height": 449, "format": "JPEG"}},
        body(image(data_url(CAT)), image(data_url(DOG, "image/jpeg"))),
        body(image(data_url(CAT))),
        id="size-in-pixels",
    ),
    pytest.param(
        {"image": {"size": len(CAT)}},
        body(image(data_url(CAT))),
        body(image(data_url(DOG))),
        id="size-in-bytes",
    ),
    pytest.param(
        {"image": {"sha256": hashlib.sha256(CAT).hexdigest()}},
        body(image(data_url(CAT))),
        body(image(data_url(DOG))),
        id="hash",
    ),
    pytest.param(
        {"detail": "high"},
        body(image(data_url(CAT), detail="high")),
        body(image(data_url(CAT), detail="high"), image(data_url(CAT))),
        id="detail-of-each",
    ),
    pytest.param({"tool": "tide"}, body(tools=TIDE), body(), id="tool"),
    pytest.param({"stream": True}, body(stream=True), body(), id="stream"),
    pytest.param(
        {"path": "/v1/chat/completions", "model": "grok-4"}, body(), body(model="grok-3"), id="two"
    ),
]


@pytest.mark.parametrize(("conditions", "fits", "other"), CONDITIONS)
def test_a_rule_is_for_requests_that_meet_its_conditions(grok_server, conditions, fits, other):
    grok_server.when(**conditions).reply("scripted")

    assert "The fake server saw" in post(grok_server, other).text
    answer = post(grok_server, fits).text
    assert "scripted" in answer
    assert "The fake server saw" not in answer


def test_a_rule_may_be_for_a_header_in_any_case(grok_server):
    grok_server.when(headers={"X-Test-Run": "7"}).reply("scripted")

    answers = [
        send(
            grok_server,
            "POST",
            "/v1/chat/completions",
            json=body(),
            headers={**BEARER, "x-test-run": run},
        ).text
        for run in "67"
    ]

    assert ["scripted" in answer for answer in answers] == [False, True]


def test_a_rule_looks_at_the_last_message_alone(grok_server):
    grok_server.when(text="cat").reply("A cat.")
    turns = [
        {"role": "user", "content": "What cat?"},
        {"role": "assistant", "content": "Tom."},
        {"role": "user", "content": "And now?"},
    ]

    answer = post(grok_server, {"model": "grok-4", "messages": turns})

    assert "A cat." not in answer.text


def test_the_first_rule_that_fits_answers_always(grok_server):
    grok_server.when(images=0).reply("none")
    grok_server.when(model="grok-4").reply("never")

    assert [said(grok_server) for _ in range(3)] == ["none"] * 3


def test_a_rule_answers_as_often_as_told_and_then_the_next_does(grok_server):
    grok_server.when(images=0, times=2).reply("twice")
    grok_server.when(images=0).reply("then")

    assert [said(grok_server) for _ in range(4)] == ["twice", "twice", "then", "then"]


def test_answers_in_order_go_with_rules(grok_server):
    grok_server.reply("first")
    grok_server.when(images=0).reply("by rule")
    grok_server.reply("never reached")

    assert [said(grok_server) for _ in range(3)] == ["first", "by rule", "by rule"]


def test_a_probability_is_the_same_in_every_run():
    runs = []
    for _ in range(2):
        with FakeServer() as server:
            server.when(probability=0.5).reply("heads")
            runs.append([said(server) == "heads" for _ in range(40)])

    assert runs[0] == runs[1]
    assert 8 < sum(runs[0]) < 32


def test_a_function_answers_by_what_it_is_given(grok_server):
    grok_server.when().reply(lambda request: f"{len(request.images)} by {request.model}")

    assert said(grok_server, image(data_url(CAT)), model="grok-4.3") == "1 by grok-4.3"


def test_a_function_may_give_an_answer_a_failure_or_nothing(grok_server):
    given: list[Any] = [Reply("said", reasoning="why"), Failure(418, "teapot", "No."), None]
    grok_server.when().reply(lambda _request: given.pop(0))

    first, second, third = (post(grok_server, body()) for _ in range(3))

    assert first.json()["choices"][0]["message"]["reasoning_content"] == "why"
    assert (second.status_code, second.json()["error"]) == (418, "No.")
    assert "The fake server saw" in third.text


def test_a_function_may_be_async(grok_server):
    async def slowly(_request: Any) -> str:
        await asyncio.sleep(0)
        return "at last"

    grok_server.reply(slowly)

    assert said(grok_server) == "at last"


def wrong(_request: Any) -> str:
    raise AssertionError("there is no image")


def test_what_a_function_raises_is_told_to_the_client(grok_server):
    grok_server.reply(wrong)

    answer = post(grok_server, body())

    assert answer.status_code == 500
    assert answer.json()["error"] == (
        "The function of the test raised AssertionError: there is no image"
    )
    with pytest.raises(AssertionError, match="there is no image"):
        grok_server.raise_errors()


class Unspeakable(Exception):
    def __str__(self) -> str:
        raise self


@pytest.mark.parametrize(
    ("error", "told"),
    [
        pytest.param(ValueError("half \ud800"), r"ValueError: half \ud800", id="half-a-character"),
        pytest.param(Unspeakable(), "Unspeakable", id="without-words"),
        pytest.param(SystemExit(3), "SystemExit: 3", id="an-exit"),
    ],
)
def test_whatever_a_function_raises_is_told_and_raised(grok_server, error, told):
    def answer(_request: object) -> str:
        raise error

    grok_server.reply(answer)

    asked = post(grok_server, body())

    assert asked.status_code == 500
    assert asked.json()["error"] == f"The function of the test raised {told}"
    with pytest.raises(type(error)):
        grok_server.raise_errors()


def asked_with_an_error_in_the_function() -> None:
    with FakeServer() as server:
        server.reply(wrong)
        post(server, body())


def test_what_a_function_raises_is_raised_at_the_end():
    with pytest.raises(AssertionError, match="there is no image"):
        asked_with_an_error_in_the_function()


def asked_with_an_error_of_the_test() -> None:
    with FakeServer() as server:
        server.reply(wrong)
        post(server, body())
        raise KeyError("of the test")


def test_an_error_of_the_test_itself_is_not_hidden_by_that_of_a_function():
    with pytest.raises(KeyError):
        asked_with_an_error_of_the_test()


def test_a_function_that_gives_no_answer_is_an_error_of_the_test(grok_server):
    grok_server.reply(lambda _request: 7)

    assert post(grok_server, body()).status_code == 500
    with pytest.raises(TypeError, match="gives a text, a Reply, a Failure or None, not 7"):
        grok_server.raise_errors()


def test_another_seed_throws_other_dice():
    runs = []
    for seed in (1, 2):
        with FakeServer(seed=seed) as server:
            server.when(probability=0.5).reply("heads")
            runs.append([said(server) == "heads" for _ in range(20)])

    assert runs[0] != runs[1]


def test_a_refusal_says_why_there_is_no_answer(grok_server):
    grok_server.reply(refusal="I will not.")

    message = post(grok_server, body()).json()["choices"][0]["message"]

    assert (message["content"], message["refusal"]) == ("", "I will not.")


def test_choices_stops_and_most_tokens_act_on_any_answer(grok_server):
    grok_server.when().reply("one two three four")

    stopped = post(grok_server, body(n=2, stop=["three"], model="grok-2-vision"))
    cut = post(grok_server, body(n=2, max_tokens=3))

    for answer, told in ((stopped, ("one two ", "stop")), (cut, ("one two three", "length"))):
        choices = answer.json()["choices"]
        ends = [(choice["message"]["content"], choice["finish_reason"]) for choice in choices]
        assert ends == [told, told]


def test_the_journal_names_the_rule_or_the_one_that_came_nearest(grok_server):
    grok_server.when(images=2, text="compare", model="grok-4.3").reply("a")
    grok_server.when(images=2, text="compare").reply("b")
    post(grok_server, body(text("compare"), image(data_url(CAT))))
    post(grok_server, body(text("compare"), image(data_url(CAT)), image(data_url(CAT))))

    missed, met = grok_server.requests

    assert missed.unmatched == (
        "No rule is for this request. Nearest came rule 2: images is 1, not 2."
    )
    assert (met.rule, met.unmatched) == ("rule 2", "")


WRONG = [
    pytest.param({"imgaes": 1}, "when: Object contains unknown field `imgaes`", id="name"),
    pytest.param({"images": "1"}, "Expected `int | null`, got `str` - at `$.images`", id="type"),
    pytest.param({"text_matches": "("}, "text_matches is no regular expression", id="regex"),
    pytest.param({"times": 0}, "times is a number from 1, not 0", id="times"),
    pytest.param({"times": 1.5}, "times is a number from 1, not 1.5", id="half-a-time"),
    pytest.param({"model": "\ud800"}, "a rule has to be JSON: 'utf-8'", id="half-a-character"),
    pytest.param({"probability": 2}, "probability is a number from 0 to 1, not 2", id="chance"),
    pytest.param({"image": {"widht": 1}}, "unknown field `widht` - at `$.image`", id="inner"),
]


@pytest.mark.parametrize(("conditions", "told"), WRONG)
def test_a_condition_that_there_is_not_is_an_error_at_once(grok_server, conditions, told):
    with pytest.raises(ValueError, match=re.escape(told)):
        grok_server.when(**conditions).reply("never")


ITSELF: list[Any] = []
ITSELF.append(ITSELF)

NO_JSON = [
    pytest.param({"text": "\ud800"}, id="text"),
    pytest.param({"refusal": "\ud800"}, id="refusal"),
    pytest.param({"tool_calls": [("look", {"at": object()})]}, id="arguments"),
    pytest.param({"tool_calls": [("look", {"at": ITSELF})]}, id="arguments-without-end"),
    pytest.param({"server_tool_calls": [("web_search", {"\ud800": 1})]}, id="server-tool"),
    pytest.param({"citations": ["https://example.com/\ud800"]}, id="citation"),
]


@pytest.mark.parametrize("fields", NO_JSON)
def test_a_reply_that_no_answer_can_hold_is_an_error_at_once(grok_server, fields):
    with pytest.raises(ValueError, match="a reply has to be JSON: "):
        grok_server.reply(**fields)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        pytest.param({"error": "\ud800"}, "a failure has to be JSON: ", id="error"),
        pytest.param({"retry_after": -1}, "retry_after is a number of seconds", id="negative"),
        pytest.param({"retry_after": math.nan}, "retry_after is a number of seconds", id="nan"),
        pytest.param({"retry_after": "soon"}, "retry_after is a number of seconds", id="a-word"),
    ],
)
def test_a_failure_that_no_answer_can_hold_is_an_error_at_once(grok_server, fields, told):
    with pytest.raises(ValueError, match=told):
        grok_server.fail(429, **fields)


def test_a_request_that_was_made_is_given_back(grok_server):
    post(grok_server, body(image(data_url(CAT), detail="high")))

    (request,) = grok_server.assert_called(images=1, detail="high")

    assert request is grok_server.requests[0]


def test_an_assertion_says_what_came_nearest(grok_server):
    post(grok_server, body(image(data_url(CAT)), model="grok-3-mini"))
    post(grok_server, body(image(data_url(CAT))))

    with pytest.raises(AssertionError) as raised:
        grok_server.assert_called(images=2, detail="high", model="grok-4")

    assert str(raised.value) == (
        "no requests had model='grok-4', images=2, detail='high'; at least one was expected."
        " Nearest came request 2, POST /v1/chat/completions:"
        " images is 1, not 2; detail is auto, not high."
    )


def test_an_assertion_about_words_passes_by_what_has_none(grok_server):
    send(grok_server, "GET", "/v1/models", headers=BEARER)
    post(grok_server, body(text("Hello")))

    (request,) = grok_server.assert_called(text="Hello")

    assert request.number == 2


def test_an_assertion_without_any_request_says_so(grok_server):
    with pytest.raises(AssertionError, match=r"had any request; .* There was none at all\."):
        grok_server.assert_called()


@pytest.mark.parametrize("times", [0, 1, 3])
def test_an_assertion_counts(grok_server, times):
    post(grok_server, body())
    post(grok_server, body())
    grok_server.assert_called(times=2)

    told = f"2 requests had any request; {times} {'was' if times == 1 else 'were'} expected."
    with pytest.raises(AssertionError, match=re.escape(told)):
        grok_server.assert_called(times=times)


def test_the_journal_has_the_answer_and_its_time(grok_server):
    grok_server.reply("A cat.", reasoning="It purrs.", tool_calls=[("stroke", {"how": "gently"})])
    post(grok_server, body(tools=TIDE))

    (request,) = grok_server.requests

    assert request.answer is not None
    assert (request.answer.text, request.answer.reasoning) == ("A cat.", "It purrs.")
    assert request.answer.tool_calls == (("stroke", '{"how":"gently"}'),)
    assert request.answer.finish_reason == "tool_calls"
    assert request.seconds > 0
    assert request.number == 1


def test_the_journal_keeps_the_newest_requests():
    with FakeServer() as server:
        server.requests.most = 10
        for number in range(25):
            post(server, body(text(f"question {number}")))

        assert len(server.requests) <= 10
        assert server.requests[-1].parts == ["question 24"]
        assert server.requests[-1].number == 25
        assert server.requests.find(25) is server.requests[-1]
        assert server.requests.find(1) is None


def test_images_are_kept_as_long_as_there_is_room():
    with FakeServer(keep_images=len(CAT)) as server:
        post(server, body(image(data_url(DOG))))
        post(server, body(image(data_url(CAT))))
        first, second = (request.images[0] for request in server.requests)

        assert server.image_bytes(second) == CAT
        with pytest.raises(LookupError, match="keep_images says how many are"):
            server.image_bytes(first)


def test_only_the_models_that_were_named_are_there():
    with FakeServer(models=["grok-4.3", "grok-4"]) as server:
        listed = send(server, "GET", "/v1/models", headers=BEARER).json()["data"]
        answers = [post(server, body(model=name)).status_code for name in ("grok-4", "grok-3")]

    assert sorted(model["id"] for model in listed) == ["grok-4-0709", "grok-4.3"]
    assert answers == [200, 404]


def test_a_model_that_there_is_not_is_an_error_at_once():
    with pytest.raises(ValueError, match="and not grok-99"):
        FakeServer(models=["grok-99"])
