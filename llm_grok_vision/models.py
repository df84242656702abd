"""The models as LLM sees them: what each can do, and the two `execute`s.

Importing this costs every `llm` command, so what is only needed to run a prompt is
imported when one runs.
"""

from collections.abc import AsyncGenerator, Iterator
from typing import TYPE_CHECKING, Any, ClassVar, cast

import llm
from llm.models import Conversation, Prompt, Response
from llm.parts import StreamEvent

from .boilerplate import BOILERPLATE
from .options import GrokOptions

if TYPE_CHECKING:
    from .catalogue import CatalogueModel
    from .connection import Call
    from .sending import Attempts, Sending
    from .wire.choice import Wire


class _Shared:
    """What the sync and the async model have in common."""

    needs_key: str | None = "xai"
    key_env_var: str | None = "XAI_API_KEY"
    can_stream = True
    supports_tools = True
    supports_schema = True
    json_replacements: ClassVar[dict[str, Any]] = BOILERPLATE
    attachment_types: set[str] | frozenset[str] = frozenset({"image/png", "image/jpeg"})
    model_id: str
    key: str | None

    def __init__(self, known: "CatalogueModel") -> None:
        self.known = known
        self.name = known.name
        self.model_id = f"xai/{known.name}"

    def __str__(self) -> str:
        return f"xAI: {self.model_id}"

    def _validate_attachments(self, attachments: list[llm.Attachment] | None = None) -> None:
        """Leave it to `prepare`, which reads the bytes and can name the file.

        LLM's own check believes the declared type, and misses `messages=` and tools.
        """

    def get_key(self, explicit_key: str | None = None) -> str:
        """Find the key as LLM does, under `xai` or as llm-grok stored it, under `grok`."""
        from .settings import find_key

        return find_key(explicit_key, self.key).value

    @property
    def supported_server_side_tools(self) -> tuple[type[llm.ServerSideTool], ...]:
        """The tools that run on xAI's side."""
        from .server_tools import SERVER_TOOLS

        return SERVER_TOOLS

    def wire(self, prompt: Prompt) -> "Wire":
        """Choose the endpoint that this prompt goes to."""
        from .wire.choice import choose

        forced = cast("GrokOptions", prompt.options).responses
        return choose(prompt, forced=forced, responses_only=self.known.responses_only)

    def request_body(
        self, wire: "Wire", prompt: Prompt, sending: "Sending", *, stream: bool
    ) -> dict[str, Any]:
        """Build the body of a request; reads image files, and may download."""
        from .request import request_body

        model = cast("GrokVision | AsyncGrokVision", self)
        return request_body(model, self.known, wire, prompt, sending, stream=stream)

    def _attempts(self, wire: "Wire", prompt: Prompt, stream: bool, key: str | None) -> "Attempts":
        """Give the calls to make for a prompt."""
        import json

        from .connection import Call
        from .sending import Attempts
        from .settings import api_base

        def build(sending: "Sending") -> "Call":
            body = self.request_body(wire, prompt, sending, stream=stream)
            return Call(api_base() + wire.path, str(key), json.dumps(body).encode())

        return Attempts(prompt, wire.sends, build)


class GrokVision(_Shared, llm.KeyModel):
    """One of xAI's vision models."""

    Options = GrokOptions

    def execute(
        self,
        prompt: Prompt,
        stream: bool,
        response: Response,
        conversation: Conversation | None,  # noqa: ARG002 (LLM passes it; prompt.messages has it all)
        key: str | None,
    ) -> Iterator[StreamEvent]:
        """Send the prompt and yield the answer's events."""
        from .recording import recorded
        from .transport import Answer

        wire = self.wire(prompt)
        with recorded(response, wire.reader(key)) as completion:
            attempts = self._attempts(wire, prompt, stream, key)
            answering = Answer(attempts.first(), completion.begins, attempts.after)
            with completion.may_break_at_its_end(), answering as answer:
                for data in answer:
                    yield from completion.feed(data)
                    if completion.done:
                        break
            yield from completion.finish()


class AsyncGrokVision(_Shared, llm.AsyncKeyModel):
    """One of xAI's vision models, for asyncio."""

    Options = GrokOptions

    async def execute(
        self,
        prompt: Prompt,
        stream: bool,
        response: Any,
        conversation: Any,  # noqa: ARG002 (as above)
        key: str | None,
    ) -> AsyncGenerator[StreamEvent, None]:
        """Send the prompt and yield the answer's events."""
        import asyncio

        from .recording import recorded
        from .transport import AsyncAnswer

        wire = self.wire(prompt)
        with recorded(response, wire.reader(key)) as completion:
            attempts = self._attempts(wire, prompt, stream, key)
            call = await asyncio.to_thread(attempts.first)
            with completion.may_break_at_its_end():
                async with AsyncAnswer(call, completion.begins, attempts.after) as answer:
                    async for data in answer:
                        for event in completion.feed(data):
                            yield event
                        if completion.done:
                            break
            for event in completion.finish():
                yield event
