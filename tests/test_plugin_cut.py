"""Wherever a stream breaks off, what arrived is kept, nobody waits, and the error is a sentence."""

import pytest

from fake_server import FakeServer
from llm_grok_vision.errors import GrokError
from tests.prompting import BOTH, ask

WORDS = "one two three four"
# Four words, the end and [DONE].
EVENTS = range(6)


def outcome(kind: str) -> tuple[str, str]:
    """Ask, and give what was said, and what went wrong."""
    try:
        return ask(kind, "Hello").text, ""
    except GrokError as error:
        return error.partial_text, str(error)


@BOTH
@pytest.mark.parametrize("after", EVENTS)
@pytest.mark.parametrize("how", [{}, {"half_event": True}, {"ending": "rst"}], ids=str)
@pytest.mark.usefixtures("no_waiting")
def test_a_stream_that_breaks_off_loses_nothing_that_arrived(
    xai: FakeServer, kind: str, after: int, how: dict[str, object]
):
    xai.when().reply(WORDS, fault={"after_events": after, **how})

    text, told = outcome(kind)

    # Behind the fourth word and its end, all of it is there.
    assert told.endswith(".") or (told == "" and after >= len(EVENTS) - 1) or "ending" in how
    if "ending" in how:
        # What is on its way when a connection is reset may be lost with it.
        assert WORDS.startswith(text)
    else:
        assert text == "".join([" one", " two", " three", " four"][:after]).strip()


@BOTH
@pytest.mark.usefixtures("no_waiting")
def test_a_server_that_is_killed_before_its_answer_is_asked_again(xai: FakeServer, kind: str):
    xai.fault(ending="rst")
    xai.fault(ending="fin")
    xai.reply(WORDS)

    assert ask(kind, "Hello").text == WORDS
    assert len(xai.requests) == 3
