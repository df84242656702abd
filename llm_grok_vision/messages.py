"""What is sent of a prompt, as LLM's own messages: the rules that no wire format changes.

`prompt.messages` is the whole conversation up to this turn, whichever way the user
came (arguments, `messages=`, a conversation, `-c`, a chain of tools, a reply). Three
things are left to do: where the system prompt stands, that images returned by tools
follow the results, and that nothing empty is sent.
"""

from collections.abc import Callable, Iterable, Iterator

import llm
from llm.models import Prompt
from llm.parts import AttachmentPart, Message, Part, TextPart, ToolResultPart


def messages_to_send(prompt: Prompt, sends: Callable[[Part], bool]) -> list[Message]:
    """Give the messages of this turn, in the author's order; none of LLM's is changed.

    `sends` tells which parts the wire format carries.
    """
    messages = list(prompt.messages)
    if prompt.system:
        # messages= leaves system= out of the list, and `llm -c -s` leaves the old one in.
        if messages and messages[0].role == "system":
            del messages[0]
        messages.insert(0, Message(role="system", parts=[TextPart(text=prompt.system)]))
    kept = ((message.role, [*filter(sends, message.parts)]) for message in messages)
    return list(_with_tool_images([Message(role, parts) for role, parts in kept if parts]))


def images_of_this_turn(messages: Iterable[Message]) -> list[llm.Attachment]:
    """Give the images since the last answer: the others were in an earlier request."""
    images: list[llm.Attachment] = []
    for message in messages:
        if message.role == "assistant":
            images = []
        images += [
            part.attachment
            for part in message.parts
            if isinstance(part, AttachmentPart) and part.attachment
        ]
    return images


def _with_tool_images(messages: list[Message]) -> Iterator[Message]:
    """Move images out of tool messages, into a user message behind the last result."""
    waiting: list[Part] = []
    for message in messages:
        if message.role != "tool" and waiting:
            yield Message(role="user", parts=waiting)
            waiting = []
        yield message
        for part in message.parts:
            if isinstance(part, ToolResultPart):
                waiting += [AttachmentPart(attachment=image) for image in part.attachments]
            elif message.role == "tool" and isinstance(part, AttachmentPart):
                waiting.append(part)
    if waiting:
        yield Message(role="user", parts=waiting)
