"""`describe --batch submit`: images into a batch, so that none is ever sent twice.

What is about to be sent is noted before, what xAI took is noted after; what a run that was
killed left in between is cleared up with xAI by the next one.
"""

from contextlib import ExitStack
from dataclasses import dataclass, field
from shlex import quote

import click

from ..capabilities import check_batches
from ..errors import ImageError, ImageTooLarge
from ..known import known_models
from ..limits import MAX_BATCH_PAYLOAD
from ..models import AsyncGrokVision
from ..sending import first_sending
from ..wire import batches
from .asked import (
    Settings,
    check_arguments,
    find_format,
    find_model,
    find_question,
)
from .batch_service import BatchService
from .batch_state import PLANNED, SENDING, SUBMITTED, Job, State, StoredBatch, StoredImage
from .output import OutputFile
from .progress import Progress
from .question import Question
from .taking import in_a_line


def submit(settings: Settings, output: str) -> None:
    """Submit every image that the output does not hold and no batch has; exit with 1 if any failed.

    Raises click's exceptions for what was typed wrongly, and the GrokError that ends a run.
    """
    check_arguments(settings)
    model = find_model(settings.model)
    check_batches(model.known, known_models)
    with ExitStack() as stack:
        question = find_question(settings, model, stack)
        key = model.get_key(settings.key)
        form = find_format(question, csv=settings.csv)
        state = stack.enter_context(State())
        answered = stack.enter_context(OutputFile(output, form, question.id)).done
        job = state.job(output, question, csv=settings.csv)
        settle(state, BatchService(key, _say), job)
        taken = {image.key for image in state.images(job) if image.state == SUBMITTED}
        images = settings.images_by_key()
        todo = {name: image for name, image in images.items() if name not in answered | taken}
        progress = Progress(len(todo), bar=True)
        submission = Submission(model, state, BatchService(key, progress.say), job, progress)
        _run(submission, todo, len(images) - len(todo), output)
    if submission.failed:
        click.get_current_context().exit(1)


def settle(state: State, service: BatchService, job: Job) -> None:
    """Learn from xAI which of the images it has that were being submitted when a run ended."""
    lost = [image for image in state.images(job) if image.state == SENDING]
    for batch in state.batches(job):
        here = [image for image in lost if image.batch == batch.id]
        if here and service.find(batch.batch_id, batch.expires):
            known = service.request_ids(batch.batch_id)
            arrived = [image.key for image in here if image.request_id in known]
            state.mark(job, arrived, SUBMITTED)
            lost = [image for image in lost if image.key not in arrived]
    state.mark(job, [image.key for image in lost], PLANNED)


def _say(message: str) -> None:
    click.echo(message, err=True)


def _run(submission: "Submission", todo: dict[str, str], before: int, output: str) -> None:
    """Submit to the end, or to whatever ends it; say what it came to either way."""
    try:
        with submission.progress:
            submission.over(todo)
    except KeyboardInterrupt:
        raise click.Abort from None
    finally:
        click.echo(
            f"Images: {submission.done:,} submitted, {before:,} submitted or done before,"
            f" {submission.failed:,} failed.",
            err=True,
        )
        if submission.done + submission.failed < len(todo):
            click.echo("The same command submits the rest.", err=True)
        elif submission.done or before:
            command = f"llm grok-vision describe --batch results --output {quote(output)}"
            click.echo(f"Fetch the answers with: {command}", err=True)


@dataclass
class Submission:
    """Adds images to a batch of a job."""

    model: AsyncGrokVision
    state: State
    service: BatchService
    job: Job
    progress: Progress
    done: int = field(default=0, init=False)
    failed: int = field(default=0, init=False)

    def over(self, images: dict[str, str]) -> None:
        """Submit images, given by their keys; raises the GrokError that would meet each one."""
        self.state.forget_plan(self.job)
        if images:
            batch = self._open_batch()
            self._fill(batch, self.state.plan(self.job, batch, images))
        self.state.close_batches(self.job)

    def _fill(self, batch: StoredBatch, images: list[StoredImage]) -> None:
        """Read images one by one into parcels, and send each that is full."""
        parcel = Parcel()
        for image in images:
            request = self._request(image)
            if request is None:
                continue
            if not parcel.takes(request):
                batch = self._send(batch, parcel)
                parcel = Parcel()
            parcel.add(image, request)
        if parcel.images:
            self._send(batch, parcel)

    def _request(self, image: StoredImage) -> bytes | None:
        """Read an image, and write the request about it; None for a bad one, which is told."""
        try:
            return _request(self.model, self.job.question, image)
        except ImageError as error:
            self.failed += 1
            self.state.drop(self.job, image.key)
            self.progress.failed(in_a_line(image.image, error))
            return None

    def _open_batch(self) -> StoredBatch:
        """Give the batch that a run that was stopped was filling, or else a new one."""
        batch = self.state.open_batch(self.job)
        if batch and batch.batch_id:
            known = self.service.find(batch.batch_id, batch.expires)
            if known is None or known.ended:
                self.state.close_batches(self.job)
                batch = None
        return batch or self.state.new_batch(self.job)

    def _send(self, batch: StoredBatch, parcel: "Parcel") -> StoredBatch:
        if not batch.batch_id:
            made = self.service.create(f"llm grok-vision describe {self.job.question.id}")
            batch = self.state.made(batch, made)
        keys = [image.key for image in parcel.images]
        self.state.mark(self.job, keys, SENDING)
        self.service.add(batch.batch_id, parcel.requests)
        self.state.mark(self.job, keys, SUBMITTED)
        self.done += len(keys)
        for image in parcel.images:
            self.progress.done(image.image)
        return batch


class Parcel:
    """What goes to xAI at once: images, and their requests by id."""

    def __init__(self) -> None:
        self.images: list[StoredImage] = []
        self.requests: dict[str, bytes] = {}
        self._bytes = 0

    def takes(self, request: bytes) -> bool:
        """Tell whether there is room for one more; there is for a first."""
        size = batches.size(len(self.images) + 1, self._bytes + len(request))
        return not self.images or size <= MAX_BATCH_PAYLOAD

    def add(self, image: StoredImage, request: bytes) -> None:
        """Put one more in."""
        self.images.append(image)
        self.requests[image.request_id] = request
        self._bytes += len(request)


def _request(model: AsyncGrokVision, question: Question, image: StoredImage) -> bytes:
    """Read an image, and write the request about it; raises ImageError, and for the question GrokError."""
    prompt = question.about(model, image.path).prompt
    wire = model.wire(prompt)
    sending = first_sending(prompt.options.model_dump(exclude_none=True))
    body = model.request_body(wire, prompt, sending, stream=False)
    request = batches.request(image.request_id, wire.path, body)
    if batches.size(1, len(request)) > MAX_BATCH_PAYLOAD:
        raise ImageTooLarge(
            image.path,
            f"takes {len(request):,} bytes in a batch, where xAI allows {MAX_BATCH_PAYLOAD:,} at"
            " once; send it smaller, or ask about it without --batch.",
        )
    return request
