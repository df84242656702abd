"""The content of a message, as both wire formats write it: a string, or parts in order."""

from collections.abc import Callable
from typing import Any

import llm
from llm.parts import AttachmentPart, Message, TextPart

Content = str | list[dict[str, Any]]


def content_of(
    message: Message, text_type: str, image_part: Callable[[llm.Attachment], dict[str, Any]]
) -> Content:
    """Give a string for a text alone, else the parts in the author's order."""
    if _is_text(message):
        return "".join(part.text for part in message.parts if isinstance(part, TextPart))
    content: list[dict[str, Any]] = []
    for part in message.parts:
        if isinstance(part, TextPart):
            content.append({"type": text_type, "text": part.text})
        elif isinstance(part, AttachmentPart) and part.attachment:
            content.append(image_part(part.attachment))
    return content


def _is_text(message: Message) -> bool:
    """Tell a message that is one text; several texts of the user stay apart, as images do."""
    if any(isinstance(part, AttachmentPart) for part in message.parts):
        return False
    return message.role != "user" or sum(isinstance(part, TextPart) for part in message.parts) < 2
