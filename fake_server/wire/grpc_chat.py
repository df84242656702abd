"""xai_api.Chat, as xai-sdk speaks it: protobuf messages become a request, a completion messages.

DOC PROTO: the fields. OBSERVED 2025 and 2026 in pydantic-ai's recordings: usage that grows
on every chunk, the role on every chunk, and an empty delta with the finish_reason at the end.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec
from google.protobuf.message import Message as ProtoMessage
from xai_sdk.proto import chat_pb2, deferred_pb2, image_pb2, sample_pb2, usage_pb2

from ..completion import Completion
from ..journal import LoggedRequest
from ..refusals import refuse
from ..request import ChatRequest, FilePart, ImagePart, Message, Part, TextPart, Tool, UnknownPart
from ..service import Service
from .grpc_usage import time_of, usage_message, usage_names, written

_ASSISTANT = chat_pb2.MessageRole.ROLE_ASSISTANT
_FINISHED = {
    "stop": sample_pb2.FinishReason.REASON_STOP,
    "length": sample_pb2.FinishReason.REASON_MAX_LEN,
    "tool_calls": sample_pb2.FinishReason.REASON_TOOL_CALLS,
}
# Without a detail, and for `auto`, it is `auto`.
_DETAILS = {
    image_pb2.ImageDetail.DETAIL_LOW: "low",
    image_pb2.ImageDetail.DETAIL_HIGH: "high",
}
_TOOL_MODES = {
    chat_pb2.ToolMode.TOOL_MODE_INVALID: "",
    chat_pb2.ToolMode.TOOL_MODE_AUTO: "auto",
    chat_pb2.ToolMode.TOOL_MODE_NONE: "none",
    chat_pb2.ToolMode.TOOL_MODE_REQUIRED: "required",
}
# The names under which REST has the same settings.
_PARAMETERS = (
    "n",
    "max_tokens",
    "seed",
    "temperature",
    "top_p",
    "frequency_penalty",
    "presence_penalty",
)
_SERVER_TOOLS = {
    "web_search": "web_search",
    "x_search": "x_search",
    "code_execution": "code_interpreter",
    "collections_search": "file_search",
    "mcp": "mcp",
    "attachment_search": "file_search",
    "image_generation": "image_generation",
}


def to_request(asked: chat_pb2.GetCompletionsRequest, *, stream: bool = False) -> ChatRequest:
    """Translate a message into what the service is asked; raises ApiError for bad JSON in it."""
    functions = [tool.function for tool in asked.tools if tool.WhichOneof("tool") == "function"]
    kinds = [tool.WhichOneof("tool") or "" for tool in asked.tools]
    return ChatRequest(
        model=asked.model,
        messages=tuple(_message(message) for message in asked.messages),
        parameters=_parameters(asked),
        seed=asked.SerializeToString(deterministic=True),
        tools=tuple(Tool(function.name, _schema(function.parameters)) for function in functions),
        tool_choice=_tool_choice(asked),
        schema=_answer_schema(asked),
        stream=stream,
        server_tools=tuple(_SERVER_TOOLS[kind] for kind in kinds if kind in _SERVER_TOOLS),
        previous=asked.previous_response_id,
        store=asked.store_messages,
    )


def _message(message: chat_pb2.Message) -> Message:
    role = _named(chat_pb2.MessageRole, message.role, "ROLE_")
    parts = tuple(_part(content) for content in message.content)
    # An assistant's turn with tool calls has no content, or an empty text.
    return Message(role, parts, has_tool_calls=bool(message.tool_calls))


def _named(kind: Any, value: int, prefix: str) -> str:
    """Give the name of a value as REST has it; raises ApiError for one that has none."""
    if value not in kind.values():
        raise refuse("wrong shape", problem=f"{value} is no {kind.DESCRIPTOR.name}")
    return str(kind.Name(value)).removeprefix(prefix).lower()


def _part(content: chat_pb2.Content) -> Part:
    kind = content.WhichOneof("content")
    if kind == "text":
        return TextPart(content.text)
    if kind == "image_url":
        image = content.image_url
        return ImagePart(image.image_url, _DETAILS.get(image.detail, "auto"))
    if kind == "file" and content.file.file_id:
        return FilePart(content.file.file_id)
    return UnknownPart(kind or "nothing")


def _parameters(asked: chat_pb2.GetCompletionsRequest) -> dict[str, Any]:
    given = {name: getattr(asked, name) for name in _PARAMETERS if asked.HasField(name)}
    if asked.stop:
        given["stop"] = list(asked.stop)
    if asked.HasField("reasoning_effort"):
        effort = _named(chat_pb2.ReasoningEffort, asked.reasoning_effort, "EFFORT_")
        given["reasoning_effort"] = effort
    # The messages of xai-sdk before 1.17 have none.
    if tier := getattr(asked, "service_tier", 0):
        given["service_tier"] = _named(usage_pb2.ServiceTier, tier, "SERVICE_TIER_")
    if asked.user:
        given["user"] = asked.user
    if asked.HasField("search_parameters"):
        given["search_parameters"] = {}
    if asked.previous_response_id:
        given["previous_response_id"] = asked.previous_response_id
    if asked.store_messages:
        given["store_messages"] = True
    return given


def _tool_choice(asked: chat_pb2.GetCompletionsRequest) -> str:
    if asked.tool_choice.WhichOneof("tool_choice") == "function_name":
        return str(asked.tool_choice.function_name)
    return _TOOL_MODES.get(asked.tool_choice.mode, "")


def _answer_schema(asked: chat_pb2.GetCompletionsRequest) -> dict[str, Any] | None:
    kind = asked.response_format.format_type
    if kind == chat_pb2.FormatType.FORMAT_TYPE_JSON_SCHEMA:
        return _schema(asked.response_format.schema)
    return {"type": "object"} if kind == chat_pb2.FormatType.FORMAT_TYPE_JSON_OBJECT else None


def _schema(text: str) -> dict[str, Any]:
    if not text:
        return {}
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.DecodeError:
        raise refuse("bad schema") from None


def to_message(completion: Completion) -> chat_pb2.GetChatCompletionResponse:
    """Write a whole answer."""
    message = chat_pb2.CompletionMessage(
        content="".join(completion.spoken),
        reasoning_content="".join(completion.reasoning),
        role=_ASSISTANT,
        tool_calls=_tool_calls(completion),
    )
    outputs = [
        chat_pb2.CompletionOutput(
            finish_reason=_FINISHED.get(completion.finish_reason),
            index=index,
            message=message,
        )
        for index in range(completion.choices)
    ]
    return written(
        chat_pb2.GetChatCompletionResponse,
        outputs=outputs,
        usage=usage_message(completion.usage),
        citations=completion.citations,
        **_envelope(completion),
    )


def to_chunks(completion: Completion) -> Iterator[chat_pb2.GetChatCompletionChunk]:
    """Write an answer piece by piece; every chunk says what was used so far."""
    said = thought = 0
    for delta in _deltas(completion):
        thought += bool(delta.reasoning_content)
        said += bool(delta.content)
        usage = usage_message(completion.used(said, thought))
        for index in range(completion.choices):
            chunk = chat_pb2.CompletionOutputChunk(delta=delta, index=index)
            yield written(
                chat_pb2.GetChatCompletionChunk,
                outputs=[chunk],
                usage=usage,
                **_envelope(completion),
            )
    for index in range(completion.choices):
        last = chat_pb2.CompletionOutputChunk(
            delta=chat_pb2.Delta(role=_ASSISTANT),
            finish_reason=_FINISHED.get(completion.finish_reason),
            index=index,
        )
        is_end = index == completion.choices - 1
        yield written(
            chat_pb2.GetChatCompletionChunk,
            outputs=[last],
            usage=usage_message(completion.usage),
            citations=completion.citations if is_end else (),
            **_envelope(completion),
        )


def _deltas(completion: Completion) -> Iterator[chat_pb2.Delta]:
    for word in completion.reasoning:
        yield chat_pb2.Delta(reasoning_content=word, role=_ASSISTANT)
    for word in completion.spoken:
        yield chat_pb2.Delta(content=word, role=_ASSISTANT)
    if completion.tool_calls:
        yield chat_pb2.Delta(role=_ASSISTANT, tool_calls=_tool_calls(completion))


def _tool_calls(completion: Completion) -> list[chat_pb2.ToolCall]:
    return [
        written(
            chat_pb2.ToolCall,
            id=call.id,
            type=chat_pb2.ToolCallType.TOOL_CALL_TYPE_CLIENT_SIDE_TOOL,
            status="TOOL_CALL_STATUS_COMPLETED",
            function=chat_pb2.FunctionCall(name=call.name, arguments=call.arguments),
        )
        for call in completion.tool_calls
    ]


def _envelope(completion: Completion) -> Mapping[str, Any]:
    return {
        "id": completion.id,
        "created": time_of(completion.created),
        "model": completion.model_id,
        "system_fingerprint": completion.system_fingerprint,
        "service_tier": f"SERVICE_TIER_{completion.service_tier.upper()}",
    }


async def _complete(service: Service, log: LoggedRequest, request: ChatRequest) -> Completion:
    completion = await service.complete(request, log)
    log.usage = usage_names(completion.usage)
    return completion


async def _get(
    service: Service, log: LoggedRequest, asked: chat_pb2.GetCompletionsRequest
) -> Iterable[ProtoMessage]:
    return [to_message(await _complete(service, log, to_request(asked)))]


async def _stream(
    service: Service, log: LoggedRequest, asked: chat_pb2.GetCompletionsRequest
) -> Iterable[ProtoMessage]:
    return to_chunks(await _complete(service, log, to_request(asked, stream=True)))


async def _start_deferred(
    service: Service, log: LoggedRequest, asked: chat_pb2.GetCompletionsRequest
) -> Iterable[ProtoMessage]:
    completion = await _complete(service, log, to_request(asked))
    number = service.deferred.start(completion)
    return [deferred_pb2.StartDeferredResponse(request_id=number)]


async def _get_deferred(
    service: Service, _log: LoggedRequest, asked: deferred_pb2.GetDeferredRequest
) -> Iterable[ProtoMessage]:
    completion = service.deferred.take(asked.request_id)
    if completion is None:
        pending = deferred_pb2.DeferredStatus.PENDING
        return [chat_pb2.GetDeferredCompletionResponse(status=pending)]
    done = deferred_pb2.DeferredStatus.DONE
    return [chat_pb2.GetDeferredCompletionResponse(status=done, response=to_message(completion))]


async def _get_stored(
    service: Service, _log: LoggedRequest, asked: chat_pb2.GetStoredCompletionRequest
) -> Iterable[ProtoMessage]:
    return [to_message(service.stored.get(asked.response_id).completion)]


async def _delete_stored(
    service: Service, _log: LoggedRequest, asked: chat_pb2.DeleteStoredCompletionRequest
) -> Iterable[ProtoMessage]:
    service.stored.delete(asked.response_id)
    return [chat_pb2.DeleteStoredCompletionResponse(response_id=asked.response_id)]


_CHAT = "/xai_api.Chat/"

METHODS = (
    (_CHAT + "GetCompletion", chat_pb2.GetCompletionsRequest, _get),
    (_CHAT + "GetCompletionChunk", chat_pb2.GetCompletionsRequest, _stream),
    (_CHAT + "StartDeferredCompletion", chat_pb2.GetCompletionsRequest, _start_deferred),
    (_CHAT + "GetDeferredCompletion", deferred_pb2.GetDeferredRequest, _get_deferred),
    (_CHAT + "GetStoredCompletion", chat_pb2.GetStoredCompletionRequest, _get_stored),
    (_CHAT + "DeleteStoredCompletion", chat_pb2.DeleteStoredCompletionRequest, _delete_stored),
)
