"""Pictures in the formats that people have, from the encoders that make them."""

import io
from typing import Any

import pillow_heif
from PIL import Image, ImageDraw

from llm_grok_vision.prepare import Preparation, prepare

RED, BLUE = (220, 20, 20), (20, 20, 220)

# Our name of each format, Pillow's, and the ending of its files.
FORMATS = {
    "WebP": ("WEBP", "webp"),
    "GIF": ("GIF", "gif"),
    "BMP": ("BMP", "bmp"),
    "TIFF": ("TIFF", "tif"),
    "ICO": ("ICO", "ico"),
    "HEIC": ("HEIF", "heic"),
    "AVIF": ("AVIF", "avif"),
    "JPEG 2000": ("JPEG2000", "jp2"),
    "JPEG": ("JPEG", "jpg"),
    "PNG": ("PNG", "png"),
}


def two_colours(width: int = 96, height: int = 64, mode: str = "RGB") -> Image.Image:
    """Draw a picture whose left half is red and whose right half is blue."""
    image = Image.new("RGB", (width, height), RED)
    ImageDraw.Draw(image).rectangle((width // 2, 0, width, height), fill=BLUE)
    return image.convert(mode)


def half_clear(width: int = 96, height: int = 64) -> Image.Image:
    """Draw the same with nothing in its lower half."""
    image = two_colours(width, height, "RGBA")
    image.paste((0, 0, 0, 0), (0, height // 2, width, height))
    return image


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    """Encode a picture in one of FORMATS."""
    out = io.BytesIO()
    if kind == "ICO":
        options.setdefault("sizes", [image.size])
    if kind == "HEIC":
        pillow_heif.from_pillow(image).save(out, **options)
    else:
        image.save(out, FORMATS[kind][0], **options)
    return out.getvalue()


def sent(data: bytes, mode: str = "auto", **model: Any) -> Image.Image:
    """Give what is sent of an image, decoded."""
    image = Image.open(io.BytesIO(prepare(data, "any", Preparation(mode, **model)).data))
    image.load()
    return image


def is_about(pixel: Any, colour: tuple[int, ...]) -> bool:
    """Tell whether a pixel has a colour, as far as JPEG keeps it."""
    return all(abs(one - other) < 40 for one, other in zip(pixel, colour, strict=True))
