"""Assertions on what was asked, with messages that say what came nearest."""

from collections.abc import Sequence

from .journal import LoggedRequest
from .when import When


def assert_called(
    requests: Sequence[LoggedRequest], when: When, times: int | None
) -> list[LoggedRequest]:
    """Give the requests that meet conditions; raises AssertionError if there are none.

    With `times` there have to be so many.
    """
    found = [request for request in requests if not when.differences(request)]
    if len(found) == times or (found and times is None):
        return found
    wanted = "at least one was" if times is None else f"{times} {'was' if times == 1 else 'were'}"
    many = f"{len(found) or 'no'} request{'' if len(found) == 1 else 's'} had"
    raise AssertionError(f"{many} {when}; {wanted} expected.{_nearest(requests, when)}")


def _nearest(requests: Sequence[LoggedRequest], when: When) -> str:
    missed = [(when.differences(request), request) for request in requests]
    missed = [(differences, request) for differences, request in missed if differences]
    if not requests:
        return " There was none at all."
    if not missed:
        return ""
    differences, request = min(missed, key=lambda pair: len(pair[0]))
    name = f"{request.method} {request.path}"
    return f" Nearest came request {request.number}, {name}: {'; '.join(differences)}."
