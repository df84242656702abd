"""What is asked about every image, and the row that an answer becomes."""

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import llm

from ..errors import InvalidSetting, UnusableAnswer

Row = dict[str, Any]

# A row: the image, what was answered about it, and these.
_BEHIND = ("model", "input_tokens", "image_tokens", "output_tokens", "cost_usd", "question")
_LONGEST_QUOTE = 200


@dataclass(frozen=True)
class Question:
    """All that decides an answer but the image; `options` are those that were given, validated.

    Raises InvalidSetting for a schema whose fields cannot be columns.
    """

    model_id: str
    prompt: str
    system: str | None
    schema: dict[str, Any] | None
    options: dict[str, Any]

    def __post_init__(self) -> None:
        taken = [name for name in self.fields if name in ("image", *_BEHIND)]
        if taken:
            raise InvalidSetting(
                f"The schema has a field {taken[0]!r}, and so has every row of the output for"
                " something else; give the field another name."
            )

    @property
    def id(self) -> str:
        """12 hexadecimal digits that tell this question from others in one file."""
        asked = [self.model_id, self.prompt, self.system, self.schema, self.options]
        canonical = json.dumps(asked, sort_keys=True)
        return hashlib.sha256(canonical.encode()).hexdigest()[:12]

    @property
    def fields(self) -> tuple[str, ...]:
        """The columns of the answer: the schema's properties, or `response` for a text."""
        return self._properties or ("response",)

    @property
    def _properties(self) -> tuple[str, ...]:
        properties = (self.schema or {}).get("properties")
        return tuple(properties) if isinstance(properties, dict) else ()

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of a row's values, in order."""
        return ("image", *self.fields, *_BEHIND)

    def about(self, model: Any, image: str, key: str | None = None) -> Any:
        """Ask one of LLM's models, sync or async, about an image; give LLM's response.

        Nothing is read or sent before the answer is asked for.
        """
        # LLM's log is read from other folders too.
        attachment = llm.Attachment(path=str(Path(image).resolve()))
        return model.prompt(
            self.prompt,
            attachments=[attachment],
            system=self.system,
            schema=self.schema,
            options=self.options,
            key=key,
        )

    def row(self, image: str, text: str, usage: llm.Usage) -> Row:
        """Make the row of an answer; what xAI did not count is None.

        With a schema, a field that the answer lacks is None, and one that the schema does
        not name is left out. Raises UnusableAnswer where the answer is no JSON object.
        """
        details = usage.details or {}
        return {
            "image": image,
            **self._answer(text),
            "model": self.model_id,
            "input_tokens": usage.input,
            "image_tokens": details.get("image_tokens"),
            "output_tokens": usage.output,
            "cost_usd": details.get("cost_usd"),
            "question": self.id,
        }

    def _answer(self, text: str) -> dict[str, Any]:
        if not self._properties:
            return {"response": text}
        try:
            answer = json.loads(text)
        except (ValueError, RecursionError):
            answer = None
        if not isinstance(answer, dict):
            quote = text if len(text) <= _LONGEST_QUOTE else text[:_LONGEST_QUOTE] + "..."
            raise UnusableAnswer(f"The answer is not what the schema asks for: {quote!r}")
        return {name: answer.get(name) for name in self.fields}


def image_key(path: str) -> str:
    """Tell whether two paths, given now or read from an output, are the same as written.

    A file name that is no UTF-8 is compared as an output spells it.
    """
    return os.path.normpath(path).encode(errors="backslashreplace").decode()
