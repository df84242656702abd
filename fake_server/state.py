"""What a server keeps between two requests: by itself, or with others in Redis."""

from collections.abc import Callable

import msgspec

from .batches import Batches
from .clock import Clock
from .deferred import Deferred
from .files import Files
from .journal import Journal
from .rates import Rates
from .scenario import Scenario
from .settings import MOST_EXCHANGE_BYTES, MOST_REQUESTS
from .stored import StoredAnswers


class Wanted(msgspec.Struct, frozen=True):
    """What the state depends on; `limits` are requests and tokens a minute."""

    seed: int
    clock_is_real: bool
    limits: tuple[int | None, int | None]
    keep_images: int


class State(msgspec.Struct, frozen=True):
    """The parts of the state; `batching` makes the batches of a service."""

    scenario: Scenario
    journal: Journal
    clock: Clock
    rates: Rates
    stored: StoredAnswers
    deferred: Deferred
    files: Files
    batching: Callable[..., Batches]


def alone(wanted: Wanted) -> State:
    """Make the state of a server that shares nothing."""
    clock = Clock(wanted.clock_is_real)
    return State(
        Scenario(seed=wanted.seed),
        Journal(MOST_REQUESTS, wanted.keep_images, MOST_EXCHANGE_BYTES),
        clock,
        Rates(*wanted.limits),
        StoredAnswers(),
        Deferred(),
        Files(clock),
        Batches,
    )
