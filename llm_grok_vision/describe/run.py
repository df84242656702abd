"""Asks about the images through LLM, several at once, and sees what a failure means."""

import asyncio
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import llm
import tenacity

from ..errors import (
    ApiError,
    GrokError,
    ImageError,
    InvalidKey,
    InvalidSetting,
    NoKeyError,
    NotFound,
    PermissionDenied,
    RateLimited,
    RequestRefused,
)
from ..models import AsyncGrokVision
from . import pace
from .output import Output
from .progress import Progress
from .question import Question
from .totals import Totals

if TYPE_CHECKING:
    from sqlite_utils import Database

# Whatever fails so often in a row, with no answer in between, is not an image's fault.
MOST_IN_A_ROW = 10


@dataclass
class Run:
    """One question put to many images; `database` is LLM's log, or None for no log."""

    model: AsyncGrokVision
    key: str | None
    question: Question
    output: Output
    progress: Progress
    totals: Totals
    database: "Database | None"
    _failed_in_a_row: int = field(default=0, init=False)

    async def over(self, images: Sequence[str], concurrency: int) -> None:
        """Ask about each image; raises the GrokError that would meet every one of them."""
        todo = iter(images)
        turns = pace.Pace(concurrency, self.progress.say)

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
            usage = await response.usage()
            self.totals.add(usage)
            try:
                self.output.write(self.question.row(image, response.text_or_raise(), usage))
            finally:
                # Also an answer that is not of use was paid for.
                self._log(response, image)
        except GrokError as error:
            self._count_failure(image, error)
        else:
            self._failed_in_a_row = 0
            self.totals.done += 1
            self.progress.done(image)

    async def _ask(self, image: str, turns: pace.Pace) -> llm.AsyncResponse:
        """Wait for the whole answer; while xAI limits the rate, ask again when it is time."""
        async for attempt in tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception(_passes),
            stop=tenacity.stop_after_delay(pace.GIVE_UP_AFTER),
            reraise=True,
        ):
            with attempt:
                async with turns.turn():
                    response = self._response(image)
                    await response
        return response

    def _response(self, image: str) -> llm.AsyncResponse:
        # LLM's log is read from other folders too.
        attachment = llm.Attachment(path=str(Path(image).resolve()))
        return self.model.prompt(
            self.question.prompt,
            attachments=[attachment],
            system=self.question.system,
            schema=self.question.schema,
            options=self.question.options,
            key=self.key,
        )

    def _log(self, response: llm.AsyncResponse, image: str) -> None:
        if self.database is None:
            return
        try:
            response.log_to_db(self.database)
        except (sqlite3.Error, OSError, UnicodeError) as error:
            # Another program holds the log, the file is gone, or its name is no UTF-8.
            self.progress.say(f"{image} was answered, but not logged: {error}.")

    def _count_failure(self, image: str, error: GrokError) -> None:
        """Go on without this image, or raise the error if others would fail as well."""
        if not isinstance(error, ImageError):
            self._failed_in_a_row += 1
        question_is_good = self.totals.done + self.totals.done_before > 0
        if _meets_every_image(error, question_is_good=question_is_good):
            raise error
        self.totals.failed += 1
        self.progress.failed(_in_a_line(image, error))
        if self._failed_in_a_row >= MOST_IN_A_ROW:
            raise InvalidSetting(
                f"{MOST_IN_A_ROW} images in a row failed, so that the others were not asked."
            )


def _passes(error: BaseException) -> bool:
    if not isinstance(error, RateLimited):
        return False
    return (error.retry_after or 0.0) < pace.GIVE_UP_AFTER


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
    return isinstance(
        error, NoKeyError | InvalidSetting | InvalidKey | PermissionDenied | NotFound | RateLimited
    )


def _in_a_line(image: str, error: GrokError) -> str:
    """Name the image as the user did, and say what is wrong, advice and all."""
    sentence = " ".join(str(error).splitlines())
    if isinstance(error, ImageError):
        return image + sentence.removeprefix(error.name)
    return f"{image}: {sentence}"
