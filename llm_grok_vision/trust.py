"""Whom this machine trusts: its certificates, which take longer to read than many a request."""

import functools
import os
import ssl

import httpx2


def certificates() -> ssl.SSLContext:
    """Give the machine's certificates, read once; raises OSError for a file that there is not."""
    # By these settings httpx2 finds them.
    return _read(*map(os.environ.get, ("SSL_CERT_FILE", "SSL_CERT_DIR")))


@functools.cache
def _read(*_places: str | None) -> ssl.SSLContext:
    return httpx2.create_ssl_context()
