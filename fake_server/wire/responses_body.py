"""POST /v1/responses: reading the body; `responses` writes the answer."""

from typing import Any, Literal

import msgspec

from ..request import ChatRequest, Message, Tool, spoken
from ..server_tools import TYPES
from .content import Content, ImageUrl, Types, parts_of

Role = Literal["system", "developer", "user", "assistant"]

# DOC OPENAPI: what an earlier answer held may be sent back. It is taken, and says nothing
# to the fake.
_SENT_BACK = (
    "reasoning",
    "web_search_call",
    "x_search_call",
    "file_search_call",
    "code_interpreter_call",
    "mcp_call",
    "custom_tool_call",
    "image_generation_call",
    "shell_call",
    "shell_call_output",
    "tool_search_call",
    "tool_search_output",
    "compaction",
)


class _Item(msgspec.Struct):
    """A message, a call, its output, or what an earlier answer held."""

    type: str | None = None
    role: Role | None = None
    content: Content | msgspec.UnsetType = msgspec.UNSET
    encrypted_content: str | msgspec.UnsetType | None = msgspec.UNSET
    name: str | None = None
    arguments: str | None = None
    call_id: str | None = None
    output: Content = None

    def __post_init__(self) -> None:
        if self.type == "reasoning" and None in (self.content, self.encrypted_content):
            # OBSERVED 2026 in users' reports: "content": null of OpenAI's clients is a mistake.
            raise ValueError("invalid type: null, expected no null in `reasoning`")
        if self.type in _SENT_BACK:
            return
        if _has_object(self.content) or _has_object(self.output):
            raise ValueError("invalid type: object, expected `image_url` as str")
        required: tuple[str, ...] = ("role",)
        if self.type == "function_call":
            required = ("call_id", "name", "arguments")
        elif self.type == "function_call_output":
            required = ("call_id", "output")
        elif self.type not in (None, "message"):
            raise ValueError(f"unknown variant `{self.type}`")
        for name in required:
            if getattr(self, name) is None:
                raise ValueError(f"missing field `{name}`")


def _has_object(content: Content | msgspec.UnsetType) -> bool:
    """Tell whether an image is as on chat completions; OBSERVED 2026 in users' reports: a mistake."""
    parts = content if isinstance(content, list) else []
    return any(isinstance(part.image_url, ImageUrl) for part in parts)


class ListedTool(msgspec.Struct):
    """A tool of the request: a function of the client's, or a tool that runs at xAI."""

    type: str
    description: str | None = None
    name: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None

    def __post_init__(self) -> None:
        if self.type != "function" and self.type not in TYPES:
            raise ValueError(f"unknown variant `{self.type}`")
        if self.type == "function" and self.name is None:
            raise ValueError("missing field `name`")


class _Tools(msgspec.Struct):
    tools: list[ListedTool]


class _Format(msgspec.Struct, omit_defaults=True):
    type: str
    name: str | None = None
    schema: dict[str, Any] | None = None
    strict: bool | None = None
    description: str | None = None

    def __post_init__(self) -> None:
        if self.type == "json_schema" and self.schema is None:
            raise ValueError("missing field `schema`")


class _Text(msgspec.Struct):
    format: _Format | None = None


class Reasoning(msgspec.Struct, omit_defaults=True):
    """How hard to think; the summary is `detailed` whatever is asked (DOC OPENAPI)."""

    effort: str | None = None
    summary: str | None = None


