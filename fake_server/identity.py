"""Ids that look random and are not: the same request gets the same ones."""

import hashlib
from base64 import b64encode


def hexadecimal(digits: int, *seeds: str | bytes) -> str:
    """Give so many hexadecimal digits, determined by the seeds."""
    told = hashlib.blake2b(digest_size=32)
    for seed in seeds:
        piece = seed.encode() if isinstance(seed, str) else seed
        told.update(len(piece).to_bytes(8, "big"))
        told.update(piece)
    return told.hexdigest()[:digits]


def uuid(*seeds: str | bytes) -> str:
    """Give a UUID, determined by the seeds, in the form of xAI's: no fixed version digit."""
    digits = hexadecimal(32, "uuid", *seeds)
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def opaque(*seeds: str | bytes) -> str:
    """Give 256 letters of base64 that mean nothing, determined by the seeds."""
    secret = hexadecimal(64, "opaque", *seeds).encode()
    return b64encode(hashlib.shake_256(secret).digest(192)).decode()
