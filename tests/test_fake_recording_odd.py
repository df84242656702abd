"""Recording and replaying where the API, the client, the folder or a cassette is odd."""

import gzip
import logging
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest
import yaml

from fake_server import FakeServer
from tests.asking import BEARER, send
from tests.raw_server import Answer, RawServer, http
from tests.sockets import connected

BINARY = bytes(range(256)) * 3
WHOLE = b'{"object": "list", "data": []}'


@contextmanager
def recording(
    folder: Path, *answers: Answer | Callable[[socket.socket], None]
) -> Iterator[tuple[FakeServer, RawServer]]:
    """Record an API that answers with exactly these bytes."""
    with RawServer(*answers) as api:
        upstream = api.url.removesuffix("/v1")
        with FakeServer(record=folder, upstream=upstream) as server:
            yield server, api


def get(server: FakeServer, path: str = "/v1/models") -> httpx2.Response:
    return send(server, "GET", path, headers=BEARER)


def asked_for(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer k\r\n\r\n".encode()


def hang(connection: socket.socket) -> None:
    """Give no answer until the other side hangs up."""
    assert connection.recv(1) == b""


def test_an_answer_that_comes_packed_is_passed_on_and_kept_unpacked(tmp_path):
    packed = http(gzip.compress(WHOLE), headers="content-encoding: gzip")

    with recording(tmp_path, packed) as (server, _):
        recorded = get(server)
    with FakeServer(replay=tmp_path) as server:
        replayed = get(server)

    assert recorded.content == replayed.content == WHOLE


def test_a_cassette_may_have_a_text_for_each_header(tmp_path):
    with recording(tmp_path, http(WHOLE)) as (server, _):
        get(server)
    (path,) = tmp_path.glob("*.yaml")
    cassette = yaml.safe_load(path.read_text())
    headers = cassette["interactions"][0]["response"]["headers"]
    headers.update({name: value for name, (value,) in headers.items()})
    path.write_text(yaml.safe_dump(cassette))

    with FakeServer(replay=tmp_path) as server:
        replayed = get(server)

    assert replayed.content == WHOLE
    assert replayed.headers["content-type"] == "text/plain"


OF_THE_CONNECTION = {
    "Connection": "close",
    "Content-Encoding": "gzip",
    "Content-Length": "1",
    "Keep-Alive": "timeout=5",
    "Proxy-Connection": "close",
    "TE": "trailers",
    "Trailer": "x-checksum",
    "Transfer-Encoding": "gzip, chunked",
    "Upgrade": "h2c",
}


@pytest.mark.parametrize(("name", "value"), OF_THE_CONNECTION.items(), ids=OF_THE_CONNECTION)
def test_what_was_said_of_the_connection_is_not_replayed(tmp_path, name, value):
    with recording(tmp_path, http(WHOLE)) as (server, _):
        get(server)
    (path,) = tmp_path.glob("*.yaml")
    cassette = yaml.safe_load(path.read_text())
    cassette["interactions"][0]["response"]["headers"][name] = [value]
    path.write_text(yaml.safe_dump(cassette))

    with FakeServer(replay=tmp_path) as server:
        replayed = get(server)

    assert replayed.content == WHOLE
    assert replayed.headers.get(name) != value


@pytest.mark.usefixtures("named_authority")
def test_an_api_is_asked_by_https(tmp_path, tls):
    with (
        RawServer(http(WHOLE), tls=tls) as api,
        FakeServer(record=tmp_path, upstream=api.url.removesuffix("/v1")) as server,
    ):
        assert get(server).content == WHOLE


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        pytest.param(
            "SSL_CERT_FILE", "no-such.pem", "No such file", id="certificates-that-are-not-there"
        ),
        pytest.param("ALL_PROXY", "nonsense://proxy", "scheme", id="proxy-of-no-known-kind"),
        pytest.param(
            "ALL_PROXY",
            "http://me:PASSWORD@[::1",
            "the address of a proxy is none",
            id="proxy-that-is-no-address",
        ),
    ],
)
def test_settings_of_the_machine_that_cannot_work_are_told_at_the_start(
    tmp_path, monkeypatch, name, value, told
):
    monkeypatch.setenv(name, value)

    with pytest.raises(ValueError, match=f"settings of this machine can't be used: .*{told}") as (
        refused
    ):
        FakeServer(record=tmp_path)

    assert "PASSWORD" not in str(refused.value)


def test_an_answer_that_is_no_text_is_replayed_as_it_was(tmp_path):
    with recording(tmp_path, http(BINARY, headers="content-type: image/png")) as (server, _):
        recorded = get(server, "/v1/files/file-1/content")
    with FakeServer(replay=tmp_path) as server:
        replayed = get(server, "/v1/files/file-1/content")

    assert recorded.content == replayed.content == BINARY


