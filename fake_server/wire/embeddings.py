"""POST /v1/embeddings: refused, because no embedding model is in the catalogue.

DOC OPENAPI: the path. OBSERVED: no model for it in any list of models.
"""

import msgspec

from ..checks import TEAM
from ..refusals import refuse
from .call import Answer, Call, Route


class _Body(msgspec.Struct):
    model: str
    input: str | list[str]


_decoder = msgspec.json.Decoder(_Body)


async def _embed(call: Call) -> Answer:
    asked = call.decode(_decoder)
    call.log.model = asked.model
    raise refuse("unknown model", model=asked.model, team=TEAM)


ROUTES = (Route("POST", "/v1/embeddings", _embed, _Body),)
