"""`--replay DIR`: answers with what was recorded, and with nothing else.

A request is the same if its method, its path and its body are: JSON is compared as JSON, a form
by what is sent in it, and images by their hash.
Of several recordings of the same request each answers once, in order; the last goes on.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from .delivery import Line, Outgoing, Scope, deliver
from .front import refusal
from .headers import Headers
from .recorded_body import parsed, with_hashes
from .recordings import OF_THE_WAY, Recording, read

_EVENT_END = re.compile(rb"(?<=\n\n)")


@dataclass
class Replayer:
    """Replays the recordings of a folder."""

    folder: Path
    recordings: list[Recording] = field(default_factory=list)
    _used: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        recordings = read([self.folder])
        self.recordings = [replace(one, request=with_hashes(one.request)) for one in recordings]

    async def __call__(self, scope: Scope, body: bytes, line: Line) -> None:
        """Answer one request."""
        method, path = scope["method"], scope["path"]
        content_type = dict(scope["headers"]).get(b"content-type", b"").decode("latin-1")
        found = self._find(method, path, with_hashes(parsed(body, content_type)))
        if found is None:
            await deliver(line, refusal(404, "not-recorded", self._nearest(method, path)), None)
            return
        pieces = filter(None, _EVENT_END.split(found.body))
        await deliver(line, Outgoing(found.status, _headers(found), pieces), None)

    def _find(self, method: str, path: str, asked: Any) -> Recording | None:
        same = [
            number
            for number, recording in enumerate(self.recordings)
            if (recording.method, recording.path) == (method, path)
            and (recording.request or "") == (asked or "")
        ]
        if not same:
            return None
        chosen = next((number for number in same if number not in self._used), same[-1])
        self._used.add(chosen)
        return self.recordings[chosen]

    def _nearest(self, method: str, path: str) -> str:
        others = [r for r in self.recordings if (r.method, r.path) == (method, path)]
        if not others:
            there = sorted(
                {f"{recording.method} {recording.path}" for recording in self.recordings}
            )
            return f"No recording is of {method} {path}, only of {', '.join(there)}."
        return (
            f"{len(others)} recording{'' if len(others) == 1 else 's'} of {method} {path}"
            " asked something else."
        )


def _headers(recording: Recording) -> Headers:
    return list(_passed(recording.headers))


def _passed(headers: Iterable[tuple[str, str]]) -> Iterator[tuple[bytes, bytes]]:
    for name, value in headers:
        if name not in OF_THE_WAY:
            yield name.encode(), value.encode("latin-1")
