"""The options: each reaches the wire under its name there, and nothing unasked is sent."""

import json
from pathlib import Path
from typing import Any

import llm
import pytest
import yaml

from fake_server import FakeServer
from llm_grok_vision.options import GrokOptions
from tests.prompting import (
    BOTH,
    MODEL,
    ask,
    body_of,
    image,
    run_llm,
    shown_error,
    whole,
    xai_answering,
)

WIRE = [
    pytest.param({"temperature": 0.5}, {"temperature": 0.5}, id="openapi-temperature"),
    pytest.param({"temperature": 0}, {"temperature": 0.0}, id="a-zero-is-sent"),
    pytest.param({"top_p": 0.9}, {"top_p": 0.9}, id="openapi-top-p"),
    pytest.param({"max_tokens": 7}, {"max_completion_tokens": 7}, id="openapi-max-tokens-renamed"),
    pytest.param({"seed": 42}, {"seed": 42}, id="openapi-seed"),
    pytest.param({"stop": "END"}, {"stop": ["END"]}, id="stop-as-text"),
    pytest.param({"stop": '["a", "b"]'}, {"stop": ["a", "b"]}, id="stop-as-json"),
    pytest.param({"stop": ["a", "b"]}, {"stop": ["a", "b"]}, id="stop-as-list"),
    pytest.param({"stop": '{"a": 1}'}, {"stop": ['{"a": 1}']}, id="stop-as-text-that-is-json"),
    pytest.param({"frequency_penalty": -2}, {"frequency_penalty": -2.0}, id="openapi-frequency"),
    pytest.param({"presence_penalty": 2}, {"presence_penalty": 2.0}, id="openapi-presence"),
    pytest.param({"reasoning_effort": "low"}, {"reasoning_effort": "low"}, id="openapi-effort"),
    pytest.param({"user": "u-1"}, {"user": "u-1"}, id="openapi-user"),
]
ALWAYS = {"model", "messages", "stream", "stream_options"}


@BOTH
@pytest.mark.parametrize(("options", "wire"), WIRE)
def test_an_option_reaches_the_wire_under_its_name_there(
    kind: str, options: dict[str, Any], wire: dict[str, Any]
):
    # No model takes them all.
    model = "xai/grok-4.6" if "reasoning_effort" in options else "xai/grok-2-vision-1212"

    with xai_answering(whole(content="ok")) as server:
        ask(kind, "Hello", model=model, **options)

    body = body_of(server.requests[0])
    assert {name: body[name] for name in body if name not in ALWAYS} == wire


def test_options_that_say_how_images_are_sent_are_not_sent_themselves():
    with xai_answering(whole(content="ok")) as server:
        ask(
            "sync",
            "Hello",
            image_detail="low",
            image_urls="auto",
            past_images=0,
            skip_lost_images=True,
        )

    assert body_of(server.requests[0]).keys() == ALWAYS


def test_an_option_of_none_is_not_sent():
    with xai_answering(whole(content="ok")) as server:
        ask("sync", "Hello", stop=None, seed=None, image_detail=None)

    assert body_of(server.requests[0]).keys() == ALWAYS


@BOTH
def test_nothing_unasked_is_sent(kind: str):
    with xai_answering(whole(content="ok")) as server:
        ask(kind, "Hello", attachments=[image(16, 32)])

    body = body_of(server.requests[0])
    assert body.keys() == {"model", "messages", "stream", "stream_options"}
    assert body["model"] == "grok-4"
    assert body["stream"] is True
    assert body["stream_options"] == {"include_usage": True}
    assert body["messages"][0].keys() == {"role", "content"}
    assert body["messages"][0]["content"][1]["image_url"].keys() == {"url"}


@BOTH
def test_without_a_stream_even_less_is_sent(kind: str):
    with xai_answering(whole(content="ok")) as server:
        ask(kind, "Hello", stream=False)

    body = body_of(server.requests[0])
    assert body.keys() == {"model", "messages", "stream"}
    assert body["stream"] is False


@pytest.mark.parametrize("detail", ["auto", "low", "high"])
def test_image_detail_stands_on_every_image(xai: FakeServer, detail: str):
    earlier = [llm.user("one", image(16, 32)), llm.assistant("ok")]

    ask("sync", "two", messages=earlier, attachments=[image(32, 16)], image_detail=detail)

    assert [seen.detail for seen in xai.requests[0].images] == [detail, detail]
    assert xai.requests[0].parameters == {}


@pytest.mark.parametrize("name", sorted(GrokOptions.model_fields))
def test_no_option_has_a_default(name: str):
    assert GrokOptions.model_fields[name].default is None
    assert GrokOptions().model_dump()[name] is None


