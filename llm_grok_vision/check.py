"""`llm grok-vision check`: whether the key is good, and what it may do. Costs nothing."""

from collections.abc import Iterator
from typing import Any

import llm

from . import listing
from .catalogue import DEFAULT_MODEL
from .connection import Call
from .errors import PermissionDenied
from .known import known_models
from .refresh import ask_for_models
from .refusals import not_expected, presentable
from .settings import DEFAULT_API_BASE, Key, api_base, find_key
from .transport import exchange

PATH = "/api-key"

# DOC OPENAPI: each is "Indicates whether" the team or the key is blocked, or disabled.
_FLAGS = ("team_blocked", "api_key_blocked", "api_key_disabled")


def checked(given_key: str | None) -> Iterator[str]:
    """Give one line a finding, each as soon as it is known; raises a GrokError for a bad key."""
    key = find_key(given_key)
    yield f"Key: {key.source}"
    if api_base() != DEFAULT_API_BASE:
        yield f"Base URL: {api_base()}, from XAI_API_BASE"
    facts = exchange(Call(api_base() + PATH, key.value, method="GET"))
    if not isinstance(facts, dict):
        raise not_expected(200, "what it knows of the key")
    name, redacted = _shown(facts.get("name"), key), _shown(facts.get("redacted_api_key"), key)
    yield f"Known to xAI as: {name} ({redacted})"
    acls = facts.get("acls")
    may = [_shown(acl, key) for acl in acls] if isinstance(acls, list) else []
    yield f"May use: {', '.join(may) or 'xAI does not say'}"
    if blocked := [flag for flag in _FLAGS if facts.get(flag)]:
        raise PermissionDenied(
            200, "", f"The key cannot be used: {', '.join(blocked)}.", "See https://console.x.ai."
        )
    yield f"Models: {_models(key)}"


def _models(key: Key) -> str:
    rows = [row for row in ask_for_models(key.value) if listing.reads_images(row)]
    listed = {name for row in rows for name in listing.names(row)}
    known = {name: model for model in known_models() for name in model.names}
    default = llm.get_default_model().removeprefix("xai/")
    model = known.get(default, known[DEFAULT_MODEL])
    among = "not among them" if listed.isdisjoint(model.names) else "among them"
    return f"{len(rows)} that read images; xai/{model.name} is {among}"


def _shown(value: Any, key: Key) -> str:
    """Give a text of the service's as one that may stand in a terminal."""
    text = presentable(value, key.value) if isinstance(value, str) else "unnamed"
    return "".join(letter for letter in text if letter.isprintable())
