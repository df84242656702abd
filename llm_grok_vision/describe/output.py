"""Where answers go: to standard output, or to a file that a later run goes on with.

A file is locked as long as it is open, and each row is written at once, so that a run
that is killed loses nothing that it wrote. At most its last row is torn; that is cut off.
"""

import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING, Protocol

from ..errors import InvalidSetting
from .formats import Format, Record
from .locks import lock
from .question import Row, image_key

if TYPE_CHECKING:
    from typing_extensions import Self


class Output(Protocol):
    """Takes rows; `done` are the keys of the images whose answers it had from the start."""

    done: frozenset[str]

    def write(self, row: Row) -> None:
        """Write a row, so that no end of this process loses it."""


class StandardOutput:
    """Standard output, which remembers nothing; raises InvalidSetting where it was closed."""

    done: frozenset[str] = frozenset()

    def __init__(self, form: Format) -> None:
        if sys.stdout is None:
            raise InvalidSetting("Standard output is closed; name a file with --output.")
        self._form = form
        self._head = form.header

    def write(self, row: Row) -> None:
        """Write a row; raises OSError for a full disk, or when nobody reads any more."""
        out = sys.stdout.buffer
        out.write(self._head + self._form.encode(row))
        out.flush()
        self._head = b""


class OutputFile:
    """A file with the answers of earlier runs, to which this one adds its own.

    Raises InvalidSetting if another run writes to it, if it holds anything but answers in
    this format, or if it cannot be read or written; it is left as it was then.
    """

    def __init__(self, path: str, form: Format, question: str) -> None:
        self._path = path
        self._form = form
        if Path(path).exists() and not Path(path).is_file():
            raise InvalidSetting(f"{path} is no file to which answers can be added.")
        try:
            # Unbuffered: what could not be written does not wait for another try.
            self._file: IO[bytes] = Path(path).open("a+b", buffering=0)  # noqa: SIM115 (__exit__ does)
        except OSError as error:
            raise self._problem("opened", error) from None
        try:
            self.done = self._resume(question)
        except BaseException:
            self._file.close()
            raise

    def _resume(self, question: str) -> frozenset[str]:
        """Find what was done, and cut off a last row that is not whole."""
        if not lock(self._file):
            raise InvalidSetting(
                f"Another run is writing to {self._path}: wait for its end, or choose another file."
            )
        try:
            # A handle of its own: the unbuffered one would read byte by byte.
            with Path(self._path).open("rb") as file:
                done, sound, mended = self._read(file, question)
            self._file.truncate(sound)
        except OSError as error:
            raise self._problem("read", error) from None
        self._head = b"" if sound else self._form.header
        self._write(mended)
        return frozenset(done)

    def _read(self, file: IO[bytes], question: str) -> tuple[set[str], int, bytes]:
        """Give the images done, the bytes to keep, and what they lack at their end."""
        done: set[str] = set()
        sound = 0
        for number, record in enumerate(self._form.records(file), 1):
            if number == 1 and self._form.header:
                if not self._is_header(record):
                    break
            elif row := self._form.decode(record.data):
                if row["question"] == question:
                    done.add(image_key(row["image"]))
            elif record.finished or not self._form.may_be_torn(record.data):
                raise InvalidSetting(
                    f"Row {number} of {self._path} is no answer of this command in this format"
                    " (see --csv): choose another file. Nothing was changed."
                )
            else:
                break
            sound += len(record.data)
            if not record.finished:
                end = self._form.line_end
                return done, sound, end[1:] if record.data.endswith(end[:1]) else end
        return done, sound, b""

    def _is_header(self, record: Record) -> bool:
        """Tell a header from the beginning of one; raises InvalidSetting for any other."""
        header = self._form.header.rstrip()
        if record.finished and record.data.rstrip() == header:
            return True
        if self._form.header.startswith(record.data):
            return False
        raise InvalidSetting(
            f"{self._path} does not begin with the columns of these answers"
            f" ({header.decode()}): choose another file. Nothing was changed."
        )

    def write(self, row: Row) -> None:
        """Write a row; raises InvalidSetting if the disk does not take it."""
        self._write(self._head + self._form.encode(row))
        self._head = b""

    def _write(self, data: bytes) -> None:
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError as error:
            raise self._problem("written", error) from None

    def _problem(self, done: str, error: OSError) -> InvalidSetting:
        return InvalidSetting(f"{self._path} could not be {done}: {error.strerror or error}.")

    def __enter__(self) -> "Self":
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()
