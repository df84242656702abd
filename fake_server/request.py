"""A question to the service, whichever wire format asked it."""

from typing import Any, Literal

import msgspec
from msgspec.structs import replace

from llm_grok_vision.limits import IMAGE_DETAILS


class TextPart(msgspec.Struct, frozen=True, tag=True, tag_field="kind"):
    """A piece of text in a message."""

    text: str


class ImagePart(msgspec.Struct, frozen=True, tag=True, tag_field="kind"):
    """An image in a message: a data URL or a web address, and the detail asked for."""

    url: str
    detail: str = "auto"


class FilePart(msgspec.Struct, frozen=True, tag=True, tag_field="kind"):
    """An image that was uploaded before, by the id of its file."""

    file_id: str
    detail: str = "auto"


class UnknownPart(msgspec.Struct, frozen=True, tag=True, tag_field="kind"):
    """A part of a type that the service does not take."""

    type: str


Part = TextPart | ImagePart | FilePart | UnknownPart


class Message(msgspec.Struct, frozen=True):
    """A message with its parts in the author's order.

    `has_bad_arguments` is said of calls of tools whose arguments are no JSON object.
    """

    role: str
    parts: tuple[Part, ...]
    has_tool_calls: bool = False
    has_bad_arguments: bool = False


def spoken(role: str, text: str) -> tuple[Part, ...]:
    """Give the parts of a message whose content is a plain text."""
    # A tool's empty result, and the "" beside tool calls, are content like any other.
    return (TextPart(text),) if text or role != "user" else ()


class Tool(msgspec.Struct, frozen=True):
    """A function the model may call; `parameters` is a JSON schema."""

    name: str
    parameters: dict[str, Any] = {}


class ChatRequest(msgspec.Struct, frozen=True):
    """What is asked of a model.

    `parameters` are the settings that were given, by their wire names. `tool_choice` is
    "", "none", "auto", "required" or the name of a function. `schema` is the JSON schema
    the answer has to follow, if any; `seed` makes ids, and is the request's own bytes.
    `server_tools` are the types of tools that run at xAI. `endpoint` is who was asked:
    some refuse the same thing in other words. `previous` is the id of the stored answer
    that this goes on from, `store` whether this answer is stored in turn, and `echo` what
    of the request its wire format needs to show it again. `is_served` is False where the
    server was told not to have the model.
    """

    model: str
    messages: tuple[Message, ...]
    parameters: dict[str, Any]
    seed: bytes
    tools: tuple[Tool, ...] = ()
    tool_choice: str = ""
    schema: dict[str, Any] | None = None
    deferred: bool = False
    stream: bool = False
    server_tools: tuple[str, ...] = ()
    endpoint: Literal["chat", "responses"] = "chat"
    previous: str = ""
    store: bool = False
    echo: Any = None
    is_served: bool = True

    @property
    def has_choice(self) -> bool:
        """Whether `tool_choice` names something that there is."""
        words = ("", "none", "auto", "required")
        return self.tool_choice in words or self.tool_choice in [tool.name for tool in self.tools]

    @property
    def parts(self) -> list[Part]:
        """All parts of all messages, in order."""
        return [part for message in self.messages for part in message.parts]

    @property
    def has_only_texts(self) -> bool:
        """Whether there is nothing but texts in any message."""
        return all(isinstance(part, TextPart) for part in self.parts)

    @property
    def images(self) -> list[ImagePart | FilePart]:
        """All images of all messages, in order."""
        return [
            part
            for message in self.messages
            for part in message.parts
            if isinstance(part, (ImagePart, FilePart))
        ]

    @property
    def unknown_parts(self) -> list[UnknownPart]:
        """All parts of types that the service does not take, in order."""
        return [
            part
            for message in self.messages
            for part in message.parts
            if isinstance(part, UnknownPart)
        ]


def with_known_words(request: ChatRequest) -> ChatRequest:
    """Read a detail and a choice of tools that there is not as `auto`."""
    return replace(
        request,
        tool_choice=request.tool_choice if request.has_choice else "auto",
        messages=tuple(
            replace(message, parts=tuple(map(_with_known_detail, message.parts)))
            for message in request.messages
        ),
    )


def _with_known_detail(part: Part) -> Part:
    if isinstance(part, (ImagePart, FilePart)) and part.detail not in IMAGE_DETAILS:
        return replace(part, detail="auto")
    return part
