"""How a prompt is sent, and what is tried next when xAI refuses an image or reasoning in it.

The rules are pure; building a call, which reads files and may download, is handed in.
"""

import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import llm
from llm.models import Prompt
from llm.parts import Part, ReasoningPart

from .errors import ApiError, ImageRefused, ReasoningRefused
from .messages import Turns, turns_to_send
from .names import short_name, web_address
from .past_images import images_of, keep_newest

if TYPE_CHECKING:
    from .connection import Call

_MOST_NAMES = 5

_logger = logging.getLogger("llm_grok_vision")


class Sending(NamedTuple):
    """Whether web addresses are downloaded here; what is sent of earlier turns.

    That is how many of their images, and whether reasoning that xAI encrypted.
    """

    inline: bool
    past_images: int | None
    skip_lost: bool
    with_reasoning: bool = True


class Attempts:
    """The calls for a prompt: the first, and others when xAI refuses an image or reasoning.

    `sends` tells which parts the wire format carries. `refused` are addresses that xAI
    could not use, and is added to: they are downloaded at once the next time. `build`
    makes a call; that reads files, and may download.
    """

    def __init__(
        self,
        prompt: Prompt,
        sends: Callable[[Part], bool],
        refused: set[str],
        build: "Callable[[Sending], Call]",
    ) -> None:
        self._turns = turns_to_send(prompt, sends)
        self._refused = refused
        self._build = build
        self._options = prompt.options.model_dump(exclude_none=True)
        was_refused = not refused.isdisjoint(_addresses(self._turns))
        self._sending = first_sending(self._options, was_refused=was_refused)

    def first(self) -> "Call":
        """Build the call that the options ask for."""
        return self._build(self._sending)

    def after(self, error: ApiError) -> "Call":
        """Build the call to make after a refusal, or raise it."""
        if isinstance(error, ReasoningRefused) and self._has_reasoning():
            self._sending = self._sending._replace(with_reasoning=False)
            _logger.warning("%s Asking again without the reasoning of earlier turns.", error.error)
            return self._build(self._sending)
        if not isinstance(error, ImageRefused):
            raise error
        found = next_sending(self._sending, self._options, self._turns)
        if found is None:
            if line := images_line(self._sending, self._turns):
                error.add_advice(line)
            raise error
        self._sending, remedy = found
        if self._sending.inline:
            self._refused.update(_addresses(self._turns))
        _logger.warning("%s %s", error.error, remedy)
        return self._build(self._sending)

    def _has_reasoning(self) -> bool:
        messages = [*self._turns.past, *self._turns.present]
        parts = (part for message in messages for part in message.parts)
        return self._sending.with_reasoning and any(isinstance(p, ReasoningPart) for p in parts)


def _addresses(turns: Turns) -> set[str]:
    images = images_of([*turns.past, *turns.present])
    return {address for image in images if (address := web_address(image))}


def first_sending(options: dict[str, Any], *, was_refused: bool = False) -> Sending:
    """Send images as the options say; `was_refused` tells of an address that xAI did not take."""
    how = options.get("image_urls", "auto")
    return Sending(
        inline=how == "inline" or (how == "auto" and was_refused),
        past_images=options.get("past_images"),
        skip_lost=bool(options.get("skip_lost_images")),
    )


def next_sending(
    sending: Sending, options: dict[str, Any], turns: Turns
) -> tuple[Sending, str] | None:
    """Choose how to send the images once one was refused, with a sentence for the user.

    None where there is nothing else to try.
    """
    past = list(images_of(keep_newest(turns.past, sending.past_images)))
    may_download = options.get("image_urls", "auto") == "auto" and not sending.inline
    if may_download and any(map(web_address, [*past, *images_of(turns.present)])):
        return sending._replace(inline=True), "Downloading what is at web addresses to send it."
    if sending.skip_lost and past:
        remedy = "Asking again without the images of earlier turns."
        return sending._replace(past_images=0), remedy
    return None


def images_line(sending: Sending, turns: Turns) -> str:
    """Name the images that were sent, since xAI does not say which one it refused."""
    past = list(images_of(keep_newest(turns.past, sending.past_images)))
    present = list(images_of(turns.present))
    named = f"Images of this turn: {_names(present)}." if present else ""
    if past:
        # With that option they would not have been sent again.
        hint = "'-o skip_lost_images 1' goes on without those."
        named += f" Of earlier turns: {_names(past)}. {hint}"
    return named.strip()


def _names(images: Sequence[llm.Attachment]) -> str:
    more = len(images) - _MOST_NAMES
    names = ", ".join(short_name(image) for image in images[:_MOST_NAMES])
    return f"{names} and {more} more" if more > 0 else names
