"""What came and went as it was, for somebody who looks at it: images by their size alone."""

from collections.abc import Callable

_INLINE = b";base64,"

# Bytes of an answer that are kept; more says nothing to a reader.
_MOST = 64 * 1024


def abbreviated(body: bytes) -> bytes:
    """Give a body with its inline images cut out, and no more of it than anyone reads."""
    return without_images(body, _MOST)[:_MOST]


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
            break
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
