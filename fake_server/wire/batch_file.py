"""The file of a whole batch: a request a line, as in OpenAI's own Batch API.

DOC BATCH GUIDE, and OBSERVED 2026-08-28 in the BATCH NOTE: the shape of a line;
that those to /v1/responses get chat completions too; "line 2: invalid JSON: ". ASSUMED: all
other words; that lines without anything are skipped, and a file without requests is no good.
"""

from collections.abc import Callable

import msgspec

from llm_grok_vision.limits import MAX_BATCH_FILE_REQUESTS, MAX_BATCH_LINE

from ..request import ChatRequest
from . import chat_completions, errors, responses_body


class Unreadable(ValueError):
    """A file that is none of a batch; says which line, and what is wrong with it."""


class _Line(msgspec.Struct):
    custom_id: str
    url: str
    body: msgspec.Raw
    method: str = "POST"


_decoder = msgspec.json.Decoder(_Line)


def _chat(data: bytes) -> ChatRequest:
    return chat_completions.to_request(chat_completions.decode(data), data)


def _responses(data: bytes) -> ChatRequest:
    return responses_body.to_request(responses_body.decode(data), data)


_URLS: dict[str, Callable[[bytes], ChatRequest]] = {
    "/v1/chat/completions": _chat,
    "/v1/responses": _responses,
}


def read(data: bytes) -> list[tuple[str, ChatRequest]]:
    """Read the requests with their ids; raises Unreadable."""
    lines = [(number, line) for number, line in enumerate(data.split(b"\n"), 1) if line.strip()]
    if not lines:
        raise Unreadable("the file has no requests")
    if len(lines) > MAX_BATCH_FILE_REQUESTS:
        raise Unreadable(f"more than {MAX_BATCH_FILE_REQUESTS:,} requests")
    return [_request(number, line) for number, line in lines]


def _request(number: int, line: bytes) -> tuple[str, ChatRequest]:
    try:
        return _asked(line)
    except Unreadable as error:
        problem = str(error)
    except msgspec.ValidationError as error:
        problem = errors.problem(error)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        problem = f"invalid JSON: {errors.problem(error)}"
    raise Unreadable(f"line {number}: {problem}")


def _asked(line: bytes) -> tuple[str, ChatRequest]:
    if len(line) > MAX_BATCH_LINE:
        raise Unreadable(f"more than {MAX_BATCH_LINE:,} bytes")
    asked = _decoder.decode(line)
    if asked.method != "POST":
        raise Unreadable(f"method {asked.method} is not POST")
    if asked.url not in _URLS:
        urls = " and ".join(_URLS)
        raise Unreadable(f"the fake server takes {urls} in a batch, and no {asked.url}")
    return asked.custom_id, _URLS[asked.url](bytes(asked.body))
