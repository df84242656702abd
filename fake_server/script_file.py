"""Reads a scenario from a YAML file, and says in which line a mistake is."""

import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import yaml

from .scenario import Scenario
from .script import Script

_logger = logging.getLogger("fake_server")

_PLACE = re.compile(r" - at `(key in )?\$(?P<path>.*)`$")
_STEP = re.compile(r"\.(?P<name>\w+)|\[(?P<index>\d+)\]|\[\.\.\.\]")
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<name>.*)`")


def read(path: Path) -> tuple[Script, dict[str, bytes]]:
    """Read a file: the script, and its pictures by their addresses.

    Raises ValueError for a mistake in it, and if it can't be read.
    """
    try:
        text = path.read_text(encoding="utf-8")
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        _check_nodes(root, (), set())
        plain = yaml.safe_load(text)
    except OSError as error:
        raise ValueError(f"{path.name}: {error.strerror}") from None
    except RecursionError:
        raise ValueError(f"{path.name}: this is nested too deeply") from None
    except UnicodeDecodeError:
        raise ValueError(f"{path.name}: this is no UTF-8") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f", line {mark.line + 1}" if mark else ""
        raise ValueError(f"{path.name}{line}: {error.problem or error.context}") from None
    except yaml.YAMLError as error:
        raise ValueError(f"{path.name}: {error}") from None
    try:
        script = msgspec.convert({} if plain is None else plain, Script)
    except msgspec.ValidationError as error:
        raise ValueError(f"{path.name}, {_told(root, str(error))}") from None
    return script, dict(_pictures(path, root, script))


def _pictures(path: Path, root: Any, script: Script) -> Iterator[tuple[str, bytes]]:
    for url, name in script.images.items():
        line = _line(root, ["images", url])
        if not url.startswith(("http://", "https://")):
            problem = f"the address of an image begins with http:// or https://: {url}"
            raise ValueError(f"{path.name}, line {line}: {problem}")
        try:
            yield url, (path.parent / name).read_bytes()
        except OSError as error:
            raise ValueError(f"{path.name}, line {line}: {name}: {error.strerror}") from None


def _check_nodes(node: Any, above: tuple[int, ...], checked: set[int]) -> None:
    """Raise the error for what YAML takes and a scenario can't be.

    A key that stands twice in one mapping, of which the last would win silently; a key that is no
    word; an alias that stands in what it names.
    """
    if id(node) in above:
        raise _mistake("an alias stands here in what it names", node)
    if id(node) in checked or node is None or isinstance(node, yaml.ScalarNode):
        return
    checked.add(id(node))
    above = (*above, id(node))
    if isinstance(node, yaml.MappingNode):
        _check_keys([key for key, _ in node.value])
    inner = node.value if isinstance(node, yaml.SequenceNode) else [v for _, v in node.value]
    for one in inner:
        _check_nodes(one, above, checked)


def _check_keys(keys: list[Any]) -> None:
    seen: set[str] = set()
    for key in keys:
        if not isinstance(key, yaml.ScalarNode):
            raise _mistake("a key is a word", key)
        if key.value in seen:
            raise _mistake(f"`{key.value}` stands here twice", key)
        seen.add(key.value)


def _mistake(problem: str, node: Any) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark)


def _told(root: Any, error: str) -> str:
    """Say a mistake with the number of its line, from 1."""
    place = _PLACE.search(error)
    what = error[: place.start()] if place else error
    path = place["path"] if place else ""
    steps: list[str | int | None] = [
        step["name"] or (int(step["index"]) if step["index"] else None)
        for step in _STEP.finditer(path)
    ]
    where = f" in {path.lstrip('.')}" if path else ""
    if unknown := _UNKNOWN.fullmatch(what):
        steps.append(unknown["name"])
        what = f"unknown field `{unknown['name']}`"
    else:
        what = what[:1].lower() + what[1:]
    return f"line {_line(root, steps)}: {what}{where}"


def _line(node: Any, steps: list[Any]) -> int:
    """Find the line of what steps lead to, or of the last of them that is there."""
    line = node.start_mark.line if node else 0
    for step in steps:
        inner = None
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if step in (None, key.value):
                    inner, line = value, key.start_mark.line
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int):
            inner = node.value[step]
            line = inner.start_mark.line
        if inner is None:
            break
        node = inner
    return int(line) + 1


def load(path: Path, scenario: Scenario) -> None:
    """Put the scenario of a file in the place of another; raises as `read` does."""
    script, pictures = read(path)
    scenario.take([fields.rule() for fields in script.rules], pictures, script.seed)


class ScenarioFile:
    """A file whose scenario is read again when it changes.

    Raises as `read` does when it is made; a mistake that comes later is logged.
    """

    def __init__(self, path: Path, scenario: Scenario) -> None:
        self._path, self._scenario = path, scenario
        self._seen = self._stamp()
        load(path, scenario)

    def refresh(self) -> None:
        """Read the file again if it was changed; with a mistake in it the old one holds."""
        stamp = self._stamp()
        if stamp != self._seen:
            self._seen = stamp
            self.restore()

    def restore(self) -> None:
        """Read the file, whatever the scenario became since."""
        try:
            load(self._path, self._scenario)
        except ValueError as error:
            _logger.warning("%s; what was read before still holds", error)

    def _stamp(self) -> tuple[int, int]:
        try:
            status = self._path.stat()
        except OSError:
            return 0, 0
        return status.st_mtime_ns, status.st_size
