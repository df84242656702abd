"""Which images were submitted in which batch, kept in SQLite in LLM's folder.

Nothing of an image but its path stands here, and no key. What is answered is never read
off this: the rows of an output are the truth.
"""

import json
import os
import secrets
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from datetime import datetime, timezone
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import llm
import sqlite_utils

from ..errors import InvalidSetting
from ..wire.batches import Batch
from .asked import find_format
from .question import Question

if TYPE_CHECKING:
    from typing_extensions import Self

FILE = "grok-vision.db"
# Another run holds the database for moments only; longer (seconds), something is wrong.
LONGEST_LOCK = 5.0

# An image is to be submitted, then being submitted as long as xAI's answer to that is not
# known, then submitted, and in the end written, failed, or not answered by a batch that ended.
PLANNED, SENDING, SUBMITTED = "to be submitted", "being submitted", "submitted"
WRITTEN, FAILED, UNANSWERED = "written", "failed", "not answered"

_TABLES: dict[str, dict[str, Any]] = {
    "jobs": {
        "columns": {
            "id": int, "output": str, "question": str, "asked": str, "csv": int, "created": str,
        },
        "pk": "id",
    },
    "batches": {
        "columns": {
            "id": int, "job": int, "batch_id": str, "salt": str, "is_open": int,
            "created": str, "expires": str,
        },
        "pk": "id",
    },
    "images": {
        "columns": {
            "job": int, "key": str, "image": str, "path": str, "batch": int, "request_id": str,
            "state": str, "problem": str,
        },
        "pk": ("job", "key"),
    },
}  # fmt: skip


class Job(NamedTuple):
    """A question about the images of one output, which is a path that is resolved."""

    id: int
    output: str
    question: Question
    csv: bool


class StoredBatch(NamedTuple):
    """A batch of a job; `batch_id` is xAI's, "" until xAI has made it."""

    id: int
    batch_id: str
    created: str
    expires: str
    salt: str


class StoredImage(NamedTuple):
    """An image as it was given, its path from anywhere, and what became of it."""

    key: str
    image: str
    path: str
    batch: int
    request_id: str
    state: str
    problem: str


