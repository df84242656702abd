"""An answer that is there already, given to LLM as if it had just been asked for."""

from collections.abc import Iterator
from typing import Any, ClassVar

import llm
from llm.parts import StreamEvent

from ..boilerplate import BOILERPLATE
from ..options import GrokOptions
from ..recording import recorded
from ..wire.chat_completions import Completion


class Answered(llm.Model):
    """A model that answers with the JSON of a chat completion.

    LLM then counts and logs as it would have. Reading the answer raises the ApiError or the
    ConnectionFailed that a completion which is none, or not whole, is.
    """

    supports_schema = True
    json_replacements: ClassVar[dict[str, Any]] = BOILERPLATE
    Options = GrokOptions

    def __init__(self, model_id: str, completion: str) -> None:
        self.model_id = model_id
        self._completion = completion

    def _validate_attachments(self, attachments: list[llm.Attachment] | None = None) -> None:
        """Read no file: the image was sent long ago, and may be gone."""

    def execute(
        self,
        prompt: llm.Prompt,  # noqa: ARG002 (it was answered)
        stream: bool,  # noqa: ARG002
        response: llm.Response,
        conversation: llm.Conversation | None,  # noqa: ARG002
    ) -> Iterator[StreamEvent]:
        """Give the answer's events."""
        with recorded(response, Completion()) as completion:
            yield from completion.feed(self._completion)
            yield from completion.finish()
