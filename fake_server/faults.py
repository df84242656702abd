"""What goes wrong on the way of an answer, where a test asks for it.

The fields are those of a scenario file, and the arguments of `FakeServer.fault`. An event is
one server-sent event, one message of gRPC, or a whole answer. Nothing here sends: an answer is
its pieces, and comes out bent.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

# fin: the connection is closed; rst: it is reset; stall: nothing more comes; error: the
# stream goes on with an error.
Ending = Literal["fin", "rst", "stall", "error"]

DONE = b"data: [DONE]\n\n"


Seconds = Annotated[float, Meta(ge=0)]
Count = Annotated[int, Meta(ge=0)]


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Faults of one answer; each field says what it does."""

    first_token: Annotated[
        Seconds, Meta(description="seconds to wait, behind the headers, before the first event")
    ] = 0
    per_token: Annotated[Seconds, Meta(description="seconds to wait behind each event")] = 0
    after_events: Annotated[
        Count | None,
        Meta(
            description="the answer ends behind so many events; with 0 not even the headers leave"
        ),
    ] = None
    after_bytes: Annotated[
        Count | None,
        Meta(
            description="the answer ends behind so many bytes of its body; with 0 the headers leave"
        ),
    ] = None
    half_event: Annotated[
        bool, Meta(description="the answer ends in the middle of the next event")
    ] = False
    ending: Annotated[
        Ending | None,
        Meta(
            description="how it ends there: `fin` closes the connection (unless told), `rst` resets"
            " it, `stall` sends nothing more, `error` sends an error inside the stream"
        ),
    ] = None
    malformed: Annotated[bool, Meta(description="each event is JSON without its last brace")] = (
        False
    )
    duplicated: Annotated[bool, Meta(description="each event comes twice")] = False
    no_done: Annotated[bool, Meta(description="a stream has no `[DONE]`")] = False
    segment: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        Meta(description="so many bytes at most leave at once, such as 1"),
    ] = None
    split_utf8: Annotated[bool, Meta(description="characters of several bytes are cut in two")] = (
        False
    )
    content_type: Annotated[
        str | None, Meta(description="is declared in place of the right one")
    ] = None

    def __post_init__(self) -> None:
        if self.after_bytes is not None and (self.after_events is not None or self.half_event):
            raise ValueError("an answer is cut after_bytes or after_events, not both")
        declared = self.content_type or ""
        if not (declared.isascii() and declared.isprintable() and declared == declared.strip()):
            raise ValueError(
                f"content_type is printable ASCII without spaces around it, unlike {declared!r}"
            )

    @property
    def cuts(self) -> bool:
        """Whether the answer is to end before its end."""
        places = (self.ending, self.after_events, self.after_bytes, self.half_event or None)
        return any(place is not None for place in places)

    @property
    def is_before_headers(self) -> bool:
        """Whether nothing at all is to leave."""
        at_once = self.after_bytes is None and not self.half_event and not self.after_events
        return self.cuts and at_once and self.ending != "error"

    def __str__(self) -> str:
        told = msgspec.structs.asdict(self)
        plain = msgspec.structs.asdict(Fault())
        return ", ".join(f"{name}={told[name]!r}" for name in told if told[name] != plain[name])


class Cut(msgspec.Struct, frozen=True):
    """The place where an answer ends before its end."""

    ending: Ending


def fault(**fields: Any) -> Fault:
    """Make a fault of arguments; raises ValueError for one that there is not."""
    try:
        return msgspec.convert(fields, Fault)
    except msgspec.ValidationError as error:
        raise ValueError(f"fault: {error}") from None


def bent(
    pieces: Iterable[bytes], fault: Fault, spoil: Callable[[bytes], bytes]
) -> Iterator[bytes | Cut]:
    """Give the events of an answer with its faults, up to where it is cut.

    `spoil` makes an event unreadable, in its own format.
    """
    marred = _marred(pieces, fault, spoil)
    if not fault.cuts:
        yield from marred
    elif fault.after_bytes is not None:
        yield from _cut_by_bytes(marred, fault.after_bytes, fault.ending or "fin")
    else:
        yield from _cut_by_events(marred, fault)


def _marred(
    pieces: Iterable[bytes], fault: Fault, spoil: Callable[[bytes], bytes]
) -> Iterator[bytes]:
    for piece in pieces:
        if piece == DONE and fault.no_done:
            continue
        event = spoil(piece) if fault.malformed else piece
        yield event
        if fault.duplicated:
            yield event


def _cut_by_bytes(events: Iterable[bytes], left: int, ending: Ending) -> Iterator[bytes | Cut]:
    for event in events:
        if left < len(event):
            if left:
                yield event[:left]
            yield Cut(ending)
            return
        left -= len(event)
        yield event


def _cut_by_events(events: Iterable[bytes], fault: Fault) -> Iterator[bytes | Cut]:
    most = fault.after_events or 0
    for number, event in enumerate(events):
        if number < most:
            yield event
            continue
        if fault.half_event:
            yield event[: len(event) // 2]
        yield Cut(fault.ending or "fin")
        return


def segments(event: bytes, fault: Fault) -> Iterator[bytes]:
    """Cut an event into the pieces that leave by themselves."""
    if fault.split_utf8:
        yield from _within_characters(event)
        return
    size = fault.segment or len(event) or 1
    for start in range(0, len(event), size):
        yield event[start : start + size]


def _within_characters(event: bytes) -> Iterator[bytes]:
    start = 0
    for at, byte in enumerate(event):
        # The first byte of a character of several; its others begin with the bits 10.
        if byte >= 0b11000000:
            yield event[start : at + 1]
            start = at + 1
    yield event[start:]


def spoil_json(event: bytes) -> bytes:
    """Take the last brace of an event away."""
    before, brace, behind = event.rpartition(b"}")
    return before + behind if brace else event
