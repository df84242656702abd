"""The same question over every protocol that the fake speaks, and what came of it.

A question is written once, as a body of /v1/chat/completions, and translated for the others.
/v1/messages has no word for the detail of an image, nor for the schema of an answer.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import grpc
import httpx2
from xai_sdk.proto import chat_pb2, chat_pb2_grpc, deferred_pb2

from fake_server import FakeServer
from tests.asking import BEARER, post, respond, send

Asked = dict[str, Any]


@dataclass
class Outcome:
    """What a client learns: an answer, or an error with the status of HTTP or gRPC."""

    text: str = ""
    calls: list[tuple[str, str]] = field(default_factory=list)
    prompt_tokens: int = 0
    answer_tokens: int = 0
    cost: int | None = None
    status: int | str = 200
    error: str = ""


def chat(server: FakeServer, asked: Asked) -> Outcome:
    """Ask /v1/chat/completions for a whole answer."""
    answer = post(server, asked)
    return _refused(answer) if answer.is_error else _of_chat(answer.json())


def chat_stream(server: FakeServer, asked: Asked) -> Outcome:
    """Ask /v1/chat/completions for a stream."""
    streamed = {"stream": True, "stream_options": {"include_usage": True}}
    answer = post(server, {**asked, **streamed})
    if answer.is_error:
        return _refused(answer)
    chunks = _events(answer)
    deltas = [choice["delta"] for chunk in chunks for choice in chunk["choices"]]
    text = "".join(delta.get("content") or delta.get("refusal", "") for delta in deltas)
    calls = [call for delta in deltas for call in delta.get("tool_calls", ())]
    message = {"content": text, "tool_calls": calls}
    return _of_chat({"choices": [{"message": message}], "usage": chunks[-1]["usage"]})


def deferred(server: FakeServer, asked: Asked) -> Outcome:
    """Ask for a deferred answer, and fetch it."""
    started = post(server, {**asked, "deferred": True})
    if started.is_error:
        return _refused(started)
    path = f"/v1/chat/deferred-completion/{started.json()['request_id']}"
    answers = [send(server, "GET", path, headers=BEARER) for _ in range(2)]
    return _of_chat(answers[1].json())


def responses(server: FakeServer, asked: Asked) -> Outcome:
    """Ask /v1/responses for a whole answer."""
    answer = respond(server, _as_prompt(asked))
    return _refused(answer) if answer.is_error else _of_response(answer.json())


def responses_stream(server: FakeServer, asked: Asked) -> Outcome:
    """Ask /v1/responses for a stream."""
    answer = respond(server, {**_as_prompt(asked), "stream": True})
    return _refused(answer) if answer.is_error else _of_response(_events(answer)[-1]["response"])


def messages(server: FakeServer, asked: Asked) -> Outcome:
    """Ask /v1/messages for a whole answer."""
    answer = send(server, "POST", "/v1/messages", json=_as_blocks(asked), headers=BEARER)
    return _refused(answer) if answer.is_error else _of_blocks(answer.json())


def messages_stream(server: FakeServer, asked: Asked) -> Outcome:
    """Ask /v1/messages for a stream."""
    body = {**_as_blocks(asked), "stream": True}
    answer = send(server, "POST", "/v1/messages", json=body, headers=BEARER)
    if answer.is_error:
        return _refused(answer)
    events = _events(answer)
    blocks = [dict(one["content_block"]) for one in events if one["type"] == "content_block_start"]
    for event in events:
        if event["type"] == "content_block_delta":
            block, delta = blocks[event["index"]], event["delta"]
            if delta["type"] == "input_json_delta":
                block["input"] = json.loads(delta["partial_json"])
            else:
                kind = delta["type"].removesuffix("_delta")
                block[kind] += delta[kind]
    usage = events[0]["message"]["usage"] | events[-2]["usage"]
    return _of_blocks({"content": blocks, "usage": usage})


def grpc_get(server: FakeServer, asked: Asked) -> Outcome:
    """Call GetCompletion."""
    return _called(server, lambda stub: _of_message(stub.GetCompletion(as_proto(asked), **_KEY)))


def grpc_stream(server: FakeServer, asked: Asked) -> Outcome:
    """Call GetCompletionChunk."""
    return _called(
        server, lambda stub: _of_chunks(list(stub.GetCompletionChunk(as_proto(asked), **_KEY)))
    )


def grpc_deferred(server: FakeServer, asked: Asked) -> Outcome:
    """Call StartDeferredCompletion, and fetch the answer."""

    def call(stub: Any) -> Outcome:
        started = stub.StartDeferredCompletion(as_proto(asked), **_KEY)
        number = deferred_pb2.GetDeferredRequest(request_id=started.request_id)
        got = [stub.GetDeferredCompletion(number, **_KEY) for _ in range(2)]
        return _of_message(got[1].response)

    return _called(server, call)


HTTP: dict[str, Callable[[FakeServer, Asked], Outcome]] = {
    "chat": chat,
    "chat-stream": chat_stream,
    "deferred": deferred,
    "responses": responses,
    "responses-stream": responses_stream,
    "messages": messages,
    "messages-stream": messages_stream,
}
GRPC: dict[str, Callable[[FakeServer, Asked], Outcome]] = {
    "grpc": grpc_get,
    "grpc-stream": grpc_stream,
    "grpc-deferred": grpc_deferred,
}

EVERY = HTTP | GRPC


def can_say(protocol: str, asked: Asked) -> bool:
    """Tell whether a question can be put: /v1/messages lacks some words, gRPC other parts."""
    if protocol.startswith("grpc"):
        return '"video"' not in json.dumps(asked)
    if protocol.startswith("messages"):
        missing = ("response_format", "search_parameters")
        return not (any(name in asked for name in missing) or '"detail"' in json.dumps(asked))
    return True


_KEY: dict[str, Any] = {"metadata": (("authorization", "Bearer xai-test-key"),)}


def channel(server: FakeServer, **options: int) -> grpc.Channel:
    """Open a channel to the fake's one port."""
    # grpc takes a proxy of the machine even for this machine, unless told not to.
    settings = {"grpc.enable_http_proxy": 0, "grpc.max_receive_message_length": -1, **options}
    return grpc.insecure_channel(urlsplit(server.url).netloc, options=list(settings.items()))


