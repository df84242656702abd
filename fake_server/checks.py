"""What is wrong with a request, before any image is looked at: one small function a row.

Each gives the blanks of its row in `refusals`, or None if the request passes. They run
in the order of CHECKS, which is the order of the rows.
"""

from collections.abc import Callable, Iterator
from typing import cast

from llm_grok_vision.limits import (
    IMAGE_DETAILS,
    MAX_PENALTY,
    MAX_STOP_SEQUENCES,
    MAX_TEMPERATURE,
    MAX_TOOLS,
    MAX_TOP_P,
)

from .catalogue import Model, find, get
from .identity import uuid
from .refusals import refuse
from .request import ChatRequest, TextPart

Blanks = dict[str, object]

TEAM = uuid("team")

# The names by which the service refuses a parameter differ from those that it takes.
_REFUSED_AS = {
    "presence_penalty": "presencePenalty",
    "reasoning_effort": "reasoningEffort",
}

# DOC docs.x.ai/developers/model-capabilities/text/reasoning, and OBSERVED 2026-08-18 in
# theopenco/llmgateway #3669: minimal.
_EFFORTS = (None, "none", "minimal", "low", "medium", "high", "xhigh")

# ASSUMED: OPENAPI has "minimum":1 and no end; OpenAI's own end is 128. Some end there has
# to be, or one request keeps the server busy for good.
_MOST_CHOICES = 128

_LIVE_SEARCH = frozenset({"search_parameters", "web_search_options"})

MOST_TOKENS = ("max_tokens", "max_completion_tokens", "max_output_tokens")

_RANGES: tuple[tuple[str, float, float, str], ...] = (
    ("temperature", 0, MAX_TEMPERATURE, f"between 0 and {MAX_TEMPERATURE:g}"),
    (
        "frequency_penalty",
        -MAX_PENALTY,
        MAX_PENALTY,
        f"between -{MAX_PENALTY:g} and {MAX_PENALTY:g}",
    ),
    (
        "presence_penalty",
        -MAX_PENALTY,
        MAX_PENALTY,
        f"between -{MAX_PENALTY:g} and {MAX_PENALTY:g}",
    ),
    ("top_p", 1e-9, MAX_TOP_P, f"above 0 and at most {MAX_TOP_P:g}"),
    ("n", 1, _MOST_CHOICES, f"between 1 and {_MOST_CHOICES}"),
)


_NO_TEXT = TextPart("")


Checks = dict[str, Callable[[ChatRequest], Blanks | None]]


def check(request: ChatRequest) -> Model:
    """Find the model that answers this request, or raise the ApiError that it earns."""
    for checks in _needed(request):
        for name, blanks_of in checks.items():
            blanks = blanks_of(request)
            if blanks is not None:
                raise refuse(name, **blanks)
    return get(request.model)


def _needed(request: ChatRequest) -> Iterator[Checks]:
    """Give the checks that a request may fail: most have little in them that could be wrong."""
    yield _OF_ALL
    model = find(request.model)
    if not (request.is_served and model and model.answers_chats):
        yield _OF_MODELS
    if request.parameters or request.tools or request.server_tools or request.tool_choice:
        yield _OF_SETTINGS
    yield _OF_MESSAGES
    if not request.has_only_texts:
        yield _OF_PARTS


def _no_messages(request: ChatRequest) -> Blanks | None:
    return None if request.messages else {}


def _stream_and_deferred(request: ChatRequest) -> Blanks | None:
    return {} if request.stream and request.deferred else None


def _unknown_model(request: ChatRequest) -> Blanks | None:
    if _has_model(request) or request.endpoint == "responses":
        return None
    return {"model": request.model, "team": TEAM}


def _model_not_found(request: ChatRequest) -> Blanks | None:
    return None if _has_model(request) else {"model": request.model}


def _has_model(request: ChatRequest) -> bool:
    return request.is_served and find(request.model) is not None


def _retired_model(request: ChatRequest) -> Blanks | None:
    retired = get(request.model).retired
    return {"model": request.model, "on": retired.on, "use": retired.use} if retired else None


def _image_model(request: ChatRequest) -> Blanks | None:
    return {"model": request.model} if get(request.model).kind == "image" else None


def _live_search(request: ChatRequest) -> Blanks | None:
    return {} if not _LIVE_SEARCH.isdisjoint(request.parameters) else None


def _unsupported_argument(request: ChatRequest) -> Blanks | None:
    given = request.parameters
    if request.previous and "instructions" in given:
        return {"argument": "instructions and previous_response_id together"}
    if request.endpoint == "responses" and "max_tokens" in given:
        return {"argument": "max_tokens, use max_output_tokens instead"}
    if "web_search_call.results" in given.get("include", ()):
        return {"argument": '"web_search_call.results" in "include"'}
    return {"argument": "background"} if given.get("background") else None


