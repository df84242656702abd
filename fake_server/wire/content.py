"""The content of a message, which both wire formats read alike: a text, or parts in order."""

from typing import NamedTuple

import msgspec

from ..request import FilePart, ImagePart, Part, TextPart, UnknownPart, spoken


class ImageUrl(msgspec.Struct):
    """The address of an image, and the detail asked for."""

    url: str
    detail: str | None = None


class FileContent(msgspec.Struct):
    """The id of an uploaded file."""

    file_id: str | None = None


class ContentPart(msgspec.Struct):
    """A part; OPENAPI has an object for an image on chat completions, a string on /v1/responses."""

    type: str
    text: str | None = None
    image_url: ImageUrl | str | None = None
    detail: str | None = None
    file_id: str | None = None
    file: FileContent | None = None


# DOC OPENAPI: what an uploaded file may be called; the first two on chat completions.
_FILE_TYPES = ("file", "text_file", "input_image", "input_file")

Content = str | list[ContentPart] | None


class Types(NamedTuple):
    """What a text and an image may be called."""

    texts: tuple[str, ...]
    images: tuple[str, ...]


def parts_of(role: str, content: Content, types: Types) -> tuple[Part, ...]:
    """Translate a content."""
    if isinstance(content, str):
        return spoken(role, content)
    return tuple(_part(part, types) for part in content or ())


def _part(part: ContentPart, types: Types) -> Part:
    if part.type in types.texts and part.text is not None:
        return TextPart(part.text)
    if part.type in types.images and part.image_url is not None:
        image = part.image_url
        if isinstance(image, str):
            image = ImageUrl(image, part.detail)
        return ImagePart(image.url, "auto" if image.detail is None else image.detail)
    if part.type in _FILE_TYPES and (file_id := part.file_id or (part.file and part.file.file_id)):
        return FilePart(file_id, part.detail or "auto")
    return UnknownPart(part.type)
