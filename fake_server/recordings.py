"""Recorded exchanges with xAI: cassettes that vcrpy reads, and what is kept out of them.

Keys and cookies are never written. An inline image is kept once, as a file by its hash, and
stands in the request as `data:image/png;sha256,<hash>`, the file of an upload as
`sha256,<hash>`. Lines of JSON are read too: an object a line with method, endpoint, status,
request, response_headers and response_body.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pybase64
import yaml

from .form import NoForm, Sent, read_form

# The folder of images, and of other files, beside the cassettes.
IMAGES = "images"

_SECRET = {"authorization", "x-api-key", "cookie", "set-cookie", "proxy-authorization"}
# Of the connection, and not of the answer.
OF_THE_WAY = {
    "connection",
    "content-encoding",
    "content-length",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
}
# Those that an answer ends with.
STATUSES = range(200, 600)
# Names are tokens, and nothing in a value ends its line.
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+: [\t\x20-\x7e\x80-\xff]*")
_INLINE = re.compile(r"data:(?P<declared>[^;,]*);base64,(?P<data>.*)", re.DOTALL)
_BARE = "data:;base64,"
_HASHED = re.compile(r"data:(?P<declared>[^;,]*);sha256,(?P<hash>[0-9a-f]{64})")
_HASHED_FILE = re.compile(rb"sha256,([0-9a-f]{64})")

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Recording:
    """A request and its answer; `source` says where it stands, `headers` are the answer's.

    `request` is what `parsed` makes of its body, `query` what stands behind its path, with
    the question mark.
    """

    source: str
    method: str
    path: str
    request: Any
    status: int
    headers: Headers
    body: bytes
    query: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.status, int) or self.status not in STATUSES:
            raise ValueError(f"{self.status!r} is no status of an answer")
        if not self.path.startswith("/"):
            raise ValueError(f"{self.path!r} is no path")
        for header in self.headers:
            if not _HEADER.fullmatch(": ".join(header)):
                raise ValueError(f"{header!r} is no header")

    @property
    def text(self) -> str:
        """The body of the answer as a text."""
        return self.body.decode(errors="replace")

    @property
    def streamed(self) -> bool:
        """Whether the answer is a stream of events."""
        return self.body.startswith((b"data:", b"event:", b":"))

    @property
    def model(self) -> str:
        """The model that was asked, if one was."""
        return str(self.request.get("model", "")) if isinstance(self.request, dict) else ""


def read(paths: Iterable[Path]) -> list[Recording]:
    """Read files, and the files of folders; raises ValueError for one that can't be read."""
    found: list[Recording] = []
    for path in paths:
        files = sorted(_files(path)) if path.is_dir() else [path]
        if not files:
            raise ValueError(f"{path}: there is no cassette in this folder")
        for file in files:
            found += _read(file)
    return found


def _files(folder: Path) -> Iterator[Path]:
    for ending in ("yaml", "yml", "jsonl"):
        yield from folder.rglob(f"*.{ending}")


def _read(path: Path) -> list[Recording]:
    try:
        return list(_lines(path) if path.suffix == ".jsonl" else _cassette(path))
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror or 'there is no such file'}") from None
    except (ValueError, LookupError, TypeError, AttributeError, yaml.YAMLError) as error:
        raise ValueError(f"{path}: this is no recording: {error}") from None


def _lines(path: Path) -> Iterator[Recording]:
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        row = json.loads(line)
        headers = tuple((name.lower(), value) for name, value in row["response_headers"] or ())
        yield Recording(
            f"{path.name}, line {number}",
            row["method"],
            row["endpoint"],
            row["request"],
            row["status"],
            headers,
            row["response_body"].encode(errors="replace"),
        )


def _cassette(path: Path) -> Iterator[Recording]:
    from vcr.persisters.filesystem import FilesystemPersister
    from vcr.serializers import yamlserializer

    requests, answers, *_ = FilesystemPersister.load_cassette(path, yamlserializer)
    for number, (request, answer) in enumerate(zip(requests, answers, strict=True), 1):
        body = parsed(request.body or b"", request.headers.get("content-type", ""))
        url = urlsplit(request.uri)
        headers = tuple(
            (name.lower(), value)
            for name, values in answer["headers"].items()
            for value in ([values] if isinstance(values, str) else values)
        )
        yield Recording(
            f"{path.name}, interaction {number}",
            request.method,
            unquote(url.path) or "/",
            with_images(body, path.parent / IMAGES),
            answer["status"]["code"],
            headers,
            answer["body"]["string"] or b"",
            f"?{url.query}" if url.query else "",
        )


class Form(list[Sent]):
    """What was sent in a form; with which boundary makes no difference."""


