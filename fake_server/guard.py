"""Who may ask the fake itself: this machine, or whoever has the token.

A page of another site, opened in a browser of this machine, is neither.
"""

import base64
import binascii
import hmac
import ipaddress
from collections.abc import Mapping
from urllib.parse import urlsplit

_LOCAL = {"localhost", "127.0.0.1", "::1"}


def objection(client: str | None, headers: Mapping[str, str], token: str | None) -> str:
    """Say why a request is not answered, or "" where it is.

    `client` is the address that it comes from, None where it has none; header names are small.
    """
    origin = headers.get("origin", "")
    if origin and origin.partition("://")[2] != headers.get("host", ""):
        return f"A page of {origin} can't ask the fake itself."
    if token is not None:
        has_it = hmac.compare_digest(_token_of(headers).encode(), token.encode())
        return "" if has_it else "The fake itself wants the token that --token names."
    if client is not None and not _is_this_machine(client):
        return "The fake itself answers this machine alone, unless --token names a token."
    # A name that somebody else's DNS leads here would let their page in.
    host = _name_in(headers.get("host", ""))
    if host not in _LOCAL and not _is_address(host):
        return f"The fake itself is not called {host}, unless --token names a token."
    return ""


def _token_of(headers: Mapping[str, str]) -> str:
    """Take the token out of a header: Bearer, or the password that a browser asks for."""
    scheme, _, rest = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip()
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(rest, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _name_in(authority: str) -> str:
    """Take the name or the address out of a Host header; what is none stays as it is."""
    try:
        return urlsplit(f"//{authority}").hostname or ""
    except ValueError:
        return authority


def _is_this_machine(client: str) -> bool:
    try:
        address = ipaddress.ip_address(client)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
