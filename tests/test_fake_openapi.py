"""The fake describes what it serves, and every path of the description is served."""

import re

import pytest

from fake_server import FakeServer
from fake_server.openapi import document
from tests.asking import BEARER, send

DOCUMENT = document()
OPERATIONS = [(verb, path) for path, item in DOCUMENT["paths"].items() for verb in item]


def test_anybody_may_read_it_without_a_key():
    with FakeServer(token="secret") as server:
        answer = send(server, "GET", "/openapi.json")

        assert server.requests == []
    assert answer.json() == DOCUMENT
    assert answer.json()["openapi"] == "3.1.0"


@pytest.mark.parametrize(("verb", "path"), OPERATIONS)
def test_every_operation_is_served(grok_server, verb, path):
    given = re.sub(r"\{\w+\}", "x", path)

    answer = send(grok_server, verb.upper(), given, headers=BEARER, json={})

    assert not answer.text.startswith('{"code":"not-found","error":"The fake server has nothing')
    assert answer.status_code not in (405, 500)


def test_what_it_refers_to_is_there():
    references = set(re.findall(r"'#/components/schemas/([^']+)'", str(DOCUMENT)))

    assert references
    assert references <= set(DOCUMENT["components"]["schemas"])


def test_a_question_has_the_shape_that_is_read():
    schema = DOCUMENT["paths"]["/v1/chat/completions"]["post"]["requestBody"]["content"]
    name = schema["application/json"]["schema"]["$ref"].rpartition("/")[2]

    assert DOCUMENT["components"]["schemas"][name]["required"] == ["model", "messages"]
