"""Ids that look random and are not: the same request gets the same ones."""

import hashlib
from base64 import b64encode
from itertools import pairwise


def hexadecimal(digits: int, *seeds: str | bytes) -> str:
    """Give so many hexadecimal digits, determined by the seeds."""
    digest = hashlib.blake2b(digest_size=32)
    for seed in seeds:
        data = seed.encode() if isinstance(seed, str) else seed
        digest.update(len(data).to_bytes(8, "big"))
        digest.update(data)
    return digest.hexdigest()[:digits]


def uuid(*seeds: str | bytes) -> str:
    """Give a UUID, determined by the seeds, in the form of xAI's: no fixed version digit."""
    digits = hexadecimal(32, "uuid", *seeds)
    cuts = (0, 8, 12, 16, 20, 32)
    return "-".join(digits[start:end] for start, end in pairwise(cuts))


def opaque(*seeds: str | bytes) -> str:
    """Give 256 letters of base64 that mean nothing, determined by the seeds."""
    secret = hexadecimal(64, "opaque", *seeds).encode()
    return b64encode(hashlib.shake_256(secret).digest(192)).decode()
