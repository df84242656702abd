"""Make an image that xAI takes out of one that it does not, with Pillow.

Pillow is imported with this module, so import it when an image needs it. Nothing global
of Pillow's is changed: threads may convert side by side. What a file holds besides the
picture (place, camera, thumbnails, comments) stays behind.
"""

import io
import math
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import Any, NamedTuple, cast

from PIL import Image, ImageCms, ImageFile, ImageOps

from .errors import DamagedImage, ImageError, ImageTooLarge, UnsupportedImage
from .images import image_kind, unsupported, with_article
from .limits import MAX_IMAGE_BYTES, MAX_IMAGE_PIXELS
from .scaling import Fits, largest, within

# These formats and no others: Pillow has readers that start programs, or are seldom tried.
_READERS = {
    "PNG": ("PIL.PngImagePlugin", "PngImageFile"),
    "JPEG": ("PIL.JpegImagePlugin", "JpegImageFile"),
    "WebP": ("PIL.WebPImagePlugin", "WebPImageFile"),
    "GIF": ("PIL.GifImagePlugin", "GifImageFile"),
    "BMP": ("PIL.BmpImagePlugin", "BmpImageFile"),
    "TIFF": ("PIL.TiffImagePlugin", "TiffImageFile"),
    "ICO": ("PIL.IcoImagePlugin", "IcoImageFile"),
    "AVIF": ("PIL.AvifImagePlugin", "AvifImageFile"),
    "JPEG 2000": ("PIL.Jpeg2KImagePlugin", "Jpeg2KImageFile"),
    "HEIC": ("pillow_heif", "HeifImageFile"),
}

# 16384x16384. At four bytes each, what is decoded takes 1 GiB at most.
_MOST_DECODED_PIXELS = 2**28

_TOO_MANY = "more than can be decoded and scaled down here. Scale it down first."

_JPEG_QUALITIES = (90, 80, 65)
_MAX_JPEG_SIDE = 65_500


class Converted(NamedTuple):
    """An image to send, and in a few words what it was and is."""

    data: bytes
    change: str


def convert(data: bytes, name: str, fits: Fits, *, shrinks: bool = False) -> Converted:
    """Encode an image as JPEG, or as PNG if parts of it are transparent, so that it fits.

    Of several pictures the first is taken; rotation and colour profiles are applied. One
    that `shrinks` was good as it is: a PNG stays one, and bytes are saved if they can be.
    Raises an ImageError that names the file.
    """
    kind = image_kind(data)
    with _opened(data, name, kind) as image:
        was = f"{kind} of {image.width}x{image.height} pixels ({len(data):,} bytes)"
        # Not how many there are: to count those of a TIFF takes their square.
        if getattr(image, "is_animated", False):
            was += ", the first of its pictures"
        picture = _decoded(image, fits)
    wanted = len(data) - 1 if shrinks else MAX_IMAGE_BYTES
    is_png = picture.mode == "RGBA" or (shrinks and kind == "PNG")
    picture, encoded, made = _within_bytes(picture, wanted, is_png=is_png)
    now = f"{made} of {picture.width}x{picture.height} pixels ({len(encoded):,} bytes)"
    return Converted(encoded, f"{was}, converted to {now}")


def decode(data: bytes, name: str) -> Image.Image:
    """Decode an image as it is counted, not turned as EXIF says: in RGB, on white where it is transparent."""
    with _opened(data, name, image_kind(data)) as image:
        image.load()
        picture = _in_rgb(_scalable(image))
    if picture.mode == "RGBA":
        white = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(white, picture)
    return picture.convert("RGB")


@contextmanager
def _opened(data: bytes, name: str, kind: str) -> Iterator[ImageFile.ImageFile]:
    """Open an image whose header promises no more pixels than may be decoded."""
    reader = _reader(data, name, kind)
    try:
        # Not with Image.open, whose own limit of pixels is one for the whole program.
        with reader(io.BytesIO(data)) as image:
            _check_not_too_large(image, name)
            yield image
    except ImageError:
        raise
    except (Image.DecompressionBombError, MemoryError) as error:
        raise ImageTooLarge(name, f"has many pixels, {_TOO_MANY}") from error
    except Exception as error:
        # A decoder in a damaged file raises whatever it stumbles over.
        raise DamagedImage(
            name,
            f"begins like {with_article(kind)} and cannot be read here: the file is damaged, or"
            " uses what Pillow does not know. Make it anew, as PNG or JPEG.",
        ) from error


