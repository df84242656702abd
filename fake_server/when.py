"""Which requests a rule is for, and how far another request is from it.

The fields are those of a scenario file, and the arguments of `FakeServer.when` and
`assert_called`.
"""

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from .journal import LoggedImage, LoggedRequest


class ImageIs(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an image has to be; what is not named may be anything.

    `size` is in bytes, `sha256` the hash of these bytes in hexadecimal.
    """

    format: str | None = None
    width: int | None = None
    height: int | None = None
    size: int | None = None
    detail: str | None = None
    sha256: str | None = None
    url: str | None = None

    def fits(self, image: LoggedImage) -> bool:
        """Whether an image is that."""
        return all(getattr(image, name) == value for name, value in _named(self))


class When(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a request has to be; what is not named may be anything.

    `model` is the id that was asked for, `text` stands somewhere in the last message,
    `text_matches` is a regular expression that is found there. `images` is their number,
    `image` what one of them is, `detail` what each of them has. `tool` is the name of a tool
    that was offered, `headers` are by name, in any case.
    """

    model: str | None = None
    path: str | None = None
    text: str | None = None
    text_matches: str | None = None
    images: int | None = None
    image: ImageIs | None = None
    detail: str | None = None
    tool: str | None = None
    stream: bool | None = None
    headers: dict[str, str] = {}

    def __post_init__(self) -> None:
        try:
            re.compile(self.text_matches or "")
        except re.error as error:
            problem = f"text_matches is no regular expression: {error}"
            raise ValueError(problem) from None

    def __str__(self) -> str:
        named = [f"{name}={_shown(value)}" for name, value in _named(self)]
        return ", ".join(named) or "any request"

    def differences(self, log: LoggedRequest) -> list[str]:
        """Say of each condition that a request does not meet how it is instead."""
        return list(self._differences(log))

    def _differences(self, log: LoggedRequest) -> Iterator[str]:
        for name in ("model", "path", "stream"):
            wanted, got = getattr(self, name), getattr(log, name)
            if wanted not in (None, got):
                yield f"{name} is {got!r}, not {wanted!r}"
        text = log.last_text
        if self.text is not None and self.text not in text:
            yield f"the last message has no {self.text!r}: {_short(text)!r}"
        if self.text_matches is not None and not re.search(self.text_matches, text):
            yield f"the last message does not match {self.text_matches!r}: {_short(text)!r}"
        yield from self._differences_of_images(log.images)
        if self.tool is not None and self.tool not in log.tools:
            yield f"tools are {log.tools}, without {self.tool!r}"
        for name, value in self.headers.items():
            if log.headers.get(name.lower()) != value:
                yield f"header {name} is {log.headers.get(name.lower())!r}, not {value!r}"

    def _differences_of_images(self, images: list[LoggedImage]) -> Iterator[str]:
        if self.images not in (None, len(images)):
            yield f"images is {len(images)}, not {self.images}"
        if self.image is not None and not any(map(self.image.fits, images)):
            yield f"no image has {_shown(self.image)}: {[*map(_seen, images)]}"
        details = sorted({image.detail for image in images})
        if self.detail is not None and details != [self.detail]:
            yield f"detail is {' and '.join(details) or 'nowhere'}, not {self.detail}"


def when(**conditions: Any) -> When:
    """Make conditions of arguments; raises ValueError for one that there is not."""
    try:
        return msgspec.convert(conditions, When)
    except msgspec.ValidationError as error:
        raise ValueError(f"when: {error}") from None


def _named(conditions: ImageIs | When) -> Iterator[tuple[str, Any]]:
    for name in conditions.__struct_fields__:
        value = getattr(conditions, name)
        if value not in (None, {}):
            yield name, value


def _shown(value: object) -> str:
    if isinstance(value, ImageIs):
        return ", ".join(f"{name} {inner}" for name, inner in _named(value))
    return repr(value)


def _seen(image: LoggedImage) -> str:
    return f"{image.format} {image.width}x{image.height}, {image.size} bytes, {image.detail}"


def _short(text: str) -> str:
    most = 60
    return text if len(text) <= most else text[:most] + "\N{HORIZONTAL ELLIPSIS}"
