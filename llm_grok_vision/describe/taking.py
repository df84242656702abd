"""Takes answers and failures: into the output, the totals, LLM's log and the progress."""

import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import llm

from ..errors import GrokError, ImageError
from .locks import locked
from .output import Output
from .progress import Progress
from .question import Question
from .totals import Totals

if TYPE_CHECKING:
    from sqlite_utils import Database


@dataclass(frozen=True)
class Taking:
    """Where the answers to a question go; `database` is LLM's log, or None for no log."""

    question: Question
    output: Output
    progress: Progress
    totals: Totals
    database: "Database | None"

    def answer(self, image: str, response: Any, usage: llm.Usage) -> None:
        """Write the row of an answer that is complete, and log it.

        `response` is LLM's, sync or async. Raises UnusableAnswer, and what the output raises.
        """
        self.totals.add(usage)
        try:
            self.output.write(self.question.row(image, response.text_or_raise(), usage))
        finally:
            # Also an answer that is not of use was paid for.
            self._log(response, image)
        self.totals.done += 1
        self.progress.done(image)
        if reason := (usage.details or {}).get("finish_reason"):
            hint = ", see -o max_tokens" if reason == "length" else f": {reason}"
            self.progress.say(f"{image}: its answer is not all of it{hint}.")

    def failure(self, image: str, problem: GrokError | str) -> None:
        """Count an image that was not answered, and say why."""
        self.totals.failed += 1
        self.progress.failed(in_a_line(image, problem))

    def _log(self, response: Any, image: str) -> None:
        if self.database is None:
            return
        try:
            with locked(llm.user_dir()):
                # Of two that read and then write, SQLite lets one wait for nothing.
                response.log_to_db(self.database)
        except (sqlite3.Error, OSError, UnicodeError) as error:
            # Another program holds the log, the file is gone, or its name is no UTF-8.
            self.progress.say(f"{image} was answered, but not logged: {error}.")


def in_a_line(image: str, problem: GrokError | str) -> str:
    """Name the image as the user did, and say what is wrong, advice and all."""
    sentence = " ".join(str(problem).splitlines())
    if isinstance(problem, ImageError):
        return image + sentence.removeprefix(problem.name)
    return f"{image}: {sentence}"
