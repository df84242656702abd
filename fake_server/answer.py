"""What the fake says when no script tells it: what it saw, so that a test can assert on it."""

from typing import Any

import msgspec

from .identity import uuid
from .instance import instance
from .journal import LoggedImage
from .refusals import refuse
from .request import ChatRequest, Tool
from .scenario import Reply

# Most requests of a load test have no image: their answer is checked once.
_SAW_NONE = Reply("The fake server saw no image.")


def answer(request: ChatRequest, images: list[LoggedImage]) -> Reply:
    """Answer a request by itself: JSON by schema, a call where one is required, or words."""
    # OBSERVED 2026-09-02, as lm15 notes it: a schema beside a tool that is required gets no call.
    if request.schema is not None:
        return Reply(_json_for(request.schema))
    if tool := _required_tool(request):
        return Reply(tool_calls=((tool.name, _json_for(tool.parameters)),))
    return Reply(describe(images)) if images else _SAW_NONE


def _json_for(schema: dict[str, Any]) -> str:
    try:
        return msgspec.json.encode(instance(schema)).decode()
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
        # Somewhere in the schema stands a number for a list, or null for a name, or the like.
        raise refuse("bad schema") from None


def describe(images: list[LoggedImage]) -> str:
    """Say how many images came, and what each of them is and costs."""
    count = "1 image" if len(images) == 1 else f"{len(images)} images"
    sentences = [f"The fake server saw {count}."]
    sentences += [f"Image {number}: {_one(image)}." for number, image in enumerate(images, 1)]
    return " ".join(sentences)


def tool_call_id(request: ChatRequest, index: int) -> str:
    """Give the id of a call, in the form of the newest recordings: call-<uuid>-<index>."""
    return f"call-{uuid('call', request.seed)}-{index}"


def server_tool_call_id(request: ChatRequest, index: int) -> str:
    """Give the id of a call of a tool that runs at xAI, in the same form."""
    return f"call-{uuid('server call', request.seed)}-{index}"


def _one(image: LoggedImage) -> str:
    placeholder = f" (a placeholder for {image.url})" if image.source == "placeholder" else ""
    count, kind = (image.patches, "patch") if image.patches else (image.tiles, "tile")
    pieces = f"{count} {kind}" if count == 1 else f"{count} {kind}{'es' if image.patches else 's'}"
    return (
        f"{image.format}, {image.width}x{image.height} pixels, {image.size:,} bytes,"
        f" detail {image.detail}, {pieces}, {image.tokens} tokens{placeholder}"
    )


def _required_tool(request: ChatRequest) -> Tool | None:
    """Find the tool that has to be called; a choice that names none means the first."""
    if request.tool_choice in ("", "none", "auto") or not request.tools:
        return None
    named = (tool for tool in request.tools if tool.name == request.tool_choice)
    return next(named, request.tools[0])
