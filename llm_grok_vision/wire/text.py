"""Which messages go over the wire as a string: a rule of both wire formats."""

from llm.parts import AttachmentPart, Message, TextPart


def is_text(message: Message) -> bool:
    """Tell a message that is one text; several texts of the user stay apart, as images do."""
    if any(isinstance(part, AttachmentPart) for part in message.parts):
        return False
    return message.role != "user" or sum(isinstance(part, TextPart) for part in message.parts) < 2
