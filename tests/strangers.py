"""One client of xAI's API, asked for one case a line of standard input; each answer is a line.

    python tests/strangers.py openai http://127.0.0.1:PORT/v1

Only host and key differ from what the client's own users write. It is a process of its own
because clients are slow to load, and warn of things that are theirs.
"""

import base64
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

KEY = "xai-test-key"
LINK = "https://example.com/cat.png"
TIDE = {"type": "object", "properties": {"place": {"type": "string"}}, "required": ["place"]}
BOAT = {
    "title": "boat",
    "description": "A boat.",
    "type": "object",
    "properties": {"name": {"type": "string"}, "masts": {"type": "integer"}},
    "required": ["name", "masts"],
    "additionalProperties": False,
}
TOOL = {"type": "function", "function": {"name": "tide", "parameters": TIDE}}
ASKED = "What's in this image?"

Told = dict[str, Any]
Case = Callable[[], Told]


def inline(name: str) -> str:
    return f"data:image/png;base64,{base64.b64encode(Path(name).read_bytes()).decode()}"


def image(url: str, detail: str = "auto") -> Told:
    return {"type": "image_url", "image_url": {"url": url, "detail": detail}}


def text(words: str) -> Told:
    return {"type": "text", "text": words}


def openai_cases(url: str) -> dict[str, Case]:
    import openai

    def ask(content: Any, key: str = KEY, **more: Any) -> Told:
        client = openai.OpenAI(base_url=url, api_key=key, max_retries=0)
        asked = {"model": "grok-4", "messages": [{"role": "user", "content": content}], **more}
        answer = client.chat.completions.create(**asked)
        if more.get("stream"):
            return _streamed(list(answer))
        (choice,) = answer.choices
        calls = [call.function for call in choice.message.tool_calls or ()]
        return {
            "text": choice.message.content,
            "finish": choice.finish_reason,
            "image_tokens": answer.usage.prompt_tokens_details.image_tokens,
            "calls": [[call.name, json.loads(call.arguments)] for call in calls],
        }

    schema = {"type": "json_schema", "json_schema": {"name": "boat", "schema": BOAT}}
    return {
        "text": lambda: ask("Hello"),
        "address": lambda: ask([image(LINK, "high"), text(ASKED)]),
        "inline": lambda: ask([image(inline("photo.png"), "high"), text(ASKED)]),
        "interleaved": lambda: ask(
            [image(inline("photo.png"), "low"), text("A"), image(LINK, "high"), text("B")]
        ),
        "stream": lambda: ask([image(inline("photo.png"))], stream=True),
        "tool": lambda: ask("The tide?", tools=[TOOL], tool_choice="required"),
        "schema": lambda: ask("A boat", response_format=schema),
        "bad-key": lambda: ask("Hello", "xai-another"),
        "unknown-model": lambda: ask("Hello", model="grok-5"),
        "bad-image": lambda: ask([image(inline("dot.png"))]),
        "failing": lambda: ask("Hello"),
    }


def _streamed(chunks: list[Any]) -> Told:
    return {
        "text": "".join(chunk.choices[0].delta.content or "" for chunk in chunks),
        "finish": chunks[-1].choices[0].finish_reason,
        "image_tokens": chunks[0].usage.prompt_tokens_details.image_tokens,
        "calls": [],
    }


def xai_sdk_cases(url: str) -> dict[str, Case]:
    from xai_sdk import Client
    from xai_sdk.chat import image as sdk_image
    from xai_sdk.chat import tool, user
    from xai_sdk.proto import chat_pb2

    def ask(*content: Any, key: str = KEY, model: str = "grok-4", **more: Any) -> Told:
        client = Client(api_key=key, api_host=f"localhost:{urlsplit(url).port}")
        is_streamed = more.pop("stream", False)
        chat = client.chat.create(model=model, messages=[user(*content)], **more)
        if is_streamed:
            *_, (answer, _) = chat.stream()
        else:
            answer = chat.sample()
        calls = [call.function for call in answer.tool_calls]
        return {
            "text": answer.content,
            "finish": answer.finish_reason,
            "image_tokens": answer.usage.prompt_image_tokens,
            "calls": [[call.name, json.loads(call.arguments)] for call in calls],
        }

    schema = chat_pb2.ResponseFormat(
        format_type=chat_pb2.FormatType.FORMAT_TYPE_JSON_SCHEMA, schema=json.dumps(BOAT)
    )
    return {
        "text": lambda: ask("Hello"),
        "address": lambda: ask(sdk_image(LINK, detail="high"), ASKED),
        "inline": lambda: ask(sdk_image(inline("photo.png"), detail="high"), ASKED),
        "interleaved": lambda: ask(
            sdk_image(inline("photo.png"), detail="low"), "A", sdk_image(LINK, detail="high"), "B"
        ),
        "stream": lambda: ask(sdk_image(inline("photo.png")), stream=True),
        "tool": lambda: ask(
            "The tide?", tools=[tool("tide", "Tell the tide.", TIDE)], tool_choice="required"
        ),
        "schema": lambda: ask("A boat", response_format=schema),
        "bad-key": lambda: ask("Hello", key="xai-another"),
        "unknown-model": lambda: ask("Hello", model="grok-5"),
        "bad-image": lambda: ask(sdk_image(inline("dot.png"))),
        "failing": lambda: ask("Hello"),
    }


