"""What the server was asked, as a test wants to assert on it."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class LoggedImage:
    """An image as the model saw it. `url` is its address, or "" for an inline image.

    `source` says where the bytes came from: "data", "scenario", "images", "network" or
    "placeholder". `declared` is the media type that the request or the web server named.
    """

    format: str
    width: int
    height: int
    size: int
    detail: str
    tiles: int
    tokens: int
    source: str
    url: str = ""
    declared: str = ""
    patches: int = 0


LoggedPart = str | LoggedImage


@dataclass
class LoggedMessage:
    """A message with its parts in order: texts as they are, images as LoggedImage."""

    role: str
    parts: list[LoggedPart] = field(default_factory=list)


@dataclass
class LoggedRequest:
    """One HTTP request, or one request of a batch, and how it was answered.

    `batch_request_id` is the id within its batch of a request that came in one, and "" of
    an HTTP request. `query` is what stands behind the "?" of the address. `parameters` are
    the settings that were given, by their wire names. Images that were not reached, because
    an earlier check refused the request, are not in `messages`. A call of gRPC has the
    `status` that the same request has over HTTP, and `usage` by the names of its message.
    `key` is the API key; it is not in `headers`, nor printed when a test fails.
    """

    method: str
    path: str
    headers: dict[str, str]
    key: str = field(default="", repr=False)
    model: str = ""
    stream: bool = False
    messages: list[LoggedMessage] = field(default_factory=list)
    parameters: dict[str, Any] = field(default_factory=dict)
    tools: list[str] = field(default_factory=list)
    status: int = 0
    error: str = ""
    usage: dict[str, Any] = field(default_factory=dict)
    query: str = ""
    batch_request_id: str = ""

    @property
    def parts(self) -> list[LoggedPart]:
        """The parts of all messages, in order."""
        return [part for message in self.messages for part in message.parts]

    @property
    def images(self) -> list[LoggedImage]:
        """The images of all messages, in order."""
        return [part for part in self.parts if isinstance(part, LoggedImage)]
