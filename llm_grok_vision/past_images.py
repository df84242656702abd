"""Images of earlier turns: how many are sent again, and what stands where one is left out.

The messages given are new ones; those handed in, and their attachments, are not changed.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

import llm
from llm.parts import AttachmentPart, Message, Part, TextPart

from .errors import ImageError
from .names import short_name

_logger = logging.getLogger("llm_grok_vision")


def images_of(messages: Iterable[Message]) -> Iterator[llm.Attachment]:
    """Give the images of messages, oldest first."""
    for message in messages:
        for part in message.parts:
            if isinstance(part, AttachmentPart) and part.attachment:
                yield part.attachment


def images_of_this_turn(messages: Iterable[Message]) -> list[llm.Attachment]:
    """Give the images since the last answer: the others were in an earlier request."""
    since: list[Message] = []
    for message in messages:
        since = [message] if message.role == "assistant" else [*since, message]
    return list(images_of(since))


def keep_newest(messages: list[Message], count: int | None) -> list[Message]:
    """Leave out all images but the newest `count`; None keeps them all."""
    surplus = 0 if count is None else sum(1 for _ in images_of(messages)) - count
    seen = iter(range(max(surplus, 0)))

    def part_for(image: llm.Attachment) -> Part:
        return AttachmentPart(image) if next(seen, None) is None else _left_out(image)

    return _with_parts(messages, part_for)


def prepared(
    messages: list[Message], image_url: Callable[[llm.Attachment], str], *, skip_lost: bool
) -> list[Message]:
    """Put into the place of each image the address or data URL that is sent for it.

    An image that cannot be sent raises its ImageError, with what to do about it; with
    `skip_lost` it is left out, and the error is a line on standard error.
    """

    def part_for(image: llm.Attachment) -> Part:
        try:
            return AttachmentPart(llm.Attachment(url=image_url(image)))
        except ImageError as error:
            if not skip_lost:
                error.add_advice(
                    "It is of an earlier turn; '-o skip_lost_images 1' goes on without it."
                )
                raise
            _logger.warning("Left out: %s", error)
            return _left_out(image)

    return _with_parts(messages, part_for)


def _left_out(image: llm.Attachment) -> TextPart:
    return TextPart(text=f"[image left out: {short_name(image)}]")


def _with_parts(
    messages: list[Message], part_for: Callable[[llm.Attachment], Part]
) -> list[Message]:
    return [
        replace(
            message,
            parts=[
                part_for(part.attachment)
                if isinstance(part, AttachmentPart) and part.attachment
                else part
                for part in message.parts
            ],
        )
        for message in messages
    ]
