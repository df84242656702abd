"""Who may ask the fake itself: this machine, whoever has the token, and no page of another site."""

import base64
import socket

import httpx2
import pytest

from fake_server import FakeServer
from fake_server.guard import objection
from tests.asking import body, post, send

HOST = {"host": "127.0.0.1:8400"}

ALLOWED = [
    pytest.param("127.0.0.1", HOST, None, id="loopback"),
    pytest.param("127.9.9.9", HOST, None, id="loopback-too"),
    pytest.param("::1", {"host": "[::1]:8400"}, None, id="loopback-of-ipv6"),
    pytest.param("::ffff:127.0.0.1", HOST, None, id="loopback-mapped"),
    pytest.param(None, HOST, None, id="no-address"),
    pytest.param("127.0.0.1", {"host": "localhost:8400"}, None, id="by-name"),
    pytest.param("127.0.0.1", {"host": "192.168.1.5:8400"}, None, id="by-another-address"),
    pytest.param("127.0.0.1", {**HOST, "origin": "http://127.0.0.1:8400"}, None, id="own-page"),
    pytest.param("10.0.0.7", {**HOST, "authorization": "Bearer t"}, "t", id="token"),
    pytest.param(
        "10.0.0.7",
        {"host": "fake.test", "authorization": f"Basic {base64.b64encode(b'me:t').decode()}"},
        "t",
        id="token-of-a-browser",
    ),
]


@pytest.mark.parametrize(("client", "headers", "token"), ALLOWED)
def test_this_machine_and_whoever_has_the_token_may_ask(client, headers, token):
    assert objection(client, headers, token) == ""


FORBIDDEN = [
    pytest.param("10.0.0.7", HOST, None, "answers this machine alone", id="elsewhere"),
    pytest.param("::ffff:10.0.0.7", HOST, None, "answers this machine alone", id="mapped"),
    pytest.param("nowhere", HOST, None, "answers this machine alone", id="no-address"),
    pytest.param(
        "127.0.0.1", {"host": "evil.test:8400"}, None, "is not called evil.test", id="rebound"
    ),
    pytest.param("127.0.0.1", {}, None, "is not called", id="no-host"),
    pytest.param(
        "127.0.0.1",
        {**HOST, "origin": "https://evil.test"},
        None,
        "A page of https://evil.test",
        id="other-page",
    ),
    pytest.param(
        "127.0.0.1", {**HOST, "origin": "null"}, None, "A page of null", id="page-of-nowhere"
    ),
    pytest.param("127.0.0.1", HOST, "t", "wants the token", id="no-token"),
    pytest.param(
        "127.0.0.1", {**HOST, "authorization": "Bearer x"}, "t", "wants the token", id="wrong"
    ),
    pytest.param(
        "127.0.0.1", {**HOST, "authorization": "Basic !"}, "t", "wants the token", id="no-base64"
    ),
    pytest.param(
        "127.0.0.1", {**HOST, "authorization": "Digest t"}, "t", "wants the token", id="scheme"
    ),
]


@pytest.mark.parametrize(("client", "headers", "token", "told"), FORBIDDEN)
def test_nobody_else_may(client, headers, token, told):
    assert told in objection(client, headers, token)


def test_a_token_is_asked_for_and_taken():
    with FakeServer(token="secret") as server:
        refused = send(server, "GET", "/_fake/requests")
        bearer = {"authorization": "Bearer secret"}
        answered = send(server, "GET", "/_fake/requests", headers=bearer)
        healthy = send(server, "GET", "/_fake/health")

        assert (refused.status_code, healthy.status_code, answered.status_code) == (401, 200, 200)
        assert refused.headers["www-authenticate"].startswith("Basic ")
        assert post(server, body()).status_code == 200


def own_address() -> str:
    """Find an address of this machine that is not loopback, if it has one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])


def test_by_default_nobody_else_is_listened_to(grok_server):
    port = int(grok_server.api_host.partition(":")[2])

    with pytest.raises(OSError, match="refused"), socket.create_connection((own(), port), 2):
        pass


def own() -> str:
    # Any other address of the loopback network stands for one of another network here.
    address = own_address()
    return "127.0.0.2" if address == "127.0.0.1" else address


def test_another_network_may_use_the_api_and_not_ask_the_fake_itself():
    with FakeServer(host="0.0.0.0") as server:
        port = server.url.rpartition(":")[2].removesuffix("/v1")
        address = f"http://{own_address()}:{port}"
        with httpx2.Client(trust_env=False) as client:
            listed = client.get(f"{address}/v1/models", headers={"authorization": "Bearer k"})
            asked = client.get(f"{address}/_fake/requests")

    assert listed.status_code == 200
    assert asked.status_code == (200 if "127.0.0.1" in address else 403)
