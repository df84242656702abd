"""A server in a `with` block is there at once, leaves nothing behind, and forgets when told."""

import asyncio
import gc
import socket
import threading

import httpx2
import pytest
import zttp

import fake_server
from fake_server import FakeServer
from tests.asking import BEARER, body, image, post, send
from tests.pictures import picture
from tests.sockets import connected, question
from tests.web import serving

URL = "https://example.com/cat.png"


def port(server: FakeServer) -> int:
    return int(server.url.removesuffix("/v1").rpartition(":")[2])


def listens(at: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", at)).close()
    except ConnectionRefusedError:
        return False
    return True


def test_a_server_leaves_no_thread_and_no_port_behind():
    before = threading.enumerate()

    with FakeServer() as server:
        post(server, body())
        assert listens(port(server))

    assert set(threading.enumerate()) <= set(before)
    assert not listens(port(server))


def test_a_client_that_is_still_connected_does_not_hold_it():
    before = threading.enumerate()

    with httpx2.Client(trust_env=False, verify=False, headers=BEARER) as client:
        with FakeServer() as server:
            client.get(f"{server.url}/models")
            long = body(*[image(URL)] * 100, stream=True, n=128)
            request = client.build_request("POST", f"{server.url}/chat/completions", json=long)
            answer = client.send(request, stream=True)

        with pytest.raises(httpx2.TransportError):
            answer.read()

    assert set(threading.enumerate()) <= set(before)


def test_a_client_that_says_nothing_does_not_hold_it():
    with FakeServer() as server:
        socket.create_connection(("127.0.0.1", port(server))).close()

    # A socket that was lost would be warned of here, and warnings are errors.
    gc.collect()


def test_a_picture_that_is_still_coming_does_not_hold_it(caplog):
    errors: list[Exception] = []

    def ask(server: FakeServer, url: str) -> None:
        try:
            post(server, body(image(url)))
        except httpx2.TransportError as error:
            errors.append(error)

    with serving() as web:
        with FakeServer(allow_hosts=["127.0.0.1"]) as server:
            asking = threading.Thread(target=ask, args=(server, f"{web.url}/slow"))
            asking.start()
            assert web.asked.wait(30)
        asking.join(30)

    assert len(errors) == 1
    assert caplog.records == []


def test_a_stream_that_is_read_as_it_comes_does_not_hold_it(caplog):
    async def read_some() -> None:
        server = FakeServer()
        async with server.running():
            reader, writer = await asyncio.open_connection("127.0.0.1", port(server))
            writer.write(question(parts=[image(URL)] * 100, stream=True, n=128))
            await reader.readuntil(b"data: ")
        writer.close()

    asyncio.run(read_some())

    assert caplog.records == []


def test_a_taken_port_raises():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        server = FakeServer(port=taken.getsockname()[1])

        with pytest.raises(OSError, match="in use"):
            server.__enter__()


def test_a_server_may_be_started_again():
    server = FakeServer()
    for _ in range(2):
        with server:
            assert post(server, body()).status_code == 200


def test_many_servers_listen_side_by_side():
    with FakeServer() as one, FakeServer() as other:
        post(one, body())

        assert one.url != other.url
        assert (len(one.requests), len(other.requests)) == (1, 0)


def test_clear_forgets_scripts_pictures_and_requests(grok_server):
    grok_server.reply("scripted")
    grok_server.serve_image(URL, picture(40, 30))
    post(grok_server, body())
    grok_server.fail(503)

    grok_server.clear()

    answer = post(grok_server, body(image(URL)))
    assert answer.status_code == 200
    assert len(grok_server.requests) == 1
    assert grok_server.requests[0].images[0].source == "placeholder"


WRONG = [
    pytest.param({"contract": "imagined"}, "contract is one of documented", id="contract"),
    pytest.param({"clock": "broken"}, "clock is one of fixed, real", id="clock"),
    pytest.param({"host": ""}, "host is an address to listen on, such as", id="no-host"),
    pytest.param({"host": "\udcff"}, "host is an address to listen on, such as", id="odd-host"),
    pytest.param({"api_key": ""}, "api_key is printable ASCII, and not empty", id="no-key"),
    pytest.param({"token": ""}, "token is printable ASCII, and not empty", id="no-token"),
    pytest.param({"token": "é"}, "token is printable ASCII, and not empty", id="odd-token"),
    pytest.param({"max_body": -1}, "max_body is a number of bytes from 0", id="body"),
    pytest.param({"keep_images": -1}, "keep_images is a number of bytes from 0", id="kept"),
    pytest.param({"images": "no/such/folder"}, "images is no folder: no/such/folder", id="images"),
]


@pytest.mark.parametrize(("options", "said"), WRONG)
def test_a_setting_that_cannot_be_is_said_at_once(options, said):
    with pytest.raises(ValueError, match=said):
        FakeServer(**options)


@pytest.mark.parametrize("options", [{"allow_hosts": "x.y"}, {"models": "x.y"}])
def test_one_name_in_the_place_of_several_is_said_at_once(options):
    with pytest.raises(TypeError, match=r" are several, as in \['x.y'\]"):
        FakeServer(**options)


def test_the_package_has_nothing_else():
    with pytest.raises(AttributeError, match="'fake_server' has no attribute 'Server'"):
        fake_server.Server  # noqa: B018


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "OPTIONS"])
def test_another_verb_is_refused_without_a_body(grok_server, method):
    with httpx2.Client(trust_env=False, verify=False) as client:
        answer = client.request(method, f"{grok_server.url}/chat/completions")

    assert (answer.status_code, answer.content) == (405, b"")