INVALID = [
    pytest.param("image_detail", "medium", "Input should be 'auto', 'low' or 'high'", id="detail"),
    pytest.param("temperature", "2.1", "Input should be less than or equal to 2", id="hot"),
    pytest.param("temperature", "nan", "Input should be less than or equal to 2", id="no-number"),
    pytest.param("temperature", "-1", "Input should be greater than or equal to 0", id="cold"),
    pytest.param("top_p", "0", "Input should be greater than 0", id="top-p-exclusive"),
    pytest.param("max_tokens", "0", "Input should be greater than or equal to 1", id="no-tokens"),
    pytest.param("frequency_penalty", "3", "Input should be less than or equal to 2", id="often"),
    pytest.param(
        "presence_penalty", "-3", "Input should be greater than or equal to -2", id="present"
    ),
    pytest.param(
        "stop",
        '["a", "b", "c", "d", "e"]',
        "Value error, stop takes 1 to 4 texts, got 5",
        id="five-stops",
    ),
    pytest.param("stop", "[]", "Value error, stop takes 1 to 4 texts, got 0", id="no-stops"),
    pytest.param(
        "stop", '["a", 1]', "Value error, stop takes a text or a list of texts", id="number-stop"
    ),
    pytest.param("colour", "red", "Extra inputs are not permitted", id="no-such-option"),
]


@pytest.mark.parametrize(("name", "value", "sentence"), INVALID)
def test_an_invalid_value_ends_in_a_sentence(xai: FakeServer, name: str, value: str, sentence: str):
    result = run_llm("-m", "grok-4", "Hello", "-o", name, value)

    assert shown_error(result) == f"Error: {name}\n  {sentence}\n"
    assert xai.requests == []


def test_five_stops_are_refused_in_python_too():
    with pytest.raises(ValueError, match="stop takes 1 to 4 texts, got 5"):
        llm.get_model(MODEL).prompt("Hello", stop=["a", "b", "c", "d", "e"])


def test_llm_models_shows_the_options():
    result = run_llm("models", "--options", "-q", "xai/grok-4.7")

    assert result.exit_code == 0
    for name in GrokOptions.model_fields:
        assert f"    {name}: " in result.output
    assert "auto, low (fewer tokens) or high" in result.output


def test_the_options_of_a_model_can_be_asked_for():
    result = run_llm("-m", "grok-4", "--options")

    assert result.exit_code == 0
    assert "xAI: xai/grok-4" in result.output
    assert "image_detail" in result.output


def test_stored_defaults_are_sent_unless_the_command_says_otherwise(xai: FakeServer, photo: Path):
    for name, value in (("image_detail", "low"), ("stop", '["a", "b"]'), ("max_tokens", "5")):
        run_llm("models", "options", "set", "grok-2-vision", name, value)

    run_llm("-m", "grok-2-vision-1212", "Hello", "-a", photo, "-o", "max_tokens", "9")

    assert xai.requests[0].parameters == {"stop": ["a", "b"], "max_completion_tokens": 9}
    assert [seen.detail for seen in xai.requests[0].images] == ["low"]


def test_stored_defaults_of_one_model_are_not_sent_to_another(xai: FakeServer):
    run_llm("models", "options", "set", "grok-2-vision", "temperature", "1")

    run_llm("-m", "grok-4", "Hello")

    assert xai.requests[0].parameters == {}


def test_an_invalid_default_is_refused_when_it_is_stored():
    result = run_llm("models", "options", "set", "grok-4", "image_detail", "medium")

    assert "Input should be 'auto', 'low' or 'high'" in shown_error(result)


def test_a_template_may_hold_options_and_an_attachment(xai: FakeServer, photo: Path):
    saved = run_llm(
        "-m", "grok-4", "Describe", "-a", photo, "-o", "image_detail", "low", "--save", "d"
    )

    result = run_llm("-t", "d")

    assert (saved.exit_code, result.exit_code) == (0, 0)
    assert xai.requests[0].model == "grok-4"
    assert [(seen.format, seen.detail) for seen in xai.requests[0].images] == [("JPEG", "low")]


def test_a_template_written_by_hand_may_hold_a_list_of_stops(
    xai: FakeServer, own_llm_folder: Path, photo: Path
):
    template = {
        "model": "xai/grok-2-vision-1212",
        "prompt": "Describe",
        "options": {"stop": ["a", "b"], "temperature": 1},
        "attachments": [str(photo)],
    }
    (own_llm_folder / "templates").mkdir()
    (own_llm_folder / "templates" / "d.yaml").write_text(yaml.safe_dump(template))

    result = run_llm("-t", "d")

    assert result.exit_code == 0
    assert xai.requests[0].parameters == {"stop": ["a", "b"], "temperature": 1.0}
    assert len(xai.requests[0].images) == 1


def test_only_options_that_were_given_are_logged(xai: FakeServer):
    run_llm("-m", "grok-4", "Hello", "-o", "seed", "7")

    result = run_llm("logs", "--json")

    (row,) = json.loads(result.output)
    assert row["options_json"] == {"seed": 7}
