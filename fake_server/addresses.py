"""Which web addresses are those of an image, and which lead into one's own network."""

import ipaddress
import socket
from contextlib import suppress
from urllib.parse import urlsplit

from .refusals import ApiError, refuse

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def host_of(url: str) -> str:
    """Take the host of a web address; anything else is no address of an image."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").rstrip(".")
    except ValueError:
        host = ""
    if not host or parts.scheme.lower() not in ("http", "https"):
        raise _no_address()
    return host


def _no_address() -> ApiError:
    # OBSERVED: anything that is neither an address nor a data URL is read as base64.
    return refuse("bad base64")


def is_private(host: str) -> bool:
    """Tell addresses of this machine or network; a name that is no address is public."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    address = _address(host)
    return address is not None and (not address.is_global or address.is_multicast)


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Read an address, also one that is written as a number or wrapped in IPv6."""
    with suppress(OSError):
        # As resolvers do: 127.1, 2130706433 and 0x7f000001 are 127.0.0.1.
        return ipaddress.IPv4Address(socket.inet_aton(host))
    try:
        address = ipaddress.IPv6Address(host)
    except ValueError:
        return None
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address