def _check_not_too_large(image: ImageFile.ImageFile, name: str) -> None:
    # A JPEG is decoded at half its size if need be; a progressive one is held whole for it.
    halves = image.format == "JPEG" and "progressive" not in image.info
    if image.width * image.height > _MOST_DECODED_PIXELS * (4 if halves else 1):
        raise ImageTooLarge(name, f"is {image.width}x{image.height} pixels, {_TOO_MANY}")


def _reader(data: bytes, name: str, kind: str) -> Any:
    if kind not in _READERS:
        raise unsupported(data, name)
    module, reader = _READERS[kind]
    try:
        return getattr(import_module(module), reader)
    except ImportError as error:
        raise UnsupportedImage(
            name,
            f"is a {kind}; xAI takes PNG and JPEG. To have it converted, install pillow-heif"
            " where LLM is: llm install pillow-heif",
        ) from error


def _decoded(image: ImageFile.ImageFile, fits: Fits) -> Image.Image:
    """Decode an image into RGB or RGBA of a size that fits, with nothing besides its pixels."""
    if image.format == "JPEG":
        _scale_while_decoding(image, *largest(*image.size, fits))
    image.load()
    with suppress(Exception):
        # What damaged EXIF data say of rotation is no reason to refuse the picture.
        ImageOps.exif_transpose(image, in_place=True)
    picture = _scalable(image)
    if picture.width * picture.height > MAX_IMAGE_PIXELS:
        # As a JPEG is halved while it is decoded: to scale it finely would take gigabytes.
        picture = picture.reduce(2)
    size = largest(*picture.size, fits)
    if size != picture.size:
        picture = picture.resize(size, Image.Resampling.LANCZOS)
    return _in_rgb(picture)


def _scale_while_decoding(image: ImageFile.ImageFile, width: int, height: int) -> None:
    """Let the decoder skip what is scaled away, down to twice the size that is wanted."""
    part = 2 if image.width * image.height > MAX_IMAGE_PIXELS else 1
    image.draft(None, (min(2 * width, image.width // part), min(2 * height, image.height // part)))


def _scalable(image: Image.Image) -> Image.Image:
    """Give an image whose values can be averaged, at 8 bits each."""
    if image.mode in ("L", "LA", "RGB", "RGBA", "CMYK") and "transparency" not in image.info:
        return image
    if image.mode.startswith("I;16"):
        return image.convert("I").point(lambda value: value * (255 / 65535)).convert("L")
    if image.mode in ("I", "F"):
        # No format says which value is white here: the brightest that there is.
        low, high = cast("tuple[float, float]", image.getextrema())
        if not math.isfinite(high - low):
            raise ValueError("infinite, or no numbers")
        scale = 255 / ((high - low) or 1)
        return image.convert("F").point(lambda value: value * scale - low * scale).convert("L")
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


def _in_rgb(image: Image.Image) -> Image.Image:
    """Bring colours to sRGB; leave out transparency that nothing makes use of, and all but pixels."""
    mode = "RGB"
    if image.mode in ("LA", "RGBA"):
        is_transparent = any(image.getchannel("A").histogram()[:255])
        mode = "RGBA" if is_transparent else "RGB"
        image = image.convert(mode)
    if profile := image.info.get("icc_profile"):
        with suppress(ImageCms.PyCMSError, OSError, TypeError, ValueError):
            # A damaged profile, or one for another kind of image, is left out.
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            srgb = ImageCms.createProfile("sRGB")
            image = ImageCms.profileToProfile(image, source, srgb, outputMode=mode) or image
    image = image if image.mode == mode else image.convert(mode)
    # Pillow's encoders write some of this into the new file: comments, colour profiles.
    image.info.clear()
    return image


def _within_bytes(
    image: Image.Image, wanted: int, *, is_png: bool
) -> tuple[Image.Image, bytes, str]:
    """Encode an image in so many bytes if quality allows, and in what xAI takes at any rate."""
    while True:
        for encoded, made in _encodings(image, is_png=is_png):
            if len(encoded) <= wanted:
                return image, encoded, made
        most = int(image.width * image.height * 0.9 * MAX_IMAGE_BYTES / len(encoded))
        size = largest(*image.size, within(most))
        if size == image.size:
            return image, encoded, made
        image = image.resize(size, Image.Resampling.LANCZOS)


def _encodings(image: Image.Image, *, is_png: bool) -> Iterator[tuple[bytes, str]]:
    """Give encodings of an image, the best first."""
    if is_png or max(image.size) > _MAX_JPEG_SIDE:
        yield _saved(image, "PNG"), "PNG"
        return
    for quality in _JPEG_QUALITIES:
        # Text in colour suffers from subsampling more than from anything else.
        yield _saved(image, "JPEG", quality=quality, subsampling=0), "JPEG"


def _saved(image: Image.Image, kind: str, **options: int) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()
