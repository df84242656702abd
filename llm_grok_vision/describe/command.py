"""What `llm grok-vision describe` does, from what was typed to the exit code."""

import asyncio
import signal
import sys
from collections.abc import Coroutine
from contextlib import ExitStack, suppress
from typing import Any

import click

from ..terminal import is_terminal
from .asked import (
    Settings,
    check_arguments,
    find_format,
    find_model,
    find_question,
    is_logged,
    log_database,
)
from .output import Output, OutputFile, StandardOutput
from .progress import Progress
from .run import Run
from .taking import Taking
from .totals import Totals


def run(settings: Settings) -> None:
    """Ask about every image that the output does not hold; exit with 1 if any failed.

    Raises click's exceptions for what was typed wrongly, and the GrokError that ends a run.
    """
    check_arguments(settings)
    model = find_model(settings.model)
    with ExitStack() as stack:
        question = find_question(settings, model, stack)
        log = log_database(stack) if is_logged(settings) else None
        model.get_key(settings.key)
        form = find_format(question, csv=settings.csv)
        output: Output = StandardOutput(form)
        if settings.output:
            output = stack.enter_context(OutputFile(settings.output, form, question.id))
        images = settings.images_by_key()
        todo = [image for key, image in images.items() if key not in output.done]
        totals = Totals(done_before=len(images) - len(todo))
        # Answers that scroll by on the terminal are progress enough, and no bar disturbs them.
        progress = Progress(len(todo), bar=bool(settings.output) or not is_terminal(sys.stdout))
        job = Run(model, settings.key, Taking(question, output, progress, totals, log))
        _ask(job, todo, settings)
    if totals.failed:
        click.get_current_context().exit(1)


def _ask(job: Run, todo: list[str], settings: Settings) -> None:
    """Run to the end, or to whatever ends it; say what it came to either way."""
    taking = job.taking
    try:
        with taking.progress:
            asyncio.run(_interruptible(job.over(todo, settings.concurrency)))
    except (KeyboardInterrupt, asyncio.CancelledError):
        raise click.Abort from None
    finally:
        if taking.totals != Totals():
            click.echo(taking.totals, err=True)
            if settings.output and taking.totals.done < len(todo):
                click.echo("The same command asks about the rest.", err=True)


async def _interruptible(work: Coroutine[Any, Any, None]) -> None:
    """Let Ctrl-C cancel the work between two of its steps; asyncio's own way may do so within one."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()

    def cancel() -> None:
        # Who asks again wants no tidy end.
        loop.remove_signal_handler(signal.SIGINT)
        if task:
            task.cancel()

    # Windows has no such handlers, and neither has a thread; there the end is as safe.
    with suppress(RuntimeError):
        loop.add_signal_handler(signal.SIGINT, cancel)
    await work