def as_proto(asked: Asked) -> chat_pb2.GetCompletionsRequest:
    """Write a question as the message of gRPC; fields go by the same names."""
    given = {
        name: value
        for name, value in asked.items()
        if name not in {"messages", "tools", "tool_choice", "response_format", "search_parameters"}
    }
    message = chat_pb2.GetCompletionsRequest(**given)
    message.messages.extend(_proto_message(one) for one in asked["messages"])
    for tool in asked.get("tools", ()):
        function = tool["function"]
        schema = json.dumps(function["parameters"])
        message.tools.append(
            chat_pb2.Tool(function=chat_pb2.Function(name=function["name"], parameters=schema))
        )
    choice = asked.get("tool_choice")
    if isinstance(choice, dict):
        message.tool_choice.function_name = choice["function"]["name"]
    elif choice:
        message.tool_choice.mode = chat_pb2.ToolMode.Value(f"TOOL_MODE_{choice.upper()}")
    if "response_format" in asked:
        message.response_format.format_type = chat_pb2.FormatType.FORMAT_TYPE_JSON_SCHEMA
        schema = asked["response_format"]["json_schema"]["schema"]
        message.response_format.schema = json.dumps(schema)
    if "search_parameters" in asked:
        message.search_parameters.SetInParent()
    return message


def _proto_message(message: Asked) -> chat_pb2.Message:
    role = chat_pb2.MessageRole.Value(f"ROLE_{message['role'].upper()}")
    parts = [_proto_part(part) for part in message["content"]]
    return chat_pb2.Message(role=role, content=parts)


def _proto_part(part: Asked) -> chat_pb2.Content:
    if part["type"] == "text":
        return chat_pb2.Content(text=part["text"])
    image = part["image_url"]
    detail = f"DETAIL_{image.get('detail', 'auto').upper()}"
    return chat_pb2.Content(
        image_url={"image_url": image["url"], "detail": detail},
    )


def _as_prompt(asked: Asked) -> Asked:
    renamed = {"messages": "input", "max_tokens": "max_output_tokens"}
    prompt = {renamed.get(name, name): value for name, value in asked.items()}
    prompt["input"] = [
        {**message, "content": [_prompt_part(part) for part in message["content"]]}
        for message in asked["messages"]
    ]
    if "tools" in asked:
        prompt["tools"] = [{"type": "function", **tool["function"]} for tool in asked["tools"]]
    if wanted := prompt.pop("response_format", None):
        schema = wanted["json_schema"]
        prompt["text"] = {"format": {"type": "json_schema", **schema}}
    return prompt


