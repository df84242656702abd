"""What hostile or broken clients send ends in bounded time, and the next request is answered."""

import json
import re
import socket
from contextlib import suppress
from urllib.parse import urlsplit

import httpx2
import pytest
import zttp

from fake_server import FakeServer, protocol
from fake_server.instance import instance
from tests.asking import body, image, post
from tests.pictures import data_url
from tests.sockets import connected, error_of, read_all

# What ends a stream, or a connection, of HTTP/2.
ANSWERS = (zttp.Response, zttp.GoAway)


def _errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]


def is_alive(server: FakeServer) -> bool:
    return post(server, body()).status_code == 200


def test_a_jpeg_of_filling_bytes_is_refused(grok_server):
    filling = data_url(b"\xff\xd8\xff\xe0\x00\x02" + b"\xff" * 1_000_000, "image/jpeg")

    answer = post(grok_server, body(image(filling)))

    assert answer.json()["error"] == "Invalid JPEG image."
    assert is_alive(grok_server)


def test_a_png_of_a_million_empty_chunks_is_refused(grok_server):
    chunk = bytes.fromhex("000000007445587400000000")
    chunks = data_url(b"\x89PNG\r\n\x1a\n" + chunk * 1_000_000)

    answer = post(grok_server, body(image(chunks)))

    assert answer.json()["error"] == "Invalid PNG image."


def test_a_client_that_leaves_in_the_middle_of_its_request_uses_no_script(grok_server):
    grok_server.reply("for somebody else")
    with connected(grok_server) as client:
        client.sendall(
            b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer x\r\n"
            b"content-type: application/json\r\ncontent-length: 100000\r\n\r\n"
            b'{"model":"grok-4","messages":[{"role":"user","content":"Hi"}]}'
        )
    answer = post(grok_server, body())

    assert answer.json()["choices"][0]["message"]["content"] == "for somebody else"
    gone = grok_server.requests[0]
    assert error_of(gone) == "The client went away before its request was complete."
    assert gone.status == 0


def test_a_schema_that_branches_without_end_is_ended():
    node = {"type": "object", "properties": {name: {"$ref": "#"} for name in "abcdefgh"}}

    made = instance(node)

    assert set(made) == set("abcdefgh")


def test_a_list_of_lists_without_measure_is_ended():
    schema = {"type": "array", "minItems": 10**9, "items": {"type": "array", "minItems": 10**9}}

    made = instance(schema)

    assert len(made) <= 10_000


LIST = {"type": "array", "minItems": 10**9}
WITHOUT_MEASURE = [
    pytest.param(LIST | {"items": {"type": "string", "minLength": 10**9}}, id="long-texts"),
    pytest.param(LIST | {"items": {"const": "x" * 50_000}}, id="a-long-constant"),
    pytest.param(LIST | {"items": {"default": ["x" * 50_000]}}, id="a-long-default"),
    pytest.param(LIST | {"items": {"enum": ["x" * 50_000]}}, id="a-long-choice"),
    pytest.param(LIST | {"items": {"required": ["x" * 50_000]}}, id="a-long-name"),
    pytest.param(LIST | {"items": {"allOf": [{"type": "string"}] * 5000}}, id="many-parts"),
    pytest.param(
        LIST | {"items": {"allOf": [{"properties": {str(at): {}}} for at in range(5000)]}},
        id="many-parts-with-properties",
    ),
    pytest.param(LIST | {"items": {"anyOf": [{"type": "object"}] * 5000}}, id="many-choices"),
    pytest.param(
        LIST | {"items": {"allOf": [{"enum": [*range(30_000)]}, {"enum": [*range(-30_000, 1)]}]}},
        id="long-lists-in-common",
    ),
]


@pytest.mark.parametrize("schema", WITHOUT_MEASURE)
def test_what_a_schema_makes_of_itself_is_bounded(schema, grok_server):
    made = json.dumps(instance(schema))

    assert len(made) < 1_200_000
    answer = post(grok_server, body(**_as_answer(schema)))

    assert answer.status_code == 200


@pytest.mark.parametrize(
    "schema",
    [
        pytest.param({"anyOf": [True, {"type": "string"}]}, id="true-among-choices"),
        pytest.param({"allOf": [True]}, id="true-in-all-of"),
        pytest.param({"minimum": 1e308, "multipleOf": 1e-5, "type": "number"}, id="huge-number"),
        pytest.param(
            {"$ref": "#/anyOf/0", "anyOf": [{"type": "integer"}]}, id="reference-into-a-list"
        ),
    ],
)
def test_an_odd_schema_that_is_one_is_answered(schema, grok_server):
    wanted = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}

    assert post(grok_server, body(response_format=wanted)).status_code == 200


def _as_answer(schema):
    return {"response_format": {"type": "json_schema", "json_schema": {"schema": schema}}}


def _as_arguments(schema):
    function = {"name": "f", "parameters": schema}
    return {"tool_choice": "required", "tools": [{"type": "function", "function": function}]}


