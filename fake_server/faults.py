"""What goes wrong on the way of an answer, where a test asks for it.

The fields are those of a scenario file, and the arguments of `FakeServer.fault`. An event is
one server-sent event, one message of gRPC, or a whole answer. Nothing here sends: an answer is
its pieces, and comes out bent.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Literal, NamedTuple

import msgspec

# fin: the connection is closed; rst: it is reset; stall: nothing more comes; error: the
# stream goes on with an error.
Ending = Literal["fin", "rst", "stall", "error"]

DONE = b"data: [DONE]\n\n"


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Faults of one answer; times are in seconds.

    `first_token` is waited for before the first event, `per_token` between events. The
    answer ends `after_events` or `after_bytes` of its body, or in the middle of the next event
    with `half_event`: by `ending`, which is fin unless told. With `after_events` 0 not even the
    headers leave; with `after_bytes` 0 they do. `malformed` takes the last brace of each event
    away, `duplicated` sends each twice, `no_done` leaves [DONE] out. `segment` is the most bytes
    that leave at once, `split_utf8` cuts characters of several bytes in two. `content_type`
    is declared in place of the right one.
    """

    first_token: float = 0
    per_token: float = 0
    after_events: int | None = None
    after_bytes: int | None = None
    half_event: bool = False
    ending: Ending | None = None
    malformed: bool = False
    duplicated: bool = False
    no_done: bool = False
    segment: int | None = None
    split_utf8: bool = False
    content_type: str | None = None

    def __post_init__(self) -> None:
        for name, least in (
            ("first_token", 0),
            ("per_token", 0),
            ("after_events", 0),
            ("after_bytes", 0),
            ("segment", 1),
        ):
            value = getattr(self, name)
            if value is not None and value < least:
                raise ValueError(f"{name} is a number from {least}, not {value!r}")
        if self.after_bytes is not None and (self.after_events is not None or self.half_event):
            raise ValueError("an answer is cut after_bytes or after_events, not both")

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


class Cut(NamedTuple):
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
