"""From LLM's attachments to the `url` of an `image_url` part.

This is the one module that reads image files. A web address is passed on as it is:
xAI fetches it. Anything else becomes a data URL, once it is known that xAI takes it.
"""

import base64
from pathlib import Path

import llm

from .errors import ImageNotReadable
from .images import check_bytes, inspect


def image_url(attachment: llm.Attachment) -> str:
    """Give the address or the data URL that stands for this attachment.

    Raises an ImageError that names the file, for what xAI would refuse.
    """
    if attachment.url and not attachment.content and not attachment.path:
        return attachment.url
    name = image_name(attachment)
    data = read_image(attachment, name)
    media_type = inspect(data, name).media_type
    return f"data:{media_type};base64,{base64.b64encode(data).decode('ascii')}"


def image_name(attachment: llm.Attachment) -> str:
    """Name an attachment for the user: its path, its address, or what else is known."""
    if attachment.path and not attachment.content:
        return str(attachment.path)
    return "The image without a file name (from standard input or bytes)"


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
