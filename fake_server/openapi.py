"""What the fake serves, as an OpenAPI document: made of the shapes that it reads with.

Answers are not described: they are what xAI was recorded to give.
"""

import re
from collections.abc import Iterator
from importlib import metadata
from typing import Any

import msgspec

from llm_grok_vision.limits import MAX_FILE_SECONDS, MIN_FILE_SECONDS

from .wire.paths import POSTS, ROUTES

Fields = dict[str, Any]

_BLANK = re.compile(r"\{(\w+)\}")
_TEXT: Fields = {"schema": {"type": "string"}}
_ERROR: Fields = {
    "description": "what was wrong",
    "content": {
        "application/json": {
            "schema": {
                "type": ["object", "string"],
                "properties": {"code": {"type": "string"}, "error": {"type": "string"}},
            }
        },
        "text/plain": _TEXT,
        "text/html": _TEXT,
    },
}
_UPLOAD: Fields = {
    "multipart/form-data": {
        "schema": {
            "type": "object",
            "properties": {
                "expires_after": {
                    "type": "integer",
                    "minimum": MIN_FILE_SECONDS,
                    "maximum": MAX_FILE_SECONDS,
                },
                "file": {"type": "string", "format": "binary"},
            },
            "required": ["file"],
        }
    }
}


def document() -> Fields:
    """Write the document, in OpenAPI 3.1."""
    rows = list(_rows())
    shapes = list(dict.fromkeys(body for _, _, body, _ in rows if body))
    references, components = msgspec.json.schema_components(
        shapes, ref_template="#/components/schemas/{name}"
    )
    schemas = dict(zip(shapes, references, strict=True))
    paths: dict[str, Fields] = {}
    for verb, path, body, upload in rows:
        content = {"application/json": {"schema": schemas[body]}} if body else {}
        operation = _operation(path, _UPLOAD if upload else content)
        paths.setdefault(path, {})[verb.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "A fake of xAI's API",
            "version": metadata.version("llm-grok-vision"),
        },
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"key": []}],
    }


def _rows() -> Iterator[tuple[str, str, type | None, bool]]:
    for path, wire in POSTS.items():
        yield "POST", path, wire.Body, False
    for route in ROUTES.routes:
        yield route.verb, route.path, route.body, route.upload


def _operation(path: str, content: Fields) -> Fields:
    operation: Fields = {
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
            for name in _BLANK.findall(path)
        ],
        "responses": {"200": {"description": "as xAI answers"}, "4XX": _ERROR},
    }
    if content:
        operation["requestBody"] = {"required": True, "content": content}
    return operation
