"""The options of a prompt, as LLM checks and lists them.

Importing this costs every `llm` command.
"""

from typing import Any, Literal

import llm
from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_core import PydanticCustomError

from .limits import MAX_PENALTY, MAX_STOP_SEQUENCES, MAX_TEMPERATURE, MAX_TOP_P

# By these names xAI, or llm-grok, had it.
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

# Options that say what this plugin does, and are no parameters of a request.
LOCAL_OPTIONS = frozenset(
    ("image_prepare", "image_urls", "past_images", "responses", "skip_lost_images")
)


class GrokOptions(llm.KeyModel.Options):
    """What a request may set; nothing has a default, so nothing is sent unasked."""

    image_detail: Literal["auto", "low", "high"] | None = Field(
        default=None,
        description="How closely images are looked at: auto, low (fewer tokens) or high",
    )
    image_prepare: Literal["auto", "strict", "shrink"] | None = Field(
        default=None,
        description=(
            "What may be done to images: auto (convert what xAI would refuse),"
            " strict (nothing) or shrink (also send no more pixels than are read)"
        ),
    )
    image_urls: Literal["auto", "pass", "inline"] | None = Field(
        default=None,
        description=(
            "Who fetches web addresses: xAI (pass), this machine (inline), or auto,"
            " which is xAI first and this machine when xAI could not use what it got"
        ),
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
        default=None, ge=1, description="Most tokens to answer with; reasoning is not counted"
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
