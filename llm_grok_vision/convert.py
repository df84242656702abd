"""Make an image that xAI takes out of one that it does not, with Pillow.

Pillow is imported with this module, so import it when an image needs it. Nothing global
of Pillow's is changed: threads may convert side by side. What a file holds besides the
picture (place, camera, thumbnails, comments) stays behind.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import Any, NamedTuple, cast

from PIL import Image, ImageCms, ImageFile, ImageOps

from .errors import DamagedImage, ImageError, ImageTooLarge, UnsupportedImage
from .images import check_not_too_small, image_kind, unsupported, with_article
from .limits import MAX_IMAGE_BYTES
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


def convert(data: bytes, name: str, fits: Fits) -> Converted:
    """Encode an image as JPEG, or as PNG if it was one or has transparent parts, so that it fits.

    Of several pictures the first is taken; rotation and colour profiles are applied.
    Raises an ImageError that names the file.
    """
    kind = image_kind(data)
    with _opened(data, name, kind) as image:
        was = f"{kind} of {image.width}x{image.height} pixels ({len(data):,} bytes)"
        if getattr(image, "n_frames", 1) > 1:
            was += ", the first of its pictures"
        picture = _decoded(image, fits)
    stays_png = kind == "PNG" and len(data) <= MAX_IMAGE_BYTES
    picture, encoded, made = _within_bytes(picture, stays_png=stays_png)
    now = f"{made} of {picture.width}x{picture.height} pixels ({len(encoded):,} bytes)"
    return Converted(encoded, f"{was}, converted to {now}")


@contextmanager
def _opened(data: bytes, name: str, kind: str) -> Iterator[ImageFile.ImageFile]:
    """Open an image whose header promises neither too few pixels nor too many to decode."""
    reader = _reader(data, name, kind)
    try:
        # Not with Image.open, whose own limit of pixels is one for the whole program.
        with reader(io.BytesIO(data)) as image:
            check_not_too_small(image.width, image.height, name)
            _check_not_too_large(image.width, image.height, name, kind)
            yield image
    except ImageError:
        raise
    except (Image.DecompressionBombError, MemoryError) as error:
        raise ImageTooLarge(name, f"has many pixels, {_TOO_MANY}") from error
    except Exception as error:
        # A decoder in a damaged file raises whatever it stumbles over.
        raise DamagedImage(
            name,
            f"begins like {with_article(kind)} and cannot be read to its end: the file is"
            " damaged. Make it anew, as PNG or JPEG.",
        ) from error


def _check_not_too_large(width: int, height: int, name: str, kind: str) -> None:
    # Of a JPEG, no more has to be decoded than is wanted.
    if kind != "JPEG" and width * height > _MOST_DECODED_PIXELS:
        raise ImageTooLarge(name, f"is {width}x{height} pixels, {_TOO_MANY}")


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
    size = largest(*picture.size, fits)
    if size != picture.size:
        picture = picture.resize(size, Image.Resampling.LANCZOS)
    picture = _in_rgb(picture)
    # Pillow's encoders write some of this into the new file: comments, colour profiles.
    picture.info.clear()
    return picture


def _scale_while_decoding(image: ImageFile.ImageFile, width: int, height: int) -> None:
    """Let the decoder skip what is scaled away, down to twice the size that is wanted."""
    pixels = image.width * image.height
    part = next(part for part in (1, 2, 4, 8) if pixels <= _MOST_DECODED_PIXELS * part**2)
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
        scale = 255 / ((high - low) or 1)
        return image.convert("F").point(lambda value: value * scale - low * scale).convert("L")
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


def _in_rgb(image: Image.Image) -> Image.Image:
    """Bring colours to sRGB, and leave out transparency that nothing makes use of."""
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
            converted = ImageCms.profileToProfile(image, source, srgb, outputMode=mode)
            return converted or image
    return image if image.mode == mode else image.convert(mode)


def _within_bytes(image: Image.Image, *, stays_png: bool) -> tuple[Image.Image, bytes, str]:
    """Encode an image in no more bytes than xAI takes; scale it down where that needs it."""
    while True:
        for encoded, made in _encodings(image, stays_png=stays_png):
            if len(encoded) <= MAX_IMAGE_BYTES:
                return image, encoded, made
        most = int(image.width * image.height * 0.9 * MAX_IMAGE_BYTES / len(encoded))
        size = largest(*image.size, within(most))
        if size == image.size:
            return image, encoded, made
        image = image.resize(size, Image.Resampling.LANCZOS)


def _encodings(image: Image.Image, *, stays_png: bool) -> Iterator[tuple[bytes, str]]:
    """Give encodings of an image, the best first."""
    is_jpeg = image.mode == "RGB" and max(image.size) <= _MAX_JPEG_SIDE
    if stays_png or not is_jpeg:
        yield _saved(image, "PNG"), "PNG"
    if is_jpeg:
        for quality in _JPEG_QUALITIES:
            # Text in colour suffers from subsampling more than from anything else.
            yield _saved(image, "JPEG", quality=quality, subsampling=0), "JPEG"


def _saved(image: Image.Image, kind: str, **options: int) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()
