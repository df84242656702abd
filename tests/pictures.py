"""Pictures for the tests, made by Pillow: a stranger to both halves."""

import base64
import io
import zlib
from functools import cache

from PIL import Image


@cache
def picture(width: int, height: int, kind: str = "PNG", mode: str = "RGB") -> bytes:
    """Encode a plain picture of this size."""
    out = io.BytesIO()
    Image.new(mode, (width, height)).save(out, kind)
    return out.getvalue()


def png_of_bytes(size: int) -> bytes:
    """Make a sound PNG of exactly so many bytes, with a long comment in it."""
    plain = picture(64, 64, "PNG")
    body = b"tEXt" + b"x" * (size - len(plain) - 12)
    chunk = (len(body) - 4).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big")
    return plain[:33] + chunk + plain[33:]


def data_url(data: bytes, media_type: str = "image/png") -> str:
    """Write an image as the data URL that the guide shows."""
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"
