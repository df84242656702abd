"""What is sent of a prompt, as LLM's own messages: the rules that no wire format changes.

`prompt.messages` is the whole conversation up to this turn, whichever way the user
came (arguments, `messages=`, a conversation, `-c`, a chain of tools, a reply). Four
things are left to do: where the system prompt stands, what is of earlier turns, that
images returned by tools follow the results, and that nothing empty is sent.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from llm.models import Prompt
from llm.parts import AttachmentPart, Message, Part, TextPart, ToolResultPart


class Turns(NamedTuple):
    """What is sent: the earlier turns of a conversation, and the present one."""

    past: list[Message]
    present: list[Message]


def turns_to_send(prompt: Prompt, sends: Callable[[Part], bool]) -> Turns:
    """Give the messages of this prompt, in the author's order; none of LLM's is changed.

    `sends` tells which parts the wire format carries.
    """
    messages = list(prompt.messages)
    if prompt.system:
        # messages= leaves system= out of the list, and `llm -c -s` leaves the old one in.
        if messages and messages[0].role == "system":
            del messages[0]
        messages.insert(0, Message(role="system", parts=[TextPart(text=prompt.system)]))
    begin = _present_turn(messages)
    return Turns(_sendable(messages[:begin], sends), _sendable(messages[begin:], sends))


def _present_turn(messages: list[Message]) -> int:
    """Find where the last turn of the user begins: behind the answer to the one before.

    A chain of tools has answers of its own, which call the tools, inside of a turn.
    """
    asked = max((at for at in range(len(messages)) if _is_of_user(messages, at)), default=0)
    answered = (at for at in range(asked) if messages[at].role == "assistant")
    return max(answered, default=-1) + 1


def _is_of_user(messages: list[Message], at: int) -> bool:
    """Tell what the user says from images of tools, which LLM puts behind the results."""
    if messages[at].role != "user":
        return False
    behind_results = at > 0 and messages[at - 1].role == "tool"
    return not behind_results or not all(
        isinstance(part, AttachmentPart) for part in messages[at].parts
    )


def _sendable(messages: list[Message], sends: Callable[[Part], bool]) -> list[Message]:
    kept = ((message.role, [*filter(sends, message.parts)]) for message in messages)
    return list(_with_tool_images([Message(role, parts) for role, parts in kept if parts]))


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
