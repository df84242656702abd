"""What is kept by a name as long as there is room for it: the oldest goes first.

A server that runs for long would fill the machine otherwise.
"""

from collections import OrderedDict
from collections.abc import Callable
from math import inf
from typing import Generic, TypeVar

T = TypeVar("T")


def _nothing(_thing: object) -> int:
    return 0


class Shelf(Generic[T]):
    """Things by their name, at most `most`, and together no larger than `room`; the newest stays.

    `size` tells how large a thing is, if that matters.
    """

    def __init__(self, most: float, room: float = inf, size: Callable[[T], int] = _nothing) -> None:
        self.most, self.room = most, room
        self._size_of, self._size = size, 0
        self._things: OrderedDict[str, T] = OrderedDict()
        self._numbers = 0

    def __contains__(self, name: str) -> bool:
        return name in self._things

    def put(self, name: str, thing: T) -> None:
        """Keep something, and forget the oldest where there is too much."""
        self.pop(name)
        self._things[name] = thing
        self._size += self._size_of(thing)
        while len(self._things) > 1 and (len(self._things) > self.most or self._size > self.room):
            self.pop(next(iter(self._things)))

    def get(self, name: str) -> T | None:
        """Give what is kept by a name, or None where it is not."""
        return self._things.get(name)

    def pop(self, name: str) -> T | None:
        """Forget what is kept by a name, and give it to nobody else; None where it is not."""
        thing = self._things.pop(name, None)
        self._size -= 0 if thing is None else self._size_of(thing)
        return thing

    def all(self) -> list[T]:
        """Give everything, the oldest first."""
        return list(self._things.values())

    def number(self) -> int:
        """Give the next number, from 0: each once, until all is forgotten."""
        self._numbers += 1
        return self._numbers - 1

    def clear(self) -> None:
        """Forget all."""
        self._things.clear()
        self._size = self._numbers = 0
