"""What came and went as it was, for somebody who looks at it: images by their size alone."""

import codecs
import re
from collections.abc import Callable

_INLINE = b";base64,"

# Bytes of an answer that are kept; more says nothing to a reader.
_MOST = 64 * 1024

# Letters of base64 below which it may be a word, an id or a hash.
LONG = 256

# As it ends, and as JSON may escape it.
_BASE64 = re.compile(rb"[A-Za-z0-9+/=_\\-]*\Z")


def abbreviated(body: bytes) -> bytes:
    """Give a body with its inline images cut out, and no more of it than anyone reads."""
    return without_images(body, _MOST)[:_MOST]


def without_base64(body: bytes) -> bytes:
    """Give a body without whatever is as long as an image and may be one, by its letters."""
    if len(body) < LONG:
        return body
    return b'"'.join(map(_told, body.split(b'"')))


def _told(text: bytes) -> bytes:
    if len(text) < LONG or not _BASE64.match(text, len(text) - LONG):
        return text
    return b"(%d bytes of base64)" % len(text)


def without_bytes(body: bytes) -> bytes:
    """Give a body as `without_base64` does, or say of it that it is no text."""
    try:
        # As one that may go on, because it may end in the middle of a character.
        codecs.getincrementaldecoder("utf-8")().decode(body)
    except UnicodeDecodeError:
        return b"(bytes that are no text)"
    return without_base64(body)


def without_images(body: bytes, most: int | None = None) -> bytes:
    """Give a body with its inline images cut out; behind the last, no more than `most`."""
    if _INLINE not in body:
        return body if most is None else body[:most]
    pieces: list[bytes] = []
    start = 0
    while (found := body.find(_INLINE, start)) >= 0:
        begin = found + len(_INLINE)
        end = body.find(b'"', begin)
        if end < 0:
            # The client was torn off.
            end = len(body)
        pieces.append(body[start:begin])
        pieces.append(b"(%d bytes of base64)" % (end - begin))
        start = end
    pieces.append(body[start:] if most is None else body[start : start + most])
    return b"".join(pieces)


class Recording:
    """Keeps what was sent of an answer; `end` hears of its end before the client does."""

    def __init__(self, end: Callable[[bytes], None]) -> None:
        self._end = end
        self._pieces: list[bytes] = []
        self._size = 0
        self._has_ended = False

    def hear(self, piece: bytes, *, is_last: bool) -> None:
        """Keep a piece, if there is room for it."""
        if self._size < _MOST:
            self._pieces.append(piece)
            self._size += len(piece)
        if is_last:
            self.close()

    def close(self) -> None:
        """Say that this was all, if nobody did."""
        if not self._has_ended:
            self._has_ended = True
            self._end(b"".join(self._pieces)[:_MOST])
