"""The picture behind a web address comes from where it should, and from nowhere else."""

import asyncio
import socket
import ssl
from collections.abc import Iterator

import pytest
import trustme

from fake_server import FakeServer, download
from fake_server.download import Downloaded, Downloads
from fake_server.refusals import ApiError
from tests.asking import body, image, post
from tests.web import PICTURE, Web

UNABLE = "Image URL could not be fetched: "

# What is refused, by its name in `refusals`: an address, and the text.
FETCHING = {
    "fetch failed": (
        "https://pictures.invalid/cat.png",
        UNABLE + "Fetching image failed with HTTP status 404 Not Found.",
    ),
    "unreachable": ("http://127.0.0.1:1/cat.png", UNABLE + "Fetching image failed."),
    "fetch timeout": ("{web}/slow", UNABLE + "Fetching image timed out."),
    "fetch not allowed": (
        "http://127.0.0.2/cat.png",
        UNABLE + "The host 127.0.0.2 is not allowed.",
    ),
    "fetched type": (
        "{web}/page.html",
        UNABLE + "Unsupported content-type encountered when downloading image. The only supported"
        ' content types are ["image/jpeg", "image/jpg", "image/png", "image/webp"]',
    ),
}


@pytest.fixture
def allowing(web: Web) -> Iterator[FakeServer]:
    with FakeServer(allow_hosts=["127.0.0.1", "Pictures.test"], placeholder=False) as server:
        yield server


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "FETCH_SECONDS", 0.2)


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every name under .test be this machine."""
    real = socket.getaddrinfo

    def resolve(host, *args, **options):
        return real("127.0.0.1" if str(host).endswith(".test") else host, *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)


def refusal(server: FakeServer, url: str) -> str:
    answer = post(server, body(image(url)))
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_image")
    error = answer.json()["error"]
    assert isinstance(error, str)
    return error


@pytest.mark.parametrize("name", FETCHING)
def test_an_address_is_refused_as_the_rows_say(name, allowing, web, request):
    if name == "fetch timeout":
        request.getfixturevalue("hurried")
    address, error = FETCHING[name]

    assert refusal(allowing, address.format(web=web.url)) == error


def test_a_picture_of_an_allowed_host_is_fetched(allowing, web):
    answer = post(allowing, body(image(f"{web.url}/cat.png")))

    seen = allowing.requests[0].images[0]
    assert answer.status_code == 200
    assert (seen.source, seen.url) == ("network", f"{web.url}/cat.png")
    assert (seen.width, seen.height, seen.size) == (449, 448, len(PICTURE))


def test_a_proxy_of_the_machine_is_not_asked(allowing, web, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")

    answer = post(allowing, body(image(f"{web.url}/cat.png")))

    assert answer.status_code == 200


def test_a_web_server_sees_the_user_agent_of_the_service(allowing, web):
    post(allowing, body(image(f"{web.url}/cat.png")))

    assert web.seen[0]["user-agent"] == "XaiImageApiFetch/1.0"


def test_a_picture_is_fetched_anew_for_each_request(allowing, web):
    post(allowing, body(image(f"{web.url}/cat.png")))
    post(allowing, body(image(f"{web.url}/cat.png")))

    assert len(web.seen) == 2


@pytest.mark.parametrize(
    ("path", "declared"),
    [
        pytest.param("/named-jpeg.png", "image/jpeg", id="observed-another-type-than-the-bytes"),
        pytest.param("/parameter.png", "image/png", id="assumed-capitals-and-a-parameter"),
    ],
)
def test_the_type_that_a_web_server_declares_is_noted(allowing, web, path, declared):
    post(allowing, body(image(web.url + path)))

    seen = allowing.requests[0].images[0]
    assert (seen.format, seen.declared) == ("PNG", declared)


@pytest.mark.parametrize("path", ["/to-cat", "/to-to-to-cat"], ids=["one", "assumed-three"])
def test_redirects_to_an_allowed_host_are_followed(allowing, web, path):
    answer = post(allowing, body(image(web.url + path)))

    assert answer.status_code == 200
    assert allowing.requests[0].images[0].size == len(PICTURE)


FAULTS = [
    pytest.param("/none.png", "HTTP status 404 Not Found.", id="observed-404"),
    pytest.param("/forbidden.png", "HTTP status 403 Forbidden.", id="observed-403"),
    pytest.param("/untyped.png", 'types are ["image/jpeg", "image/jpg"', id="assumed-no-type"),
    pytest.param("/to-stranger", "host stranger.test is not allowed.", id="assumed-stranger"),
    pytest.param("/to-private", "host 127.0.0.2 is not allowed.", id="assumed-private-address"),
    pytest.param("/loop", UNABLE + "Fetching image failed.", id="assumed-endless-redirects"),
    pytest.param("/to-nowhere", "HTTP status 302 Found.", id="assumed-redirect-to-nowhere"),
    pytest.param("/to-ftp", "Base64 string", id="assumed-redirect-to-no-web-address"),
    pytest.param("/cut.png", "Invalid PNG image.", id="observed-cut-short"),
    pytest.param("/small.png", "1x1 are too small.", id="observed-one-pixel"),
]


@pytest.mark.parametrize(("path", "error"), FAULTS)
def test_a_picture_that_cannot_be_had_is_refused(allowing, web, path, error):
    assert error in refusal(allowing, web.url + path)


def test_a_host_that_nobody_listens_on_is_refused(allowing):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/cat.png"

        assert refusal(allowing, url) == UNABLE + "Fetching image failed."


def test_a_picture_without_end_is_given_up_at_20_mib(allowing, web):
    error = refusal(allowing, f"{web.url}/endless")

    web.closing.wait(30)
    assert error == (
        "Image has at least 20971521 bytes, which is above the maximum of 20971520 bytes."
    )
    assert web.sent < 100 * 1024**2


def test_a_name_that_leads_to_a_private_address_is_refused(allowing, names):
    with FakeServer(allow_hosts=["pictures.test"]) as server:
        error = refusal(server, "http://pictures.test/cat.png")

    assert error == UNABLE + "The host pictures.test is not allowed."


def test_a_name_may_lead_to_a_private_address_that_is_named_too(allowing, web, names):
    answer = post(allowing, body(image(f"http://PICTURES.test:{web.server_port}/cat.png")))

    assert answer.status_code == 200
    assert web.seen[0]["host"] == f"pictures.test:{web.server_port}"


PRIVATE = [
    pytest.param("http://127.0.0.1/cat.png", "127.0.0.1", id="loopback"),
    pytest.param("http://localhost/cat.png", "localhost", id="localhost"),
    pytest.param("http://localhost./cat.png", "localhost", id="localhost-with-a-dot"),
    pytest.param("http://a.localhost:80/cat.png", "a.localhost", id="below-localhost"),
    pytest.param("http://[::1]/cat.png", "::1", id="loopback-of-ipv6"),
    pytest.param("http://127.1/cat.png", "127.1", id="loopback-in-short"),
    pytest.param("http://2130706433/cat.png", "2130706433", id="loopback-as-a-number"),
    pytest.param("http://0x7f000001/cat.png", "0x7f000001", id="loopback-in-hexadecimal"),
    pytest.param("http://[64:ff9b::7f00:1]/cat.png", "64:ff9b::7f00:1", id="loopback-by-nat64"),
    pytest.param("http://[2002:7f00:1::]/cat.png", "2002:7f00:1::", id="loopback-by-6to4"),
    pytest.param("http://224.0.0.1/cat.png", "224.0.0.1", id="multicast"),
    pytest.param("http://[::ffff:127.0.0.1]/cat.png", "::ffff:127.0.0.1", id="mapped-into-ipv6"),
    pytest.param("http://10.0.0.1/cat.png", "10.0.0.1", id="private-network"),
    pytest.param("http://169.254.169.254/cat.png", "169.254.169.254", id="cloud-metadata"),
    pytest.param("http://0.0.0.0/cat.png", "0.0.0.0", id="unspecified"),
]


@pytest.mark.parametrize(("url", "host"), PRIVATE)
def test_an_address_of_this_network_is_refused_unless_named(grok_server, url, host):
    assert refusal(grok_server, url) == UNABLE + f"The host {host} is not allowed."


@pytest.mark.parametrize("host", ["8.8.8.8", "[2606:4700:4700::1111]", "[2002:808:808::]"])
def test_an_address_of_the_internet_is_like_a_name(grok_server, host):
    answer = post(grok_server, body(image(f"http://{host}/cat.png")))

    assert answer.status_code == 200
    assert grok_server.requests[0].images[0].source == "placeholder"


NO_ADDRESSES = [
    pytest.param("ftp://example.com/cat.png", id="assumed-ftp"),
    pytest.param("file:///etc/hostname", id="assumed-file"),
    pytest.param("//example.com/cat.png", id="assumed-no-scheme"),
    pytest.param("https:///cat.png", id="assumed-no-host"),
    pytest.param("http://[::1/cat.png", id="assumed-bracket-left-open"),
    pytest.param("iVBORw0KGgo=", id="observed-base64-without-a-data-url"),
    pytest.param("cat.png", id="observed-a-file-name"),
    pytest.param("", id="assumed-nothing"),
]


@pytest.mark.parametrize("url", NO_ADDRESSES)
def test_what_is_no_web_address_is_read_as_base64(grok_server, url):
    assert refusal(grok_server, url) == "Base64 string of provided image cannot be decoded."


def test_every_address_of_a_name_is_tried(web, monkeypatch):
    real = socket.getaddrinfo

    def resolve(host, *args, **options):
        if host != "localhost":
            return real(host, *args, **options)
        # Nobody listens on the first.
        return real("127.0.0.9", *args, **options) + real("127.0.0.1", *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with FakeServer(allow_hosts=["localhost"]) as server:
        answer = post(server, body(image(f"http://localhost:{web.server_port}/cat.png")))

    assert answer.status_code == 200


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("http://127.0.0.1:99999/cat.png", id="port-that-is-none"),
        pytest.param(f"http://{'a' * 70}.example/cat.png", id="name-that-is-too-long"),
    ],
)
def test_an_address_that_cannot_be_is_unreachable(url):
    hosts = ["127.0.0.1", f"{'a' * 70}.example"]
    with FakeServer(allow_hosts=hosts) as server:
        assert refusal(server, url) == UNABLE + "Fetching image failed."


@pytest.fixture
def secure(web: Web, authority: trustme.CA, monkeypatch: pytest.MonkeyPatch) -> Web:
    """Let the web server be https://pictures.test, which this machine trusts."""
    own, trusted = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("pictures.test").configure_cert(own)
    authority.configure_trust(trusted)
    web.socket = own.wrap_socket(web.socket, server_side=True)
    monkeypatch.setattr(download, "certificates", lambda: trusted)
    return web