class Body(msgspec.Struct):
    """The fields of a request that mean something here; unknown ones are ignored.

    `tools` stay as they came: an answer repeats them.
    """

    model: str
    input: str | list[_Item]
    instructions: str | None = None
    stream: bool | None = None
    store: bool | None = None
    include: list[str] | None = None
    previous_response_id: str | None = None
    temperature: float | None = None
    top_p: float | None = None
    max_output_tokens: int | None = None
    reasoning: Reasoning | None = None
    reasoning_effort: str | None = None
    service_tier: str | None = None
    text: _Text | None = None
    tools: list[dict[str, Any]] | None = None
    tool_choice: str | dict[str, Any] | None = None
    parallel_tool_calls: bool | None = None
    prompt_cache_key: str | None = None
    safety_identifier: str | None = None
    search_parameters: dict[str, Any] | None = None
    user: str | None = None
    max_tokens: int | None = None
    background: bool | None = None

    @property
    def effort(self) -> str | None:
        """The effort asked for. DOC OPENAPI: the flat spelling counts without the other."""
        return self.reasoning.effort if self.reasoning else self.reasoning_effort


_PARAMETERS = (
    "instructions",
    "store",
    "include",
    "previous_response_id",
    "temperature",
    "top_p",
    "max_output_tokens",
    "reasoning",
    "reasoning_effort",
    "service_tier",
    "parallel_tool_calls",
    "prompt_cache_key",
    "safety_identifier",
    "search_parameters",
    "user",
    "max_tokens",
    "background",
)
_TYPES = Types(("input_text", "output_text", "text"), ("input_image",))
_decoder = msgspec.json.Decoder(Body)


def decode(data: bytes) -> Body:
    """Read a body; raises msgspec.DecodeError, or its ValidationError for a wrong shape."""
    return _decoder.decode(data)


def to_request(body: Body, data: bytes) -> ChatRequest:
    """Translate a body into what the service is asked; `data` are its bytes.

    Raises msgspec.ValidationError for tools of a wrong shape.
    """
    values = {name: getattr(body, name) for name in _PARAMETERS}
    tools = read_tools(body)
    return ChatRequest(
        model=body.model,
        messages=_messages(body),
        parameters={
            name: msgspec.to_builtins(value) for name, value in values.items() if value is not None
        },
        seed=data,
        tools=tuple(
            Tool(tool.name or "", tool.parameters or {})
            for tool in tools
            if tool.type == "function"
        ),
        tool_choice=_tool_choice(body.tool_choice),
        schema=_schema(body.text),
        stream=bool(body.stream),
        server_tools=tuple(tool.type for tool in tools if tool.type != "function"),
        endpoint="responses",
        previous=body.previous_response_id or "",
        store=body.store is not False,
        echo=msgspec.structs.replace(body, input=""),
    )


def read_tools(body: Body) -> list[ListedTool]:
    """Read the tools of a body; raises msgspec.ValidationError for a wrong shape."""
    return msgspec.convert({"tools": body.tools or []}, _Tools).tools


def _messages(body: Body) -> tuple[Message, ...]:
    first = [Message("system", spoken("system", body.instructions))] if body.instructions else []
    if isinstance(body.input, str):
        return (*first, Message("user", spoken("user", body.input)))
    return (*first, *(_message(item) for item in body.input if item.type not in _SENT_BACK))


def _message(item: _Item) -> Message:
    if item.type == "function_call":
        is_bad = not _is_object(item.arguments or "")
        return Message("assistant", (), has_tool_calls=True, has_bad_arguments=is_bad)
    if item.type == "function_call_output":
        return Message("tool", parts_of("tool", item.output, _TYPES))
    role = item.role or ""
    content = None if item.content is msgspec.UNSET else item.content
    return Message(role, parts_of(role, content, _TYPES))


def _is_object(arguments: str) -> bool:
    try:
        return isinstance(msgspec.json.decode(arguments), dict)
    except (msgspec.DecodeError, RecursionError):
        return False


def _tool_choice(choice: str | dict[str, Any] | None) -> str:
    if isinstance(choice, dict):
        # DOC OPENAPI has both spellings: {"name"} and {"function": {"name"}}.
        function = choice.get("function", choice)
        return str(function.get("name", "required")) if isinstance(function, dict) else "required"
    return choice or ""


def _schema(text: _Text | None) -> dict[str, Any] | None:
    if text is None or text.format is None or text.format.type == "text":
        return None
    return text.format.schema or {"type": "object"}
