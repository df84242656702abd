"""From LLM's attachments to the `url` of an `image_url` part.

This is the one module that reads image files. A web address is passed on for xAI to
fetch, unless it is to be downloaded here. Anything else becomes a data URL, once it is
known that xAI takes it.
"""

import base64
from pathlib import Path

import llm

from .errors import ImageNotReadable
from .images import check_bytes, inspect
from .names import image_name, web_address


def image_url(attachment: llm.Attachment, *, inline: bool = False) -> str:
    """Give the address or the data URL that stands for this attachment.

    With `inline`, a web address is downloaded and becomes a data URL too. Raises an
    ImageError that names the file or the address, for what xAI would refuse.
    """
    name = image_name(attachment)
    if address := web_address(attachment):
        if not inline:
            return address
        from .download import download

        return data_url(download(address), name)
    if attachment.url and not attachment.content and not attachment.path:
        return attachment.url
    return data_url(read_image(attachment, name), name)


def data_url(data: bytes, name: str) -> str:
    """Write an image as a data URL; `name` stands for it in errors.

    Raises an ImageError for what xAI would refuse.
    """
    media_type = inspect(data, name).media_type
    return f"data:{media_type};base64,{base64.b64encode(data).decode('ascii')}"


def read_image(attachment: llm.Attachment, name: str) -> bytes:
    """Read the bytes of an attachment that is a file, or holds them; raises an ImageError."""
    if attachment.content or not attachment.path:
        return attachment.content or b""
    path = Path(attachment.path)
    try:
        check_bytes(path.stat().st_size, name)
        return path.read_bytes()
    except (OSError, ValueError) as error:
        # ValueError: no path can hold a NUL.
        reason = getattr(error, "strerror", None) or str(error)
        raise ImageNotReadable(name, f"could not be read: {reason}.") from error
