"""`describe --batch results`: what xAI has answered, into the output, each image once."""

from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import click

from ..errors import ApiError, ConnectionFailed, InvalidSetting, UnusableAnswer
from ..settings import find_key
from ..wire.batches import Result
from .answered import Answered
from .asked import Settings, find_format, is_logged, log_database
from .batch_service import BatchService
from .batch_state import (
    FAILED,
    PLANNED,
    UNANSWERED,
    WRITTEN,
    Job,
    State,
    StoredBatch,
    StoredImage,
)
from .batch_submit import settle
from .output import OutputFile
from .progress import Progress
from .taking import Taking
from .totals import Totals

if TYPE_CHECKING:
    from sqlite_utils import Database

# The exit code that says: run this again later.
NOT_YET = 3


@dataclass
class Missing:
    """How many images have no answer yet, in a batch and in none."""

    pending: int = 0
    planned: int = 0

    def __str__(self) -> str:
        where = []
        if self.pending:
            where.append(f"{self.pending:,} are pending: run this again later.")
        if self.planned:
            where.append(f"{self.planned:,} were not submitted: the same submit goes on.")
        return f"Not all is in yet. {' '.join(where)}"


def collect(settings: Settings, output: str) -> None:
    """Write the rows of all that is done; exit with 1 if any failed, 3 if any is missing.

    Raises the GrokError that ends a run.
    """
    totals, missing = Totals(), Missing()
    with ExitStack() as stack:
        state = stack.enter_context(State())
        jobs = known_jobs(state, output)
        key = find_key(settings.key).value
        log = log_database(stack) if is_logged(settings) else None
        try:
            for job in jobs:
                _collect_job(state, job, key, Sinks(output, totals, missing, log))
        except KeyboardInterrupt:
            raise click.Abort from None
        finally:
            click.echo(totals, err=True)
    if missing != Missing():
        click.echo(missing, err=True)
    if totals.failed:
        click.echo("The same submit asks about those that failed again.", err=True)
    click.get_current_context().exit(NOT_YET if missing != Missing() else int(totals.failed > 0))


def known_jobs(state: State, output: str) -> list[Job]:
    """Give what was submitted for an output; raises InvalidSetting if nothing was."""
    jobs = state.jobs(output)
    if not jobs:
        raise InvalidSetting(
            f"No batch was submitted from here for {output}: is it the file of the submit?"
        )
    return jobs


@dataclass(frozen=True)
class Sinks:
    """What the jobs of an output share."""

    path: str
    totals: Totals
    missing: Missing
    database: "Database | None"


def _collect_job(state: State, job: Job, key: str, sinks: Sinks) -> None:
    form = find_format(job.question, csv=job.csv)
    with OutputFile(sinks.path, form, job.question.id) as output:
        images = state.images(job)
        written = [image.key for image in images if image.key in output.done]
        state.mark(job, written, WRITTEN)
        sinks.totals.done_before += len(written)
        open_images = [image for image in images if image.key not in output.done]
        progress = Progress(len(open_images), bar=True)
        service = BatchService(key, progress.say)
        settle(state, service, job)
        # What failed is submitted again into a batch of its own.
        state.close_batches(job)
        taking = Taking(job.question, output, progress, sinks.totals, sinks.database)
        with progress:
            Collection(state, service, job, taking, sinks.missing).over(output.done)


@dataclass
class Collection:
    """Takes the results of one job."""

    state: State
    service: BatchService
    job: Job
    taking: Taking
    missing: Missing
    _waiting: dict[str, StoredImage] = field(default_factory=dict, init=False)

    def over(self, done: frozenset[str]) -> None:
        """Take what there is for the images that are not done."""
        images = [image for image in self.state.images(self.job) if image.key not in done]
        for image in images:
            if image.state == FAILED:
                self.taking.failure(image.image, image.problem)
            elif image.state == PLANNED:
                self.missing.planned += 1
        for batch in self.state.batches(self.job):
            self._waiting = {
                image.request_id: image
                for image in images
                if image.batch == batch.id and image.state not in (FAILED, PLANNED)
            }
            if self._waiting:
                self._take_batch(batch)

    def _take_batch(self, stored: StoredBatch) -> None:
        # Asked before the results: what ended before them lacks none of them.
        batch = self.service.find(stored.batch_id, stored.expires)
        ended = batch.ended if batch else "has expired"
        unanswered = []
        for result in self.service.results(stored.batch_id) if batch else ():
            image = self._waiting.pop(result.request_id, None)
            if image and ended and result.completion is None:
                unanswered.append((image, result.problem))
            elif image:
                self._take(image, result)
        if ended:
            problem = f"not answered before its batch {ended}"
            unanswered += [(image, problem) for image in self._waiting.values()]
        else:
            self.missing.pending += len(self._waiting)
        if unanswered:
            self.taking.progress.say(f"Batch {stored.batch_id} {ended}.")
        for image, problem in unanswered:
            # OBSERVED 2026-08-29: cancelled requests had answers after all, some seconds later.
            self._fail(image, problem, UNANSWERED)

    def _take(self, image: StoredImage, result: Result) -> None:
        if result.completion is None:
            self._fail(image, result.problem)
            return
        model = Answered(self.job.question.model_id, result.completion)
        response = self.job.question.about(model, image.path)
        try:
            self.taking.answer(image.image, response, response.usage())
        except (ApiError, ConnectionFailed, UnusableAnswer) as error:
            self._fail(image, str(error))
        else:
            self.state.mark(self.job, [image.key], WRITTEN)

    def _fail(self, image: StoredImage, problem: str, state: str = FAILED) -> None:
        self.taking.failure(image.image, problem)
        self.state.mark(self.job, [image.key], state, problem)
