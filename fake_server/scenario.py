"""What a test tells the server to answer, and the images it makes up."""

import logging
import math
import random
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from .faults import Fault
from .journal import LoggedRequest
from .refusals import FAILURES, ApiError, refuse
from .server_tools import COUNTERS
from .when import When

_logger = logging.getLogger("fake_server")

# What a script may say was used; images are counted by the fake alone.
COUNTS = ("text_tokens", "cached_tokens", "completion_tokens", "reasoning_tokens")

# The most of each: the sums of usage are 32 bits wide in gRPC.
MOST_COUNTED = 100_000_000


class Reply(msgspec.Struct, frozen=True):
    """A scripted answer; calls are pairs of a name and its arguments, `usage` is by COUNTS.

    The arguments of a function may be a text, as a model may write what is no JSON.
    """

    text: str = ""
    reasoning: str = ""
    tool_calls: tuple[tuple[str, Any], ...] = ()
    finish_reason: str = ""
    citations: tuple[str, ...] = ()
    server_tool_calls: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    usage: Mapping[str, int] = {}
    refusal: str = ""

    def __post_init__(self) -> None:
        _check_texts(self, "text", "reasoning", "finish_reason", "refusal")
        _check_pairs("tool_calls", self.tool_calls)
        _check_pairs("server_tool_calls", self.server_tool_calls)
        for called, arguments in self.server_tool_calls:
            _check_server_tool_call(called, arguments)
        _check_usage(self.usage)
        for url in self.citations:
            if not isinstance(url, str) or not url.startswith(("http://", "https://")):
                raise ValueError(f"citations begin with http:// or https://, unlike {url!r}")
        _check_written("a reply", self)


def _check_texts(told: msgspec.Struct, *names: str) -> None:
    for name in names:
        if not isinstance(getattr(told, name), str):
            raise TypeError(f"{name} is a text, not {getattr(told, name)!r}")


def _check_written(name: str, told: object) -> None:
    """Refuse what nobody could be sent, such as half a character."""
    try:
        msgspec.json.encode(told)
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"{name} has to be JSON: {error}") from None


def _check_pairs(name: str, calls: tuple[object, ...]) -> None:
    for call in calls:
        if not isinstance(call, tuple) or [*map(type, call[:1])] != [str] or len(call) != 2:
            raise TypeError(f"{name} are pairs of a name and its arguments, not {call!r}")


def _check_usage(usage: Mapping[str, object]) -> None:
    for name, count in usage.items():
        if name not in COUNTS or not isinstance(count, int) or not 0 <= count <= MOST_COUNTED:
            known = ", ".join(COUNTS)
            raise ValueError(
                f"usage is numbers of {known} from 0 to {MOST_COUNTED}, unlike {name!r}: {count!r}"
            )


def _check_server_tool_call(name: str, arguments: object) -> None:
    if name not in COUNTERS:
        known = ", ".join(COUNTERS)
        raise ValueError(f"server_tool_calls are calls of {known}, not of {name!r}")
    if not isinstance(arguments, Mapping):
        raise TypeError(f"the arguments of {name} are a mapping, not {arguments!r}")


class Failure(msgspec.Struct, frozen=True):
    """A scripted error, with the seconds for a Retry-After header if it has one."""

    status: int
    code: str
    error: str
    retry_after: float | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.status, int) or not 400 <= self.status <= 599:
            raise ValueError(f"a failure has a status from 400 to 599, not {self.status!r}")
        _check_texts(self, "code", "error")
        _check_written("a failure", self)
        wait = self.retry_after
        if wait is not None and not (isinstance(wait, int | float) and 0 <= wait < math.inf):
            raise ValueError(f"retry_after is a number of seconds from 0, not {wait!r}")

    def as_error(self, model: str, team: str) -> ApiError:
        """Make the error for a request to this model."""
        error = self.error.replace("{model}", model).replace("{team}", team)
        return ApiError(self.status, self.code, error, self.retry_after)


class ImageFailure(msgspec.Struct, frozen=True):
    """The failure of fetching an image, as the service tells it."""

    def as_error(self, _model: str, _team: str) -> ApiError:
        """Make the error."""
        return refuse("unreachable")


Scripted = Reply | Failure | ImageFailure

# What a function of a test may give: None means that the server answers for itself.
Told = str | Scripted | None
Function = Callable[[LoggedRequest], Told | Awaitable[Told]]


def scripted(told: object) -> Scripted | None:
    """Take what a function of a test gave; raises TypeError for what is no answer."""
    if isinstance(told, str):
        return Reply(told)
    if told is None or isinstance(told, Reply | Failure | ImageFailure):
        return told
    raise TypeError(f"a function gives a text, a Reply, a Failure or None, not {told!r}")


