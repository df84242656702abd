"""Where the picture behind a web address comes from.

In this order: what the test mapped, a file of --images, the network for hosts that
--allow-host names, else the built-in placeholder. Hosts under .invalid always fail.
"""

import asyncio
import ipaddress
import json
import socket
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urljoin, urlsplit

import httpx2

from llm_grok_vision.limits import (
    FETCH_MEDIA_TYPES,
    FETCH_SECONDS,
    FETCH_USER_AGENT,
    MAX_IMAGE_BYTES,
)

from .refusals import ApiError, refuse

# ASSUMED: what the service does with redirects is not known.
_MOST_REDIRECTS = 3
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_PLACEHOLDER = Path(__file__).with_name("placeholder.png")


class Fetched(NamedTuple):
    """The bytes behind an address, where they came from, and the type declared for them."""

    data: bytes
    source: str
    declared: str = ""


@dataclass(frozen=True)
class Sources:
    """Where pictures may come from; `mapped` is the test's own dictionary."""

    mapped: dict[str, bytes] = field(default_factory=dict)
    images: Path | None = None
    allow_hosts: frozenset[str] = frozenset()
    placeholder: bool = True
    max_image_bytes: int = MAX_IMAGE_BYTES

    async def fetch(self, url: str) -> Fetched:
        """Get the bytes behind an address; raises the ApiError that it earns."""
        if url in self.mapped:
            return Fetched(self.mapped[url], "scenario")
        host = _host(url)
        if host.endswith(".invalid"):
            raise refuse("fetch failed", status="404 Not Found")
        if path := self._file(url, host):
            return Fetched(path.read_bytes(), "images")
        if host in self.allow_hosts:
            try:
                return await asyncio.wait_for(self._download(url), FETCH_SECONDS)
            except (asyncio.TimeoutError, httpx2.TimeoutException):
                raise refuse("fetch timeout") from None
        if self.placeholder and not _is_private(host):
            return Fetched(_PLACEHOLDER.read_bytes(), "placeholder")
        if _is_private(host):
            raise refuse("fetch not allowed", host=host)
        raise refuse("fetch failed", status="404 Not Found")

    def _file(self, url: str, host: str) -> Path | None:
        """Find DIR/host/path, never outside of DIR."""
        if self.images is None:
            return None
        root = self.images.resolve()
        try:
            path = (root / host / unquote(urlsplit(url).path).lstrip("/")).resolve()
            return path if path.is_relative_to(root / host) and path.is_file() else None
        except (OSError, ValueError):
            return None

    async def _download(self, url: str) -> Fetched:
        async with httpx2.AsyncClient(trust_env=False, timeout=FETCH_SECONDS) as client:
            try:
                for _ in range(_MOST_REDIRECTS + 1):
                    got = await self._get(client, url, await self._checked_addresses(url))
                    if isinstance(got, Fetched):
                        return got
                    url = urljoin(url, got)
            except httpx2.TimeoutException:
                raise
            except (httpx2.HTTPError, httpx2.InvalidURL, OSError, OverflowError, ValueError):
                # OverflowError and ValueError: ports and names that no address can have.
                raise refuse("unreachable") from None
        raise refuse("unreachable")

    async def _get(
        self, client: httpx2.AsyncClient, url: str, addresses: list[str]
    ) -> Fetched | str:
        """Ask the addresses that were checked, in turn; a string is a redirect's target."""
        *others, last = addresses
        for address in others:
            with suppress(httpx2.ConnectError):
                return await _get_from(client, url, address, self.max_image_bytes)
        return await _get_from(client, url, last, self.max_image_bytes)

    async def _checked_addresses(self, url: str) -> list[str]:
        """Resolve a host that is named; what it resolves to must be public, or named too."""
        host = _host(url)
        if host not in self.allow_hosts:
            raise refuse("fetch not allowed", host=host)
        infos = await asyncio.get_running_loop().getaddrinfo(
            host, urlsplit(url).port, type=socket.SOCK_STREAM
        )
        addresses = list(dict.fromkeys(str(info[4][0]) for info in infos))
        for address in addresses:
            named_itself = host in (address, "localhost") or address in self.allow_hosts
            if _is_private(address) and not named_itself:
                raise refuse("fetch not allowed", host=host)
        return addresses


async def _get_from(client: httpx2.AsyncClient, url: str, address: str, most: int) -> Fetched | str:
    target = httpx2.URL(url)
    request = client.build_request(
        "GET",
        target.copy_with(host=address),
        headers={"host": target.netloc.decode(), "user-agent": FETCH_USER_AGENT},
        extensions={"sni_hostname": target.host},
    )
    response = await client.send(request, stream=True)
    try:
        if response.has_redirect_location:
            return response.headers["location"]
        if not response.is_success:
            status = f"{response.status_code} {response.reason_phrase}".strip()
            raise refuse("fetch failed", status=status)
        declared = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        if declared not in FETCH_MEDIA_TYPES:
            raise refuse("fetched type", types=json.dumps(FETCH_MEDIA_TYPES))
        return Fetched(await _bounded(response, most), "network", declared)
    finally:
        await response.aclose()


async def _bounded(response: httpx2.Response, most: int) -> bytes:
    """Read no more than shows that an image is too large, and say no more than that."""
    data = bytearray()
    async for chunk in response.aiter_bytes():
        data += chunk
        if len(data) > most:
            raise refuse("image too large", size=f"at least {most + 1}", limit=most)
    return bytes(data)


def _host(url: str) -> str:
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


def _is_private(host: str) -> bool:
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
