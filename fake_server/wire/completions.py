"""POST /v1/completions: text after text, as before there were messages. DOC OPENAPI.

ASSUMED: which keys an answer has, which are those of OpenAI's own API with xAI's usage; and
that every language model answers, although xAI says that reasoning models do not.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from ..completion import Completion
from ..request import ChatRequest, Message, spoken
from .chat_completions import error_event, usage_json

__all__ = [
    "PATH",
    "Body",
    "decode",
    "error_event",
    "to_events",
    "to_json",
    "to_request",
    "usage_json",
]

PATH = "/v1/completions"


class Body(msgspec.Struct):
    """The fields of a request that mean something here; unknown ones are ignored."""

    model: str
    prompt: str
    stream: bool | None = None
    temperature: float | None = None
    top_p: float | None = None
    n: int | None = None
    max_tokens: int | None = None
    seed: int | None = None
    stop: str | list[str] | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    user: str | None = None


_PARAMETERS = (
    "temperature",
    "top_p",
    "n",
    "max_tokens",
    "seed",
    "stop",
    "frequency_penalty",
    "presence_penalty",
    "user",
)
_decoder = msgspec.json.Decoder(Body)


def decode(data: bytes) -> Body:
    """Read a body; raises msgspec.DecodeError, or its ValidationError for a wrong shape."""
    return _decoder.decode(data)


def to_request(body: Body, data: bytes) -> ChatRequest:
    """Translate a body into what the service is asked; `data` are its bytes."""
    values = {name: getattr(body, name) for name in _PARAMETERS}
    if isinstance(body.stop, str):
        values["stop"] = [body.stop]
    return ChatRequest(
        model=body.model,
        messages=(Message("user", spoken("user", body.prompt)),),
        parameters={name: value for name, value in values.items() if value is not None},
        seed=data,
        stream=bool(body.stream),
    )


def to_json(completion: Completion, _body: Body, usage: dict[str, Any]) -> bytes:
    """Write a whole answer, with its usage as `usage_json` wrote it."""
    text = "".join(completion.spoken)
    choices = [
        _choice(index, text, completion.finish_reason) for index in range(completion.choices)
    ]
    return msgspec.json.encode(_envelope(completion, choices) | {"usage": usage})


def to_events(completion: Completion, _body: Body) -> Iterator[bytes]:
    """Write an answer as server-sent events, each to be sent as it is."""
    pieces: list[tuple[str, str | None]] = [(word, None) for word in completion.spoken]
    pieces.append(("", completion.finish_reason))
    for text, finish_reason in pieces:
        for index in range(completion.choices):
            chunk = _envelope(completion, [_choice(index, text, finish_reason)])
            yield b"data: " + msgspec.json.encode(chunk) + b"\n\n"
    yield b"data: [DONE]\n\n"


def _choice(index: int, text: str, finish_reason: str | None) -> dict[str, Any]:
    return {"index": index, "text": text, "logprobs": None, "finish_reason": finish_reason}


def _envelope(completion: Completion, choices: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": completion.id,
        "object": "text_completion",
        "created": completion.created,
        "model": completion.model_id,
        "choices": choices,
        "system_fingerprint": completion.system_fingerprint,
    }
