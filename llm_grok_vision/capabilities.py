"""What a model takes: options and batches that xAI would refuse are refused before they are sent."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from .catalogue import CatalogueModel
from .errors import UnsupportedOption

_EFFORT = "reasoning_effort"
_MOST_NAMED = 3


def check_options(
    model: CatalogueModel,
    options: dict[str, Any],
    known: Callable[[], Iterable[CatalogueModel]],
) -> None:
    """Raise UnsupportedOption for the options, by their names on the wire, that are refused.

    `known` gives the models of which some are named that take them; it is asked only then.
    """
    refused = [name for name in options if name in model.refuses]
    if refused:
        others = _current(known(), lambda other: set(refused).isdisjoint(other.refuses))
        verb = "does" if len(others) == 1 else "do"
        nobody = "no current model takes " + ("one" if len(refused) == 1 else "all of them")
        takers = f"{_joined(others, 'and')} {verb}" if others else nobody
        raise UnsupportedOption(f"{model.name} takes no {_joined(refused, 'or')}; {takers}.")
    effort = options.get(_EFFORT)
    if effort and model.reasoning_efforts and effort not in model.reasoning_efforts:
        others = _current(known(), lambda other: effort in other.reasoning_efforts)
        verb = "takes" if len(others) == 1 else "take"
        takers = f", which {_joined(others, 'and')} {verb}" if others else ""
        allowed = _joined(model.reasoning_efforts, "or")
        raise UnsupportedOption(f"{model.name} takes {_EFFORT} {allowed}, not {effort}{takers}.")


def check_batches(model: CatalogueModel, known: Callable[[], Iterable[CatalogueModel]]) -> None:
    """Raise UnsupportedOption for a model that xAI does not answer with in batches.

    `known` gives the models of which some are named that it does; it is asked only then.
    """
    if not model.batches:
        others = _joined(_current(known(), lambda other: other.batches), "or")
        raise UnsupportedOption(
            f"xAI takes no batches for {model.name}; ask {others}, or leave out --batch."
        )


def _current(
    models: Iterable[CatalogueModel], takes: Callable[[CatalogueModel], bool]
) -> list[str]:
    """Name a few models that are not retired and take it, the newest first."""
    names = [f"xai/{model.name}" for model in models if model.is_current and takes(model)]
    return names[:_MOST_NAMED]


def _joined(words: Sequence[str], last: str) -> str:
    """Write a list as one does in a sentence: a, b and c."""
    head, tail = words[:-1], words[-1]
    return f"{', '.join(head)} {last} {tail}" if head else tail
