"""`describe --batch status`: what xAI says of the batches that were submitted from here."""

import os
from pathlib import Path

import click
from llm.utils import dicts_to_table_string

from ..errors import InvalidSetting
from ..settings import find_key
from .asked import Settings
from .batch_results import known_jobs
from .batch_service import BatchService
from .batch_state import PLANNED, SENDING, Job, State, StoredBatch

_COUNTS = ("pending", "done", "failed", "cancelled")


def show(settings: Settings) -> None:
    """Print a line a batch; raises the GrokError that ends it."""
    with State() as state:
        jobs = known_jobs(state, settings.output) if settings.output else state.jobs()
        service = BatchService(
            find_key(settings.key).value, lambda said: click.echo(said, err=True)
        )
        rows = [
            _row(service, job, batch)
            for job in jobs
            for batch in state.batches(job)
            if batch.batch_id
        ]
        stopped = [(job.output, count) for job in jobs if (count := _stopped(state, job))]
    if rows:
        for line in dicts_to_table_string(list(rows[0]), rows):
            click.echo(line.rstrip())
    else:
        click.echo("No batches were submitted from here.", err=True)
    for output, count in stopped:
        click.echo(
            f"{_shown(output)}: the submit was stopped before {count:,} of its images;"
            " the same command goes on.",
            err=True,
        )


def _row(service: BatchService, job: Job, stored: StoredBatch) -> dict[str, str]:
    row = {
        "batch": stored.batch_id,
        "output": _shown(job.output),
        "model": job.question.model_id,
        **dict.fromkeys(_COUNTS, "?"),
        "created": stored.created,
        "expires": stored.expires,
    }
    try:
        batch = service.find(stored.batch_id, stored.expires)
    except InvalidSetting as error:
        click.echo(error, err=True)
        return row
    if batch is None:
        return row
    counts = {name: f"{getattr(batch, name):,}" for name in _COUNTS}
    return {**row, **counts}


def _stopped(state: State, job: Job) -> int:
    return sum(image.state in (PLANNED, SENDING) for image in state.images(job))


def _shown(path: str) -> str:
    """Give a path as it is from here, if it is below."""
    here = Path.cwd()
    return os.path.relpath(path, here) if Path(path).is_relative_to(here) else path