class Text(str):
    """What was sent, and is no JSON."""

    __slots__ = ()


def parsed(body: bytes, content_type: str) -> Any:
    """Read a body: a Form, JSON, or else a Text."""
    with suppress(NoForm):
        return Form(read_form(body, content_type))
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return Text(body.decode(errors="replace"))


def write(
    folder: Path,
    name: str,
    *,
    method: str,
    url: str,
    request_headers: Headers,
    request: bytes,
    status: tuple[int, str],
    headers: Headers,
    body: bytes,
) -> Path:
    """Write a cassette of one exchange, and the images in it; the result is its path."""
    from vcr.persisters.filesystem import FilesystemPersister
    from vcr.request import Request
    from vcr.serializers import yamlserializer

    content_type = dict(request_headers).get("content-type", "")
    kept_request = without_images(request, content_type, folder / IMAGES)
    asked = Request(method, url, kept_request, {})
    asked.headers = {name: [value] for name, value in _shown(request_headers)}
    kept: dict[str, list[str]] = {}
    for header, value in _shown(headers):
        kept.setdefault(header, []).append(value)
    answer = {
        "status": {"code": status[0], "message": status[1]},
        "headers": kept,
        "body": {"string": body},
    }
    path = folder / f"{name}.yaml"
    cassette = {"requests": [asked], "responses": [answer]}
    FilesystemPersister.save_cassette(path, cassette, yamlserializer)
    return path


def _shown(headers: Headers) -> Iterator[tuple[str, str]]:
    for name, value in headers:
        if name.lower() not in _SECRET | OF_THE_WAY:
            yield name, value


def without_images(request: bytes, content_type: str, folder: Path) -> bytes:
    """Put the hash of each inline image, or file, in its place, and the image into a folder."""

    def kept(data: bytes) -> str:
        name = hashlib.sha256(data).hexdigest()
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
        return name

    def hashed(text: str) -> str:
        found = _INLINE.fullmatch(text)
        if not found:
            return text
        try:
            data = pybase64.b64decode(found["data"], validate=True)
        except ValueError:
            return text
        return f"data:{found['declared']};sha256,{kept(data)}"

    with suppress(NoForm):
        return _without_files(request, content_type, kept)
    try:
        asked = _each_text(json.loads(request), hashed)
        return json.dumps(asked, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return request


def _without_files(request: bytes, content_type: str, kept: Callable[[bytes], str]) -> bytes:
    """Put the hash of each file of a form in its place; raises NoForm."""
    pieces: list[bytes] = []
    at = passed = 0
    for sent in read_form(request, content_type):
        # Between the headers of its part and the next boundary, or it might be any bytes.
        found = request.find(b"\r\n\r\n%b\r\n--" % sent.data, passed)
        if found < 0:
            # It came in base64, which the RFC of forms has deprecated (RFC 7578, 4.7).
            continue
        start, passed = found + 4, found + 4 + len(sent.data)
        if sent.file_name is not None:
            pieces += [request[at:start], f"sha256,{kept(sent.data)}".encode()]
            at = passed
    return b"".join([*pieces, request[at:]])


def with_images(request: Any, folder: Path) -> Any:
    """Put each inline image, or file, back; raises ValueError for one that is not there."""

    def read(name: str) -> bytes:
        try:
            return (folder / name).read_bytes()
        except OSError:
            raise ValueError(f"the image {name} is not in {folder}") from None

    def whole(text: str) -> str:
        found = _HASHED.fullmatch(text)
        if not found:
            return text
        data = pybase64.b64encode(read(found["hash"])).decode()
        return f"data:{found['declared']};base64,{data}"

    def with_file(sent: Sent) -> Sent:
        found = _HASHED_FILE.fullmatch(sent.data) if sent.file_name is not None else None
        return sent._replace(data=read(found[1].decode())) if found else sent

    if isinstance(request, Form):
        return Form(map(with_file, request))
    try:
        return _each_text(request, whole)
    except RecursionError:
        # Such a one was kept as it came.
        return request


def _each_text(value: Any, change: Callable[[str], str]) -> Any:
    """Change every text in a value of JSON."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [_each_text(inner, change) for inner in value]
    if isinstance(value, dict):
        changed = {name: _each_text(inner, change) for name, inner in value.items()}
        if value.get("type") == "base64" and isinstance(value.get("data"), str):
            changed["data"] = _source(value["data"], change)
        return changed
    return value


def _source(data: str, change: Callable[[str], str]) -> str:
    """Change the data of an image that stands bare beside its type, as in /v1/messages."""
    url = data if data.startswith("data:") else f"{_BARE}{data}"
    return change(url).removeprefix(_BARE)
