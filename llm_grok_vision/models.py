"""The models as LLM sees them: what each can do, its options, and the two `execute`s.

Importing this costs every `llm` command, so what is only needed to run a prompt is
imported when one runs.
"""

import os
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, cast

import llm
from llm.models import Conversation, Prompt, Response, _BaseResponse
from llm.parts import StreamEvent
from pydantic import Field, field_validator

from .limits import MAX_PENALTY, MAX_STOP_SEQUENCES, MAX_TEMPERATURE, MAX_TOP_P

if TYPE_CHECKING:
    from .sending import Attempts, Sending
    from .transport import Call
    from .wire.chat_completions import Completion

DEFAULT_API_BASE = "https://api.x.ai/v1"


class GrokOptions(llm.KeyModel.Options):
    """What a request may set; nothing has a default, so nothing is sent unasked."""

    image_detail: Literal["auto", "low", "high"] | None = Field(
        default=None,
        description="How closely images are looked at: auto, low (fewer tokens) or high",
    )
    image_urls: Literal["auto", "pass", "inline"] | None = Field(
        default=None,
        description="Who fetches web addresses: xAI (pass), this machine (inline), or auto, "
        "which is xAI first and this machine when xAI could not use what it got",
    )
    past_images: int | None = Field(
        default=None,
        ge=0,
        description="How many images of earlier turns are sent again, the newest ones (all)",
    )
    skip_lost_images: bool | None = Field(
        default=None,
        description="Go on without images of earlier turns that are gone, damaged or refused",
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
    attachment_types: set[str] | frozenset[str] = frozenset({"image/png", "image/jpeg"})
    model_id: str
    key: str | None

    def __init__(self, name: str) -> None:
        self.name = name
        self.model_id = f"xai/{name}"

    def __str__(self) -> str:
        return f"xAI: {self.model_id}"

    def _validate_attachments(self, attachments: list[llm.Attachment] | None = None) -> None:
        """Leave it to `prepare`, which reads the bytes and can name the file.

        LLM's own check believes the declared type, and misses `messages=` and tools.
        """

    def get_key(self, explicit_key: str | None = None) -> str:
        """Find the key as LLM does, under `xai` or as llm-grok stored it, under `grok`."""
        from .errors import InvalidSetting, NoKeyError

        try:
            key = (
                self.key
                or llm.get_key(input=explicit_key, alias="xai")
                or llm.get_key(alias="grok", env=self.key_env_var)
                or ""
            ).strip()
        except (ValueError, TypeError, AttributeError, OSError):
            raise InvalidSetting(
                f"{llm.user_dir() / 'keys.json'} does not hold keys as LLM stores them;"
                " mend it or set the key again."
            ) from None
        if not key:
            raise NoKeyError(
                "No key for xAI was found: add one with 'llm keys set xai',"
                f" or set {self.key_env_var}. Keys come from https://console.x.ai."
            )
        if not key.isascii() or not key.isprintable():
            raise InvalidSetting(
                "The key for xAI holds characters that no key has; copy it again from"
                " https://console.x.ai and store it with 'llm keys set xai'."
            )
        return key

    def _attempts(self, prompt: Prompt, stream: bool, key: str | None) -> "Attempts":
        """Give the calls to make for a prompt."""
        from .sending import Attempts

        return Attempts(prompt, lambda sending: self._call(prompt, stream, str(key), sending))

    def _call(self, prompt: Prompt, stream: bool, key: str, sending: "Sending") -> "Call":
        """Build the request. Reads image files, and refuses what xAI would refuse."""
        import json

        from .errors import EmptyPrompt
        from .messages import turns_to_send
        from .past_images import keep_newest, prepared
        from .prepare import image_url
        from .transport import Call
        from .wire.chat_completions import PATH, request_body

        turns = turns_to_send(prompt)
        if not turns.past and not turns.present:
            raise EmptyPrompt("There is nothing to send: give a prompt or an image.")
        url_of = partial(image_url, inline=sending.inline)
        past = keep_newest(turns.past, sending.past_images)
        base = (os.environ.get("XAI_API_BASE") or DEFAULT_API_BASE).strip().rstrip("/")
        body = request_body(
            self.name,
            [*prepared(past, url_of, skip_lost=sending.skip_lost), *turns.present],
            image_url=url_of,
            options=prompt.options.model_dump(exclude_none=True),
            tools=[tool for tool in prompt.tools if isinstance(tool, llm.Tool)],
            schema=cast("dict[str, Any] | None", prompt.schema),
            stream=stream,
        )
        return Call(base + PATH, key, json.dumps(body).encode())


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

        with _recorded(response, key) as completion:
            attempts = self._attempts(prompt, stream, key)
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

        from .transport import AsyncAnswer

        with _recorded(response, key) as completion:
            attempts = self._attempts(prompt, stream, key)
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


@contextmanager
def _recorded(response: _BaseResponse, key: str | None) -> "Iterator[Completion]":
    """Collect an answer, and tell LLM what it was when it is complete."""
    import logging

    from .errors import GrokError
    from .wire.chat_completions import Completion

    completion = Completion(key)
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
    if completion.finish_reason == "length":
        logging.getLogger("llm_grok_vision").warning(
            "The answer was cut off at the most tokens allowed; -o max_tokens sets how many."
        )
