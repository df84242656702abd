"""Where the picture behind a web address comes from.

In this order: what the test mapped, a file of --images, the network for hosts that
--allow-host names, else the built-in placeholder. Hosts under .invalid always fail.
"""

from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

import msgspec

from llm_grok_vision.limits import MAX_IMAGE_BYTES

from .addresses import host_of, is_private
from .refusals import refuse

_PLACEHOLDER = Path(__file__).with_name("placeholder.png")


class Fetched(msgspec.Struct, frozen=True):
    """The bytes behind an address, where they came from, and the type declared for them."""

    data: bytes
    source: str
    declared: str = ""


class Sources(msgspec.Struct, frozen=True):
    """Where pictures may come from; `mapped` is the test's own dictionary."""

    mapped: dict[str, bytes] = {}
    images: Path | None = None
    allow_hosts: frozenset[str] = frozenset()
    placeholder: bool = True
    max_image_bytes: int = MAX_IMAGE_BYTES

    async def fetch(self, url: str) -> Fetched:
        """Get the bytes behind an address; raises the ApiError that it earns."""
        if url in self.mapped:
            return Fetched(self.mapped[url], "scenario")
        host = host_of(url)
        if host.endswith(".invalid"):
            raise refuse("fetch failed", status="404 Not Found")
        if path := self._file(url, host):
            return Fetched(_read(path), "images")
        if host in self.allow_hosts:
            # Few want it, and its library takes long to load.
            from .download import Downloads

            got = await Downloads(self.allow_hosts, self.max_image_bytes).fetch(url)
            return Fetched(got.data, "network", got.declared)
        if self.placeholder and not is_private(host):
            return _placeholder()
        if is_private(host):
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


@cache
def _placeholder() -> Fetched:
    return Fetched(_PLACEHOLDER.read_bytes(), "placeholder")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        # As a web server says it of a file that it may not read.
        raise refuse("fetch failed", status="403 Forbidden") from None
