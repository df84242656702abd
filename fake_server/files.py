"""Files that were uploaded, to be named in a message instead of sent with it."""

from dataclasses import dataclass, field

import msgspec

from .identity import uuid
from .refusals import refuse
from .shelf import Shelf

MOST_FILES = 10_000
MOST_BYTES = 256 * 1024**2


class File(msgspec.Struct, frozen=True):
    """An uploaded file; `created` is seconds since 1970."""

    id: str
    name: str
    data: bytes
    created: int


def _size(file: File) -> int:
    return len(file.data)


@dataclass
class Files:
    """Files by their id, the oldest first."""

    shelf: Shelf[File] = field(default_factory=lambda: Shelf(MOST_FILES, MOST_BYTES, _size))

    def put(self, name: str, data: bytes, now: int) -> File:
        """Keep a file."""
        file_id = f"file_{uuid('file', name, str(self.shelf.number()), data)}"
        file = File(file_id, name, data, now)
        self.shelf.put(file_id, file)
        return file

    def all(self) -> list[File]:
        """Give every file, the oldest first."""
        return self.shelf.all()

    def get(self, file_id: str) -> File:
        """Give a file; raises the ApiError for an id that is none."""
        return _there(self.shelf.get(file_id), file_id)

    def delete(self, file_id: str) -> None:
        """Forget a file; raises the ApiError for an id that is none."""
        _there(self.shelf.pop(file_id), file_id)

    def clear(self) -> None:
        """Forget all."""
        self.shelf.clear()


def _there(file: File | None, file_id: str) -> File:
    if file is None:
        raise refuse("unknown file", file=file_id)
    return file
