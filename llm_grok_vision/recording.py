"""What LLM is told of an answer: its model, usage and tool calls, and what stderr has to say."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from llm.models import _BaseResponse

from .errors import GrokError
from .terminal import is_terminal
from .wire.reading import AnswerReader

_logger = logging.getLogger("llm_grok_vision")

# That an answer was cut off: for who asks about many images, and says of which it was.
CUT = "llm_grok_vision.cut"

_AT_MOST = " at the most tokens allowed; -o max_tokens sets how many"


@contextmanager
def recorded(response: _BaseResponse, answer: AnswerReader) -> Iterator[AnswerReader]:
    """Collect an answer, and tell LLM what it was when it is complete."""
    try:
        yield answer
    except GrokError as error:
        error.partial_text = answer.text
        raise
    for call in answer.tool_calls:
        response.add_tool_call(call)
    if answer.model:
        response.set_resolved_model(answer.model)
    if usage := answer.usage():
        response.set_usage(**usage)
    response.response_json = answer.as_json()
    _remark(answer)


def _remark(answer: AnswerReader) -> None:
    """Say on stderr what the answer's text does not."""
    if reason := answer.cut_by:
        # On a terminal, the answer's last words stand on the line that this would go on.
        start = "\n" if answer.text and is_terminal(sys.stdout) else ""
        why = _AT_MOST if reason == "length" else f": {reason}"
        logging.getLogger(CUT).warning("%sThe answer was cut off%s.", start, why)
    unnamed = [url for url in answer.citations if url not in answer.text]
    if unnamed:
        _logger.warning("Sources:\n%s", "\n".join(unnamed))