class Rule(msgspec.Struct):
    """What is answered to the requests that it is for; without an answer the server's own.

    `left` is how often it still answers, or None for always, `probability` how often of the
    requests that it is for. `name` is said in the journal. `number` is its place among all
    that were added, `thrown` how often dice were thrown for it.
    """

    when: When = When()
    answer: Scripted | Function | None = None
    fault: Fault | None = None
    left: int | None = None
    probability: float = 1
    name: str = ""
    number: int = 0
    thrown: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.probability <= 1:
            raise ValueError(f"probability is a number from 0 to 1, not {self.probability!r}")
        if self.left is not None and (not isinstance(self.left, int) or self.left < 1):
            raise ValueError(f"times is a number from 1, not {self.left!r}")
        _check_written("a rule", (self.name, self.when))


# Exceptions that are kept for the test, which holds all that they came from.
_MOST_ERRORS = 100


@dataclass
class Scenario:
    """The rules in their order, of which the first that is for a request answers it.

    `images` are pictures by their address, `errors` what functions of the test raised. `seed`
    throws the dice of rules with a probability, unless `told_seed` came with the rules. `watch`
    looks after the file it comes from.
    """

    rules: list[Rule] = field(default_factory=list)
    images: dict[str, bytes] = field(default_factory=dict)
    errors: list[BaseException] = field(default_factory=list)
    seed: int = 0
    told_seed: int | None = None
    watch: Callable[[], None] | None = None
    _added: int = 0

    def clear(self) -> None:
        """Forget everything."""
        self.rules.clear()
        self.images.clear()
        self.errors.clear()
        self.told_seed = None
        self._added = 0

    def take(self, rules: Iterable[Rule], images: Mapping[str, bytes], seed: int | None) -> None:
        """Put what a file says in the place of all that there was."""
        self.replace(rules, images, seed)

    def replace(self, rules: Iterable[Rule], images: Mapping[str, bytes], seed: int | None) -> None:
        """Put other rules and pictures in the place of all that there were."""
        self.clear()
        self.told_seed = seed
        self.images.update(images)
        for rule in rules:
            self.add(rule)

    def refresh(self) -> None:
        """Look whether the file of the scenario has changed, if it has one."""
        if self.watch:
            self.watch()

    def add(self, rule: Rule) -> None:
        """Add a rule behind all others."""
        self._added += 1
        self._append(rule, self._added)

    def serve_image(self, url: str, data: bytes) -> None:
        """Put a picture behind an address."""
        self.images[url] = data

    def blame(self, error: BaseException) -> None:
        """Keep what a function of the test raised, for the test; the first are enough."""
        if len(self.errors) < _MOST_ERRORS:
            self.errors.append(error)

    def choose(self, log: LoggedRequest) -> Rule | None:
        """Take the rule for a request, or None where the server answers for itself.

        The journal is told which, or which came nearest.
        """
        missed: list[tuple[int, str]] = []
        for rule in self.rules:
            differences = rule.when.differences(log)
            if differences:
                missed.append((len(differences), f"{rule.name}: {'; '.join(differences)}"))
            elif self._is_thrown(rule) and self._use(rule):
                log.rule = rule.name
                return rule
        if missed:
            log.unmatched = f"No rule is for this request. Nearest came {min(missed)[1]}."
            _logger.warning("request %d: %s", log.number, log.unmatched)
        return None

    def _append(self, rule: Rule, number: int) -> None:
        rule.number = number
        rule.name = rule.name or f"rule {number}"
        self.rules.append(rule)

    def _is_thrown(self, rule: Rule) -> bool:
        """Throw dice for a rule: the same in every run, and whoever throws."""
        if rule.probability == 1:
            return True
        seed = self.seed if self.told_seed is None else self.told_seed
        dice = random.Random(f"{seed} {rule.number} {self._throw(rule)}")  # noqa: S311 (no secret)
        return dice.random() < rule.probability

    def _throw(self, rule: Rule) -> int:
        rule.thrown += 1
        return rule.thrown

    def _use(self, rule: Rule) -> bool:
        """Count a rule as used; False where others used it up meanwhile."""
        if rule.left is not None:
            rule.left -= 1
            if rule.left == 0:
                self.rules.remove(rule)
        return True


def failure(status: int, code: str | None, error: str | None, retry_after: float | None) -> Failure:
    """Make a failure with xAI's words for the status, where none are given."""
    known = FAILURES.get(status, FAILURES[503 if status in range(500, 600) else 400])
    return Failure(
        status,
        known[0] if code is None else code,
        known[1] if error is None else error,
        retry_after,
    )
