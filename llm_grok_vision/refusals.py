"""Turn xAI's refusals, in whatever shape they come, into one error with one line of advice.

xAI's own shape is flat, `{"code": "...", "error": "..."}`; a proxy in front of it
answers in plain text or HTML, and a stream may carry an error of its own.
"""

import json
import re
from collections.abc import Callable
from typing import Any, NamedTuple

from .errors import (
    ApiError,
    ImageRefused,
    InvalidKey,
    NotFound,
    PermissionDenied,
    RateLimited,
    ReasoningRefused,
    RequestRefused,
    ServerError,
)

_LONGEST = 1000
# Of a page with its markup: what explains a refusal stands above that.
_LONGEST_PAGE = 256 * 1024
# Shorter, it is no key of xAI's, and may well be a part of some word.
_SHORTEST_KEY = 8
# An image, as a data URL or as bare base64: no word is that long.
_IMAGE = re.compile(r"data:[\w/+.-]*;base64,[A-Za-z0-9+/=]+|[A-Za-z0-9+/]{80,}=*")
# Neither looks at anything twice: what does not end goes to the next tag, or to the end.
_TAG = re.compile(r"<[^<>]*>")
_HEAD = re.compile(r"(?is)<(script|style)\b.*?(?:</\1>|\Z)")
# What a terminal does not show, but obeys.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class Refusal(NamedTuple):
    """What an error body says: `code` is "" where it gives none."""

    code: str
    error: str


class _Reading(NamedTuple):
    applies: Callable[[int, str], bool]
    kind: type[ApiError]
    advice: str


# In order: the first that applies to the status and the lower-cased words is taken.
_READINGS = (
    _Reading(
        lambda status, words: status == 401 or "api key" in words,
        InvalidKey,
        "Set a key with 'llm keys set xai', or in XAI_API_KEY; keys come from https://console.x.ai.",
    ),
    _Reading(
        lambda status, words: "credits" in words or "spending limit" in words,
        PermissionDenied,
        "Add credits or raise the limit on https://console.x.ai.",
    ),
    _Reading(
        # OBSERVED 2026, with status 403: "Content violates usage guidelines. Failed check: ..."
        lambda status, words: "usage guidelines" in words,
        RequestRefused,
        "xAI does not answer this; leave out the image or the words that it objects to.",
    ),
    _Reading(
        lambda status, words: status == 403,
        PermissionDenied,
        "See on https://console.x.ai what this key may do.",
    ),
    _Reading(
        lambda status, words: 300 <= status < 400,
        NotFound,
        "XAI_API_BASE leads elsewhere; set it to the address it redirects to.",
    ),
    _Reading(
        lambda status, words: status == 404 or "model not found" in words,
        NotFound,
        "'llm models -q xai' lists the models; XAI_API_BASE, if it is set, ends in /v1.",
    ),
    _Reading(
        lambda status, words: status == 410 or "live search" in words,
        RequestRefused,
        "Search with xAI's own tools instead: -T WebSearch, -T XSearch.",
    ),
    _Reading(
        lambda status, words: status == 429 or "exhausted" in words,
        RateLimited,
        "Wait a little before the next request, or send less at a time.",
    ),
    _Reading(
        # OBSERVED 2026, in BlockedPath/pi-xai-oauth #50 and earendil-works/pi #9385: status 500
        # "Auth context expired.", each time again, to inline images of some megabytes.
        lambda status, words: status == 413 or "auth context expired" in words,
        RequestRefused,
        "Send fewer or smaller images; '-o past_images 0' leaves out those of earlier turns.",
    ),
    _Reading(
        lambda status, words: status >= 500 or "unavailable" in words,
        ServerError,
        "The fault is on xAI's side; try again later.",
    ),
    _Reading(
        lambda status, words: (
            "image inputs are not supported" in words or "an image model" in words
        ),
        RequestRefused,
        "Choose a model that reads images: 'llm models -q xai' lists them.",
    ),
    _Reading(
        # OBSERVED 2026, in users' reports, where a conversation went on with another key or model:
        # "Could not decrypt the provided encrypted_content. Ensure the value is unmodified ..."
        lambda status, words: "encrypted_content" in words,
        ReasoningRefused,
        "Begin a new conversation: this one holds reasoning that xAI cannot read any more.",
    ),
    _Reading(
        lambda status, words: "not support" in words and "image" not in words,
        RequestRefused,
        "Leave that option out for this model, or choose another model.",
    ),
    _Reading(
        # OBSERVED 2026: the code "invalid_image", or words like "Image URL could not be fetched"
        # and "Downloaded response does not contain a valid JPG, PNG, WebP, or ICO image."
        lambda status, words: "image" in words,
        ImageRefused,
        "Look at the images of this prompt, and of the conversation it continues.",
    ),
)
_OTHERWISE = _Reading(
    lambda status, words: True,
    RequestRefused,
    "Look at the options and messages of this prompt.",
)


def api_error(status: int, body: str, key: str | None = None) -> ApiError:
    """Make the error for an answer with this HTTP status and body; `key` is kept out of it."""
    refusal = read_refusal(body) or Refusal("", f"HTTP status {status} without an explanation.")
    error = presentable(refusal.error, key)
    words = f"{refusal.code} {error}".lower()
    reading = next((row for row in _READINGS if row.applies(status, words)), _OTHERWISE)
    return reading.kind(status, presentable(refusal.code, key), error, reading.advice)


def not_expected(status: int, what: str, body: str = "", key: str | None = None) -> ApiError:
    """Make the error for an answer that is no refusal, nor what was asked for, with what it said."""
    said = read_refusal(body) or Refusal("", f"The service answered, but not with {what}.")
    return ApiError(
        status,
        "",
        presentable(said.error, key),
        "XAI_API_BASE, if it is set, has to be the address of xAI's API, or of one like it.",
    )


def read_refusal(body: str) -> Refusal | None:
    """Find the code and the words in an error body, or None if it says nothing."""
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError):
        words = _plain(body[:_LONGEST_PAGE])
        return Refusal("", words) if words else None
    refusal = refusal_in(payload)
    if refusal is None and isinstance(payload, dict):
        # Not xAI's shape, but that of many a server between here and there.
        said = payload.get("message") or payload.get("detail")
        return Refusal("", str(said)) if said else None
    return refusal


def refusal_in(payload: Any) -> Refusal | None:
    """Find the error in decoded JSON: flat as xAI's, nested as OpenAI's, or a bare string."""
    if isinstance(payload, str) and payload.strip():
        return Refusal("", payload.strip())
    if not isinstance(payload, dict) or not payload.get("error"):
        return None
    error, code = payload["error"], payload.get("code")
    if isinstance(error, dict):
        code = error.get("code") or error.get("type") or code
        error = error.get("message") or json.dumps(error)
    return Refusal("" if code is None else str(code), str(error))


def _plain(text: str) -> str:
    """Drop the markup of an HTML page, and fold its white space."""
    return " ".join(_TAG.sub(" ", _HEAD.sub(" ", text)).split())


def presentable(error: str, key: str | None) -> str:
    """Take images and the key out of a text of the service's, and most of it if it is long."""
    error = _IMAGE.sub("data:...", _CONTROL.sub("", error))
    if len(key or "") >= _SHORTEST_KEY:
        error = error.replace(str(key), "(your key)")
    return error if len(error) <= _LONGEST else error[:_LONGEST] + "..."