@pytest.mark.usefixtures("names")
def test_a_picture_is_fetched_over_https(secure, allowing):
    answer = post(allowing, body(image(f"https://pictures.test:{secure.server_port}/cat.png")))

    assert answer.status_code == 200, answer.text
    assert allowing.requests[0].images[0].source == "network"
    assert secure.seen[0]["host"] == f"pictures.test:{secure.server_port}"


def test_whom_to_trust_is_read_once():
    """Reading it takes longer than a picture, and others would wait meanwhile."""
    assert download.certificates() is download.certificates()


@pytest.mark.usefixtures("names")
def test_a_host_whose_certificate_is_anothers_is_unreachable(secure):
    with FakeServer(allow_hosts=["paintings.test", "127.0.0.1"]) as server:
        url = f"https://paintings.test:{secure.server_port}/cat.png"

        assert refusal(server, url) == UNABLE + "Fetching image failed."


def test_a_name_that_leads_to_a_public_address_is_fetched(monkeypatch):
    asked: list[str] = []

    async def get(_client: object, _url: str, address: str, _most: int) -> Downloaded:
        asked.append(address)
        return Downloaded(PICTURE, "image/png")

    public = [(2, 1, 6, "", ("203.0.114.7", 443))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: public)
    monkeypatch.setattr(download, "_get_from", get)

    asyncio.run(Downloads(frozenset({"pictures.test"}), 99).fetch("https://pictures.test/cat.png"))

    assert asked == ["203.0.114.7"]


def test_a_picture_of_the_most_bytes_is_taken(web):
    hosts, url = frozenset({"127.0.0.1"}), f"{web.url}/cat.png"

    assert asyncio.run(Downloads(hosts, len(PICTURE)).fetch(url)).data == PICTURE
    with pytest.raises(ApiError, match="above the maximum"):
        asyncio.run(Downloads(hosts, len(PICTURE) - 1).fetch(url))
