"""The body of a request, in which images are read and written as base64 while they are sent.

An image of 20 MiB takes no more memory than a small one. The body can be written again, for
another try.
"""

import binascii
import io
import json
import re
import secrets
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import httpx2

from .errors import ImageNotReadable, UnsendableText

if TYPE_CHECKING:
    from typing_extensions import Self

# Bytes read at once; by threes, as base64 takes them.
_BLOCK = 3 * 64 * 1024

# By which images are found where they are to stand.
_NAME = re.compile(r"(data:image/[a-z]+;image,[0-9a-f]{32})")


class DataUrl(str):
    """The data URL of an image; as a text it is a name that `Body` puts the image in for.

    `source` is a file, or the bytes themselves; `size` is how many they are.
    """

    __slots__ = ("head", "name", "size", "source")

    source: Path | bytes
    size: int
    head: bytes
    name: str

    def __new__(cls, media_type: str, source: Path | bytes, size: int, name: str) -> "Self":
        """Name an image by a word that stands nowhere else."""
        made = super().__new__(cls, f"data:{media_type};image,{secrets.token_hex(16)}")
        made.source, made.size, made.name = source, size, name
        made.head = f"data:{media_type};base64,".encode()
        return made

    @property
    def length(self) -> int:
        """How many bytes it takes when it is written."""
        return len(self.head) + -(-self.size // 3) * 4

    def written(self) -> Iterator[bytes]:
        """Write it piece by piece; raises ImageNotReadable if the file is not what it was."""
        yield self.head
        left = self.size
        try:
            with self._opened() as file:
                while block := file.read(_BLOCK):
                    left -= len(block)
                    if left < 0:
                        break
                    yield binascii.b2a_base64(block, newline=False)
        except OSError as error:
            raise ImageNotReadable(self.name, f"could not be read: {error.strerror}.") from error
        if left:
            raise ImageNotReadable(self.name, "changed while it was sent.")

    def _opened(self) -> BinaryIO:
        if isinstance(self.source, bytes):
            return io.BytesIO(self.source)
        # Without a buffer a read may give less, and base64 would end in the middle of the image.
        return self.source.open("rb")


class Body(httpx2.SyncByteStream, httpx2.AsyncByteStream):
    """A value as JSON, with its images; its bytes can be iterated over again and again.

    Raises UnsendableText where a text of it is none.
    """

    def __init__(self, value: Any) -> None:
        images = {str(image): image for image in _images(value)}
        pieces = _NAME.split(json.dumps(value, ensure_ascii=False))
        try:
            self._pieces = [images.get(piece) or piece.encode() for piece in pieces]
        except UnicodeEncodeError:
            raise UnsendableText from None

    def __len__(self) -> int:
        """Count its bytes."""
        return sum(
            piece.length if isinstance(piece, DataUrl) else len(piece) for piece in self._pieces
        )

    def __iter__(self) -> Iterator[bytes]:
        """Write it piece by piece; raises as `DataUrl.written` does."""
        for piece in self._pieces:
            if isinstance(piece, DataUrl):
                yield from piece.written()
            else:
                yield piece

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Write it piece by piece; raises as `DataUrl.written` does."""
        for piece in self:
            yield piece

    def __bytes__(self) -> bytes:
        """Write it whole."""
        return b"".join(self)


def _images(value: Any) -> Iterator[DataUrl]:
    if isinstance(value, DataUrl):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _images(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _images(inner)
