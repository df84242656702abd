"""Download what is behind a web address: what xAI could not fetch, or was not asked to.

The media type that a host declares is what it says of itself; `images` looks at the bytes.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version

import httpx2

from .errors import GrokError, ImageNotReadable, ImageTooLarge
from .names import shown_address, shown_reason
from .trust import certificates

# More than xAI takes of one image, because a large one may be scaled down here.
MAX_BYTES = 64 * 1024**2
MAX_SECONDS = 60.0
_MAX_REDIRECTS = 5
_FIRST_BYTES = 4096

TIMEOUT = httpx2.Timeout(20.0, connect=10.0)

# A host that can choose sends what needs no conversion.
_ACCEPT = "image/png, image/jpeg, image/*;q=0.9, */*;q=0.5"


def download(url: str) -> bytes:
    """Get the bytes behind an address; raises an ImageError that names it."""
    name = shown_address(url)
    data = bytearray()
    with _opened(url, name) as (_, chunks):
        for chunk in chunks:
            data += chunk
            if len(data) > MAX_BYTES:
                raise ImageTooLarge(
                    name, f"has more than {MAX_BYTES // 1024**2} MiB: too much to download."
                )
    return bytes(data)


def media_type(url: str) -> str | None:
    """Tell the media type behind an address, by its first bytes or as the host declares it.

    Raises ImageNotReadable for an address without an answer.
    """
    from llm.utils import mimetype_from_string

    with _opened(url, shown_address(url)) as (response, chunks):
        head = b""
        while len(head) < _FIRST_BYTES and (chunk := next(chunks, b"")):
            head += chunk
        declared = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    return (head and mimetype_from_string(head[:_FIRST_BYTES])) or declared or None


@contextmanager
def _opened(url: str, name: str) -> Iterator[tuple[httpx2.Response, Iterator[bytes]]]:
    headers = {
        "user-agent": f"llm-grok-vision/{version('llm-grok-vision')}",
        "accept": _ACCEPT,
    }
    try:
        with (
            httpx2.Client(
                follow_redirects=True,
                max_redirects=_MAX_REDIRECTS,
                headers=headers,
                timeout=TIMEOUT,
                verify=certificates(),
            ) as client,
            client.stream("GET", url) as response,
        ):
            if not response.is_success:
                status = f"{response.status_code} {response.reason_phrase}".strip()
                raise ImageNotReadable(name, f"could not be downloaded: {status}.")
            yield response, _in_time(response, name)
    except GrokError:
        raise
    # ValueError and ImportError: settings of this machine for proxies and certificates.
    except (httpx2.HTTPError, httpx2.InvalidURL, ValueError, ImportError, OSError) as error:
        raise ImageNotReadable(name, f"could not be downloaded: {_reason(error)}.") from None


def _in_time(response: httpx2.Response, name: str) -> Iterator[bytes]:
    """Give up on a host that sends a little now and then, for which no timeout is meant."""
    end = time.monotonic() + MAX_SECONDS
    for chunk in response.iter_bytes():
        yield chunk
        if time.monotonic() > end:
            raise ImageNotReadable(name, f"could not be downloaded in {MAX_SECONDS:.0f} seconds.")


def _reason(error: Exception) -> str:
    """Say why in words without the address, which may have a password in it."""
    match error:
        case httpx2.UnsupportedProtocol() | httpx2.InvalidURL():
            return "it is no http or https address"
        case httpx2.TooManyRedirects():
            return f"more than {_MAX_REDIRECTS} redirects"
        case httpx2.TimeoutException():
            return "the host took too long"
        case _:
            return shown_reason(error) or "the connection broke"
