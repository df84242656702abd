"""A scenario as it is written: in YAML, in JSON for the control API, or as arguments in Python.

    rules:
      - when: {images: 2, text: compare}
        reply: The left one is brighter.
      - when: {model: grok-4.3}
        fail: {status: 429, retry_after: 2}
        times: 1
      - fault: {after_events: 3, ending: rst}
        probability: 0.1
    images:
      https://example.com/cat.png: pictures/cat.png
    seed: 7

The first rule that is for a request answers it.
"""

from typing import Any, Literal

import msgspec
import pybase64

from .faults import Fault
from .scenario import Failure, ImageFailure, Reply, Rule, Scripted, failure
from .when import When


class ToolCallFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A call of a tool."""

    name: str
    arguments: dict[str, Any] = {}


class ReplyFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An answer; what its fields mean stands at `FakeServer.reply`."""

    text: str = ""
    reasoning: str = ""
    tool_calls: list[ToolCallFields] = []
    finish_reason: str = ""
    citations: list[str] = []
    server_tool_calls: list[ToolCallFields] = []
    usage: dict[str, int] = {}
    refusal: str = ""

    def __post_init__(self) -> None:
        self.scripted()

    def scripted(self) -> Reply:
        """Give the answer; raises ValueError for one that can't be."""
        return Reply(
            self.text,
            self.reasoning,
            tuple((call.name, call.arguments) for call in self.tool_calls),
            self.finish_reason,
            tuple(self.citations),
            tuple((call.name, call.arguments) for call in self.server_tool_calls),
            self.usage,
            self.refusal,
        )


class FailFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A failure; what its fields mean stands at `FakeServer.fail`."""

    status: int
    code: str | None = None
    error: str | None = None
    retry_after: float | None = None

    def __post_init__(self) -> None:
        self.scripted()

    def scripted(self) -> Failure:
        """Give the failure; raises ValueError for a status that is none."""
        return failure(self.status, self.code, self.error, self.retry_after)


class RuleFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A rule: `reply` is a text or an answer, `fail` a failure or the word image_fetch.

    Without either the server answers for itself. `times` is how often it answers, always
    unless told.
    """

    when: When = When()
    reply: str | ReplyFields | None = None
    fail: FailFields | Literal["image_fetch"] | None = None
    fault: Fault | None = None
    times: int | None = None
    probability: float = 1
    name: str = ""

    def __post_init__(self) -> None:
        if self.reply is not None and self.fail is not None:
            raise ValueError("a rule has a reply or a fail, not both")
        self.rule()

    def rule(self) -> Rule:
        """Make the rule; raises ValueError for numbers that can't be."""
        return Rule(
            when=self.when,
            answer=self._answer(),
            fault=self.fault,
            left=self.times,
            probability=self.probability,
            name=self.name,
        )

    def _answer(self) -> Scripted | None:
        if isinstance(self.reply, str):
            return Reply(self.reply)
        if self.fail == "image_fetch":
            return ImageFailure()
        written = self.reply or self.fail
        return written.scripted() if written else None


class Script(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A whole scenario; `images` are files by their address, as seen from the file itself.

    Without a `seed` the server's own throws the dice.
    """

    rules: list[RuleFields] = []
    images: dict[str, str] = {}
    seed: int | None = None


def pictures_of(script: Script) -> dict[str, bytes]:
    """Give the pictures of a script that came over the network: data URLs by their address.

    Raises ValueError for anything else: files of this machine are not for whoever sends it.
    """
    pictures = {}
    for url, written in script.images.items():
        head, comma, data = written.partition(";base64,")
        if not comma or not head.startswith("data:"):
            raise ValueError(f"the picture of {url} has to be a data URL with base64")
        try:
            pictures[url] = pybase64.b64decode(data, validate=True)
        except ValueError as error:
            raise ValueError(f"the picture of {url} is no base64: {error}") from None
    return pictures