def test_http_2_is_spoken_too(grok_server):
    """What gRPC needs: HTTP/2 with prior knowledge, on the same port."""
    with socket.create_connection(("127.0.0.1", port(grok_server)), timeout=10) as client:
        client.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0]))
        frame = client.recv(9)

    assert frame[3] == 4


def test_a_request_of_http_2_that_is_nothing_but_headers_is_answered(grok_server):
    # The method GET, the scheme http, the path / and the name x: https://datatracker.ietf.org/doc/html/rfc7541
    fields = bytes([0x82, 0x86, 0x84, 0x41, 1]) + b"x"
    settings = bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
    asked = bytes([0, 0, len(fields), 1, 5, 0, 0, 0, 1]) + fields
    answer = zttp.Connection(zttp.CLIENT, protocol=zttp.HTTP2)
    answer.send_request(b"GET", b"/", b"HTTP/2", [(b"host", b"x")])
    with connected(grok_server) as client:
        client.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + settings + asked)
        events: list[zttp.Event] = []
        while not any(isinstance(event, zttp.Response) for event in events):
            answer.receive_data(client.recv(65536))
            events += iter(answer.next_event, zttp.NEED_DATA)

    assert [event.status_code for event in events if isinstance(event, zttp.Response)] == [404]


def test_who_offers_http_2_is_answered_in_http_1_without_a_warning(grok_server, caplog):
    offer = {"connection": "upgrade, http2-settings", "upgrade": "h2c", "http2-settings": ""}
    with httpx2.Client(trust_env=False, verify=False, headers={**BEARER, **offer}) as client:
        answer = client.get(f"{grok_server.url}/models")

    assert (answer.status_code, answer.http_version) == (200, "HTTP/1.1")
    assert caplog.messages == []


@pytest.mark.parametrize(("most", "status"), [(100, 415), (99, 413)], ids=["just", "one-less"])
def test_a_body_may_be_as_large_as_the_setting_says(most, status):
    with FakeServer(max_body=most) as server:
        answer = send(server, "POST", "/v1/chat/completions", content=b"x" * 100)

    assert answer.status_code == status
