"""What kind of image some bytes are, and whether xAI would take them.

Bytes in, values out. The fake reads images for itself, on purpose and otherwise, in
`fake_server.images`; the tests hold both against Pillow.
"""

import re
import struct
import zlib
from typing import NamedTuple

from .errors import DamagedImage, ImageTooLarge, ImageTooSmall, UnsupportedImage
from .limits import MAX_IMAGE_BYTES, MAX_IMAGE_PIXELS, MIN_IMAGE_PIXELS, MIN_IMAGE_SIDE

_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8\xff"

# In the coded data of a JPEG, 0xff is followed by 0x00, or by a restart marker, or
# stands for itself as filling; anything else begins the next segment.
_NEXT_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_START_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_END_OF_IMAGE, _START_OF_SCAN = 0xD9, 0xDA

# What people send besides: the words say it in messages, and `convert` reads most of them.
_OTHERS = (
    (b"GIF8", 0, "GIF"),
    (b"WEBP", 8, "WebP"),
    (b"BM", 0, "BMP"),
    (b"II*\x00", 0, "TIFF"),
    (b"MM\x00*", 0, "TIFF"),
    (b"II+\x00", 0, "TIFF"),
    (b"MM\x00+", 0, "TIFF"),
    (b"%PDF", 0, "PDF"),
    (b"<!doctype html", 0, "web page"),
    (b"<!DOCTYPE html", 0, "web page"),
    (b"<html", 0, "web page"),
    (b"\x00\x00\x01\x00", 0, "ICO"),
    (b"jP  \r\n\x87\n", 4, "JPEG 2000"),
    (b"\xff\x4f\xff\x51", 0, "JPEG 2000"),
)
_AVIF_BRANDS = frozenset({b"avif", b"avis"})
_HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})


class ImageInfo(NamedTuple):
    """A readable image: its media type, and its extent in pixels."""

    media_type: str
    width: int
    height: int


def inspect(data: bytes, name: str) -> ImageInfo:
    """Tell what the image is; `name` stands for it in errors.

    Raises UnsupportedImage, DamagedImage, ImageTooLarge or ImageTooSmall for what xAI
    would refuse (the limits and their sources are in `limits.py`).
    """
    check_bytes(len(data), name)
    info = identify(data, name)
    _check_pixels(info.width, info.height, name)
    return info


def identify(data: bytes, name: str) -> ImageInfo:
    """Tell what a PNG or JPEG is, of whatever size; raises UnsupportedImage or DamagedImage."""
    if not data:
        raise DamagedImage(name, "is empty (0 bytes): there is no image to send.")
    if data.startswith(_PNG):
        return ImageInfo("image/png", *_png_size(data, name))
    if data.startswith(_JPEG):
        return ImageInfo("image/jpeg", *_jpeg_size(data, name))
    raise unsupported(data, name)


def unsupported(data: bytes, name: str) -> UnsupportedImage:
    """Say that an image is neither a PNG nor a JPEG, and what it is, if that can be told."""
    kind = image_kind(data)
    if not kind:
        return UnsupportedImage(name, "is no image that is known here; xAI takes PNG and JPEG.")
    return UnsupportedImage(
        name,
        f"is {with_article(kind)}; xAI takes PNG and JPEG. Convert it to one of them first.",
    )


def with_article(kind: str) -> str:
    """Write "a GIF", "an AVIF"."""
    return f"{'an' if kind[:1] in 'AI' else 'a'} {kind}"


def image_kind(data: bytes) -> str:
    """Name the format by the first bytes ("PNG", "WebP", "HEIC", ...), or give ""."""
    if data.startswith((_PNG, _JPEG)):
        return "PNG" if data.startswith(_PNG) else "JPEG"
    if data[4:8] == b"ftyp":
        # AVIF and HEIC are one container; which it is, is anywhere in its list of brands.
        end = min(int.from_bytes(data[:4], "big"), 256)
        brands = {data[at : at + 4] for at in range(8, end, 4)}
        return "AVIF" if brands & _AVIF_BRANDS else "HEIC" if brands & _HEIC_BRANDS else ""
    for magic, offset, kind in _OTHERS:
        if data[offset : offset + len(magic)] == magic:
            return kind
    return ""


def check_bytes(size: int, name: str) -> None:
    """Raise ImageTooLarge for an image of more bytes than xAI takes."""
    if size > MAX_IMAGE_BYTES:
        raise ImageTooLarge(
            name,
            f"has {size:,} bytes; xAI takes {MAX_IMAGE_BYTES:,} at most"
            f" ({MAX_IMAGE_BYTES // 1024**2} MiB). Scale it down or compress it more.",
        )


def _check_pixels(width: int, height: int, name: str) -> None:
    extent = f"is {width}x{height} pixels; xAI takes"
    if min(width, height) < MIN_IMAGE_SIDE:
        raise ImageTooSmall(name, f"{extent} {MIN_IMAGE_SIDE} a side at least. Scale it up.")
    if width * height < MIN_IMAGE_PIXELS:
        raise ImageTooSmall(name, f"{extent} {MIN_IMAGE_PIXELS} in all at least. Scale it up.")
    if width * height > MAX_IMAGE_PIXELS:
        raise ImageTooLarge(name, f"{extent} {MAX_IMAGE_PIXELS:,} in all at most. Scale it down.")


def _png_size(data: bytes, name: str) -> tuple[int, int]:
    """Walk the chunks up to IEND, checksums and all.

    OBSERVED 2026-08-19: xAI's own command line client does so before it sends a PNG.
    """
    if data[8:16] != b"\x00\x00\x00\rIHDR" or len(data) < 33:
        raise DamagedImage(name, "begins like a PNG and has no header: the file is damaged.")
    at = len(_PNG)
    while at + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        end = at + 12 + length
        if end > len(data):
            break
        if zlib.crc32(memoryview(data)[at + 4 : end - 4]) != int.from_bytes(
            data[end - 4 : end], "big"
        ):
            raise DamagedImage(name, "is a PNG with a wrong checksum: the file is damaged.")
        if kind == b"IEND":
            width, height = struct.unpack_from(">II", data, 16)
            return width, height
        at = end
    raise DamagedImage(name, "is a PNG that ends too early: the file is cut short.")


def _jpeg_size(data: bytes, name: str) -> tuple[int, int]:
    """Walk the segments up to the end-of-image marker."""
    size: tuple[int, int] | None = None
    at = 2
    while match := _NEXT_MARKER.search(data, at):
        at, marker = match.end(), data[match.end() - 1]
        if marker == _END_OF_IMAGE:
            if size is None:
                raise DamagedImage(name, "is a JPEG without a picture: the file is damaged.")
            return size
        if at + 2 > len(data):
            break
        length = int.from_bytes(data[at : at + 2], "big")
        if marker in _START_OF_FRAME and length >= 7 and at + 7 <= len(data):
            height, width = struct.unpack_from(">HH", data, at + 3)
            size = width, height
        at += length
    raise DamagedImage(name, "is a JPEG that ends too early: the file is cut short.")
