"""The whole state in Redis."""

from functools import partial

from ..completion import Completion
from ..deferred import MOST_BYTES as MOST_WAITING_BYTES
from ..deferred import MOST_WAITING, Deferred
from ..files import MOST_BYTES as MOST_FILE_BYTES
from ..files import MOST_FILES, File, Files
from ..settings import MOST_EXCHANGE_BYTES, MOST_REQUESTS
from ..state import State, Wanted
from ..stored import MOST_ANSWERS, MOST_BYTES, Stored, StoredAnswers
from .batches import SharedBatches
from .clock import SharedClock
from .journal import SharedJournal
from .rates import SharedRates
from .scenario import SharedScenario
from .shelf import UNLIMITED, SharedShelf
from .store import Store


def together(url: str, wanted: Wanted) -> State:
    """Make the state of a server that shares it; raises ValueError and StateLost."""
    store = Store(url)
    clock = SharedClock(wanted.clock_is_real, store=store)
    return State(
        SharedScenario(seed=wanted.seed, store=store),
        SharedJournal(store, MOST_REQUESTS, wanted.keep_images, MOST_EXCHANGE_BYTES),
        clock,
        SharedRates(*wanted.limits, store=store),
        StoredAnswers(SharedShelf(store, "stored", Stored, MOST_ANSWERS, MOST_BYTES)),
        Deferred(
            SharedShelf(store, "deferred", Completion, MOST_WAITING, MOST_WAITING_BYTES),
            SharedShelf(store, "deferred:asked", bool, MOST_WAITING, UNLIMITED),
        ),
        Files(clock, SharedShelf(store, "files", File, MOST_FILES, MOST_FILE_BYTES)),
        partial(SharedBatches, store=store),
    )
