"""The models as LLM sees them: what each can do, its options, and the two `execute`s.

Importing this costs every `llm` command, so what is only needed to run a prompt is
imported when one runs.
"""

from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar, Literal, cast

import llm
from llm.models import Conversation, Prompt, Response, _BaseResponse
from llm.parts import StreamEvent
from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_core import PydanticCustomError

from .boilerplate import BOILERPLATE
from .limits import MAX_PENALTY, MAX_STOP_SEQUENCES, MAX_TEMPERATURE, MAX_TOP_P

if TYPE_CHECKING:
    from .catalogue import CatalogueModel
    from .transport import Call
    from .wire.choice import Wire
    from .wire.reading import AnswerReader

LIVE_SEARCH_OPTIONS = frozenset(
    (
        "excluded_x_handles",
        "included_x_handles",
        "max_search_results",
        "post_favorite_count",
        "post_view_count",
        "return_citations",
        "search_from_date",
        "search_mode",
        "search_parameters",
        "search_sources",
        "search_to_date",
    )
)


class GrokOptions(llm.KeyModel.Options):
    """What a request may set; nothing has a default, so nothing is sent unasked."""

    image_detail: Literal["auto", "low", "high"] | None = Field(
        default=None,
        description="How closely images are looked at: auto, low (fewer tokens) or high",
    )
    temperature: float | None = Field(
        default=None,
        ge=0,
        le=MAX_TEMPERATURE,
        description=f"From 0 (most likely words) to {MAX_TEMPERATURE:g} (most varied)",
    )
    top_p: float | None = Field(
        default=None,
        gt=0,
        le=MAX_TOP_P,
        description="Consider only the likeliest words that add up to this probability",
    )
    max_tokens: int | None = Field(
        default=None, ge=1, description="Most tokens to answer with, reasoning included"
    )
    seed: int | None = Field(default=None, description="Ask for the same answer each time")
    stop: list[str] | None = Field(
        default=None,
        description=f"End the answer before this text; a JSON list for up to {MAX_STOP_SEQUENCES}",
    )
    frequency_penalty: float | None = Field(
        default=None,
        ge=-MAX_PENALTY,
        le=MAX_PENALTY,
        description=f"Avoid words the more often they came: -{MAX_PENALTY:g} to {MAX_PENALTY:g}",
    )
    presence_penalty: float | None = Field(
        default=None,
        ge=-MAX_PENALTY,
        le=MAX_PENALTY,
        description=f"Avoid words that already came: -{MAX_PENALTY:g} to {MAX_PENALTY:g}",
    )
    reasoning_effort: str | None = Field(
        default=None,
        description="How long to think: none, low, medium, high or xhigh, as the model allows",
    )
    user: str | None = Field(default=None, description="A name for your end user, for xAI")
    responses: bool | None = Field(
        default=None,
        description="1: ask /v1/responses, as xAI's own tools do by themselves; 0: only if needed",
    )

    @model_validator(mode="before")
    @classmethod
    def _live_search_is_gone(cls, values: Any) -> Any:
        """Say what replaced live search, by the names that xAI or llm-grok had for it."""
        for name in LIVE_SEARCH_OPTIONS.intersection(values):
            gone = PydanticCustomError(
                "live_search",
                "xAI ended live search; its own tools replaced it: -T WebSearch, -T XSearch",
            )
            raise ValidationError.from_exception_data(
                cls.__name__, [{"type": gone, "loc": (name,), "input": values[name]}]
            )
        return values

    @field_validator("stop", mode="before")
    @classmethod
    def _stop_as_list(cls, value: Any) -> list[str] | None:
        """Take a text, a list, or on the command line a list written as JSON."""
        if isinstance(value, str):
            listed = _json_list(value)
            value = [value] if listed is None else listed
        if value is None:
            return None
        if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
            raise ValueError("stop takes a text or a list of texts")
        if not 1 <= len(value) <= MAX_STOP_SEQUENCES:
            raise ValueError(f"stop takes 1 to {MAX_STOP_SEQUENCES} texts, got {len(value)}")
        return value


def _json_list(text: str) -> list[Any] | None:
    import json

    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, list) else None


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

    def request_body(self, wire: "Wire", prompt: Prompt, *, stream: bool) -> dict[str, Any]:
        """Build the body of a request. Reads image files, and refuses what xAI would refuse."""
        from llm.models import _partition_tools

        from .capabilities import check_options
        from .errors import EmptyPrompt
        from .known import known_models
        from .messages import messages_to_send
        from .prepare import image_url

        messages = messages_to_send(prompt, wire.sends)
        if not messages:
            raise EmptyPrompt("There is nothing to send: give a prompt or an image.")
        options = prompt.options.model_dump(exclude_none=True, exclude={"responses"})
        check_options(self.known, options, known_models)
        tools, server_tools = _partition_tools(cast("Any", self), prompt.tools)
        body = wire.request_body(
            self.name,
            messages,
            image_url=image_url,
            options=options,
            tools=tools,
            schema=cast("dict[str, Any] | None", prompt.schema),
            stream=stream,
        )
        if server_tools:
            specs = [tool.tool_spec(self) for tool in server_tools]
            body["tools"] = [*body.get("tools", ()), *specs]
        for tool in server_tools:
            tool.prepare_request(self, body)
        return body

    def _call(self, wire: "Wire", prompt: Prompt, stream: bool, key: str) -> "Call":
        import json

        from .settings import api_base
        from .transport import Call

        body = self.request_body(wire, prompt, stream=stream)
        return Call(api_base() + wire.path, key, json.dumps(body).encode())


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
        from .transport import Answer

        wire = self.wire(prompt)
        with recorded(response, wire.reader(key)) as completion:
            call = self._call(wire, prompt, stream, str(key))
            with completion.may_break_at_its_end(), Answer(call, completion.begins) as answer:
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

        from .transport import AsyncAnswer

        wire = self.wire(prompt)
        with recorded(response, wire.reader(key)) as completion:
            call = await asyncio.to_thread(self._call, wire, prompt, stream, str(key))
            with completion.may_break_at_its_end():
                async with AsyncAnswer(call, completion.begins) as answer:
                    async for data in answer:
                        for event in completion.feed(data):
                            yield event
                        if completion.done:
                            break
            for event in completion.finish():
                yield event


@contextmanager
def recorded(response: _BaseResponse, completion: "AnswerReader") -> "Iterator[AnswerReader]":
    """Collect an answer, and tell LLM what it was when it is complete."""
    from .errors import GrokError

    try:
        yield completion
    except GrokError as error:
        error.partial_text = completion.text
        raise
    for call in completion.tool_calls:
        response.add_tool_call(call)
    if completion.model:
        response.set_resolved_model(completion.model)
    if usage := completion.usage():
        response.set_usage(**usage)
    response.response_json = completion.as_json()
    _remark(completion)


def _remark(completion: "AnswerReader") -> None:
    """Say on stderr what the answer's text does not."""
    import logging

    logger = logging.getLogger("llm_grok_vision")
    if completion.finish_reason == "length":
        logger.warning(
            "The answer was cut off at the most tokens allowed; -o max_tokens sets how many."
        )
    unnamed = [url for url in completion.citations if url not in completion.text]
    if unnamed:
        logger.warning("Sources:\n%s", "\n".join(unnamed))
