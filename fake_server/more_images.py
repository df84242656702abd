"""The types of images that xAI does not document and was seen to take: WebP and ICO.

OBSERVED 2026: that they are taken. ASSUMED: how they are looked at; of the pictures of an
ICO the largest counts.
"""

from .damage import DamagedError

WEBP, ICO = b"RIFF", b"\0\0\1\0"


def webp_extent(data: bytes) -> tuple[int, int]:
    """Take width and height from the first chunk; the file must be as long as it says."""
    if data[8:12] != b"WEBP" or int.from_bytes(data[4:8], "little") + 8 > len(data):
        raise DamagedError
    kind, body = data[12:16], data[20:30]
    if kind == b"VP8X" and len(body) == 10:
        width, height = (int.from_bytes(body[at : at + 3], "little") + 1 for at in (4, 7))
        return width, height
    if kind == b"VP8 " and body[3:6] == b"\x9d\x01\x2a":
        width, height = (int.from_bytes(body[at : at + 2], "little") & 0x3FFF for at in (6, 8))
        return width, height
    if kind == b"VP8L" and body[:1] == b"\x2f":
        bits = int.from_bytes(body[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    raise DamagedError


def ico_extent(data: bytes) -> tuple[int, int]:
    """Take width and height of the largest picture; all of them must be there."""
    entries = [
        data[at : at + 16] for at in range(6, 6 + 16 * int.from_bytes(data[4:6], "little"), 16)
    ]
    extents = []
    for entry in entries:
        size, start = (int.from_bytes(entry[at : at + 4], "little") for at in (8, 12))
        if len(entry) != 16 or start + size > len(data):
            raise DamagedError
        # A byte has no room for 256.
        extents.append((entry[0] or 256, entry[1] or 256))
    if not extents:
        raise DamagedError
    return max(extents, key=lambda extent: extent[0] * extent[1])
