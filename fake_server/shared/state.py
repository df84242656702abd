"""The whole state in Redis."""

from functools import partial

from ..settings import MOST_EXCHANGE_BYTES, MOST_REQUESTS
from ..state import State, Wanted
from .answers import SharedDeferred, SharedFiles, SharedStored
from .batches import SharedBatches
from .clock import SharedClock
from .journal import SharedJournal
from .rates import SharedRates
from .scenario import SharedScenario
from .store import Store


def together(url: str, wanted: Wanted) -> State:
    """Make the state of a server that shares it; raises ValueError and StateLost."""
    store = Store(url)
    return State(
        SharedScenario(seed=wanted.seed, store=store),
        SharedJournal(store, MOST_REQUESTS, wanted.keep_images, MOST_EXCHANGE_BYTES),
        SharedClock(wanted.clock_is_real, store=store),
        SharedRates(*wanted.limits, store=store),
        SharedStored(store),
        SharedDeferred(store),
        SharedFiles(store),
        partial(SharedBatches, store=store),
    )
