"""The models as LLM sees them: what each can do, and the two `execute`s.

Importing this costs every `llm` command, so what is only needed to run a prompt is
imported when one runs.
"""

from collections.abc import AsyncGenerator, Callable, Iterator
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, cast

import llm
from llm.models import Conversation, Prompt, Response
from llm.parts import StreamEvent

from .boilerplate import BOILERPLATE

if TYPE_CHECKING:
    from .catalogue import CatalogueModel
    from .connection import Call
    from .errors import ApiError
    from .options import GrokOptions
    from .sending import Sending
    from .wire.choice import Wire
    from .wire.reading import AnswerReader


class Begun(NamedTuple):
    """Who reads the answer, the first request, and what gives another after a refusal."""

    reader: "AnswerReader"
    call: "Call"
    otherwise: "Callable[[ApiError], Call]"


class _LazyOptions:
    """The class of options, made when it is asked for: that takes as long as all the rest."""

    def __get__(self, model: object, owner: type) -> "type[GrokOptions]":
        from .options import GrokOptions

        return GrokOptions


class _Shared:
    """What the sync and the async model have in common."""

    needs_key: str | None = "xai"
    key_env_var: str | None = "XAI_API_KEY"
    can_stream = True
    supports_tools = True
    supports_schema = True
    json_replacements: ClassVar[dict[str, Any]] = BOILERPLATE
    # xAI takes the first two; the others are converted.
    attachment_types: set[str] | frozenset[str] = frozenset(
        (
            "image/png",
            "image/jpeg",
            "image/avif",
            "image/bmp",
            "image/gif",
            "image/heic",
            "image/heif",
            "image/jp2",
            "image/tiff",
            "image/webp",
            "image/x-icon",
            "image/x-ms-bmp",
        )
    )
    model_id: str
    key: str | None

    def __init__(self, known: "CatalogueModel") -> None:
        self.known = known
        self.name = known.name
        self.model_id = f"xai/{known.name}"
        self._refused_addresses: set[str] = set()

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

    def _begin(self, prompt: Prompt, stream: bool, key: str | None) -> "Begun":
        """Do all that comes before the first request, and may take a while.

        Imports, reads certificates and image files, and may download.
        """
        from .body import Body
        from .connection import Call, read_certificates
        from .sending import Attempts
        from .settings import api_base

        wire = self.wire(prompt)

        def build(sending: "Sending") -> "Call":
            body = self.request_body(wire, prompt, sending, stream=stream)
            return Call(api_base() + wire.path, str(key), Body(body))

        attempts = Attempts(prompt, wire.sends, self._refused_addresses, build)
        call = attempts.first()
        read_certificates()
        return Begun(wire.reader(key), call, attempts.after)


class GrokVision(_Shared, llm.KeyModel):
    """One of xAI's vision models."""

    Options = _LazyOptions()

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

        reader, call, otherwise = self._begin(prompt, stream, key)
        with recorded(response, reader):
            answering = Answer(call, reader.begins, otherwise)
            with reader.may_break_at_its_end(), answering as answer:
                for data in answer:
                    yield from reader.feed(data)
                    if reader.done:
                        break
            yield from reader.finish()


class AsyncGrokVision(_Shared, llm.AsyncKeyModel):
    """One of xAI's vision models, for asyncio."""

    Options = _LazyOptions()

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

        begun = await asyncio.to_thread(self._begin, prompt, stream, key)
        from .recording import recorded
        from .transport import AsyncAnswer

        reader, call, otherwise = begun
        with recorded(response, reader):
            with reader.may_break_at_its_end():
                async with AsyncAnswer(call, reader.begins, otherwise) as answer:
                    async for data in answer:
                        for event in reader.feed(data):
                            yield event
                        if reader.done:
                            break
            for event in reader.finish():
                yield event