def _prompt_part(part: Asked) -> Asked:
    if part["type"] == "text":
        return {"type": "input_text", "text": part["text"]}
    if part["type"] != "image_url":
        return part
    image = dict(part["image_url"])
    return {"type": "input_image", "image_url": image.pop("url"), **image}


def _as_blocks(asked: Asked) -> Asked:
    body = {name: value for name, value in asked.items() if name != "tool_choice"}
    body["messages"] = [
        {**message, "content": [_block(part) for part in message["content"]]}
        for message in asked["messages"]
    ]
    if "tools" in asked:
        functions = [tool["function"] for tool in asked["tools"]]
        body["tools"] = [
            {"name": function["name"], "input_schema": function["parameters"]}
            for function in functions
        ]
    choice = asked.get("tool_choice")
    if isinstance(choice, dict):
        body["tool_choice"] = {"type": "tool", "name": choice["function"]["name"]}
    elif choice:
        body["tool_choice"] = {"type": {"required": "any"}.get(choice, choice)}
    return body


def _block(part: Asked) -> Asked:
    if part["type"] != "image_url":
        return part
    url = part["image_url"]["url"]
    if not url.startswith("data:"):
        return {"type": "image", "source": {"type": "url", "url": url}}
    kind, _, data = url.removeprefix("data:").partition(";base64,")
    return {"type": "image", "source": {"type": "base64", "media_type": kind, "data": data}}


def _events(answer: httpx2.Response) -> list[Any]:
    lines = [line for line in answer.text.splitlines() if line.startswith("data: {")]
    return [json.loads(line.removeprefix("data: ")) for line in lines]


def _refused(answer: httpx2.Response) -> Outcome:
    try:
        said = answer.json()
    except ValueError:
        said = answer.text
    error = said["error"] if isinstance(said, dict) else said
    return Outcome(status=answer.status_code, error=error)


def _of_chat(answer: Any) -> Outcome:
    message, usage = answer["choices"][0]["message"], answer["usage"]
    calls = [call["function"] for call in message.get("tool_calls", ())]
    return Outcome(
        text=message["content"] or message.get("refusal") or "",
        calls=[(call["name"], call["arguments"]) for call in calls],
        prompt_tokens=usage["prompt_tokens"],
        answer_tokens=usage["total_tokens"] - usage["prompt_tokens"],
        cost=usage["cost_in_usd_ticks"],
    )


def _of_response(answer: Any) -> Outcome:
    items, usage = answer["output"], answer["usage"]
    parts = [item["content"][0] for item in items if item["type"] == "message"]
    texts = [part.get("text") or part.get("refusal", "") for part in parts]
    calls = [item for item in items if item["type"] == "function_call"]
    return Outcome(
        text="".join(texts),
        calls=[(call["name"], call["arguments"]) for call in calls],
        prompt_tokens=usage["input_tokens"],
        answer_tokens=usage["output_tokens"],
        cost=usage["cost_in_usd_ticks"],
    )


def _of_blocks(answer: Any) -> Outcome:
    blocks, usage = answer["content"], answer["usage"]
    calls = [block for block in blocks if block["type"] == "tool_use"]
    return Outcome(
        text="".join(block["text"] for block in blocks if block["type"] == "text"),
        calls=[(call["name"], json.dumps(call["input"], separators=(",", ":"))) for call in calls],
        prompt_tokens=usage["input_tokens"],
        answer_tokens=usage["output_tokens"],
    )


def _called(server: FakeServer, call: Callable[[Any], Outcome]) -> Outcome:
    with channel(server) as opened:
        try:
            return call(chat_pb2_grpc.ChatStub(opened))
        except grpc.RpcError as error:
            return Outcome(status=error.code().name, error=error.details() or "")


def _of_message(answer: Any) -> Outcome:
    message = answer.outputs[0].message
    calls = [(call.function.name, call.function.arguments) for call in message.tool_calls]
    return _counted(message.content, calls, answer.usage)


def _of_chunks(chunks: list[Any]) -> Outcome:
    deltas = [output.delta for chunk in chunks for output in chunk.outputs]
    text = "".join(delta.content for delta in deltas)
    calls = [call.function for delta in deltas for call in delta.tool_calls]
    return _counted(text, [(call.name, call.arguments) for call in calls], chunks[-1].usage)


def _counted(text: str, calls: list[tuple[str, str]], usage: Any) -> Outcome:
    return Outcome(
        text=text,
        calls=calls,
        prompt_tokens=usage.prompt_tokens,
        answer_tokens=usage.completion_tokens + usage.reasoning_tokens,
        cost=usage.cost_in_usd_ticks,
    )
