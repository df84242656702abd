"""`verify CASSETTES…`: whether the fake still answers as xAI was recorded to.

Whoever has a key records once a week, and hears from this when xAI changed.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .drift import LEFT_OUT, Drift, drift, era_of
from .recordings import Recording, read


@dataclass(frozen=True)
class Report:
    """What was compared, and the recordings whose answer has no shape that is known."""

    compared: list[tuple[Recording, Drift]] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)

    @property
    def scores(self) -> dict[str, tuple[int, int]]:
        """Count for each aspect how many recordings are the same in it, of those that have it."""
        seen, same = Counter[str](), Counter[str]()
        for _, found in self.compared:
            for aspect, differences in found.items():
                seen[aspect] += 1
                same[aspect] += not differences
        return {aspect: (same[aspect], seen[aspect]) for aspect in sorted(seen)}

    def differences(self) -> list[dict[str, Any]]:
        """Give every difference: where it was recorded, in which aspect, and in words."""
        return [
            {
                "recording": recording.source,
                "path": recording.path,
                "model": recording.model,
                "era": era_of(recording),
                "aspect": aspect,
                "difference": difference,
            }
            for recording, found in self.compared
            for aspect, differences in found.items()
            for difference in differences
        ]

    def worse_than(self, scores: Mapping[str, Sequence[int]]) -> list[str]:
        """Name the aspects that are worse than they were; by ratio, as recordings may be added."""
        now = self.scores
        return [
            aspect
            for aspect, (same, of) in scores.items()
            if aspect not in now or now[aspect][0] * of < same * now[aspect][1]
        ]


def verify(cassettes: Sequence[Path], images: Path | None = None) -> Report:
    """Compare every recording with the fake; raises ValueError for one that can't be read.

    `images` is a folder with DIR/host/path for https://host/path.
    """
    report = Report()
    for recording in read(cassettes):
        found = _compared(recording.whole(), images)
        if isinstance(found, str):
            report.unknown.append(found)
        else:
            report.compared.append((recording, found))
    return report


def _compared(recording: Recording, images: Path | None) -> Drift | str:
    """Tell what differs, or why nothing can be compared: an answer of another API, or cut."""
    try:
        return drift(recording, images)
    except (LookupError, TypeError, ValueError, AttributeError, RecursionError) as error:
        problem = f"{type(error).__name__}: {error}"
        return f"{recording.source}: this answer is not understood ({problem})"


def as_text(report: Report) -> str:
    """Write a report for people: each difference once, then the scores."""
    lines: list[str] = []
    many = Counter(
        (row["aspect"], row["path"], row["model"], row["era"], row["difference"])
        for row in report.differences()
    )
    first = {
        (row["aspect"], row["path"], row["model"], row["era"], row["difference"]): row["recording"]
        for row in reversed(report.differences())
    }
    for kind, count in sorted(many.items()):
        aspect, path, model, era, difference = kind
        more = f" and {count - 1} more" if count > 1 else ""
        where = ", ".join(filter(None, [path, model, era]))
        lines.append(f"{aspect}: {difference} ({where}; {first[kind]}{more})")
    lines += report.unknown
    scores = report.scores.items()
    lines += [f"{aspect}: {same} of {seen} are the same" for aspect, (same, seen) in scores]
    lines += [f"not compared: {what}" for what in LEFT_OUT]
    return "\n".join(lines)


def as_json(report: Report) -> str:
    """Write a report for programs."""
    told = {
        "differences": report.differences(),
        "unknown": report.unknown,
        "scores": report.scores,
        "not_compared": LEFT_OUT,
    }
    return json.dumps(told, indent=2)


def run(
    cassettes: Sequence[Path], images: Path | None, scores: Path | None, *, json_wanted: bool
) -> tuple[int, str]:
    """Verify, and give the exit status with what is to be printed.

    The status is 1 where something differs, or with `scores`, where an aspect is worse than
    it was. Raises ValueError for files that can't be read.
    """
    report = verify(cassettes, images)
    text = as_json(report) if json_wanted else as_text(report)
    if scores is None:
        return int(bool(report.differences() or report.unknown)), text
    try:
        worse = report.worse_than(json.loads(scores.read_text(encoding="utf-8")))
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise ValueError(f"{scores}: these are no scores: {error}") from None
    return int(bool(worse)), text
