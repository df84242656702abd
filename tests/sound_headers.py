"""Images that are sound in structure and promise pixels that they do not have."""

import zlib


def png_chunk(kind: bytes, body: bytes) -> bytes:
    """Write a chunk of a PNG with its checksum."""
    checksum = zlib.crc32(kind + body).to_bytes(4, "big")
    return len(body).to_bytes(4, "big") + kind + body + checksum


def png_header(width: int, height: int) -> bytes:
    """Write a PNG of this size without any pixels."""
    extent = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    header = png_chunk(b"IHDR", extent + bytes([8, 2, 0, 0, 0]))
    return b"\x89PNG\r\n\x1a\n" + header + png_chunk(b"IDAT", b"") + png_chunk(b"IEND", b"")


def jpeg_header(width: int, height: int) -> bytes:
    """Write a JPEG of this size without any pixels."""
    extent = height.to_bytes(2, "big") + width.to_bytes(2, "big")
    frame = b"\xff\xc0\x00\x0b\x08" + extent + b"\x01\x01\x11\x00"
    scan = b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00"
    return b"\xff\xd8" + frame + scan + b"\xff\xd9"
