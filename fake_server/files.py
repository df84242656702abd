"""Files that were uploaded, to be named in a message instead of sent with it."""

from collections import OrderedDict
from dataclasses import dataclass, field

import msgspec

from .identity import uuid
from .refusals import refuse

# A server that runs for long would fill the machine: the oldest files go first.
MOST_FILES = 10_000
MOST_BYTES = 256 * 1024**2


class File(msgspec.Struct, frozen=True):
    """An uploaded file; `created` is seconds since 1970."""

    id: str
    name: str
    data: bytes
    created: int


@dataclass
class Files:
    """Files by their id, the oldest first."""

    _files: "OrderedDict[str, File]" = field(default_factory=OrderedDict)
    _uploaded: int = 0
    _size: int = 0

    def put(self, name: str, data: bytes, now: int) -> File:
        """Keep a file, and drop the oldest where they are too many, or too large together."""
        file = File(f"file_{uuid('file', name, str(self._count()), data)}", name, data, now)
        self._keep(file)
        return file

    def all(self) -> list[File]:
        """Give every file, the oldest first."""
        return list(self._files.values())

    def get(self, file_id: str) -> File:
        """Give a file; raises the ApiError for an id that is none."""
        file = self._find(file_id)
        if file is None:
            raise refuse("unknown file", file=file_id)
        return file

    def delete(self, file_id: str) -> None:
        """Forget a file; raises the ApiError for an id that is none."""
        if not self._drop(file_id):
            raise refuse("unknown file", file=file_id)

    def clear(self) -> None:
        """Forget all."""
        self._files.clear()
        self._uploaded = self._size = 0

    def _count(self) -> int:
        """Give how many were uploaded before."""
        self._uploaded += 1
        return self._uploaded - 1

    def _keep(self, file: File) -> None:
        self._files[file.id] = file
        self._size += len(file.data)
        while len(self._files) > MOST_FILES or (self._size > MOST_BYTES and len(self._files) > 1):
            self._drop(next(iter(self._files)))

    def _find(self, file_id: str) -> File | None:
        return self._files.get(file_id)

    def _drop(self, file_id: str) -> bool:
        file = self._files.pop(file_id, None)
        self._size -= len(file.data) if file else 0
        return file is not None
