"""Whose word the fake follows: what xAI documents, or what its service was seen to do.

A contract is data; the rules take it as an argument, and nobody asks for its name.
"""

import msgspec

from llm_grok_vision.limits import (
    IMAGE_FORMATS,
    MAX_IMAGE_BYTES,
    SEEN_IMAGE_FORMATS,
    SEEN_MAX_BODY_BYTES,
    SEEN_MAX_IMAGE_BYTES,
)

from .era import Era
from .settings import DEFAULT_MAX_BODY


class Contract(msgspec.Struct, frozen=True):
    """What differs between the two.

    `formats` are the types of images that are taken, and `unknown_format` the row of a
    refusal of others. `any_word` says that an unknown `detail` or `tool_choice` is read as `auto`.
    `by_model` says that images are counted by the accounting of the model, and by tiles
    otherwise. `usage_on_every_chunk` is about streams whose client asked for no usage. `era` is the
    month whose service answers; under both contracts it is the newest unless told.
    """

    max_image_bytes: int
    max_body: int
    formats: tuple[str, ...]
    unknown_format: str
    any_word: bool
    by_model: bool
    usage_on_every_chunk: bool
    era: Era = Era()


DOCUMENTED = Contract(
    max_image_bytes=MAX_IMAGE_BYTES,
    max_body=DEFAULT_MAX_BODY,
    formats=IMAGE_FORMATS,
    unknown_format="not an image",
    any_word=False,
    by_model=False,
    usage_on_every_chunk=True,
)

OBSERVED = Contract(
    max_image_bytes=SEEN_MAX_IMAGE_BYTES,
    max_body=SEEN_MAX_BODY_BYTES,
    formats=SEEN_IMAGE_FORMATS,
    unknown_format="not an image of four types",
    any_word=True,
    by_model=True,
    # OBSERVED 2025-09 to 2026-06: 86 of 86 such streams have no usage.
    usage_on_every_chunk=False,
)

BY_NAME = {"documented": DOCUMENTED, "observed": OBSERVED}
