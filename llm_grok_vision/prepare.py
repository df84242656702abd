"""From LLM's attachments to the `url` of an `image_url` part.

This is the one module that reads image files. A web address is passed on for xAI to
fetch, unless it is to be downloaded here. Anything else becomes a data URL, once it is
known that xAI takes it, or has been made into something that it takes.
"""

import logging
import os
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import llm

from .body import DataUrl
from .errors import ImageNotReadable, ImageTooLarge, UnsupportedImage
from .images import ImageInfo, check_bytes, identify, inspect, inspect_file
from .limits import MAX_IMAGE_PIXELS
from .names import image_name, web_address
from .scaling import Fits, is_read, within

# Enough for any photo or scan, and little enough for the memory.
_MOST_BYTES_READ = 512 * 1024**2


class Preparation(NamedTuple):
    """What may be done to an image, and for whom.

    `mode` is the option image_prepare: "strict" sends the bytes as they are or refuses
    them, "auto" converts what xAI would refuse, "shrink" also scales down to what a
    model of this `accounting` reads at this `detail`. `is_news` is False for an image of
    an earlier turn: what was done to it has been said. With `inline`, what is behind a
    web address is downloaded.
    """

    mode: str = "auto"
    accounting: str = "patches"
    detail: str | None = None
    is_news: bool = True
    inline: bool = False

    @property
    def fits(self) -> Fits:
        """The rule for how large an image may be."""
        if self.mode == "shrink":
            return is_read(self.accounting, self.detail)
        return within(MAX_IMAGE_PIXELS)


class Prepared(NamedTuple):
    """The bytes that are sent, and what they are."""

    data: bytes
    info: ImageInfo


def image_url(attachment: llm.Attachment, preparation: Preparation) -> str:
    """Give the address or the data URL that stands for this attachment.

    Raises an ImageError that names the file or the address, for what xAI would refuse.
    """
    name = image_name(attachment)
    if address := web_address(attachment):
        if not preparation.inline:
            return address
        from .download import download

        return data_url(download(address), name, preparation)
    if attachment.url and not attachment.content and not attachment.path:
        return attachment.url
    if url := _as_it_is(attachment, name, preparation):
        return url
    return data_url(read_image(attachment, name, preparation), name, preparation)


def _as_it_is(attachment: llm.Attachment, name: str, preparation: Preparation) -> DataUrl | None:
    """Give a file that can be sent as it stands, without having read it into memory.

    None stands for one that may be converted, or that can't be read, and for what is no file.
    """
    if attachment.content or not attachment.path:
        return None
    path = Path(attachment.path)
    # Nobody may write to a pipe, and a device may have no end.
    if not path.is_file():
        return None
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            info = inspect_file(file, size, name)
    except (ImageTooLarge, UnsupportedImage, OSError, ValueError):
        return None
    fits = preparation.fits(info.width, info.height)
    return DataUrl(info.media_type, path, size, name) if fits else None


def data_url(data: bytes, name: str, preparation: Preparation) -> str:
    """Turn the bytes of an image, from wherever they came, into the data URL that is sent."""
    sent = prepare(data, name, preparation)
    return DataUrl(sent.info.media_type, sent.data, len(sent.data), name)


def prepare(data: bytes, name: str, preparation: Preparation) -> Prepared:
    """Leave an image as it is, or convert it and say so in the log; raises an ImageError.

    What xAI takes is only ever touched to scale it down, and never grows by it.
    """
    info = _info(data, name, preparation)
    if info and preparation.fits(info.width, info.height):
        return Prepared(data, info)
    from .convert import convert

    made, change = convert(data, name, preparation.fits, shrinks=info is not None)
    if info and len(made) >= len(data):
        return Prepared(data, info)
    sent = Prepared(made, inspect(made, name))
    level = logging.WARNING if preparation.is_news else logging.INFO
    logging.getLogger("llm_grok_vision").log(level, "%s: %s.", name, change)
    return sent


def _info(data: bytes, name: str, preparation: Preparation) -> ImageInfo | None:
    """Inspect an image; None stands for one that xAI would refuse and that may be converted."""
    try:
        return inspect(data, name)
    except (ImageTooLarge, UnsupportedImage):
        if preparation.mode == "strict":
            raise
    with suppress(UnsupportedImage):
        # Too many bytes were all that `inspect` looked at.
        identify(data, name)
    return None


def read_image(attachment: llm.Attachment, name: str, preparation: Preparation) -> bytes:
    """Read the bytes of an attachment that is a file, or holds them; raises an ImageError."""
    if attachment.content or not attachment.path:
        # Of a bytearray, which LLM takes too, a copy is sent.
        return bytes(attachment.content or b"")
    path = Path(attachment.path)
    try:
        size = path.stat().st_size
        if not (path.is_file() or path.is_dir()):
            raise ImageNotReadable(name, "is no file; an image can be piped in with -a -.")
        _check_bytes(size, name, preparation)
        return path.read_bytes()
    except (OSError, ValueError) as error:
        # ValueError: no path can hold a NUL.
        reason = getattr(error, "strerror", None) or str(error)
        raise ImageNotReadable(name, f"could not be read: {reason}.") from error


def _check_bytes(size: int, name: str, preparation: Preparation) -> None:
    if preparation.mode == "strict":
        check_bytes(size, name)
    elif size > _MOST_BYTES_READ:
        raise ImageTooLarge(
            name,
            f"has {size:,} bytes; {_MOST_BYTES_READ:,} can be read and converted at most."
            " Scale it down first.",
        )
