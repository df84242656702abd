"""Which of xAI's endpoints a prompt goes to: /v1/chat/completions, unless it needs the other."""

from collections.abc import Callable
from typing import Any, NamedTuple

import llm
from llm.models import Prompt
from llm.parts import Part

from . import chat_completions, responses
from .chat_completions import Completion
from .reading import AnswerReader
from .responses_answer import ModelResponse


class Wire(NamedTuple):
    """An endpoint: its path, how a request is written for it, and who reads the answer."""

    path: str
    sends: Callable[[Part], bool]
    request_body: Callable[..., dict[str, Any]]
    reader: type[AnswerReader]


CHAT_COMPLETIONS = Wire(
    chat_completions.PATH, chat_completions.sends, chat_completions.request_body, Completion
)
RESPONSES = Wire(responses.PATH, responses.sends, responses.request_body, ModelResponse)


def choose(prompt: Prompt, *, forced: bool | None, responses_only: bool) -> Wire:
    """Choose for a prompt; `forced` is what the user said, `responses_only` what the model is.

    DOC docs.x.ai: xAI's own tools are offered on the Responses API. DOC OPENAPI: so is
    encrypted reasoning, by the parameter `include`; a conversation that holds some stays
    there, unless an option is given that the Responses API does not take.
    """
    runs_tools = any(isinstance(tool, llm.ServerSideTool) for tool in prompt.tools)
    if runs_tools or responses_only:
        return RESPONSES
    if forced is None:
        forced = _holds_reasoning(prompt) and not _has_unknown_option(prompt)
    return RESPONSES if forced else CHAT_COMPLETIONS


def _holds_reasoning(prompt: Prompt) -> bool:
    parts = (part for message in prompt.messages for part in message.parts)
    return any(map(responses.carries_reasoning, parts))


def _has_unknown_option(prompt: Prompt) -> bool:
    options = prompt.options.model_dump(exclude_none=True)
    return any(name in options for name in responses.UNKNOWN_OPTIONS)
