"""Fetches a picture over the network, from hosts that are named."""

import asyncio
import json
import socket
import ssl
from contextlib import suppress
from functools import cache
from urllib.parse import urljoin, urlsplit

import httpx2
import msgspec

from llm_grok_vision.limits import FETCH_MEDIA_TYPES, FETCH_SECONDS, FETCH_USER_AGENT

from .addresses import host_of, is_private
from .refusals import ApiError, refuse

# ASSUMED: what the service does with redirects is not known.
_MOST_REDIRECTS = 3


class Downloaded(msgspec.Struct, frozen=True):
    """The bytes behind an address, and the type that its server declared."""

    data: bytes
    declared: str


class Downloads(msgspec.Struct, frozen=True):
    """Fetches from hosts that are named, and no more than so many bytes."""

    allow_hosts: frozenset[str]
    most: int

    async def fetch(self, url: str) -> Downloaded:
        """Get the bytes behind an address; raises the ApiError that it earns."""
        try:
            return await asyncio.wait_for(self._follow(url), FETCH_SECONDS)
        except (asyncio.TimeoutError, httpx2.TimeoutException):
            raise refuse("fetch timeout") from None
        except ApiError as error:
            # `wait_for` keeps it, and its traceback all frames that it passes, until the collector comes.
            raise error.with_traceback(None) from None

    async def _follow(self, url: str) -> Downloaded:
        async with httpx2.AsyncClient(
            trust_env=False, timeout=FETCH_SECONDS, verify=certificates()
        ) as client:
            try:
                for _ in range(_MOST_REDIRECTS + 1):
                    got = await self._get(client, url, await self._checked_addresses(url))
                    if isinstance(got, Downloaded):
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
    ) -> Downloaded | str:
        """Ask the addresses that were checked, in turn; a string is a redirect's target."""
        *others, last = addresses
        for address in others:
            with suppress(httpx2.ConnectError):
                return await _get_from(client, url, address, self.most)
        return await _get_from(client, url, last, self.most)

    async def _checked_addresses(self, url: str) -> list[str]:
        """Resolve a host that is named; what it resolves to must be public, or named too."""
        host = host_of(url)
        if host not in self.allow_hosts:
            raise refuse("fetch not allowed", host=host)
        infos = await asyncio.get_running_loop().getaddrinfo(
            host, urlsplit(url).port, type=socket.SOCK_STREAM
        )
        addresses = list(dict.fromkeys(str(info[4][0]) for info in infos))
        for address in addresses:
            named_itself = host in (address, "localhost") or address in self.allow_hosts
            if is_private(address) and not named_itself:
                raise refuse("fetch not allowed", host=host)
        return addresses


@cache
def certificates() -> ssl.SSLContext:
    """Read whom to trust, once: it takes longer than a picture, and others would wait each time."""
    return httpx2.create_ssl_context(trust_env=False)


async def _get_from(
    client: httpx2.AsyncClient, url: str, address: str, most: int
) -> Downloaded | str:
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
        return Downloaded(await _bounded(response, most), declared)
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
