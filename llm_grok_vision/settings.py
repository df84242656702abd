"""What the machine says of xAI: the key and where it was found, and the base URL."""

import os
from dataclasses import dataclass, field
from pathlib import Path

import llm

from .errors import InvalidAddress, InvalidSetting, NoKeyError

DEFAULT_API_BASE = "https://api.x.ai/v1"
KEY_VARIABLE = "XAI_API_KEY"


@dataclass(frozen=True)
class Key:
    """A key and where it was found; printing it shows only where."""

    value: str = field(repr=False)
    source: str


def api_base() -> str:
    """Give the base URL, without a slash at its end; raises InvalidSetting for one with more in it."""
    base = (os.environ.get("XAI_API_BASE") or DEFAULT_API_BASE).strip().rstrip("/")
    if "@" in base.split("://")[-1].split("/")[0]:
        # HTTPX would send it in place of the key.
        raise InvalidSetting(
            "XAI_API_BASE holds a user name or a password, and a key is all that is sent;"
            " take them out."
        )
    if "?" in base or "#" in base:
        # The path of each request would stand behind it.
        raise InvalidAddress
    return base


def find_key(given: str | None = None, preset: str | None = None) -> Key:
    """Find the key in LLM's order: `preset` on the model, `given`, stored, in the environment.

    `given` may name a stored key; without it, stored under `xai` or, as llm-grok did, `grok`.
    Raises NoKeyError, or InvalidSetting for one that cannot work.
    """
    keys_file = llm.user_dir() / "keys.json"
    try:
        found, source = (preset, "set on the model") if preset else _look_up(given, keys_file)
        key = found.strip()
    except (ValueError, TypeError, AttributeError, OSError):
        raise InvalidSetting(
            f"{keys_file} does not hold keys as LLM stores them; mend it or set the key again."
        ) from None
    if not key:
        raise NoKeyError(
            "No key for xAI was found: add one with 'llm keys set xai',"
            f" or set {KEY_VARIABLE}. Keys come from https://console.x.ai."
        )
    if not key.isascii() or not key.isprintable():
        raise InvalidSetting(
            "The key for xAI holds characters that no key has; copy it again from"
            " https://console.x.ai and store it with 'llm keys set xai'."
        )
    return Key(key, source)


def _look_up(given: str | None, keys_file: Path) -> tuple[str, str]:
    stored = llm.load_keys()
    places = (
        (stored.get(given), f"stored as {given} in {keys_file}"),
        (given, "given with --key"),
        (stored.get("xai"), f"stored as xai in {keys_file}"),
        (stored.get("grok"), f"stored as grok in {keys_file}"),
        (os.environ.get(KEY_VARIABLE), f"from {KEY_VARIABLE}"),
    )
    return next(((key, source) for key, source in places if key), ("", ""))
