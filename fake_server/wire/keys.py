"""GET /v1/api-key and /v1/me: what the service tells of a key. DOC OPENAPI."""

import msgspec

from ..checks import TEAM
from ..identity import uuid
from .call import Answer, Call, Route

# 2026-01-01 00:00:00 UTC, when every key was made.
CREATED = 1767225600
_CREATED_TEXT = "2026-01-01T00:00:00.000000Z"


def redacted(key: str) -> str:
    """Show no more of a key than its last four characters."""
    return f"xai-...{key[-4:] if len(key) > 8 else '****'}"


async def _api_key(call: Call) -> Answer:
    key = call.log.key
    told = {
        "redacted_api_key": redacted(key),
        "user_id": uuid("user"),
        "name": "fake_server",
        "create_time": _CREATED_TEXT,
        "modify_time": _CREATED_TEXT,
        "modified_by": uuid("user"),
        "team_id": TEAM,
        "acls": ["api-key:model:*", "api-key:endpoint:*"],
        "api_key_id": uuid("key", key),
        "team_blocked": False,
        "api_key_blocked": False,
        "api_key_disabled": False,
    }
    return Answer(msgspec.json.encode(told))


async def _me(call: Call) -> Answer:
    key = call.log.key
    told = {
        "user_id": uuid("user"),
        "team_id": TEAM,
        "zdr_status": "no_zdr",
        "team_blocked": False,
        "api_key": {
            "redacted_api_key": redacted(key),
            "api_key_id": uuid("key", key),
            "blocked": False,
            "disabled": False,
        },
    }
    return Answer(msgspec.json.encode(told))


ROUTES = (Route("GET", "/v1/api-key", _api_key), Route("GET", "/v1/me", _me))
