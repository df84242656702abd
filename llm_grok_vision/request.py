"""The body of a request: a prompt, checked, its images prepared, in the words of a wire format."""

from typing import Any, cast

import llm
from llm.models import Prompt, _partition_tools
from llm.parts import ReasoningPart

from .capabilities import check_options
from .catalogue import CatalogueModel
from .errors import EmptyPrompt
from .known import known_models
from .messages import turns_to_send
from .options import LOCAL_OPTIONS
from .past_images import images_of_this_turn, keep_newest, prepared
from .prepare import Preparation, image_url
from .sending import Sending
from .wire.choice import Wire


def request_body(
    model: llm.KeyModel | llm.AsyncKeyModel,
    known: CatalogueModel,
    wire: Wire,
    prompt: Prompt,
    sending: Sending,
    *,
    stream: bool,
) -> dict[str, Any]:
    """Build the body; reads image files, and converts or refuses what xAI would refuse.

    `model` is LLM's, which tools are asked with; `known` is what xAI says of it.
    Raises the GrokErrors that are the user's: of options, of images, of nothing to send.
    """
    options = prompt.options.model_dump(exclude_none=True)
    check_options(known, options, known_models)
    preparation = Preparation(
        mode=options.get("image_prepare", "auto"),
        accounting=known.accounting,
        detail=options.get("image_detail"),
        inline=sending.inline,
    )
    turns = turns_to_send(
        prompt,
        lambda part: (
            wire.sends(part) and (sending.with_reasoning or not isinstance(part, ReasoningPart))
        ),
    )
    if not turns.past and not turns.present:
        raise EmptyPrompt("There is nothing to send: give a prompt or an image.")
    news = images_of_this_turn(turns.present)

    def url_of(image: llm.Attachment) -> str:
        is_news = any(image is new for new in news)
        return image_url(image, preparation._replace(is_news=is_news))

    past = keep_newest(turns.past, sending.past_images)
    tools, server_tools = _partition_tools(model, prompt.tools)
    body = wire.request_body(
        known.name,
        [*prepared(past, url_of, skip_lost=sending.skip_lost), *turns.present],
        image_url=url_of,
        options={name: value for name, value in options.items() if name not in LOCAL_OPTIONS},
        tools=tools,
        schema=cast("dict[str, Any] | None", prompt.schema),
        stream=stream,
    )
    if server_tools:
        specs = [tool.tool_spec(model) for tool in server_tools]
        body["tools"] = [*body.get("tools", ()), *specs]
    for tool in server_tools:
        tool.prepare_request(model, body)
    return body
