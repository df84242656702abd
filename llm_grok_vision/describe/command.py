"""What `llm grok-vision describe` does, from what was typed to the exit code."""

import asyncio
import os
import signal
import sys
from collections.abc import Coroutine
from contextlib import ExitStack, suppress
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
from .output import Output, OutputFile, StandardOutput
from .progress import Progress
from .question import Question, image_key
from .run import Run
from .totals import Totals


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


def run(settings: Settings) -> None:
    """Ask about every image that the output does not hold; exit with 1 if any failed.

    Raises click's exceptions for what was typed wrongly, and the GrokError that ends a run.
    """
    _check_arguments(settings)
    model = _model(settings.model)
    with ExitStack() as stack:
        database = _log_database(stack)
        question = _question(settings, model, database)
        model.get_key(settings.key)
        form: Format = Csv(question.columns) if settings.csv else JsonLines()
        output: Output = StandardOutput(form)
        if settings.output:
            output = stack.enter_context(OutputFile(settings.output, form, question.id))
        # Each image once, in the order in which they were given.
        images = {image_key(image): image for image in reversed(settings.images)}
        todo = [images[key] for key in reversed(images) if key not in output.done]
        totals = Totals(done_before=len(images) - len(todo))
        # Answers that scroll by on the terminal are progress enough, and no bar disturbs them.
        progress = Progress(len(todo), bar=bool(settings.output) or not sys.stdout.isatty())
        log = None if settings.no_log or not logs_on() else database
        job = Run(model, settings.key, question, output, progress, totals, log)
        _ask(job, todo, settings)
    if totals.failed:
        click.get_current_context().exit(1)


def _check_arguments(settings: Settings) -> None:
    # os.path, because of pathlib's errors for what can be no path, as a prompt may be.
    if os.path.isfile(settings.prompt):  # noqa: PTH113
        raise click.UsageError(
            f"The question comes first, before the images; {settings.prompt} is a file."
        )
    for image in settings.images:
        if os.path.isdir(image):  # noqa: PTH112
            pattern = os.path.join(image, "*.jpg")  # noqa: PTH118
            raise click.UsageError(f"{image} is a folder; name its images, as in {pattern}")


def _model(name: str) -> AsyncGrokVision:
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


def _log_database(stack: ExitStack) -> sqlite_utils.Database:
    """Open LLM's log, which also knows schemas by their id."""
    path = logs_db_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    database = sqlite_utils.Database(path)
    stack.callback(database.close)
    migrate(database)
    return database


def _question(
    settings: Settings, model: AsyncGrokVision, database: sqlite_utils.Database
) -> Question:
    """Put the question together as `llm prompt` does, defaults of the model included."""
    try:
        options = model.Options(**get_model_options(model.model_id) | dict(settings.options))
    except pydantic.ValidationError as error:
        raise click.ClickException(render_errors(error.errors())) from None
    schema = resolve_schema_input(database, settings.schema, load_template)
    if schema is not None and not isinstance(schema, dict):
        raise InvalidSetting("The schema is no JSON object.")
    return Question(
        model_id=model.model_id,
        prompt=settings.prompt,
        system=settings.system or None,
        schema=schema or None,
        options=options.model_dump(exclude_none=True),
    )


def _ask(job: Run, todo: list[str], settings: Settings) -> None:
    """Run to the end, or to whatever ends it; say what it came to either way."""
    try:
        with job.progress:
            asyncio.run(_interruptible(job.over(todo, settings.concurrency)))
    except (KeyboardInterrupt, asyncio.CancelledError):
        raise click.Abort from None
    finally:
        if job.totals != Totals():
            click.echo(job.totals, err=True)
            if settings.output and job.totals.done < len(todo):
                click.echo("The same command asks about the rest.", err=True)


async def _interruptible(work: Coroutine[Any, Any, None]) -> None:
    """Let Ctrl-C cancel the work, as asyncio does by itself from Python 3.11 on."""
    task = asyncio.current_task()
    if sys.version_info < (3, 11) and task:
        # Windows has no such handlers; there the end is less tidy, and as safe.
        with suppress(NotImplementedError):
            asyncio.get_running_loop().add_signal_handler(signal.SIGINT, task.cancel)
    await work
