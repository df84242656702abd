"""What the bytes of an image say of it: read from headers, never by decoding pixels.

The plugin reads images for itself, on purpose and otherwise, in
`llm_grok_vision.images`; the tests hold both against Pillow.
"""

import binascii
import hashlib
import re
from collections.abc import Callable, Iterator

import msgspec
import pybase64
from zlib_ng.zlib_ng import crc32

from llm_grok_vision.limits import (
    MAX_IMAGE_PIXELS,
    MIN_IMAGE_PIXELS,
    MIN_IMAGE_SIDE,
)

from .contract import DOCUMENTED, Contract
from .damage import DamagedError
from .more_images import ICO, WEBP, ico_extent, webp_extent
from .refusals import refuse

_SCHEME, _BASE64 = "data:", ";base64,"
# But for those that stand within coded data, to begin it anew.
_MARKER = re.compile(rb"\xff([^\x00\xd0-\xd7\xff])")
_FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
_END = 0xD9


class Picture(msgspec.Struct, frozen=True):
    """An image that was read: `format` is "JPEG", "PNG", "WebP" or "ICO", `size` counts its bytes."""

    format: str
    width: int
    height: int
    size: int
    declared: str = ""


def is_data_url(url: str) -> bool:
    """Tell an inline image from a web address."""
    return url[: len(_SCHEME)].lower() == _SCHEME


def decoded(url: str, contract: Contract) -> tuple[bytes, str]:
    """Give the bytes of an inline image, and the type it declares; raises ApiError."""
    begin = url.find(",") + 1
    # An expression would take a hundred times the room of a head that has no end.
    head = url[len(_SCHEME) : begin]
    if head[-len(_BASE64) :].lower() != _BASE64:
        raise refuse("bad base64")
    # By arithmetic first: what is too large is not worth decoding.
    _check_size(contract, (len(url) - begin) // 4 * 3 - url[-2:].count("="))
    try:
        return pybase64.b64decode(url[begin:], validate=True), head.partition(";")[0]
    except (binascii.Error, ValueError):
        raise refuse("bad base64") from None


def hashed(data: bytes) -> str:
    """Give the SHA-256 of an image, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def read(data: bytes, declared: str = "", contract: Contract = DOCUMENTED) -> Picture:
    """Read an image by its bytes, whatever type was declared; raises the ApiError it earns."""
    _check_size(contract, len(data))
    for kind, (magic, extent) in _KINDS.items():
        if data.startswith(magic) and kind in contract.formats:
            try:
                width, height = extent(data)
            except DamagedError:
                raise refuse(f"damaged {kind}") from None
            _check_pixels(width, height)
            return Picture(kind, width, height, len(data), declared)
    raise refuse(contract.unknown_format)


def _check_size(contract: Contract, size: int) -> None:
    """Raise the ApiError for an image of more bytes than the limit."""
    if size > contract.max_image_bytes:
        raise refuse("image too large", size=size, limit=contract.max_image_bytes)


def _check_pixels(width: int, height: int) -> None:
    pixels = width * height
    if width < MIN_IMAGE_SIDE or height < MIN_IMAGE_SIDE:
        raise refuse("side too small", width=width, height=height)
    if pixels < MIN_IMAGE_PIXELS:
        raise refuse("area too small", width=width, height=height, pixels=pixels)
    if pixels > MAX_IMAGE_PIXELS:
        raise refuse("area too large", width=width, height=height, pixels=pixels)


def _png_extent(data: bytes) -> tuple[int, int]:
    """Take width and height from the first chunk; all of them must be there and sound."""
    chunks = _png_chunks(memoryview(data)[8:])
    kind, header = next(chunks, (b"", b""))
    if kind != b"IHDR" or len(header) != 13:
        raise DamagedError
    for kind, _ in chunks:
        if kind == b"IEND":
            return int.from_bytes(header[:4], "big"), int.from_bytes(header[4:8], "big")
    raise DamagedError


def _png_chunks(rest: memoryview) -> Iterator[tuple[bytes, bytes | memoryview]]:
    while len(rest) >= 12:
        length = int.from_bytes(rest[:4], "big")
        chunk, checksum = rest[4 : 8 + length], rest[8 + length : 12 + length]
        if len(checksum) != 4 or crc32(chunk) != int.from_bytes(checksum, "big"):
            return
        yield bytes(chunk[:4]), chunk[4:]
        rest = rest[12 + length :]


def _jpeg_extent(data: bytes) -> tuple[int, int]:
    """Take height and width from the frame header; the end-of-image marker must follow."""
    extent: tuple[int, int] | None = None
    for marker, segment in _jpeg_segments(data):
        if marker == _END:
            break
        if marker in _FRAMES and len(segment) >= 5:
            extent = int.from_bytes(segment[3:5], "big"), int.from_bytes(segment[1:3], "big")
    if extent is None:
        raise DamagedError
    return extent


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield each marker with its segment; coded data between them is skipped."""
    position = 2
    while found := _MARKER.search(data, position):
        marker, position = found[1][0], found.end()
        length = int.from_bytes(data[position : position + 2], "big")
        yield marker, data[position + 2 : position + length]
        position += length
    raise DamagedError


_KINDS: dict[str, tuple[bytes, Callable[[bytes], tuple[int, int]]]] = {
    "PNG": (b"\x89PNG\r\n\x1a\n", _png_extent),
    "JPEG": (b"\xff\xd8\xff", _jpeg_extent),
    "WebP": (WEBP, webp_extent),
    "ICO": (ICO, ico_extent),
}

_MEDIA_TYPES = {
    "PNG": "image/png",
    "JPEG": "image/jpeg",
    "WebP": "image/webp",
    "ICO": "image/x-icon",
}


def media_type(data: bytes) -> str:
    """Name the media type of an image that was read before."""
    kinds = (kind for kind, (magic, _) in _KINDS.items() if data.startswith(magic))
    return _MEDIA_TYPES[next(kinds)]
