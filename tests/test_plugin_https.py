"""xAI is spoken to by https: whom this machine trusts may answer, and nobody else."""

import ssl
from pathlib import Path

import pytest
import trustme

from llm_grok_vision.errors import ConnectionFailed
from tests.prompting import BOTH, ask, whole, xai_answering


@pytest.fixture
def authority(monkeypatch: pytest.MonkeyPatch) -> trustme.CA:
    """Make an authority that nobody knows yet."""
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
    return trustme.CA()


@pytest.fixture
def tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


@BOTH
def test_who_is_not_trusted_hears_no_key(tls: ssl.SSLContext, kind: str):
    with (
        xai_answering(*[whole(content="A boat.")] * 3, tls=tls) as server,
        pytest.raises(ConnectionFailed, match="certificate verify failed"),
    ):
        ask(kind, "What?")

    assert server.requests == []


@BOTH
def test_an_authority_that_is_named_is_trusted(
    authority: trustme.CA,
    tls: ssl.SSLContext,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
):
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))

    with xai_answering(whole(content="A boat."), tls=tls) as server:
        assert ask(kind, "What?").text == "A boat."

    assert len(server.requests) == 1
