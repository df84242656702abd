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


def test_an_upload_is_a_form():
    upload = DOCUMENT["paths"]["/v1/files"]["post"]["requestBody"]["content"]

    assert list(upload) == ["multipart/form-data"]
    schema = upload["multipart/form-data"]["schema"]
    assert schema["required"] == ["file"]
    assert schema["properties"]["file"] == {"type": "string", "format": "binary"}


@pytest.mark.parametrize(("verb", "path"), OPERATIONS)
def test_every_blank_of_a_path_is_a_parameter(verb, path):
    parameters = DOCUMENT["paths"][path][verb]["parameters"]

    assert [f"{{{parameter['name']}}}" for parameter in parameters] == re.findall(r"{\w+}", path)
    assert all(one["in"] == "path" and one["required"] is True for one in parameters)


@pytest.mark.parametrize(("verb", "path"), OPERATIONS)
def test_a_body_is_wanted_where_one_is_read(verb, path):
    operation = DOCUMENT["paths"][path][verb]
    # All there is to say of a batch that is cancelled is in its address.
    has_body = verb == "post" and not path.endswith(":cancel")

    assert ("requestBody" in operation) is has_body
    assert not has_body or operation["requestBody"]["required"] is True


def test_every_operation_wants_the_key_that_is_described():
    assert DOCUMENT["security"] == [{"key": []}]
    assert DOCUMENT["components"]["securitySchemes"]["key"] == {"type": "http", "scheme": "bearer"}


@pytest.mark.parametrize(
    ("verb", "path", "headers"),
    [
        pytest.param("POST", "/v1/chat/completions", {}, id="flat JSON"),
        pytest.param("POST", "/v1/chat/completions", BEARER, id="plain text"),
        pytest.param("GET", "/v1/batches/x", BEARER, id="of a batch"),
    ],
)
def test_an_error_has_a_content_type_that_is_told(grok_server, verb, path, headers):
    told = DOCUMENT["paths"]["/v1/chat/completions"]["post"]["responses"]["4XX"]["content"]

    answer = send(grok_server, verb, path, headers=headers)

    assert answer.status_code >= 400
    assert answer.headers["content-type"].partition(";")[0] in told


@pytest.mark.parametrize(
    ("path", "allowed"),
    [("/v1/chat/completions", "POST"), ("/v1/models", "GET"), ("/v1/batches", "GET, POST")],
)
def test_another_verb_is_told_which_there_are(grok_server, path, allowed):
    answer = send(grok_server, "PATCH", path, headers=BEARER)

    assert answer.status_code == 405
    assert sorted(answer.headers["allow"].split(", ")) == sorted(allowed.split(", "))
