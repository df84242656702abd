"""What was typed, and what it stands for: the model, the question, the images, the log."""

import os
import sqlite3
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import click
import llm
import pydantic
import sqlite_utils
from llm.cli import get_model_options, load_template, logs_db_path, logs_on, render_errors
from llm.migrations import migrate
from llm.utils import resolve_schema_input

from ..errors import InvalidSetting
from ..models import AsyncGrokVision
from .formats import Csv, Format, JsonLines
from .locks import locked
from .question import Question, image_key

# Milliseconds for which another run may hold LLM's log.
_LOG_WAIT = 60_000


@dataclass(frozen=True)
class Settings:
    """The command line as click read it."""

    prompt: str
    images: tuple[str, ...]
    model: str
    system: str | None
    options: tuple[tuple[str, str], ...]
    schema: str | None
    output: str | None
    csv: bool
    concurrency: int
    no_log: bool
    key: str | None

    def images_by_key(self) -> dict[str, str]:
        """Give each image once, as it was spelled first, in the order of the command line."""
        last_wins = {image_key(image): image for image in reversed(self.images)}
        return {key: last_wins[key] for key in reversed(last_wins)}


def check_arguments(settings: Settings) -> None:
    """Raise click's UsageError for a file in place of the question, or a folder of images."""
    # os.path, because of pathlib's errors for what can be no path, as a prompt may be.
    if os.path.isfile(settings.prompt):  # noqa: PTH113
        raise click.UsageError(
            f"The question comes first, before the images; {settings.prompt} is a file."
        )
    for image in settings.images:
        if os.path.isdir(image):  # noqa: PTH112
            pattern = os.path.join(image, "*.jpg")  # noqa: PTH118
            raise click.UsageError(f"{image} is a folder; name its images, as in {pattern}")


def find_model(name: str) -> AsyncGrokVision:
    """Give the model of this name; raises InvalidSetting for one that is not this plugin's."""
    try:
        model = llm.get_async_model(name)
    except llm.UnknownModelError:
        model = None
    if not isinstance(model, AsyncGrokVision):
        raise InvalidSetting(
            f"{name} is not one of the models that this command asks;"
            " 'llm grok-vision models' lists them."
        )
    return model


def log_database(stack: ExitStack) -> sqlite_utils.Database:
    """Open LLM's log, which also knows schemas by their id; raises InvalidSetting."""
    path = logs_db_path()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        database = sqlite_utils.Database(path)
        stack.callback(database.close)
        database.execute(f"PRAGMA busy_timeout = {_LOG_WAIT}")
        with locked(path.parent):
            # LLM lets several programs change it at once, and it is none any more then.
            migrate(database)
    except (sqlite3.Error, OSError) as error:
        raise InvalidSetting(f"LLM's log, {path}, cannot be used: {error}.") from None
    return database


def is_logged(settings: Settings) -> bool:
    """Tell whether answers go into LLM's log."""
    return not settings.no_log and logs_on()


def find_question(settings: Settings, model: AsyncGrokVision, stack: ExitStack) -> Question:
    """Put the question together as `llm prompt` does, defaults of the model included.

    Raises click's exceptions for options, InvalidSetting for a schema.
    """
    try:
        options = model.Options(**get_model_options(model.model_id) | dict(settings.options))
    except pydantic.ValidationError as error:
        raise click.ClickException(render_errors(error.errors())) from None
    return Question(
        model_id=model.model_id,
        prompt=settings.prompt,
        system=settings.system or None,
        schema=_schema(settings, stack),
        options=options.model_dump(exclude_none=True),
    )


def _schema(settings: Settings, stack: ExitStack) -> dict[str, Any] | None:
    if not settings.schema:
        return None
    schema = resolve_schema_input(log_database(stack), settings.schema, load_template)
    if not isinstance(schema, dict | None):
        raise InvalidSetting("The schema is no JSON object.")
    return schema or None


def find_format(question: Question, *, csv: bool) -> Format:
    """Give the format of the output."""
    return Csv(question.columns) if csv else JsonLines()
