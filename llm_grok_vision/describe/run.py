"""Asks about the images through LLM, several at once, and sees what a failure means."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import llm
import tenacity

from ..errors import (
    ApiError,
    ConnectionFailed,
    EmptyPrompt,
    GrokError,
    InvalidKey,
    InvalidSetting,
    NoKeyError,
    NotFound,
    PermissionDenied,
    RateLimited,
    RequestRefused,
    ServerError,
    UnsendableText,
    UnsupportedOption,
)
from ..models import AsyncGrokVision
from . import pace
from .taking import Taking

# A service that is away so often in a row, and answers nothing in between, stays away.
MOST_IN_A_ROW = 10

_ENDS_THE_RUN = (
    EmptyPrompt,
    InvalidKey,
    InvalidSetting,
    NoKeyError,
    NotFound,
    PermissionDenied,
    RateLimited,
    UnsendableText,
    UnsupportedOption,
)


@dataclass
class Run:
    """One question put to many images; `taking` takes the answers."""

    model: AsyncGrokVision
    key: str | None
    taking: Taking
    _away_in_a_row: int = field(default=0, init=False)

    async def over(self, images: Sequence[str], concurrency: int) -> None:
        """Ask about each image; raises the GrokError that would meet every one of them."""
        todo = iter(images)
        turns = pace.Pace(concurrency, self.taking.progress.say)

        async def work() -> None:
            for image in todo:
                await self._describe(image, turns)

        workers = [asyncio.create_task(work()) for _ in range(min(concurrency, len(images)))]
        try:
            await asyncio.gather(*workers)
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)

    async def _describe(self, image: str, turns: pace.Pace) -> None:
        try:
            response = await self._ask(image, turns)
            self.taking.answer(image, response, await response.usage())
        except GrokError as error:
            self._count_failure(image, error)
        else:
            self._away_in_a_row = 0

    async def _ask(self, image: str, turns: pace.Pace) -> llm.AsyncResponse:
        """Wait for the whole answer; while xAI limits the rate, ask again when it is time."""
        question = self.taking.question
        async for attempt in tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception(pace.passes),
            stop=tenacity.stop_after_delay(pace.GIVE_UP_AFTER),
            reraise=True,
        ):
            with attempt:
                async with turns.turn():
                    response: llm.AsyncResponse = question.about(self.model, image, self.key)
                    await response
        return response

    def _count_failure(self, image: str, error: GrokError) -> None:
        """Go on without this image, or raise the error if others would fail as well."""
        if isinstance(error, ServerError | ConnectionFailed):
            self._away_in_a_row += 1
        elif isinstance(error, ApiError):
            self._away_in_a_row = 0
        totals = self.taking.totals
        question_is_good = totals.done + totals.done_before > 0
        if _meets_every_image(error, question_is_good=question_is_good):
            raise error
        self.taking.failure(image, error)
        if self._away_in_a_row >= MOST_IN_A_ROW:
            raise InvalidSetting(
                f"xAI was away for {MOST_IN_A_ROW} images in a row, so that it was not asked about"
                " the others."
            )


def _meets_every_image(error: GrokError, *, question_is_good: bool) -> bool:
    """Tell what is wrong with the key, the model or the question from what is with an image.

    A refusal that does not say is the question's, until one image was answered.
    """
    words = error.error.lower() if isinstance(error, ApiError) else ""
    # OBSERVED 2026, with status 403: "Content violates usage guidelines. Failed check: ..."
    if "usage guidelines" in words:
        return False
    if isinstance(error, RequestRefused):
        # OBSERVED 2026: "Image inputs are not supported by this model."
        is_about_image = "image" in words and "image inputs" not in words
        return not (question_is_good or is_about_image or error.status == 413)
    return isinstance(error, _ENDS_THE_RUN)