@pytest.mark.parametrize("wanted", [_as_answer, _as_arguments], ids=["answer", "arguments"])
def test_a_schema_whose_names_are_no_texts_is_refused(wanted, grok_server):
    answer = post(grok_server, body(**wanted({"type": "object", "required": [None]})))

    assert (answer.status_code, answer.json()["error"][-20:]) == (400, "Invalid JSON schema.")


ASKED = b"GET /v1/models/%b HTTP/1.1\r\nhost: x\r\nauthorization: Bearer x\r\n\r\n"


@pytest.mark.parametrize(
    ("sent", "statuses"),
    [
        pytest.param(ASKED % "é".encode(), ["400"], id="at once"),
        pytest.param(ASKED % b"grok-4" + ASKED % b"\xff", ["200", "400"], id="behind another"),
    ],
)
def test_a_path_that_is_no_ascii_is_refused(sent, statuses, grok_server, caplog):
    address = urlsplit(grok_server.url)
    with socket.create_connection((address.hostname, address.port), timeout=10) as client:
        client.sendall(sent)
        answer = read_all(client)

    assert re.findall(r"HTTP/1.1 (\d+)", answer.decode()) == statuses
    assert not _errors(caplog)
    assert is_alive(grok_server)


def test_a_path_that_is_no_ascii_is_refused_over_http_2(grok_server, caplog):
    statuses = [_asked_over_http_2(grok_server, path) for path in ("grok-4", "é")]

    assert statuses == [200, 400]
    assert not _errors(caplog)


def test_a_client_of_http_2_that_asks_without_end_and_reads_nothing_is_let_go(
    grok_server, monkeypatch
):
    monkeypatch.setattr(protocol, "MOST_UNREAD", 1024**2)
    settings = bytes([0, 0, 0, 4, 0, 0, 0, 0, 0]) * 7000
    with connected(grok_server, room=4096) as client:
        client.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        with pytest.raises(ConnectionError):
            client.sendall(settings * 1000)
    assert is_alive(grok_server)


def test_who_breaks_the_rules_of_http_2_is_answered_nothing_more(grok_server, caplog):
    connection, _ = _to_ask_over_http_2("grok-4")
    no_window_grows_by_nothing = bytes([0, 0, 4, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0])
    with connected(grok_server) as client:
        client.sendall(connection.data_to_send() + no_window_grows_by_nothing)
        connection.receive_data(read_all(client))

    events = list(iter(connection.next_event, zttp.NEED_DATA))
    assert [type(event) for event in events if isinstance(event, ANSWERS)] == [zttp.GoAway]
    assert error_of(grok_server.requests[0]).startswith("The client went away")
    assert not _errors(caplog)


def test_who_takes_back_what_it_asks_without_end_is_answered_nothing_more(grok_server, caplog):
    connection, stream = _to_ask_over_http_2("grok-4")
    stream.reset()
    for _ in range(400):
        _ask_over_http_2(connection, "grok-4").reset()
    with connected(grok_server) as client:
        client.sendall(connection.data_to_send())
        with suppress(ConnectionError):
            read_all(client)

    assert not _errors(caplog)
    assert is_alive(grok_server)


def _to_ask_over_http_2(model: str) -> tuple[zttp.H2Connection, zttp.Stream]:
    connection = zttp.Connection(zttp.CLIENT, zttp.HTTP2)
    connection.initiate_connection()
    return connection, _ask_over_http_2(connection, model)


def _ask_over_http_2(connection: zttp.H2Connection, model: str) -> zttp.Stream:
    headers = [(b"host", b"x"), (b"authorization", b"Bearer x")]
    path = f"/v1/models/{model}".encode()
    stream = connection.send_request(b"GET", path, b"HTTP/2", headers)
    stream.end_message()
    return stream


def _asked_over_http_2(server: FakeServer, model: str) -> int:
    connection, _ = _to_ask_over_http_2(model)
    with connected(server) as client:
        client.sendall(connection.data_to_send())
        while data := client.recv(65536):
            connection.receive_data(data)
            while (event := connection.next_event()) is not zttp.NEED_DATA:
                if isinstance(event, zttp.Response):
                    return event.status_code
    raise AssertionError("the server closed the connection")


def test_who_speaks_tls_is_told_at_once_that_nobody_does(grok_server):
    url = grok_server.url.replace("http://", "https://")

    with (
        httpx2.Client(trust_env=False, verify=False, timeout=10) as client,
        pytest.raises(httpx2.ConnectError, match="WRONG_VERSION_NUMBER"),
    ):
        client.get(f"{url}/models")

    assert is_alive(grok_server)


def test_who_begins_with_what_tls_begins_with_is_told_in_words(grok_server):
    with connected(grok_server) as connection:
        connection.sendall(b"\x16")
        answer = connection.recv(4096)

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.endswith(b"This server speaks http, and no https.")
