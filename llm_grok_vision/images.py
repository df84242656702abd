"""What kind of image some bytes are, and whether xAI would take them.

Bytes in, values out. The fake reads images for itself, on purpose and otherwise, in
`fake_server.images`; the tests hold both against Pillow.
"""

import io
import re
import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from .errors import DamagedImage, ImageTooLarge, ImageTooSmall, UnsupportedImage
from .limits import MAX_IMAGE_BYTES, MAX_IMAGE_PIXELS, MIN_IMAGE_PIXELS, MIN_IMAGE_SIDE

# Bytes that are read at once; those by which a format is known, and where most markers stand.
_BLOCK = 64 * 1024
_HEAD = 512
_NEAR = 64

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
    return inspect_file(io.BytesIO(data), len(data), name)


def inspect_file(file: BinaryIO, size: int, name: str) -> ImageInfo:
    """Do what `inspect` does, without having all of the file in memory."""
    check_bytes(size, name)
    info = identify_file(file, size, name)
    _check_pixels(info.width, info.height, name)
    return info


def identify(data: bytes, name: str) -> ImageInfo:
    """Tell what a PNG or JPEG is, of whatever size; raises UnsupportedImage or DamagedImage."""
    return identify_file(io.BytesIO(data), len(data), name)


def identify_file(file: BinaryIO, size: int, name: str) -> ImageInfo:
    """Do what `identify` does, without having all of the file in memory."""
    head = file.read(_HEAD)
    if not head:
        raise DamagedImage(name, "is empty (0 bytes): there is no image to send.")
    if head.startswith(_PNG):
        return ImageInfo("image/png", *_png_size(file, size, name))
    if head.startswith(_JPEG):
        return ImageInfo("image/jpeg", *_jpeg_size(file, name))
    raise unsupported(head, name)


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


def _png_size(file: BinaryIO, size: int, name: str) -> tuple[int, int]:
    """Walk the chunks up to IEND, checksums and all.

    OBSERVED 2026-08-19: xAI's own command line client does so before it sends a PNG.
    """
    file.seek(0)
    head = file.read(33)
    if head[8:16] != b"\x00\x00\x00\rIHDR" or len(head) < 33:
        raise DamagedImage(name, "begins like a PNG and has no header: the file is damaged.")
    width, height = struct.unpack_from(">II", head, 16)
    at = len(_PNG)
    while at + 12 <= size:
        file.seek(at)
        length, kind = struct.unpack(">I4s", file.read(8))
        at += 12 + length
        if at > size:
            break
        found = zlib.crc32(kind)
        for block in _blocks(file, length):
            found = zlib.crc32(block, found)
        if found != int.from_bytes(file.read(4), "big"):
            raise DamagedImage(name, "is a PNG with a wrong checksum: the file is damaged.")
        if kind == b"IEND":
            return width, height
    raise DamagedImage(name, "is a PNG that ends too early: the file is cut short.")


def _jpeg_size(file: BinaryIO, name: str) -> tuple[int, int]:
    """Walk the segments up to the end-of-image marker."""
    size: tuple[int, int] | None = None
    at = 2
    while found := _next_marker(file, at):
        at, marker = found
        if marker == _END_OF_IMAGE:
            if size is None:
                raise DamagedImage(name, "is a JPEG without a picture: the file is damaged.")
            return size
        file.seek(at)
        segment = file.read(7)
        if len(segment) < 2:
            break
        length = int.from_bytes(segment[:2], "big")
        if marker in _START_OF_FRAME and length >= 7 and len(segment) == 7:
            height, width = struct.unpack_from(">HH", segment, 3)
            size = width, height
        at += length
    raise DamagedImage(name, "is a JPEG that ends too early: the file is cut short.")


def _next_marker(file: BinaryIO, at: int) -> tuple[int, int] | None:
    """Find the next marker: where what follows it begins, and its number."""
    file.seek(at)
    # Most stand right here; only coded data is long.
    block = file.read(_NEAR)
    while len(block) > 1:
        if match := _NEXT_MARKER.search(block):
            return at + match.end(), block[match.end() - 1]
        # The two bytes of a marker may stand on both sides of a cut.
        at += len(block) - 1
        block = block[-1:] + file.read(_BLOCK)
    return None


def _blocks(file: BinaryIO, length: int) -> Iterator[bytes]:
    while length > 0 and (block := file.read(min(length, _BLOCK))):
        length -= len(block)
        yield block