@pytest.mark.parametrize(
    "path",
    ["/v1/files/a%3Fb%23c", "/v1/files/a%2Fb%20c", "/v1/a%00%0D%0Ab", f"/v1/{'a' * 999}"],
    ids=["query", "slash", "lines", "long"],
)
def test_a_path_is_passed_on_as_it_was_written_and_found_again(tmp_path, path):
    with recording(tmp_path, http(WHOLE)) as (server, api):
        recorded = get(server, path)
    with FakeServer(replay=tmp_path) as server:
        replayed = get(server, path)

    assert api.requests[0].startswith(f"GET {path} HTTP/1.1\r\n".encode())
    assert recorded.content == replayed.content == WHOLE


@pytest.mark.parametrize("path", ["@127.0.0.2/v1/models", "x", "*", "http://127.0.0.2/"])
def test_a_path_that_would_change_the_host_goes_nowhere(tmp_path, path):
    with recording(tmp_path, http(WHOLE)) as (server, api), connected(server) as client:
        client.sendall(asked_for(path))
        answer = client.recv(4096)

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert api.requests == []


@pytest.mark.parametrize("status", ["600 Odd", "999 Odder"])
def test_a_status_that_http_has_not_is_told(tmp_path, status):
    with recording(tmp_path, http(WHOLE, status=status)) as (server, _):
        answer = get(server)

    assert answer.status_code == 502
    assert f"answered with status {status[:3]}" in answer.json()["error"]
    assert list(tmp_path.glob("*.yaml")) == []


def test_a_header_that_no_server_sends_is_told(tmp_path, caplog):
    with recording(tmp_path, http(WHOLE, headers="x-odd: bell \7")) as (server, _):
        answer = get(server)

    assert answer.status_code == 502
    assert answer.json()["error"].endswith(" answered with a header that is none, its x-odd.")
    assert list(tmp_path.glob("*.yaml")) == []
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


def test_an_answer_that_can_not_be_written_is_whole_all_the_same(tmp_path, caplog):
    folder = tmp_path / "cassettes"

    with recording(folder, http(WHOLE)) as (server, _):
        folder.write_text("in the way")
        answer = get(server)

    assert answer.content == WHOLE
    (told,) = caplog.messages
    assert told.startswith("an answer was not recorded: ")
    assert str(folder) in told


def test_an_api_is_not_heard_to_its_end_when_the_client_has_gone(tmp_path):
    broke_off: list[float] = []

    def talk(connection: socket.socket) -> None:
        head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
        try:
            connection.sendall(head)
            for _ in range(3000):
                connection.sendall(b"5\r\nword \r\n")
                time.sleep(0.01)
        except ConnectionError:
            broke_off.append(time.monotonic())

    with recording(tmp_path, talk) as (server, api):
        with connected(server) as client:
            client.sendall(asked_for("/v1/models"))
            assert client.recv(4096).startswith(b"HTTP/1.1 200 ")
        assert api.wait()

    assert len(broke_off) == 1
    assert list(tmp_path.glob("*.yaml")) == []


def test_an_api_is_not_waited_for_when_the_client_has_gone(tmp_path):
    with recording(tmp_path, hang) as (server, api):
        with connected(server) as client:
            client.sendall(asked_for("/v1/models"))
            while not api.requests:
                time.sleep(0.01)
        assert api.wait()


def test_a_server_that_stops_leaves_a_recording_without_a_word(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    waiting = recording(tmp_path, hang)

    with waiting as (server, api), connected(server) as client:
        client.sendall(asked_for("/v1/models"))
        while not api.requests:
            time.sleep(0.01)
        assert server.app.answering == 1

    assert server.app.answering == 0
    assert caplog.messages == []


@pytest.mark.parametrize("kind", ["record", "replay"])
def test_a_request_that_is_too_large_is_told(tmp_path, kind):
    with recording(tmp_path, http(WHOLE)) as (server, _):
        get(server)

    with FakeServer(**{kind: tmp_path}, max_body=10) as server:
        answer = send(server, "POST", "/v1/chat/completions", content=b"x" * 11)

    assert answer.status_code == 413
    assert answer.json()["error"] == "The request is larger than --max-body."


ODD = [
    pytest.param({"status": {"code": "fine", "message": ""}}, "'fine' is no status", id="status"),
    pytest.param({"status": {"code": 99, "message": ""}}, "99 is no status", id="early"),
    pytest.param({"headers": {"a b": ["c"]}}, r"\('a b', 'c'\) is no header", id="name"),
    pytest.param({"headers": {"a": ["b\r\nc: d"]}}, "is no header", id="line"),
    pytest.param({"headers": {"a": ["\N{SNOWMAN}"]}}, "is no header", id="letter"),
    pytest.param({"headers": {"a": ["b "]}}, "is no header", id="space"),
    pytest.param({"headers": {"a": [5]}}, "is no recording: .* int found", id="number"),
]


@pytest.mark.parametrize(("changed", "told"), ODD)
def test_a_cassette_that_can_not_be_answered_with_is_an_error_at_once(tmp_path, changed, told):
    with recording(tmp_path, http(WHOLE)) as (server, _):
        get(server)
    (path,) = tmp_path.glob("*.yaml")
    cassette = yaml.safe_load(path.read_text())
    cassette["interactions"][0]["response"] |= changed
    path.write_text(yaml.safe_dump(cassette))

    with pytest.raises(ValueError, match=told):
        FakeServer(replay=tmp_path)
