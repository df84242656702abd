"""POST /v1/tokenize-text: a text in tokens, by the fake's own rule. DOC OPENAPI: the shape.

xAI's tokenizer is not public. Here a word is a token, as everywhere in the fake, and its
number is made of the word. ASSUMED: a text that is too long for the model is refused as in a chat.
"""

import asyncio

import msgspec

from ..accounting import count_text_tokens, words
from ..catalogue import Model
from ..checks import TEAM
from ..identity import hexadecimal
from ..refusals import refuse
from .call import Answer, Call, Route

# Letters of a text from which others do not wait for it.
_LONG = 64 * 1024


class _Body(msgspec.Struct):
    text: str
    model: str


class _Token(msgspec.Struct):
    token_id: int
    string_token: str
    token_bytes: list[int]


_decoder = msgspec.json.Decoder(_Body)


def tokens(text: str, model: Model) -> list[tuple[int, str]]:
    """Cut a text into tokens, each with a number below 131,072 (ASSUMED) that it always has.

    Raises the ApiError for a text that is too long for the model.
    """
    count = count_text_tokens(text)
    if count > model.context_length:
        raise refuse("context overflow", limit=model.context_length, tokens=count)
    found = words(text)
    numbers = {word: int(hexadecimal(8, "token", word), 16) % 131_072 for word in set(found)}
    return [(numbers[word], word) for word in found]


def _written(text: str, model: Model) -> bytes:
    """Write the tokens of a text; one that comes again is not written again."""
    found = tokens(text, model)
    pieces = {
        word: msgspec.Raw(msgspec.json.encode(_Token(number, word, list(word.encode()))))
        for number, word in set(found)
    }
    return msgspec.json.encode({"token_ids": [pieces[word] for _, word in found]})


async def _tokenize(call: Call) -> Answer:
    asked = call.decode(_decoder)
    call.log.model = asked.model
    model = call.service.find(asked.model)
    if model is None or model not in call.service.listed("language"):
        raise refuse("unknown model", model=asked.model, team=TEAM)
    if len(asked.text) < _LONG:
        return Answer(_written(asked.text, model))
    return Answer(await asyncio.to_thread(_written, asked.text, model))


ROUTES = (Route("POST", "/v1/tokenize-text", _tokenize, _Body),)
