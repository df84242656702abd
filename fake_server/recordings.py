"""Recorded exchanges with xAI: cassettes that vcrpy reads, and what is kept out of them.

Keys and cookies are never written, images by their hash (see `recorded_body`). Lines of JSON are
read too: an object a line with method, endpoint, status, request, response_headers and
response_body.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import yaml

from .recorded_body import parsed, with_images, without_images

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
Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Recording:
    """A request and its answer; `source` says where it stands, `headers` are the answer's.

    `request` is what `parsed` makes of its body; images that stand by their hash in it are files
    of the folder `images`. `query` is what stands behind its path, with the question mark.
    """

    source: str
    method: str
    path: str
    request: Any
    status: int
    headers: Headers
    body: bytes
    query: str = ""
    images: Path | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.status, int) or self.status not in STATUSES:
            raise ValueError(f"{self.status!r} is no status of an answer")
        if not self.path.startswith("/"):
            raise ValueError(f"{self.path!r} is no path")
        for header in self.headers:
            if not is_header(header):
                raise ValueError(f"{header!r} is no header")

    def whole(self) -> "Recording":
        """Give it with its images; raises ValueError for one that is not there."""
        if self.images is None:
            return self
        try:
            return replace(self, request=with_images(self.request, self.images))
        except ValueError as error:
            raise ValueError(f"{self.source}: {error}") from None

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


def is_header(header: tuple[str, str]) -> bool:
    """Whether a name and a value can be sent: HTTP/2 takes no value with spaces around it."""
    return _HEADER.fullmatch(": ".join(header)) is not None and header[1] == header[1].strip(" \t")


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
            body,
            answer["status"]["code"],
            headers,
            answer["body"]["string"] or b"",
            f"?{url.query}" if url.query else "",
            path.parent / IMAGES,
        )


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
