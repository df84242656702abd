"""The body of a recorded request: what it says, and its images as files by their hash.

An inline image is kept once, and stands in the request as `data:image/png;sha256,<hash>`, the
file of an upload as `sha256,<hash>`.
"""

import hashlib
import json
import re
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pybase64

from .form import NoForm, Sent, read_form

# Wherever it stands, so that one is found in what is no JSON too; a type is no longer than that.
_INLINE = re.compile(r"data:(?P<declared>[^,\s]{0,100});base64,(?P<data>[A-Za-z0-9+/]*={0,2})")
_BARE = "data:;base64,"
_HASHED = re.compile(r"data:(?P<declared>[^,\s]{0,100});sha256,(?P<hash>[0-9a-f]{64})")
_HASHED_FILE = re.compile(rb"sha256,([0-9a-f]{64})")


# JSON that is deeper is a text here: how deep Python itself can go depends on who asks.
_DEEPEST = 200


class Form(list[Sent]):
    """What was sent in a form; with which boundary makes no difference."""


class Text(str):
    """What was sent, and is no JSON, or too deep."""

    __slots__ = ()


def parsed(body: bytes, content_type: str) -> Any:
    """Read a body: a Form, JSON, or else a Text."""
    with suppress(NoForm):
        return Form(read_form(body, content_type))
    try:
        return _each_text(json.loads(body), str)
    except (ValueError, RecursionError):
        return Text(body.decode(errors="replace"))


def without_images(request: bytes, content_type: str, folder: Path) -> bytes:
    """Put the hash of each inline image, or file, in its place, and the image into a folder."""

    def kept(data: bytes) -> str:
        name = _hash(data)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
        return name

    with suppress(NoForm):
        return _without_files(request, content_type, kept)
    named = partial(_named, name=kept)
    try:
        return json.dumps(_each_text(json.loads(request), named)).encode()
    except (ValueError, RecursionError):
        return named(request.decode(errors="surrogateescape")).encode(errors="surrogateescape")


def with_hashes(request: Any) -> Any:
    """Put the hash of each inline image, or file, of a body that was parsed in its place."""
    return _each(request, partial(_named, name=_hash), _hashed)


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _named(text: str, name: Callable[[bytes], str]) -> str:
    """Put a name in the place of each inline image."""

    def hashed(found: re.Match[str]) -> str:
        try:
            data = pybase64.b64decode(found["data"], validate=True)
        except ValueError:
            return found[0]
        return f"data:{found['declared']};sha256,{name(data)}"

    return _INLINE.sub(hashed, text)


def _hashed(sent: Sent) -> Sent:
    if sent.file_name is None or _HASHED_FILE.fullmatch(sent.data):
        return sent
    return sent._replace(data=f"sha256,{_hash(sent.data)}".encode())


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

    def inline(found: re.Match[str]) -> str:
        data = pybase64.b64encode(read(found["hash"])).decode()
        return f"data:{found['declared']};base64,{data}"

    def whole(text: str) -> str:
        return _HASHED.sub(inline, text)

    def with_file(sent: Sent) -> Sent:
        found = _HASHED_FILE.fullmatch(sent.data) if sent.file_name is not None else None
        return sent._replace(data=read(found[1].decode())) if found else sent

    return _each(request, whole, with_file)


def _each(request: Any, change: Callable[[str], str], change_sent: Callable[[Sent], Sent]) -> Any:
    """Change every text of a body that was parsed, or all that was sent in a form."""
    if isinstance(request, Form):
        return Form(map(change_sent, request))
    if isinstance(request, Text):
        return Text(change(request))
    try:
        return _each_text(request, change)
    except RecursionError:
        # A line of somebody's recordings, which `parsed` did not read.
        return request


def _each_text(value: Any, change: Callable[[str], str], levels: int = _DEEPEST) -> Any:
    """Change every text in a value of JSON; raises RecursionError if it has more levels."""
    if levels == 0:
        raise RecursionError
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [_each_text(inner, change, levels - 1) for inner in value]
    if isinstance(value, dict):
        changed = {name: _each_text(inner, change, levels - 1) for name, inner in value.items()}
        if value.get("type") == "base64" and isinstance(value.get("data"), str):
            changed["data"] = _source(value["data"], change)
        return changed
    return value


def _source(data: str, change: Callable[[str], str]) -> str:
    """Change the data of an image that stands bare beside its type, as in /v1/messages."""
    url = data if data.startswith("data:") else f"{_BARE}{data}"
    return change(url).removeprefix(_BARE)
