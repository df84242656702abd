"""A value that a JSON schema allows, always the same one: the simplest that will do.

For answers to `response_format` and for the arguments of tools. It follows the
keywords that tools and structured outputs use; a schema that wants more (a pattern,
`not`, conditions) gets the simplest value of its type.
"""

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


def instance(schema: Any, root: Schema | None = None, depth: int = 0) -> Any:
    """Make a value for a schema; `root` is where its `#/…` references point."""
    if not isinstance(schema, dict):
        return {}
    root = schema if root is None else root
    schema = _resolved(schema, root)
    for keyword in ("const", "default"):
        if keyword in schema:
            return schema[keyword]
    if schema.get("enum"):
        return schema["enum"][0]
    for keyword in ("anyOf", "oneOf"):
        if schema.get(keyword):
            return instance(_simplest(schema[keyword], root), root, depth + 1)
    return _of_type(_type(schema), schema, root, depth)


def _resolved(schema: Schema, root: Schema) -> Schema:
    """Follow `$ref`, and fold `allOf` into one schema."""
    for _ in range(_DEEPEST):
        if "$ref" not in schema:
            break
        schema = _pointed(schema["$ref"], root)
    merged = {key: value for key, value in schema.items() if key != "allOf"}
    for part in schema.get("allOf", ()):
        other = _resolved(part, root)
        properties = {**merged.get("properties", {}), **other.get("properties", {})}
        required = [*merged.get("required", []), *other.get("required", [])]
        merged = {**merged, **other, "properties": properties, "required": required}
    return merged


def _pointed(reference: str, root: Schema) -> Schema:
    target: Any = root
    for key in reference.lstrip("#").strip("/").split("/"):
        if key:
            target = target.get(key.replace("~1", "/").replace("~0", "~"), {})
    return target if isinstance(target, dict) else {}


def _simplest(choices: list[Schema], root: Schema) -> Schema:
    """Prefer a choice that is not null, and one that does not lead back to itself."""
    resolved = [_resolved(choice, root) for choice in choices]
    plain = [choice for choice in resolved if choice.get("type") not in ("null", "object", "array")]
    return (plain or [choice for choice in resolved if choice.get("type") != "null"] or resolved)[0]


def _type(schema: Schema) -> str:
    types = schema.get("type")
    if isinstance(types, list):
        return next((name for name in types if name != "null"), "null")
    if types:
        return str(types)
    return "array" if "items" in schema else "object" if "properties" in schema else "string"


def _of_type(name: str, schema: Schema, root: Schema, depth: int) -> Any:
    if name == "object":
        return _object(schema, root, depth)
    if name == "array":
        items = [*schema.get("prefixItems", ())]
        missing = max(schema.get("minItems", 0) - len(items), 0)
        items += [schema.get("items", {})] * missing
        return [instance(item, root, depth + 1) for item in items]
    if name in ("integer", "number"):
        return _number(name, schema)
    if name == "boolean":
        return True
    return None if name == "null" else _string(schema)


def _object(schema: Schema, root: Schema, depth: int) -> dict[str, Any]:
    """Fill in every property, but only the required ones where a schema nests without end."""
    properties = schema.get("properties", {})
    required = schema.get("required", [])
    names = required if depth > _DEEPEST // 2 else [*properties, *required]
    return {
        name: instance(properties.get(name, {}), root, depth + 1) for name in dict.fromkeys(names)
    }


def _number(name: str, schema: Schema) -> int | float:
    low = schema.get("minimum", schema.get("exclusiveMinimum"))
    high = schema.get("maximum", schema.get("exclusiveMaximum"))
    step = schema.get("multipleOf", 1 if name == "integer" else 0)
    value: int | float = 1
    if low is not None and (value < low or value == schema.get("exclusiveMinimum")):
        value = low
        if low == schema.get("exclusiveMinimum"):
            value = low + (step or (1 if high is None else (high - low) / 2))
    if high is not None and (value > high or value == schema.get("exclusiveMaximum")):
        value = high
        if high == schema.get("exclusiveMaximum"):
            value = high - (step or (1 if low is None else (high - low) / 2))
    if step:
        value = math.ceil(value / step) * step
    return math.ceil(value) if name == "integer" else value


def _string(schema: Schema) -> str:
    text = _FORMATS.get(schema.get("format", ""), "text")
    text = text.ljust(schema.get("minLength", 0), "x")
    return text[: schema.get("maxLength", len(text))]
