"""A value that a JSON schema allows, always the same one: the simplest that will do.

For answers to `response_format` and for the arguments of tools. It follows the
keywords that tools and structured outputs use; a schema that wants more (a pattern,
`not`, conditions) gets the simplest value of its type.
"""

import itertools
import math
from typing import Any

Schema = dict[str, Any]

_FORMATS = {
    "date": "2026-01-01",
    "date-time": "2026-01-01T00:00:00Z",
    "time": "00:00:00Z",
    "duration": "P1D",
    "email": "user@example.com",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uri": "https://example.com/",
    "uuid": "00000000-0000-4000-8000-000000000000",
}
_DEEPEST = 12
# Nobody asks for more in earnest, and it bounds the time and memory of an answer: values in all,
# letters in one text and in all, and what is looked at to fold schemas into one.
_MOST_VALUES = 10_000
_MOST_CHARACTERS = 100_000
_MOST_LETTERS = 1_000_000
_MOST_LOOKS = 1_000_000
_LOWEST = ("minimum", "exclusiveMinimum", "minLength", "minItems")
_HIGHEST = ("maximum", "exclusiveMaximum", "maxLength", "maxItems")


class _Root:
    """Where the `#/…` references of a schema point, and how much may still be made of it."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.left = _MOST_VALUES
        self.letters = _MOST_LETTERS
        self.looks = _MOST_LOOKS

    @property
    def is_exhausted(self) -> bool:
        """Whether nothing more may be made of it."""
        return min(self.left, self.letters, self.looks) < 0

    def given(self, value: Any) -> Any:
        """Take a value as the schema gives it, if there is room for it."""
        self.letters -= len(repr(value))
        return {} if self.is_exhausted else value


def instance(schema: Any) -> Any:
    """Make a value for a schema; raises ValueError, or what Python says, for one that is none."""
    return _instance(schema, _Root(schema if isinstance(schema, dict) else {}), 0)


def _instance(schema: Any, root: _Root, depth: int) -> Any:
    root.left -= 1
    if not isinstance(schema, dict) or depth > _DEEPEST or root.is_exhausted:
        return {}
    schema = _resolved(schema, root)
    if "const" in schema:
        return root.given(schema["const"])
    if schema.get("default") is not None:
        # A default of null is often not allowed: pydantic writes one for `name: str = None`.
        return root.given(schema["default"])
    if schema.get("enum"):
        return root.given(schema["enum"][0])
    for keyword in ("anyOf", "oneOf"):
        if schema.get(keyword):
            others = {key: value for key, value in schema.items() if key != keyword}
            choice = _simplest(schema[keyword], root, depth)
            return _instance(_merged(others, choice, root), root, depth + 1)
    return _of_type(_type(schema), schema, root, depth)


def _resolved(schema: Any, root: _Root, depth: int = 0) -> Schema:
    """Follow `$ref`, and fold it and `allOf` into one schema with what stands beside them."""
    if depth > _DEEPEST or schema is True or root.is_exhausted:
        return {}
    merged = {key: value for key, value in schema.items() if key not in ("$ref", "allOf")}
    pointed = [_pointed(schema["$ref"], root)] if "$ref" in schema else []
    for part in [*pointed, *schema.get("allOf", ())]:
        merged = _merged(_resolved(part, root, depth + 1), merged, root)
    return merged


def _merged(one: Schema, other: Schema, root: _Root) -> Schema:
    """Make the schema that wants both; where only one can hold, it is the other."""
    root.looks -= _looks(one) + _looks(other)
    root.looks -= len(one.get("enum", ())) * len(other.get("enum", ()))
    if root.is_exhausted:
        return other
    merged = {**one, **other}
    for keywords, stricter in ((_LOWEST, max), (_HIGHEST, min)):
        shared = (keyword for keyword in keywords if keyword in one and keyword in other)
        merged.update({keyword: stricter(one[keyword], other[keyword]) for keyword in shared})
    if "properties" in one and "properties" in other:
        mine, theirs = one["properties"], other["properties"]
        both = {name: {"allOf": [mine[name], theirs[name]]} for name in mine if name in theirs}
        merged["properties"] = {**mine, **theirs, **both}
    if "required" in one and "required" in other:
        merged["required"] = [*one["required"], *other["required"]]
    if "enum" in one and "enum" in other:
        merged["enum"] = [value for value in one["enum"] if value in other["enum"]]
    return merged


def _looks(schema: Schema) -> int:
    return 1 + len(schema) + len(schema.get("properties", ())) + len(schema.get("required", ()))


def _pointed(reference: str, root: _Root) -> Schema:
    target: Any = root.schema
    for key in reference.lstrip("#").strip("/").split("/"):
        if isinstance(target, list):
            target = target[int(key)]
        elif key:
            target = target.get(key.replace("~1", "/").replace("~0", "~"), {})
    return target if isinstance(target, dict) else {}


def _simplest(choices: list[Schema], root: _Root, depth: int) -> Schema:
    """Prefer a plain value, and what leads nowhere else; null only to end what nests."""
    nested = depth > _DEEPEST // 2

    def cost(choice: Schema) -> tuple[bool, bool, bool]:
        kind, written = choice.get("type"), repr(choice)
        root.looks -= 10 + len(written) // 10
        return (kind == "null") != nested, kind in ("object", "array"), "$ref" in written

    resolved = (_resolved(choice, root) for choice in choices)
    return min(itertools.takewhile(lambda _: not root.is_exhausted, resolved), key=cost, default={})


def _type(schema: Schema) -> str:
    types = schema.get("type")
    if isinstance(types, list):
        return next((name for name in types if name != "null"), "null")
    if types:
        return str(types)
    if "items" in schema or "prefixItems" in schema:
        return "array"
    return "object" if "properties" in schema or "required" in schema else "string"


def _of_type(name: str, schema: Schema, root: _Root, depth: int) -> Any:
    if name == "object":
        return _object(schema, root, depth)
    if name == "array":
        items = [*schema.get("prefixItems", ())]
        missing = min(max(schema.get("minItems", 0) - len(items), 0), root.left)
        items += [schema.get("items", {})] * missing
        return [_instance(item, root, depth + 1) for item in items]
    if name in ("integer", "number"):
        return _number(schema, whole=name == "integer")
    if name == "boolean":
        return True
    if name not in ("null", "string"):
        raise ValueError(f"no type of JSON schema: {name}")
    return None if name == "null" else _string(schema, root)


def _object(schema: Schema, root: _Root, depth: int) -> dict[str, Any]:
    """Fill in every property, but only the required ones where a schema nests without end."""
    properties = schema.get("properties", {})
    required = schema.get("required", [])
    names = required if depth > _DEEPEST // 2 else [*properties, *required]
    root.letters -= sum(map(len, names))
    return {
        name: _instance(properties.get(name, {}), root, depth + 1) for name in dict.fromkeys(names)
    }


def _number(schema: Schema, *, whole: bool) -> int | float:
    """Take 1 if it is allowed, else the first that is near one of the ends."""
    low = max(schema.get("minimum", -math.inf), schema.get("exclusiveMinimum", -math.inf))
    high = min(schema.get("maximum", math.inf), schema.get("exclusiveMaximum", math.inf))
    step = schema.get("multipleOf", 1)
    first = math.ceil(low / step) if math.isfinite(low / step) else 0
    last = math.floor(high / step) if math.isfinite(high / step) else 0
    steps = [*range(first, first + _DEEPEST), *range(last, last - _DEEPEST, -1)]
    tried = [1, *(count * step for count in steps), low, high, (low + high) / 2]
    return next((_plain(value) for value in tried if _allows(schema, value, whole=whole)), 1)


def _allows(schema: Schema, value: float, *, whole: bool) -> bool:
    step = schema.get("multipleOf")
    return (
        math.isfinite(value)
        and (not whole or value == int(value))
        and value >= schema.get("minimum", value)
        and value <= schema.get("maximum", value)
        and value > schema.get("exclusiveMinimum", -math.inf)
        and value < schema.get("exclusiveMaximum", math.inf)
        and (not step or (math.isfinite(value / step) and value / step == int(value / step)))
    )


def _plain(value: float) -> int | float:
    return int(value) if value == int(value) else value


def _string(schema: Schema, root: _Root) -> str:
    text = _FORMATS.get(schema.get("format", ""), "text")
    text = text.ljust(min(schema.get("minLength", 0), _MOST_CHARACTERS), "x")
    text = text[: schema.get("maxLength", len(text))]
    root.letters -= len(text)
    return text