def langchain_cases(url: str) -> dict[str, Case]:
    from langchain_xai import ChatXAI

    def model(name: str = "grok-4", key: str = KEY) -> Any:
        settings: Any = {"xai_api_base": url, "api_key": key, "max_retries": 0}
        return ChatXAI(model=name, **settings)

    def told(answer: Any) -> Told:
        usage = answer.response_metadata.get("token_usage")
        return {
            "text": answer.content,
            "finish": answer.response_metadata["finish_reason"],
            "image_tokens": usage and usage["prompt_tokens_details"]["image_tokens"],
            "calls": [[call["name"], call["args"]] for call in answer.tool_calls],
        }

    def ask(content: Any, chosen: Any = None) -> Told:
        return told((chosen or model()).invoke([("user", content)]))

    def stream() -> Told:
        chunks = list(model().stream([("user", [image(inline("photo.png"))])]))
        whole = chunks[0]
        for chunk in chunks[1:]:
            whole += chunk
        return told(whole)

    def schema() -> Told:
        made = model().with_structured_output(BOAT, method="json_schema", include_raw=True)
        got = made.invoke("A boat")
        return {**told(got["raw"]), "text": json.dumps(got["parsed"], separators=(",", ":"))}

    return {
        "text": lambda: ask("Hello"),
        "address": lambda: ask([image(LINK, "high"), text(ASKED)]),
        "inline": lambda: ask([image(inline("photo.png"), "high"), text(ASKED)]),
        "interleaved": lambda: ask(
            [image(inline("photo.png"), "low"), text("A"), image(LINK, "high"), text("B")]
        ),
        "stream": stream,
        "tool": lambda: ask("The tide?", model().bind_tools([TOOL], tool_choice="required")),
        "schema": schema,
        "bad-key": lambda: ask("Hello", model(key="xai-another")),
        "unknown-model": lambda: ask("Hello", model("grok-5")),
        "bad-image": lambda: ask([image(inline("dot.png"))]),
        "failing": lambda: ask("Hello"),
    }


def pydantic_ai_cases(url: str) -> dict[str, Case]:
    import asyncio

    import openai
    from pydantic_ai import Agent, BinaryContent, ImageUrl, NativeOutput, StructuredDict, ToolOutput
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider

    def model(name: str = "grok-4", key: str = KEY) -> Any:
        client = openai.AsyncOpenAI(base_url=url, api_key=key, max_retries=0)
        return OpenAIChatModel(name, provider=OpenAIProvider(openai_client=client))

    def detailed(detail: str) -> Told:
        return {"detail": detail}

    def binary(name: str, detail: str = "auto") -> Any:
        data = Path(name).read_bytes()
        return BinaryContent(data, media_type="image/png", vendor_metadata=detailed(detail))

    def link(detail: str) -> Any:
        return ImageUrl(LINK, vendor_metadata=detailed(detail))

    def told(result: Any) -> Told:
        (answer,) = (message for message in result.new_messages() if message.kind == "response")
        return {
            "text": answer.text or "",
            "finish": answer.finish_reason,
            "image_tokens": None,
            "calls": [[call.tool_name, call.args_as_dict()] for call in answer.tool_calls],
        }

    def ask(*content: Any, chosen: Any = None, **more: Any) -> Told:
        return told(Agent(chosen or model(), **more).run_sync(list(content)))

    async def stream() -> Told:
        async with Agent(model()).run_stream([binary("photo.png")]) as result:
            await result.get_output()
        return told(result)

    return {
        "text": lambda: ask("Hello"),
        "address": lambda: ask(link("high"), ASKED),
        "inline": lambda: ask(binary("photo.png", "high"), ASKED),
        "interleaved": lambda: ask(binary("photo.png", "low"), "A", link("high"), "B"),
        "stream": lambda: asyncio.run(stream()),
        "tool": lambda: ask("The tide?", output_type=ToolOutput(StructuredDict(TIDE), name="tide")),
        "schema": lambda: ask(
            "A boat", output_type=NativeOutput(StructuredDict(BOAT, name="boat"))
        ),
        "bad-key": lambda: ask("Hello", chosen=model(key="xai-another")),
        "unknown-model": lambda: ask("Hello", chosen=model("grok-5")),
        "bad-image": lambda: ask(binary("dot.png")),
        "failing": lambda: ask("Hello"),
    }


CLIENTS = {
    "openai": openai_cases,
    "xai-sdk": xai_sdk_cases,
    "langchain-xai": langchain_cases,
    "pydantic-ai": pydantic_ai_cases,
}


def failed(error: Exception) -> Told:
    """Tell what a client raised, in the words in which it shows it."""
    code = getattr(error, "code", None)
    status = getattr(error, "status_code", None)
    if callable(code):
        status = code().name
    return {
        "error": type(error).__name__,
        "kinds": [kind.__name__ for kind in type(error).__mro__],
        "status": status,
        "message": str(error),
    }


def main() -> None:
    client, url = sys.argv[1:]
    cases = CLIENTS[client](url)
    for line in sys.stdin:
        try:
            told = cases[line.strip()]()
        except Exception as error:  # noqa: BLE001 (whatever a client raises is the answer)
            told = failed(error)
        print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
