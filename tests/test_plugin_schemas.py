"""A schema reaches xAI as one, and its answer comes back as JSON, with images beside it."""

import json
from pathlib import Path

import pytest
from pydantic import BaseModel

from fake_server import FakeServer
from tests.prompting import BOTH, ask, body_of, image, run_llm, whole, xai_answering


class Boat(BaseModel):
    """What to say of a boat."""

    name: str
    masts: int


@BOTH
@pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])
def test_a_pydantic_model_gets_an_answer_of_its_shape(kind: str, stream: bool, xai: FakeServer):
    answer = ask(kind, "Describe it", schema=Boat, stream=stream, attachments=[image(64, 64)])

    assert Boat.model_validate_json(answer.text) == Boat(name="text", masts=1)
    assert len(xai.requests[0].images) == 1


def test_a_schema_stands_in_the_request_as_the_api_takes_it():
    schema = {"type": "object", "properties": {"name": {"type": "string"}}}

    with xai_answering(whole(content='{"name":"x"}')) as server:
        ask("sync", "Describe it", schema=schema, stream=False)

    assert body_of(server.requests[0])["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "output", "schema": schema},
    }


def test_nothing_is_said_of_a_format_without_a_schema():
    with xai_answering(whole(content="x")) as server:
        ask("sync", "Describe it", stream=False)

    assert "response_format" not in body_of(server.requests[0])


def test_the_command_takes_a_short_schema(xai: FakeServer, photo: Path):
    result = run_llm("-m", "grok-4", "Describe it", "-a", photo, "--schema", "name, masts int")

    assert json.loads(result.stdout) == {"name": "text", "masts": 1}


def test_the_command_takes_a_schema_of_many(xai: FakeServer, photo: Path):
    result = run_llm("-m", "grok-4", "The boats", "-a", photo, "--schema-multi", "name, masts int")

    assert json.loads(result.stdout) == {"items": []}


def test_the_models_are_listed_among_those_that_take_schemas():
    result = run_llm("models", "--schemas", "-q", "xai")

    assert "xai/grok-4 " in result.stdout


def test_a_schema_and_tools_stand_in_one_request():
    def masts() -> int:
        """Count the masts."""
        return 2

    with xai_answering(whole(content="{}")) as server:
        ask("sync", "Describe it", schema=Boat, tools=[masts], stream=False)

    body = body_of(server.requests[0])
    assert body["tools"][0]["function"]["name"] == "masts"
    assert body["response_format"]["json_schema"]["schema"]["required"] == ["name", "masts"]
