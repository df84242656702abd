"""POST /v1/tokenize-text: a text in tokens, by the fake's own rule. DOC OPENAPI: the shape.

xAI's tokenizer is not public. Here a word is a token, as everywhere in the fake, and its
number is made of the word.
"""

import msgspec

from ..accounting import words
from ..checks import TEAM
from ..identity import hexadecimal
from ..refusals import refuse
from .call import Answer, Call, Route


class _Body(msgspec.Struct):
    text: str
    model: str


_decoder = msgspec.json.Decoder(_Body)


def tokens(text: str) -> list[tuple[int, str]]:
    """Cut a text into tokens, each with a number below 131,072 (ASSUMED) that it always has."""
    return [(int(hexadecimal(8, "token", word), 16) % 131_072, word) for word in words(text)]


async def _tokenize(call: Call) -> Answer:
    asked = call.decode(_decoder)
    call.log.model = asked.model
    model = call.service.find(asked.model)
    if model is None or model not in call.service.listed("language"):
        raise refuse("unknown model", model=asked.model, team=TEAM)
    found = [
        {"token_id": number, "string_token": text, "token_bytes": list(text.encode())}
        for number, text in tokens(asked.text)
    ]
    return Answer(msgspec.json.encode({"token_ids": found}))


ROUTES = (Route("POST", "/v1/tokenize-text", _tokenize, _Body),)
