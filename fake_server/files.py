"""Files that were uploaded, to be named in a message instead of sent with it."""

from dataclasses import dataclass, field

import msgspec

from .clock import Clock
from .identity import uuid
from .refusals import refuse
from .shelf import Shelf

MOST_FILES = 10_000
MOST_BYTES = 256 * 1024**2


class File(msgspec.Struct, frozen=True):
    """An uploaded file; `created`, and `expires` if it does, are seconds since 1970."""

    id: str
    name: str
    data: bytes
    created: int
    expires: int | None = None


def _size(file: File) -> int:
    return len(file.data)


@dataclass
class Files:
    """Files by their id, the oldest first, until they expire by the `clock`."""

    clock: Clock = field(default_factory=Clock)
    shelf: Shelf[File] = field(default_factory=lambda: Shelf(MOST_FILES, MOST_BYTES, _size))

    def put(self, name: str, data: bytes, seconds: int | None = None) -> File:
        """Keep a file, for so many seconds if it is not to stay."""
        file_id = f"file_{uuid('file', name, str(self.shelf.number()), data)}"
        now = self.clock.now()
        file = File(file_id, name, data, now, None if seconds is None else now + seconds)
        self.shelf.put(file_id, file)
        return file

    def all(self) -> list[File]:
        """Give every file, the oldest first."""
        return [file for file in self.shelf.all() if self._is_there(file)]

    def get(self, file_id: str) -> File:
        """Give a file; raises the ApiError for an id that is none."""
        return self._there(self.shelf.get(file_id), file_id)

    def delete(self, file_id: str) -> None:
        """Forget a file; raises the ApiError for an id that is none."""
        self._there(self.shelf.pop(file_id), file_id)

    def clear(self) -> None:
        """Forget all."""
        self.shelf.clear()

    def _there(self, file: File | None, file_id: str) -> File:
        if file is None or not self._is_there(file):
            raise refuse("unknown file", file=file_id)
        return file

    def _is_there(self, file: File) -> bool:
        return file.expires is None or self.clock.now() < file.expires
