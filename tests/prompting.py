"""What the plugin's tests do again and again: ask both models, run `llm`, script an answer."""

import asyncio
import json
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import llm
import pytest
from click.testing import CliRunner, Result
from llm.cli import cli
from llm.parts import StreamEvent

from fake_server.journal import LoggedImage, LoggedRequest
from tests.pictures import picture
from tests.raw_server import Answer, RawServer, http

MODEL = "xai/grok-4"
KEY = "xai-a-key-that-is-secret"
DONE = "data: [DONE]\n\n"

# The same test for the model and for its twin for asyncio.
BOTH = pytest.mark.parametrize("kind", ["sync", "async"])


@dataclass
class Asked:
    """All that a caller of LLM can learn of an answer."""

    text: str
    events: list[StreamEvent]
    usage: llm.Usage
    resolved_model: str | None
    json: dict[str, Any] | None
    tool_calls: list[llm.ToolCall]


def ask(kind: str, *args: Any, model: str = MODEL, **options: Any) -> Asked:
    """Prompt the model, or its async twin, and wait for all of the answer."""
    if kind == "async":
        return asyncio.run(_ask_async(model, *args, **options))
    response = llm.get_model(model).prompt(*args, **options)
    events = list(response.stream_events())
    return Asked(
        response.text(),
        events,
        response.usage(),
        response.resolved_model,
        response.json(),
        response.tool_calls(),
    )


async def _ask_async(model: str, *args: Any, **options: Any) -> Asked:
    response = llm.get_async_model(model).prompt(*args, **options)
    events = [event async for event in response.astream_events()]
    return Asked(
        await response.text(),
        events,
        await response.usage(),
        response.resolved_model,
        await response.json(),
        await response.tool_calls(),
    )


def run_llm(*args: object, stdin: str | bytes = "") -> Result:
    """Run the `llm` command in this process."""
    return CliRunner().invoke(cli, [str(arg) for arg in args], input=stdin)


def run_process(*args: object, stdin: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
    """Run the installed `llm` command as a process of its own."""
    command = [str(Path(sys.executable).with_name("llm")), *map(str, args)]
    return subprocess.run(command, input=stdin, capture_output=True, check=False)


def shown_error(result: Result) -> str:
    """Give what a command that failed said on standard error, once it was no traceback."""
    assert isinstance(result.exception, SystemExit), repr(result.exception)
    assert result.exit_code != 0
    assert "Traceback" not in result.output
    return result.stderr


def image(width: int, height: int) -> llm.Attachment:
    """Make an attachment of a picture that is known by its size."""
    return llm.Attachment(type="image/png", content=picture(width, height))


def camera(name: str) -> llm.ToolOutput:
    """Take a picture."""
    sizes = {"front": (16, 32), "back": (32, 16)}
    return llm.ToolOutput(output=f"{name} door", attachments=[image(*sizes[name])])


async def slow_camera(name: str) -> llm.ToolOutput:
    """Take a picture, in time."""
    await asyncio.sleep(0)
    return camera(name)


def shape(request: LoggedRequest) -> list[tuple[str, list[str]]]:
    """Write the messages of a request down: texts as they are, images as their size."""
    return [
        (
            message.role,
            [
                f"{part.width}x{part.height}" if isinstance(part, LoggedImage) else part
                for part in message.parts
            ],
        )
        for message in request.messages
    ]


def chunk(finish_reason: str | None = None, /, **delta: Any) -> str:
    """Write an event of a stream with this delta."""
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    return f"data: {json.dumps({'model': 'grok-4-0709', 'choices': [choice]})}\n\n"


def whole(finish_reason: str = "stop", /, **message: Any) -> Answer:
    """Write an answer that is not streamed."""
    choice = {"index": 0, "message": message, "finish_reason": finish_reason}
    body = json.dumps({"model": "grok-4-0709", "choices": [choice]}).encode()
    return http(body, headers="content-type: application/json")


@contextmanager
def xai_answering(
    *answers: Answer | Callable[..., None], tls: ssl.SSLContext | None = None
) -> Iterator[RawServer]:
    """Point the plugin at a server that sends these bytes, and at a key."""
    with RawServer(*answers, tls=tls) as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("XAI_API_KEY", KEY)
        patch.setenv("XAI_API_BASE", server.url)
        yield server


def body_of(request: bytes) -> Any:
    """Decode the JSON of a raw request."""
    return json.loads(request.partition(b"\r\n\r\n")[2])
