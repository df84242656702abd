"""What images are called in messages for people, and what of an address or an error may be shown."""

from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import llm


def web_address(attachment: llm.Attachment) -> str | None:
    """Give the address that stands for an attachment; a file, bytes or a data URL have none."""
    url = attachment.url
    if not url or attachment.content or attachment.path or url[:5].lower() == "data:":
        return None
    return url


def is_web_address(value: str) -> bool:
    """Tell an http or https address from a path."""
    return value.lower().startswith(("http://", "https://"))


def shown_address(url: str) -> str:
    """Write an address without what may be secret in it: user, password and query."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "An address that is none"
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, "..." if parts.query else "", ""))


def shown_reason(error: Exception) -> str:
    """Say why a connection failed, in the words of httpx2, without a stop.

    The bytes that it shows beside them are left out: they may be of a picture, or the key, echoed.
    """
    return str(error).partition(": bytearray(")[0].rstrip(".")


def image_name(attachment: llm.Attachment) -> str:
    """Name an attachment for the user: its path, its address, or what else is known."""
    if attachment.path and not attachment.content:
        return str(attachment.path)
    if address := web_address(attachment):
        return shown_address(address)
    return "The image without a file name (from standard input or bytes)"


def short_name(attachment: llm.Attachment) -> str:
    """Name an attachment where several are listed, or where xAI reads it: without folders."""
    if attachment.path and not attachment.content:
        return Path(attachment.path).name
    address = web_address(attachment)
    return shown_address(address) if address else "an image without a file name"
