"""What messages of xai_api have in common: how they are written, usage, times. DOC PROTO."""

from typing import Any, TypeVar

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from xai_sdk.proto import usage_pb2

from ..accounting import Usage
from ..server_tools import COUNTERS

Kind = TypeVar("Kind", bound=Message)

_SERVER_TOOLS = {
    "web_search_calls": "SERVER_SIDE_TOOL_WEB_SEARCH",
    "x_search_calls": "SERVER_SIDE_TOOL_X_SEARCH",
    "code_interpreter_calls": "SERVER_SIDE_TOOL_CODE_EXECUTION",
}


def written(kind: type[Kind], **fields: Any) -> Kind:
    """Write a message, but for fields that the installed xai-sdk is too old to know: its clients see none.

    Those of an enumeration may be given by their names.
    """
    known = kind.DESCRIPTOR.fields_by_name
    return kind(**{name: value for name, value in fields.items() if name in known})


def time_of(seconds: int) -> Timestamp:
    """Write seconds since 1970."""
    return Timestamp(seconds=seconds)


def usage_message(usage: Usage) -> usage_pb2.SamplingUsage:
    """Write usage."""
    return written(
        usage_pb2.SamplingUsage,
        completion_tokens=usage.completion_tokens,
        reasoning_tokens=usage.reasoning_tokens,
        prompt_tokens=usage.prompt_tokens,
        total_tokens=usage.total_tokens,
        prompt_text_tokens=usage.text_tokens,
        prompt_image_tokens=usage.image_tokens,
        cached_prompt_text_tokens=usage.cached_tokens,
        server_side_tools_used=[_SERVER_TOOLS[COUNTERS[name]] for name in usage.server_tool_calls],
        cost_in_usd_ticks=usage.cost_in_usd_ticks,
    )


def usage_names(usage: Usage) -> dict[str, Any]:
    """Give usage by the names of its message, for the journal."""
    message = usage_message(usage)
    values = {field.name: getattr(message, field.name) for field in message.DESCRIPTOR.fields}
    # A list of protobuf's is none that JSON knows.
    return {name: value if isinstance(value, int) else [*value] for name, value in values.items()}
