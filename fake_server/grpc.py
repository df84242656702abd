"""gRPC over ASGI: framing and statuses, and nothing of what the messages mean.

xai-sdk speaks it over cleartext HTTP/2 on the port of everything else. The classes of the
messages are those that xai-sdk ships: they are imported at the first gRPC request.
"""

import zlib
from collections.abc import Callable, Iterable
from typing import Protocol
from urllib.parse import quote

from .delivery import Outgoing
from .headers import Headers
from .refusals import ApiError

MEDIA_TYPE = "application/grpc"

# https://grpc.github.io/grpc/core/md_doc_statuscodes.html
CODES = (
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
)

# The extension of ASGI by which a server ends an answer with its headers (see `protocol`).
END_WITH_HEADERS = "fake_server.end_with_headers"

_START: Headers = [(b"content-type", MEDIA_TYPE.encode())]
_PREFIX = 5


class Writable(Protocol):
    """A message that can be sent."""

    def SerializeToString(self) -> bytes:  # noqa: N802 (protobuf's name)
        """Give its bytes."""


def unframed(body: bytes, encoding: str, most: int) -> bytes:
    """Take the one message out of the body of a call, inflated to no more than `most` bytes.

    Raises ValueError for anything else.
    """
    length = int.from_bytes(body[1:_PREFIX], "big")
    message = body[_PREFIX:]
    if len(body) < _PREFIX or len(message) != length:
        raise ValueError("the body is not one message behind its length")
    if not body[0]:
        return message
    # 16 and more: zlib reads the header of gzip itself.
    inflate = zlib.decompressobj(wbits=zlib.MAX_WBITS + (16 if encoding == "gzip" else 0))
    try:
        inflated = inflate.decompress(message, most + 1)
    except zlib.error as error:
        raise ValueError(f"the message is no {encoding or 'deflate'}: {error}") from None
    if not inflate.eof and len(inflated) <= most:
        raise ValueError(f"the message is cut, or no {encoding or 'deflate'}")
    if len(inflated) > most:
        raise ValueError(f"the message inflates to more than {most} bytes")
    return inflated


def outgoing(messages: Iterable[Writable], failed: ApiError) -> Outgoing:
    """Answer with messages and the status OK, or with that of an error inside the stream."""
    good: Headers = [(b"grpc-status", b"0")]
    framed = (_framed(message.SerializeToString()) for message in messages)
    return Outgoing(200, _START, framed, spoil=_spoil, trailers=(good, _trailers(failed)))


def _framed(data: bytes) -> bytes:
    return b"\0" + len(data).to_bytes(4, "big") + data


def _spoil(framed: bytes) -> bytes:
    """Make a message unreadable: no field begins with a byte of seven bits and more."""
    return framed[:_PREFIX] + b"\xff" * (len(framed) - _PREFIX)


def send_error(end_with_headers: Callable[[Headers], None], error: ApiError) -> None:
    """Answer with the status of an error, and its text."""
    end_with_headers(_START + _trailers(error))


def _trailers(error: ApiError) -> Headers:
    status = str(CODES.index(error.grpc)).encode()
    # The specification: percent-encoded UTF-8, but for printable ASCII.
    text = quote(error.error, safe=" !\"#$&'()*+,-./:;<=>?@[\\]^_`{|}~")
    if text != text.strip():
        # No header begins or ends with one.
        text = text.replace(" ", "%20")
    headers = [(b"grpc-status", status), (b"grpc-message", text.encode())]
    if error.retry_after is not None:
        pushback = str(round(error.retry_after * 1000)).encode()
        headers.append((b"grpc-retry-pushback-ms", pushback))
    return headers
