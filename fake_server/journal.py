"""What the server was asked and answered, as a test wants to assert on it."""

from collections import deque
from math import inf
from typing import Any

import msgspec

from .faults import Fault
from .shelf import Shelf

# Letters of all texts in a journal: a load test with long ones would fill the machine.
MOST_TEXT = 64 * 1024**2

# Letters below which a thousand requests are no burden.
_LONG = 16 * 1024

# Bytes from which to compare with what is kept takes less than the SHA-256 that is its name.
_WORTH_COMPARING = 16 * 1024

# Images that are known by their look.
_MOST_KNOWN = 1000

# Letters for which there would be room in the place of a message, or of a part, without its text.
BESIDE_TEXT = 100


class LoggedImage(msgspec.Struct, frozen=True):
    """An image as the model saw it. `url` is its address, or "" for an inline image.

    `source` says where the bytes came from: "data", "scenario", "images", "network" or
    "placeholder". `declared` is the media type that the request or the web server named.
    `sha256` is the hash of its bytes.
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
    sha256: str = ""


LoggedPart = str | LoggedImage


class LoggedMessage(msgspec.Struct):
    """A message with its parts in order: texts as they are, images as LoggedImage."""

    role: str
    parts: list[LoggedPart] = []


class LoggedAnswer(msgspec.Struct, frozen=True):
    """What was answered; calls of tools are pairs of a name and its arguments as JSON text."""

    text: str = ""
    reasoning: str = ""
    tool_calls: tuple[tuple[str, str], ...] = ()
    finish_reason: str = ""
    refusal: str = ""
    total_tokens: int = 0
    cost_usd: float = 0


# What is left out where a request is printed, or written as JSON.
UNTOLD = ("key", "raw_request", "raw_answer")


class LoggedRequest(msgspec.Struct):
    """One HTTP request, or one request of a batch, and how it was answered.

    `batch_request_id` is the id within its batch of a request that came in one, and "" of
    an HTTP request. `query` is what stands behind the "?" of the address. `parameters` are
    the settings that were given, by their wire names. Images that were not reached, because
    an earlier check refused the request, are not in `messages`. A call of gRPC has the
    `status` that the same request has over HTTP, and `usage` by the names of its message.
    `key` is the API key; it is not in `headers`, nor printed when a test fails.

    `answer` is what was answered, `rule` the rule that said so, or "", and `unmatched` says
    which rule came nearest where there are some and none was for this request. `number` counts
    requests from 1. `began` is when it came, in seconds since 1970, and `seconds` how long
    it took. `fault` is what went wrong on purpose, `why` which limit a refused request
    met, and how that is known. `raw_request` and `raw_answer` are the bodies, images cut out,
    as long as there is room for them.
    """

    method: str
    path: str
    headers: dict[str, str]
    key: str = ""
    model: str = ""
    stream: bool = False
    messages: list[LoggedMessage] = []
    parameters: dict[str, Any] = {}
    tools: list[str] = []
    status: int = 0
    error: str = ""
    usage: dict[str, Any] = {}
    query: str = ""
    batch_request_id: str = ""
    answer: LoggedAnswer | None = None
    rule: str = ""
    unmatched: str = ""
    number: int = 0
    began: float = 0
    seconds: float = 0
    why: str = ""
    fault: Fault | None = None
    raw_request: bytes = b""
    raw_answer: bytes = b""

    def __repr__(self) -> str:
        """Write what may be seen when a test fails: no key, and no bodies."""
        fields = msgspec.structs.asdict(self).items()
        shown = [f"{name}={value!r}" for name, value in fields if name not in UNTOLD]
        return f"LoggedRequest({', '.join(shown)})"

    def __str__(self) -> str:
        """Write it in a line, for somebody who looks at a test that failed."""
        tokens = [f"{image.format} of {image.tokens} tokens" for image in self.images]
        told = [self.model, *tokens, *filter(None, [self.rule, self.error, self.unmatched])]
        asked = " ".join(filter(None, [self.method, self.path]))
        return f"{self.number}: {asked} -> {self.status or 'no answer'}: {', '.join(told)}"

    @property
    def is_open(self) -> bool:
        """Whether it is still being answered."""
        return not (self.status or self.error)

    @property
    def last_text(self) -> str:
        """The texts of the last message, in lines."""
        parts = self.messages[-1].parts if self.messages else []
        return "\n".join(part for part in parts if isinstance(part, str))

    @property
    def parts(self) -> list[LoggedPart]:
        """The parts of all messages, in order."""
        return [part for message in self.messages for part in message.parts]

    @property
    def images(self) -> list[LoggedImage]:
        """The images of all messages, in order."""
        return [part for part in self.parts if isinstance(part, LoggedImage)]


class Kept:
    """Bytes that are kept by a name on a shelf, unless it has no room for them at all."""

    def __init__(self, shelf: Shelf[bytes]) -> None:
        self._shelf = shelf
        self._names: Shelf[str] = Shelf(_MOST_KNOWN)

    def put(self, name: str, data: bytes) -> None:
        """Keep some bytes; those of a name are always the same."""
        if len(data) > self._shelf.room:
            return
        if name not in self._shelf:
            self._shelf.put(name, data)
        if len(data) >= _WORTH_COMPARING:
            self._names.put(_look(data), name)

    def get(self, name: str) -> bytes | None:
        """Give what is kept by a name, or None where it is not."""
        return self._shelf.get(name)

    def name_of(self, data: bytes) -> str | None:
        """Give the name of bytes that are kept, or None where only who made the name can tell.

        A conversation brings its images again with each turn.
        """
        name = self._names.get(_look(data)) if len(data) >= _WORTH_COMPARING else None
        return name if name is not None and self._shelf.get(name) == data else None

    def clear(self) -> None:
        """Forget all."""
        self._shelf.clear()
        self._names.clear()


def _look(data: bytes) -> str:
    """Tell bytes from most others by their length, and by a few in the middle."""
    middle = len(data) // 2
    return f"{len(data)} {data[middle : middle + 32].hex()}"


class Journal(list[LoggedRequest]):
    """The newest requests, in order; `total` is how many there were, `most` are kept.

    They are fewer where their texts are longer than MOST_TEXT; the newest long one stays.
    `images` are their bytes by hash, as long as there is room; so are bodies with their request.
    """

    def __init__(self, most: int, image_room: int, exchange_room: int) -> None:
        super().__init__()
        self.most = most
        self.total = 0
        self.images = Kept(Shelf(inf, image_room, len))
        self.exchange_room = exchange_room
        self._with_bodies: deque[LoggedRequest] = deque()
        self._exchange_size = 0
        self._long: deque[tuple[int, int]] = deque()
        self._text_size = 0

    def append(self, log: LoggedRequest) -> None:
        """Note a request, and forget the oldest if there are too many."""
        self.total += 1
        log.number = self.total
        super().append(log)
        if len(self) > self.most:
            # Some at once, because each time all others move up; not so many that somebody waits.
            self._forget(max(1, self.most // 50))

    def keep_request(self, log: LoggedRequest, body: bytes) -> None:
        """Keep the body of a request; it takes room with its answer."""
        log.raw_request = body

    def keep_answer(self, log: LoggedRequest, body: bytes) -> None:
        """Keep the body of an answer, and how the request ended."""
        log.raw_answer = body
        self._with_bodies.append(log)
        self._exchange_size += _exchanged(log)
        while self._exchange_size > self.exchange_room:
            self._drop_bodies()
        self.update(log)

    def update(self, log: LoggedRequest) -> None:
        """Note how a request stands."""
        size = _length(log)
        # It may have been forgotten while it was answered.
        if size < _LONG or self.find(log.number) is not log:
            return
        self._long.append((log.number, size))
        self._text_size += size
        while self._text_size > MOST_TEXT and len(self._long) > 1:
            self._forget(self._long[0][0] - self[0].number + 1)

    def refresh(self) -> None:
        """Read what others noted, where it is shared."""

    def find(self, number: int) -> LoggedRequest | None:
        """Give the request of a number, or None if it is not there any more."""
        first = self[0].number if self else 0
        at = number - first
        return self[at] if 0 <= at < len(self) else None

    def clear(self) -> None:
        """Forget all, and count anew."""
        super().clear()
        self.total = 0
        self.images.clear()
        self._with_bodies.clear()
        self._exchange_size = 0
        self._long.clear()
        self._text_size = 0

    def _forget(self, count: int) -> None:
        """Forget the oldest requests."""
        del self[:count]
        forgotten = self.total - len(self)
        while self._with_bodies and self._with_bodies[0].number <= forgotten:
            self._exchange_size -= _exchanged(self._with_bodies.popleft())
        while self._long and self._long[0][0] <= forgotten:
            self._text_size -= self._long.popleft()[1]

    def _drop_bodies(self) -> None:
        log = self._with_bodies.popleft()
        self._exchange_size -= _exchanged(log)
        log.raw_request = log.raw_answer = b""


def _exchanged(log: LoggedRequest) -> int:
    return len(log.raw_request) + len(log.raw_answer)


def _length(log: LoggedRequest) -> int:
    """About how many letters a request holds, but for its headers."""
    texts = [log.model, log.error, log.batch_request_id, *log.tools]
    if log.answer:
        texts += [log.answer.text, log.answer.reasoning, log.answer.refusal]
        texts += [arguments for _, arguments in log.answer.tool_calls]
    for message in log.messages:
        for part in message.parts:
            texts += [part] if isinstance(part, str) else [part.url, part.declared, part.sha256]
    beside = BESIDE_TEXT * (len(texts) + len(log.messages))
    return sum(map(len, texts)) + beside + (len(repr(log.parameters)) if log.parameters else 0)