def _unsupported_parameter(request: ChatRequest) -> Blanks | None:
    given = request.parameters
    for parameter in get(request.model).refuses if given else ():
        if parameter in given:
            return {"parameter": _REFUSED_AS.get(parameter, parameter)}
        if parameter == "reasoning_effort" and "effort" in given.get("reasoning", ()):
            return {"parameter": "reasoning.effort"}
    return None


def _unknown_effort(request: ChatRequest) -> Blanks | None:
    return None if _effort(request) in _EFFORTS else {}


def _unsupported_effort(request: ChatRequest) -> Blanks | None:
    """DISPUTED of xhigh, and OBSERVED of minimal: others than the documented ones are taken."""
    efforts = get(request.model).reasoning_efforts
    is_refused = efforts and "none" not in efforts and _effort(request) == "none"
    return {"effort": "none"} if is_refused else None


def _effort(request: ChatRequest) -> str | None:
    given = request.parameters
    if "reasoning" in given:
        return cast("str | None", given["reasoning"].get("effort"))
    return given.get("reasoning_effort")


def _no_tokens(request: ChatRequest) -> Blanks | None:
    for parameter in MOST_TOKENS:
        value = request.parameters.get(parameter)
        if value is not None and value < 1:
            return {"parameter": parameter, "value": value}
    return None


def _parameter_out_of_range(request: ChatRequest) -> Blanks | None:
    given = request.parameters
    for parameter, low, high, words in _RANGES if given else ():
        value = given.get(parameter)
        if value is not None and not low <= value <= high:
            return {"parameter": parameter, "range": words}
    if len(given.get("stop", ())) > MAX_STOP_SEQUENCES:
        return {"parameter": "stop", "range": f"at most {MAX_STOP_SEQUENCES} sequences"}
    if len(request.tools) + len(request.server_tools) > MAX_TOOLS:
        return {"parameter": "tools", "range": f"at most {MAX_TOOLS} functions"}
    return None


def _tool_choice_without_tools(request: ChatRequest) -> Blanks | None:
    return {} if request.tool_choice and not request.tools + request.server_tools else None


def _unknown_tool(request: ChatRequest) -> Blanks | None:
    return None if request.has_choice else {"tool": request.tool_choice}


def _no_content(request: ChatRequest) -> Blanks | None:
    for message in request.messages:
        if not message.parts and not message.has_tool_calls:
            return {}
    return None


def _bad_arguments(request: ChatRequest) -> Blanks | None:
    for message in request.messages:
        if message.has_bad_arguments:
            return {}
    return None


def _empty_text(request: ChatRequest) -> Blanks | None:
    for message in request.messages:
        if message.role == "user" and _NO_TEXT in message.parts:
            return {}
    return None


def _misplaced_image(request: ChatRequest) -> Blanks | None:
    for part in request.unknown_parts:
        if part.type in ("image_url", "input_image"):
            return {}
    return None


def _unknown_part(request: ChatRequest) -> Blanks | None:
    unknown = request.unknown_parts
    return {"type": unknown[0].type} if unknown else None


def _text_only_model(request: ChatRequest) -> Blanks | None:
    return {} if not get(request.model).reads_images and request.images else None


def _unknown_detail(request: ChatRequest) -> Blanks | None:
    for image in request.images:
        if image.detail not in IMAGE_DETAILS:
            return {"details": ", ".join(IMAGE_DETAILS), "detail": image.detail}
    return None


_OF_ALL: Checks = {
    "no messages": _no_messages,
    "stream and deferred": _stream_and_deferred,
}
_OF_MODELS: Checks = {
    "unknown model": _unknown_model,
    "model not found": _model_not_found,
    "retired model": _retired_model,
    "image model": _image_model,
}
_OF_SETTINGS: Checks = {
    "live search": _live_search,
    "unsupported argument": _unsupported_argument,
    "unsupported parameter": _unsupported_parameter,
    "unknown effort": _unknown_effort,
    "unsupported effort": _unsupported_effort,
    "no tokens": _no_tokens,
    "parameter out of range": _parameter_out_of_range,
    "tool_choice without tools": _tool_choice_without_tools,
    "unknown tool": _unknown_tool,
}
_OF_MESSAGES: Checks = {
    "no content": _no_content,
    "bad tool arguments": _bad_arguments,
    "empty text": _empty_text,
}
_OF_PARTS: Checks = {
    "misplaced image": _misplaced_image,
    "unknown part": _unknown_part,
    "text-only model": _text_only_model,
    "unknown detail": _unknown_detail,
}
CHECKS: Checks = _OF_ALL | _OF_MODELS | _OF_SETTINGS | _OF_MESSAGES | _OF_PARTS
