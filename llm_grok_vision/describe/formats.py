"""Rows as bytes and back: JSON lines and CSV. Nothing here reads or writes a file."""

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, Protocol

from .question import Row

_QUESTION = re.compile(r"[0-9a-f]{12}")
_ROW_ENDS = re.compile(rb",[0-9a-f]{12}\r?\n")
# An answer may be longer than csv's own limit of 128 KiB; the module knows no other way.
_LONGEST_FIELD = 2**31 - 1


class Record(NamedTuple):
    """The bytes of one row, or of what was to become one when the writer was killed."""

    data: bytes
    finished: bool


class Format(Protocol):
    """How rows are written; `header` comes before the first, and may be empty."""

    header: bytes
    line_end: bytes

    def encode(self, row: Row) -> bytes:
        """Write a row, with the end of its line."""

    def records(self, lines: Iterable[bytes]) -> Iterator[Record]:
        """Put lines, which end in a newline each but for the last, together to records."""

    def decode(self, data: bytes) -> Row | None:
        """Read a record, its newline or not; None if it is no whole row of this command."""

    def may_be_torn(self, data: bytes) -> bool:
        """Tell whether the last record, which is no row, may be the beginning of one."""


class JsonLines:
    """A JSON object a line."""

    header = b""
    line_end = b"\n"
    _start = b'{"image": "'

    def encode(self, row: Row) -> bytes:
        """Write a row as a line; what no UTF-8 can spell becomes a JSON escape."""
        line = json.dumps(row, ensure_ascii=False) + "\n"
        return line.encode(errors="backslashreplace")

    def records(self, lines: Iterable[bytes]) -> Iterator[Record]:
        """Take each line as a record."""
        for line in lines:
            yield Record(line, line.endswith(b"\n"))

    def decode(self, data: bytes) -> Row | None:
        """Read a line; None if it is no row."""
        try:
            row = json.loads(data)
        except ValueError:
            return None
        return row if isinstance(row, dict) and _is_row(row) else None

    def may_be_torn(self, data: bytes) -> bool:
        """Tell whether an unfinished line begins as rows do."""
        return data.startswith(self._start) or self._start.startswith(data)


class Csv:
    """CSV as spreadsheets write it, with these columns; nested values are JSON text."""

    line_end = b"\r\n"

    def __init__(self, columns: tuple[str, ...]) -> None:
        csv.field_size_limit(_LONGEST_FIELD)
        self._columns = columns
        self.header = _csv_line(columns)

    def encode(self, row: Row) -> bytes:
        """Write a row as one record, which may span several lines."""
        return _csv_line([_cell(row[name]) for name in self._columns])

    def records(self, lines: Iterable[bytes]) -> Iterator[Record]:
        """Join lines as long as a quote is open: inside of one, quotes come in pairs."""
        pieces: list[bytes] = []
        is_open = False
        for line in lines:
            pieces.append(line)
            is_open ^= line.count(b'"') % 2 == 1
            if not is_open:
                yield Record(b"".join(pieces), line.endswith(b"\n"))
                pieces.clear()
        if pieces:
            yield Record(b"".join(pieces), finished=False)

    def decode(self, data: bytes) -> Row | None:
        """Read a record; None if it is no row of these columns."""
        try:
            (cells,) = csv.reader([data.decode()], strict=True)
        except (csv.Error, ValueError):
            return None
        row = dict(zip(self._columns, cells, strict=False))
        return row if len(cells) == len(self._columns) and _is_row(row) else None

    def may_be_torn(self, data: bytes) -> bool:
        """Tell an unfinished row from rows that somebody put a stray quote in front of."""
        return not _ROW_ENDS.search(data)


def _is_row(row: Row) -> bool:
    question = row.get("question")
    return (
        isinstance(row.get("image"), str)
        and isinstance(question, str)
        and _QUESTION.fullmatch(question) is not None
    )


def _csv_line(cells: Iterable[Any]) -> bytes:
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue().encode(errors="backslashreplace")


def _cell(value: Any) -> Any:
    return (
        value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    )
