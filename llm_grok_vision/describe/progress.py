"""How far a run is, on standard error: a bar in a terminal, a line an image elsewhere."""

import logging
import sys
from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import click

from ..recording import CUT
from ..terminal import is_terminal

if TYPE_CHECKING:
    from typing_extensions import Self

_logger = logging.getLogger("llm_grok_vision")


class Progress:
    """Shows each image that is through, and what there is to say, inside of `with`.

    What the plugin logs meanwhile goes the same way, but for answers that were cut off: who
    takes an answer knows its image.
    """

    def __init__(self, total: int, *, bar: bool) -> None:
        self._total = total
        self._count = 0
        self._terminal = is_terminal(sys.stderr)
        self._has_bar = bar and self._terminal and total > 0
        self._bar: Any = None
        self._open = ExitStack()

    def __enter__(self) -> "Self":
        if self._has_bar:
            bar: Any = click.progressbar(length=self._total, file=sys.stderr, show_pos=True)
            self._bar = self._open.enter_context(bar)
        handler = _Handler(self.say)
        handler.addFilter(lambda record: record.name != CUT)
        _logger.addHandler(handler)
        self._open.callback(_logger.removeHandler, handler)
        return self

    def __exit__(self, *error: object) -> None:
        self._open.close()

    def done(self, image: str) -> None:
        """Count an image that was answered."""
        self._count += 1
        if self._bar:
            self._bar.update(1)
        elif not self._terminal:
            self.say(f"{self._count}/{self._total} {image}")

    def failed(self, problem: str) -> None:
        """Count an image that was not; `problem` names it."""
        self._count += 1
        self.say(f"{self._count}/{self._total} failed: {problem}")
        if self._bar:
            self._bar.update(1)

    def say(self, message: str) -> None:
        """Write a line, in place of the bar, which is drawn again below."""
        clear = "\r\x1b[K" if self._bar else ""
        click.echo(clear + message, err=True)


class _Handler(logging.Handler):
    """Hands warnings on."""

    def __init__(self, say: Callable[[str], None]) -> None:
        super().__init__(logging.WARNING)
        self._say = say

    def emit(self, record: logging.LogRecord) -> None:
        self._say(record.getMessage())
