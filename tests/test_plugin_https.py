"""xAI is spoken to by https: whom this machine trusts may answer, and nobody else."""

import ssl
from unittest.mock import Mock

import httpx2
import llm
import pytest

from fake_server import FakeServer
from llm_grok_vision.errors import ConnectionFailed
from tests.pictures import picture
from tests.prompting import BOTH, ask, whole, xai_answering
from tests.raw_server import RawServer, http


@BOTH
def test_who_is_not_trusted_hears_no_key(tls: ssl.SSLContext, kind: str):
    with (
        xai_answering(*[whole(content="A boat.")] * 3, tls=tls) as server,
        pytest.raises(ConnectionFailed, match="SSL_CERT_FILE") as refused,
    ):
        ask(kind, "What?")

    assert server.requests == []
    origin = server.url.removesuffix("/v1")
    assert str(refused.value).startswith(f"{origin} shows a certificate that this machine does not")


@BOTH
@pytest.mark.usefixtures("named_authority")
def test_an_authority_that_is_named_is_trusted(tls: ssl.SSLContext, kind: str):
    with xai_answering(whole(content="A boat."), tls=tls) as server:
        assert ask(kind, "What?").text == "A boat."

    assert len(server.requests) == 1


@pytest.mark.usefixtures("named_authority")
def test_pictures_are_downloaded_from_whom_it_vouches_for(
    xai: FakeServer, tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
):
    """Reading certificates takes longer than most downloads: that is done once."""
    reading = Mock(wraps=httpx2.create_ssl_context)
    monkeypatch.setattr(httpx2, "create_ssl_context", reading)
    cat = http(picture(16, 32), headers="content-type: image/png")

    with RawServer(cat, cat, tls=tls) as host:
        address = llm.Attachment(url=f"{host.url}/cat.png", type="image/png")
        ask("sync", attachments=[address, address], image_urls="inline")

    assert [(seen.width, seen.height) for seen in xai.requests[0].images] == [(16, 32)] * 2
    assert reading.call_count == 1
