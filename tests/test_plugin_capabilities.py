"""An option that the chosen model does not take is refused before anything is sent."""

from pathlib import Path
from typing import Any

import llm
import pytest

from fake_server import FakeServer
from fake_server.catalogue import MODELS, Model
from llm_grok_vision.capabilities import check_options
from llm_grok_vision.catalogue import CatalogueModel, vision_models
from llm_grok_vision.errors import GrokError, UnsupportedOption
from tests.prompting import BOTH, ask, run_llm, run_process, shown_error

VALUES: dict[str, Any] = {
    "presence_penalty": 1.0,
    "frequency_penalty": 1.0,
    "stop": ["END"],
    "reasoning_effort": "low",
}

SENTENCES = [
    pytest.param(
        "grok-4",
        ["reasoning_effort"],
        "grok-4 takes no reasoning_effort; xai/grok-4.7, xai/grok-4.6 and xai/grok-4.5 do.",
        id="three-others-do",
    ),
    pytest.param(
        "grok-4.6",
        ["stop"],
        "grok-4.6 takes no stop; xai/grok-4.3, xai/grok-4.20-0309-reasoning and"
        " xai/grok-4.20-0309-non-reasoning do.",
        id="observed-2026-09-12-stop",
    ),
    pytest.param(
        "grok-4.6",
        ["stop", "presence_penalty", "frequency_penalty"],
        "grok-4.6 takes no stop, presence_penalty or frequency_penalty; no current model takes all"
        " of them.",
        id="together-nowhere",
    ),
    pytest.param(
        "grok-4",
        ["stop", "reasoning_effort"],
        "grok-4 takes no stop or reasoning_effort; xai/grok-4.3 does.",
        id="together-one-does",
    ),
]
EFFORTS = [
    pytest.param(
        "grok-4.5",
        "xhigh",
        "grok-4.5 takes reasoning_effort low, medium or high, not xhigh, which"
        " xai/grok-4.7, xai/grok-4.6 and xai/grok-4.20-multi-agent-0309 take.",
        id="doc-more-effort-than-it-has",
    ),
    pytest.param(
        "grok-4.6",
        "none",
        "grok-4.6 takes reasoning_effort low, medium, high or xhigh, not none, which"
        " xai/grok-4.3 takes.",
        id="observed-2026-08-18-cannot-be-turned-off",
    ),
    pytest.param(
        "grok-4.3",
        "max",
        "grok-4.3 takes reasoning_effort none, low, medium or high, not max.",
        id="a-word-of-nobody",
    ),
]


def known(name: str) -> CatalogueModel:
    (model,) = [model for model in vision_models() if model.name == name]
    return model


@pytest.mark.parametrize(("name", "options", "sentence"), SENTENCES)
def test_a_refused_option_is_one_sentence_that_says_who_takes_it(
    name: str, options: list[str], sentence: str
):
    given = {option: VALUES[option] for option in options}

    with pytest.raises(UnsupportedOption) as caught:
        check_options(known(name), given, vision_models)

    assert str(caught.value) == sentence
    assert isinstance(caught.value, GrokError)


@pytest.mark.parametrize(("name", "effort", "sentence"), EFFORTS)
def test_a_refused_effort_is_one_sentence_that_says_who_takes_it(
    name: str, effort: str, sentence: str
):
    with pytest.raises(UnsupportedOption) as caught:
        check_options(known(name), {"reasoning_effort": effort}, vision_models)

    assert str(caught.value) == sentence


def test_no_retired_model_is_recommended():
    """Only retired models take it: it is better to say that nobody does."""
    retired = [model for model in vision_models() if not model.is_current]

    with pytest.raises(UnsupportedOption, match=r"^grok-4 takes no stop; no current model takes"):
        check_options(known("grok-4"), {"stop": ["END"]}, lambda: retired)


def test_any_effort_may_be_tried_where_nobody_knows_them():
    check_options(known("grok-build-0.1"), {"reasoning_effort": "extreme"}, vision_models)


def _served(row: Model) -> bool:
    return row.kind == "language" and row.reads_images and row.status != "retired-refused"


PAIRS = [
    pytest.param(row, option, id=f"{row.id}-{option}")
    for row in MODELS
    if _served(row)
    for option in VALUES
]


@pytest.mark.parametrize(("row", "option"), PAIRS)
def test_the_plugin_refuses_what_the_fake_refuses(row: Model, option: str, xai: FakeServer):
    model = llm.get_model(row.id)

    if option in row.refuses:
        with pytest.raises(UnsupportedOption, match=f" takes no {option}; "):
            model.prompt("Hello", **{option: VALUES[option]}).text()
        assert xai.requests == []
    else:
        model.prompt("Hello", **{option: VALUES[option]}).text()
        sent = xai.requests[0].parameters
        # On /v1/responses the effort stands in an object of its own.
        assert VALUES[option] in (sent.get(option), sent.get("reasoning", {}).get("effort"))


@BOTH
def test_nothing_is_sent_nor_any_image_read(kind: str, xai: FakeServer, tmp_path: Path):
    missing = llm.Attachment(type="image/png", path=str(tmp_path / "missing.png"))

    with pytest.raises(UnsupportedOption):
        ask(kind, "Hello", attachments=[missing], stop="END")

    assert xai.requests == []


def test_an_option_of_none_is_no_option(xai: FakeServer):
    ask("sync", "Hello", stop=None, reasoning_effort=None)

    assert xai.requests[0].parameters == {}


def test_a_stored_default_is_refused_like_any_other(xai: FakeServer):
    run_llm("models", "options", "set", "grok-4", "reasoning_effort", "high")

    assert "grok-4 takes no reasoning_effort" in shown_error(run_llm("-m", "grok-4", "Hello"))


def test_a_chat_ends_in_a_sentence(xai: FakeServer):
    command = ("chat", "-m", "grok-4", "-o", "stop", "END")
    result = run_process(*command, stdin=b"Hello\nquit\n")

    assert result.returncode == 1
    assert b"Error: grok-4 takes no stop; " in result.stderr
    assert b"Traceback" not in result.stderr
