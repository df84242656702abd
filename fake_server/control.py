"""The paths below /_fake/: the journal, scripts and the clock, for tests in any language.

What Python says with `FakeServer` is said here in JSON; a rule is written as in a scenario file.
The page at /_fake/ is for people.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import msgspec
from msgspec.structs import asdict

from . import page
from .app import App
from .assertions import assert_called
from .headers import Headers
from .images import media_type
from .journal import UNTOLD, LoggedImage, LoggedPart, LoggedRequest
from .openapi import document
from .refusals import StateLost
from .script import RuleFields, Script, pictures_of
from .settings import OPENAPI, PREFIX
from .when import When
from .wire.errors import is_no_utf8


@dataclass(frozen=True)
class Reply:
    """What the fake itself answers."""

    body: bytes
    content_type: str = "application/json"
    status: int = 200
    more: dict[str, str] = field(default_factory=dict)

    @property
    def headers(self) -> Headers:
        """The headers: nothing of the journal may run in a browser, or stay in it."""
        rows = {
            "content-type": self.content_type,
            "content-length": str(len(self.body)),
            "cache-control": "no-store",
            "x-content-type-options": "nosniff",
            "referrer-policy": "no-referrer",
            "content-security-policy": page.POLICY,
            **self.more,
        }
        return [(name.encode(), value.encode()) for name, value in rows.items()]


class _Advance(msgspec.Struct, forbid_unknown_fields=True):
    advance: float


class _Called(msgspec.Struct, forbid_unknown_fields=True):
    when: When = When()
    times: int | None = None


@dataclass(frozen=True)
class Asked:
    """A request to the fake itself."""

    app: App
    blanks: dict[str, str]
    query: str
    body: bytes


Handler = Callable[[Asked], Reply]


class NotThere(Exception):
    """What was asked for is not there, or not any more."""


def answered(app: App, method: str, path: str, query: str, body: bytes) -> Reply:
    """Answer a request to the fake itself."""
    found = [
        (verb, handler, match.groupdict())
        for verb, pattern, handler in _ROUTES
        if (match := re.fullmatch(pattern, path))
    ]
    if not found:
        return _error(404, f"The fake server has nothing at {path}; {PREFIX}/ is its page.")
    for verb, handler, blanks in found:
        if verb == method:
            return _answered(handler, Asked(app, blanks, query, body))
    verbs = ", ".join(sorted({verb for verb, *_ in found}))
    return _error(405, f"{path} takes {verbs}, not {method}.")


def _answered(handler: Handler, asked: Asked) -> Reply:
    try:
        # What can't be read may be forgotten all the same.
        if handler is not _reset:
            asked.app.service.refresh()
            asked.app.journal.refresh()
        return handler(asked)
    except NotThere as error:
        return _error(404, str(error))
    except (msgspec.DecodeError, ValueError) as error:
        return _error(400, "this is no UTF-8" if is_no_utf8(error) else str(error))
    except RecursionError:
        return _error(400, "this is nested too deeply")
    except AssertionError as error:
        return _error(409, str(error))
    except StateLost as error:
        return _error(503, str(error))


def forbidden(problem: str, *, wants_token: bool) -> Reply:
    """Say why a request is not answered; a browser then asks for the token."""
    body = msgspec.json.encode({"error": problem})
    if not wants_token:
        return Reply(body, status=403)
    return Reply(body, status=401, more={"www-authenticate": 'Basic realm="fake_server"'})


def _error(status: int, text: str) -> Reply:
    return Reply(msgspec.json.encode({"error": text}), status=status)


def _told(value: Any) -> Reply:
    return Reply(msgspec.json.encode(value))


_NOT_WRITTEN = (*UNTOLD, "fault")


def written(log: LoggedRequest) -> dict[str, Any]:
    """Write a request of the journal as JSON; its key is left out."""
    fields = {name: value for name, value in asdict(log).items() if name not in _NOT_WRITTEN}
    fields["fault"] = str(log.fault or "")
    fields["images"] = [asdict(image) for image in log.images]
    fields["messages"] = [
        {"role": message.role, "parts": [_part(part) for part in message.parts]}
        for message in log.messages
    ]
    return fields


def _part(part: LoggedPart) -> dict[str, Any]:
    if isinstance(part, LoggedImage):
        return {"type": "image", "image": asdict(part)}
    return {"type": "text", "text": part}


def _requests(asked: Asked) -> Reply:
    after = int(parse_qs(asked.query).get("after", ["0"])[-1])
    rows = [written(log) for log in asked.app.journal if log.number > after]
    return _told({"requests": rows, "total": asked.app.journal.total})


def _found(asked: Asked) -> LoggedRequest:
    number = int(asked.blanks["number"])
    log = asked.app.journal.find(number)
    if log is None:
        raise NotThere(f"Request {number} is not in the journal, or not any more.")
    return log


def _request(asked: Asked) -> Reply:
    return _told(written(_found(asked)))


def _forget_requests(asked: Asked) -> Reply:
    asked.app.journal.clear()
    return _told({})


def _image(asked: Asked) -> Reply:
    data = asked.app.journal.images.get(asked.blanks["sha256"])
    if data is None:
        raise NotThere("This image is not kept: --keep-images says how many bytes are.")
    return Reply(data, media_type(data))


def _put_scenario(asked: Asked) -> Reply:
    script = msgspec.json.decode(asked.body, type=Script)
    rules = [fields.rule() for fields in script.rules]
    asked.app.service.scenario.replace(rules, pictures_of(script), script.seed)
    return _told({"rules": len(rules)})


def _add_rule(asked: Asked) -> Reply:
    rule = msgspec.json.decode(asked.body, type=RuleFields).rule()
    asked.app.service.scenario.add(rule)
    return _told({"name": rule.name})


def _forget_rules(asked: Asked) -> Reply:
    asked.app.service.scenario.clear()
    return _told({})


def _reset(asked: Asked) -> Reply:
    asked.app.clear()
    return _told({})


def _clock(asked: Asked) -> Reply:
    wanted = msgspec.json.decode(asked.body, type=_Advance)
    asked.app.service.clock.advance(wanted.advance)
    return _told({"now": asked.app.service.now()})


def _assert(asked: Asked) -> Reply:
    wanted = msgspec.json.decode(asked.body or b"{}", type=_Called)
    found = assert_called(asked.app.journal, wanted.when, wanted.times)
    return _told({"requests": [log.number for log in found]})


def _health(_asked: Asked) -> Reply:
    return _told({"status": "ok"})


def _page(asked: Asked) -> Reply:
    return _html(page.journal(asked.app.journal))


def _rows(asked: Asked) -> Reply:
    after = int(parse_qs(asked.query).get("after", ["0"])[-1])
    return _html(page.rows(asked.app.journal, after))


def _page_of_request(asked: Asked) -> Reply:
    return _html(page.request(asked.app.journal, _found(asked)))


def _html(text: str) -> Reply:
    return Reply(text.encode(), "text/html; charset=utf-8")


def _file(asked: Asked) -> Reply:
    name = asked.blanks["name"]
    return Reply(page.file(name), page.FILES[name])


def _to_page(_asked: Asked) -> Reply:
    return Reply(b"", status=308, more={"location": f"{PREFIX}/"})


def _openapi(_asked: Asked) -> Reply:
    return _told(document())


_CONTROL: tuple[tuple[str, str, Handler], ...] = (
    ("GET", "", _to_page),
    ("GET", "/", _page),
    ("GET", "/rows", _rows),
    ("GET", r"/(?P<number>\d{1,9})", _page_of_request),
    ("GET", f"/(?P<name>{'|'.join(map(re.escape, page.FILES))})", _file),
    ("GET", "/health", _health),
    ("GET", "/requests", _requests),
    ("DELETE", "/requests", _forget_requests),
    ("GET", r"/requests/(?P<number>\d{1,9})", _request),
    ("GET", "/images/(?P<sha256>[0-9a-f]{64})", _image),
    ("PUT", "/scenario", _put_scenario),
    ("POST", "/rules", _add_rule),
    ("DELETE", "/rules", _forget_rules),
    ("POST", "/reset", _reset),
    ("POST", "/clock", _clock),
    ("POST", "/assert", _assert),
)
_ROUTES = (
    *((verb, PREFIX + path, handler) for verb, path, handler in _CONTROL),
    ("GET", re.escape(OPENAPI), _openapi),
)