class State:
    """The database, open inside of `with`; each change is on disk when a method returns.

    Every method raises InvalidSetting if the database cannot be used.
    """

    def __init__(self) -> None:
        self._path = FILE

    def __enter__(self) -> "Self":
        with self._usable(), ExitStack() as stack:
            self._path = str(Path(llm.user_dir()) / FILE)
            connection = sqlite3.connect(self._path, timeout=LONGEST_LOCK)
            stack.callback(connection.close)
            self._db = sqlite_utils.Database(connection)
            with self._db.atomic():
                for name, table in _TABLES.items():
                    self._db.table(name).create(**table, if_not_exists=True)
            self._open = stack.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._open.close()

    @contextmanager
    def _usable(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError, ValueError, TypeError) as error:
            # The last two: somebody wrote into it by hand.
            raise InvalidSetting(
                f"{self._path}, which knows what was submitted, could not be used: {error}."
            ) from None

    def jobs(self, output: str | None = None) -> list[Job]:
        """Give the jobs of an output, or all, the oldest first."""
        rows = self._rows("select * from jobs order by id")
        path = None if output is None else _absolute(output)
        with self._usable():
            jobs = [_job(row) for row in rows]
        return [job for job in jobs if path in (None, job.output)]

    def job(self, output: str, question: Question, *, csv: bool) -> Job:
        """Find the job of this question, or make it.

        Raises InvalidSetting if the output is to have answers in another format.
        """
        jobs = self.jobs(output)
        form = find_format(question, csv=csv)
        for job in jobs:
            if find_format(job.question, csv=job.csv).header != form.header:
                raise InvalidSetting(
                    f"{output} is to hold the answers of another batch, in another format or with"
                    " other columns: choose another file."
                )
        for job in jobs:
            if job.question.id == question.id:
                return job
        row = {
            "output": _storable(_absolute(output)),
            "question": question.id,
            "asked": json.dumps(asdict(question)),
            "csv": int(csv),
            "created": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        }
        with self._usable():
            self._db.table("jobs").insert(row)
        return self.job(output, question, csv=csv)

    def batches(self, job: Job) -> list[StoredBatch]:
        """Give the batches of a job, the oldest first."""
        return self._batches("job = ?", job.id)

    def open_batch(self, job: Job) -> StoredBatch | None:
        """Give the batch to which a submission that was stopped was adding."""
        return next(iter(self._batches("job = ? and is_open", job.id)), None)

    def new_batch(self, job: Job) -> StoredBatch:
        """Note that a batch is to be made."""
        batch = {"batch_id": "", "created": "", "expires": "", "salt": secrets.token_hex(8)}
        with self._usable():
            self._db.table("batches").insert({"job": job.id, "is_open": 1, **batch})
        return self._batches("salt = ?", batch["salt"])[0]

    def made(self, batch: StoredBatch, by_xai: Batch) -> StoredBatch:
        """Note that xAI made a batch."""
        known = (by_xai.id, by_xai.created, by_xai.expires)
        self._write(
            "update batches set batch_id = ?, created = ?, expires = ? where id = ?",
            (*known, batch.id),
        )
        return StoredBatch(batch.id, *known, batch.salt)

    def close_batches(self, job: Job) -> None:
        """Let nothing more be added to the batches that there are."""
        self._write("update batches set is_open = 0 where job = ?", (job.id,))

    def images(self, job: Job) -> list[StoredImage]:
        """Give the images of a job in their order."""
        rows = self._rows("select * from images where job = ? order by rowid", job.id)
        fields = StoredImage._fields
        return [
            StoredImage(**{name: row[name] for name in fields})._replace(
                image=os.fsdecode(row["image"]), path=os.fsdecode(row["path"])
            )
            for row in rows
        ]

    def forget_plan(self, job: Job) -> None:
        """Forget the images that were still to be submitted."""
        self._write("delete from images where job = ? and state = ?", (job.id, PLANNED))

    def plan(self, job: Job, batch: StoredBatch, images: Mapping[str, str]) -> list[StoredImage]:
        """Note that these images, by their keys, are to be submitted in a batch."""
        before = len(self.images(job))
        planned = [
            StoredImage(key, image, _absolute(image), batch.id, _id(batch, key, at), PLANNED, "")
            for at, (key, image) in enumerate(images.items(), before)
        ]
        rows = [
            {
                "job": job.id,
                **image._asdict(),
                "image": _storable(image.image),
                "path": _storable(image.path),
            }
            for image in planned
        ]
        with self._usable():
            self._db.table("images").insert_all(rows, replace=True)
        return planned

    def drop(self, job: Job, key: str) -> None:
        """Forget an image that cannot be submitted."""
        self._write("delete from images where job = ? and key = ?", (job.id, key))

    def mark(self, job: Job, keys: Iterable[str], state: str, problem: str = "") -> None:
        """Note what became of images."""
        rows = [(state, problem, job.id, key) for key in keys]
        with self._usable(), self._db.atomic():
            self._db.conn.executemany(
                "update images set state = ?, problem = ? where job = ? and key = ?", rows
            )

    def _batches(self, condition: str, *values: Any) -> list[StoredBatch]:
        rows = self._rows(f"select * from batches where {condition} order by id", *values)  # noqa: S608 (no user's)
        return [StoredBatch(**{name: row[name] for name in StoredBatch._fields}) for row in rows]

    def _rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        with self._usable():
            return list(self._db.query(query, values))

    def _write(self, statement: str, values: tuple[Any, ...]) -> None:
        with self._usable():
            self._db.execute(statement, values)


def _job(row: dict[str, Any]) -> Job:
    question = Question(**json.loads(row["asked"]))
    return Job(row["id"], os.fsdecode(row["output"]), question, bool(row["csv"]))


def _id(batch: StoredBatch, key: str, at: int) -> str:
    """Name a request: the same image the same in one batch, and nobody learns its path.

    OBSERVED 2026-08-28: results come in the order of their ids, so these are in that of the images.
    """
    return f"{at:07}-{sha256(f'{batch.salt} {key}'.encode()).hexdigest()[:16]}"


def _absolute(path: str) -> str:
    return str(Path(path).resolve())


def _storable(path: str) -> str | bytes:
    """Give a path as SQLite takes it: one that is no UTF-8 as the bytes that it is."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return os.fsencode(path)
    return path
