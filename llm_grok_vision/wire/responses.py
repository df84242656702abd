"""POST /v1/responses: the body of a request; its answer is read in `responses_answer`.

The wire for xAI's own tools, and for reasoning that is sent back. Nothing is stored at
xAI: LLM keeps the conversation, and sends it whole.

The fake reads the same format with code of its own, on purpose, in
`fake_server.wire.responses`.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

import llm
from llm.parts import (
    AttachmentPart,
    Message,
    Part,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)

from ..errors import UnsupportedOption
from .content import content_of
from .reading import an_object

PATH = "/responses"

# DOC OPENAPI, of `include`: "Supported values include `reasoning.encrypted_content`".
ENCRYPTED = "reasoning.encrypted_content"

# LLM's options that have another name on this wire.
_RENAMED = {"max_tokens": "max_output_tokens"}

# DOC OPENAPI: ModelRequest has neither `seed` nor `stop`, and says of both penalties
# "(NOT SUPPORTED in Responses API)".
UNKNOWN_OPTIONS = ("seed", "stop", "frequency_penalty", "presence_penalty")

Item = dict[str, Any]


def sends(part: Part) -> bool:
    """Tell whether this wire carries a part: reasoning and xAI's tools only as xAI wrote them."""
    if isinstance(part, TextPart):
        return bool(part.text)
    if isinstance(part, ReasoningPart):
        return carries_reasoning(part)
    if isinstance(part, ToolCallPart) and part.server_executed:
        return "item" in _metadata(part)
    if isinstance(part, ToolResultPart):
        return not part.server_executed
    return not isinstance(part, AttachmentPart) or part.attachment is not None


def carries_reasoning(part: Part) -> bool:
    """Tell whether a part is reasoning that xAI encrypted, to have it back."""
    return isinstance(part, ReasoningPart) and "encrypted_content" in _metadata(part)


def request_body(
    model: str,
    messages: list[Message],
    *,
    image_url: Callable[[llm.Attachment], str],
    options: dict[str, Any],
    tools: list[llm.Tool],
    schema: dict[str, Any] | None,
    stream: bool,
) -> dict[str, Any]:
    """Build the body; `options` are the values that the user gave, by LLM's names.

    Raises UnsupportedOption for one that this endpoint does not take.
    """
    detail = options.get("image_detail")
    body: dict[str, Any] = {
        "model": model,
        "input": [
            item
            for message in messages
            for item in _items(message, lambda image: _image_part(image_url(image), detail))
        ],
        **_parameters(options),
    }
    if tools:
        body["tools"] = [_function(tool) for tool in tools]
    if schema:
        body["text"] = {"format": {"type": "json_schema", "name": "output", "schema": schema}}
    return {**body, "store": False, "include": [ENCRYPTED], "stream": stream}


def _parameters(options: dict[str, Any]) -> dict[str, Any]:
    for name in UNKNOWN_OPTIONS:
        if name in options:
            raise UnsupportedOption(
                f"xAI's Responses API, where this prompt has to go, takes no {name}; leave it out."
            )
    parameters = {
        _RENAMED.get(option, option): value
        for option, value in options.items()
        if option not in ("image_detail", "reasoning_effort")
    }
    if effort := options.get("reasoning_effort"):
        parameters["reasoning"] = {"effort": effort}
    return parameters


def _items(message: Message, image_part: Callable[[llm.Attachment], Item]) -> Iterator[Item]:
    if message.role == "assistant":
        for part in message.parts:
            if isinstance(part, AttachmentPart) and part.attachment:
                yield {"role": "assistant", "content": [image_part(part.attachment)]}
            elif item := _output_item(part):
                yield item
        return
    if message.role == "tool":
        for part in message.parts:
            if isinstance(part, ToolResultPart):
                output = {"call_id": part.tool_call_id, "output": part.output}
                yield {"type": "function_call_output", **output}
        return
    yield {"role": message.role, "content": content_of(message, "input_text", image_part)}


def _output_item(part: Part) -> Item | None:
    """Give back a part of an answer, as the item that it came from."""
    if isinstance(part, TextPart):
        return {"role": "assistant", "content": part.text}
    if isinstance(part, ReasoningPart):
        summary = [{"type": "summary_text", "text": part.text}] if part.text else []
        return {"type": "reasoning", "summary": summary, **_metadata(part)}
    if isinstance(part, ToolCallPart) and part.server_executed:
        return an_object(_metadata(part).get("item"))
    if isinstance(part, ToolCallPart):
        return {
            "type": "function_call",
            "call_id": part.tool_call_id,
            "name": part.name,
            "arguments": json.dumps(part.arguments),
        }
    return None


def _metadata(part: Part) -> dict[str, Any]:
    """Give what xAI, and no other provider, wants back with a part."""
    return an_object(an_object(getattr(part, "provider_metadata", None)).get("xai"))


def _image_part(url: str, detail: str | None) -> Item:
    part = {"type": "input_image", "image_url": url}
    if detail:
        part["detail"] = detail
    return part


def _function(tool: llm.Tool) -> Item:
    return {
        "type": "function",
        "name": tool.name,
        "description": tool.description or "",
        "parameters": tool.input_schema,
    }
