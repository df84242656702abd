"""The models the fake serves, refuses or calls image models: every row of the catalogue.

The plugin reads the same file with code of its own, on purpose: facts are shared,
logic never.
"""

from collections.abc import Iterable
from pathlib import Path

import msgspec

from llm_grok_vision import limits

from .identity import hexadecimal

_FILE = Path(limits.__file__).with_name("catalogue.json")


class Prices(msgspec.Struct, frozen=True, cache_hash=True):
    """US dollars for a million tokens; image tokens cost what prompt tokens cost."""

    prompt: float
    cached: float
    completion: float


class Retirement(msgspec.Struct, frozen=True):
    """The day a model was taken down, and the model named instead."""

    on: str
    use: str


class Model(msgspec.Struct, frozen=True):
    """A model by the id that answers carry; `batches` says whether batches take it.

    From `long_context_threshold` tokens of a prompt on, a token costs `LONG_CONTEXT_FACTOR`
    times as much; 0 is no such number. `reasoning_efforts` are the values that it is documented
    to take, empty where nobody knows, and `default_reasoning_effort` is the one that counts if
    none is asked for. `answers_as` is another id that answers were seen to carry, `effort_as` that of answers
    that were thought about more. `always_encrypts` says that its reasoning on /v1/responses is
    told encrypted too, though nobody asked for it. `ends_with_calls` says that a stream's last delta has the
    calls of tools, `streams_empty_text` that one has a text even where nothing is said.
    """

    id: str
    aliases: tuple[str, ...]
    created: int
    kind: str
    status: str
    input_modalities: tuple[str, ...]
    context_length: int
    usd_per_million: Prices
    refuses: tuple[str, ...]
    source: str
    retired: Retirement | None = None
    search_price: int = 0
    fingerprint: str = ""
    batches: bool = True
    accounting: str = "tiles"
    long_context_threshold: int = 0
    reasoning_efforts: tuple[str, ...] = ()
    # ASSUMED of models of which nobody knows.
    default_reasoning_effort: str = "low"
    answers_as: str = ""
    effort_as: str = ""
    always_encrypts: bool = False
    ends_with_calls: bool = False
    streams_empty_text: bool = False

    @property
    def reads_images(self) -> bool:
        """Whether images may stand in a message to this model."""
        return "image" in self.input_modalities

    @property
    def answers_chats(self) -> bool:
        """Whether it is there, and answers with words."""
        return self.retired is None and self.kind != "image"

    @property
    def system_fingerprint(self) -> str:
        """The recorded fingerprint, or one made of the id (ASSUMED)."""
        return self.fingerprint or f"fp_{hexadecimal(16, 'fingerprint', self.id)}"


MODELS: tuple[Model, ...] = msgspec.json.decode(_FILE.read_bytes(), type=tuple[Model, ...])

# An id goes before an alias: some names were both, one after the other.
_BY_NAME = {alias: model for model in reversed(MODELS) for alias in model.aliases}
_BY_NAME |= {model.id: model for model in MODELS}


def find(name: str) -> Model | None:
    """Find a model by its id or one of its aliases."""
    return _BY_NAME.get(name)


def get(name: str) -> Model:
    """Give the model of a name that is known to be one; raises KeyError."""
    return _BY_NAME[name]


def ids(names: Iterable[str]) -> frozenset[str]:
    """Give the ids of models by their names; raises ValueError for one that is none."""
    models = {name: find(name) for name in names}
    unknown = sorted(name for name, model in models.items() if model is None)
    if unknown:
        known = ", ".join(model.id for model in MODELS)
        raise ValueError(f"models are some of {known}, and not {', '.join(unknown)}")
    return frozenset(model.id for model in models.values() if model)


def listed(*kinds: str) -> list[Model]:
    """Give the models of these kinds that answer: kind by kind, in the order of their ids."""
    served = (model for model in MODELS if model.status != "retired-refused")
    chosen = (model for model in served if model.kind in kinds)
    return sorted(chosen, key=lambda model: (kinds.index(model.kind), model.id))
