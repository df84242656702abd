"""gRPC below the messages: keys, frames, methods, pings, and the port that it shares."""

import asyncio
import gzip
import subprocess
import sys
import threading
import time
import zlib
from collections import Counter
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest
from xai_sdk.proto import chat_pb2, chat_pb2_grpc, deferred_pb2

from fake_server import FakeServer
from fake_server.grpc import END_WITH_HEADERS, unframed
from tests.asking import BEARER, body, post, send
from tests.protocols import as_proto, channel

GET = "/xai_api.Chat/GetCompletion"
KEY = (("authorization", "Bearer xai-test-key"),)
HELLO = as_proto(body())


# The rows of refusals that only a call of gRPC provokes; each is below.
CALLS = ("no protobuf", "no such method", "bad frame", "not a message")


def frame(message: bytes, *, compressed: bool = False) -> bytes:
    return bytes([compressed]) + len(message).to_bytes(4, "big") + message


def call(
    server: FakeServer, data: bytes, path: str = GET, metadata: tuple[tuple[str, str], ...] = KEY
) -> tuple[grpc.StatusCode, str]:
    """Call a method with bytes of one's own; give the status and its words."""
    with channel(server) as opened:
        method = opened.unary_unary(path, lambda raw: raw, lambda raw: raw)
        try:
            method(data, metadata=metadata)
        except grpc.RpcError as error:
            return error.code(), error.details() or ""
        return grpc.StatusCode.OK, ""


@pytest.mark.parametrize("name", ["", " ", "a ", "\n", "\N{NO-BREAK SPACE}"])
def test_words_that_end_with_a_space_come_whole(grok_server, name):
    asked = deferred_pb2.GetDeferredRequest(request_id=name).SerializeToString()

    got = call(grok_server, asked, "/xai_api.Chat/GetDeferredCompletion")

    assert got == (grpc.StatusCode.NOT_FOUND, f"Cannot find deferred completion with ID {name}")


@pytest.mark.parametrize(
    ("metadata", "words"),
    [
        pytest.param((), "No credentials presented.", id="none"),
        pytest.param((("authorization", "Bearer"),), "No credentials presented.", id="empty"),
    ],
)
def test_a_call_without_a_key_is_unauthenticated(grok_server, metadata, words):
    got = call(grok_server, HELLO.SerializeToString(), metadata=metadata)

    assert got == (grpc.StatusCode.UNAUTHENTICATED, words)


def test_a_call_with_another_key_is_unauthenticated():
    with FakeServer(api_key="xai-the-key") as server:
        code, words = call(server, HELLO.SerializeToString())

    assert code is grpc.StatusCode.UNAUTHENTICATED
    assert words.startswith("Incorrect API key provided.")


@pytest.mark.parametrize(
    "path", ["/xai_api.Chat/Sing", "/xai_api.Video/GenerateVideo", "/v1/models"]
)
def test_a_method_that_there_is_not_is_unimplemented(grok_server, path):
    code, words = call(grok_server, b"", path)

    assert code is grpc.StatusCode.UNIMPLEMENTED
    assert words == f"The fake server has no method {path}."


def test_bytes_that_are_no_message_are_refused(grok_server):
    code, words = call(grok_server, b"\xff\xff")

    assert code is grpc.StatusCode.INTERNAL
    assert words == "Failed to decode the message: it is no xai_api.GetCompletionsRequest."


@pytest.mark.parametrize("compression", list(grpc.Compression), ids=lambda kind: kind.name)
def test_a_compressed_message_is_read(grok_server, compression):
    with channel(grok_server) as opened:
        stub = chat_pb2_grpc.ChatStub(opened)
        long = chat_pb2.GetCompletionsRequest(
            model="grok-4",
            messages=[chat_pb2.Message(role=1, content=[chat_pb2.Content(text="boat " * 5000)])],
        )
        answer = stub.GetCompletion(long, metadata=KEY, compression=compression)

    assert answer.usage.prompt_text_tokens == 5000


MANGLED = [
    pytest.param(b"", "", "is not one message", id="nothing"),
    pytest.param(b"\0\0\0\0", "", "is not one message", id="half-a-length"),
    pytest.param(frame(b"ab")[:-1], "", "is not one message", id="half-a-message"),
    pytest.param(frame(b"") * 2, "", "is not one message", id="two-messages"),
    pytest.param(frame(b"ab", compressed=True), "gzip", "is no gzip", id="no-gzip"),
    pytest.param(frame(b"ab", compressed=True), "deflate", "is no deflate", id="no-deflate"),
    pytest.param(frame(gzip.compress(b"ab")[:-9], compressed=True), "gzip", "is cut", id="cut"),
    pytest.param(
        frame(gzip.compress(bytes(100_000))[:-8], compressed=True),
        "gzip",
        "is cut",
        id="cut-at-most",
    ),
    pytest.param(
        frame(gzip.compress(bytes(10**6)), compressed=True),
        "gzip",
        "inflates to more than 100000 bytes",
        id="bomb-of-gzip",
    ),
    pytest.param(
        frame(zlib.compress(bytes(10**6)), compressed=True),
        "deflate",
        "inflates to more than 100000 bytes",
        id="bomb-of-deflate",
    ),
]


@pytest.mark.parametrize(("content", "encoding", "words"), MANGLED)
def test_a_body_that_is_not_one_message_is_refused(content, encoding, words):
    with pytest.raises(ValueError, match=words):
        unframed(content, encoding, 100_000)


def test_a_call_with_such_a_body_ends_with_the_status_for_it():
    ended: list[tuple[bytes, bytes]] = []
    scope = {
        "method": "POST",
        "path": GET,
        "query_string": b"",
        "headers": [(b"content-type", b"application/grpc"), (b"authorization", b"Bearer k")],
        "extensions": {END_WITH_HEADERS: ended.extend},
    }

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b"\0"}

    async def send(message: object) -> None:
        raise AssertionError(message)

    asyncio.run(FakeServer().app(scope, receive, send))

    assert (b"grpc-status", b"13") in ended
    assert (
        b"grpc-message",
        b"Failed to read the message: the body is not one message behind its length.",
    ) in ended


def test_grpc_over_http_1_is_none(grok_server):
    answer = send(
        grok_server,
        "POST",
        "/v1/chat/completions",
        content=frame(HELLO.SerializeToString()),
        headers={**BEARER, "content-type": "application/grpc"},
    )

    assert answer.status_code == 415


def test_a_busy_server_says_when_to_try_again(grok_server):
    grok_server.fail(503, retry_after=1.5)
    with (
        channel(grok_server, **{"grpc.enable_retries": 0}) as opened,
        pytest.raises(grpc.RpcError) as busy,
    ):
        chat_pb2_grpc.ChatStub(opened).GetCompletion(HELLO, metadata=KEY)

    told = [(key, value) for key, value in busy.value.trailing_metadata()]
    assert ("grpc-retry-pushback-ms", "1500") in told


def test_a_message_that_is_larger_than_allowed_is_refused():
    with FakeServer(max_body=60) as server:
        code, _ = call(server, bytes(100))

    assert code is grpc.StatusCode.RESOURCE_EXHAUSTED


def test_one_port_answers_http_and_grpc_by_turns(grok_server):
    with channel(grok_server) as opened:
        stub = chat_pb2_grpc.ChatStub(opened)
        for _ in range(3):
            said = stub.GetCompletion(HELLO, metadata=KEY).outputs[0].message.content
            assert post(grok_server, body()).json()["choices"][0]["message"]["content"] == said

    assert [request.path for request in grok_server.requests] == [
        GET,
        "/v1/chat/completions",
    ] * 3


def test_calls_on_one_connection_run_beside_each_other(grok_server):
    with channel(grok_server) as opened:
        stub = chat_pb2_grpc.ChatStub(opened)
        calls = [stub.GetCompletion.future(HELLO, metadata=KEY) for _ in range(50)]
        answers = {call.result(30).outputs[0].message.content for call in calls}

    assert answers == {"The fake server saw no image."}


def test_pings_of_a_client_end_no_call(grok_server, monkeypatch):
    """A stock server of gRPC hangs up on a client that pings through a long call."""
    started = threading.Event()
    real = grok_server.app.service.complete

    async def slow(request, log):
        started.set()
        await asyncio.sleep(3)
        return await real(request, log)

    monkeypatch.setattr(grok_server.app.service, "complete", slow)
    often = {
        "grpc.keepalive_time_ms": 100,
        "grpc.keepalive_permit_without_calls": 1,
        "grpc.http2.max_pings_without_data": 0,
        "grpc.http2.min_ping_interval_without_data_ms": 100,
    }
    with channel(grok_server, **often) as opened:
        stub = chat_pb2_grpc.ChatStub(opened)
        answer = stub.GetCompletion(HELLO, metadata=KEY)

    assert answer.outputs[0].message.content == "The fake server saw no image."
    assert len(grok_server.requests) == 1


def late(until: threading.Event) -> Callable[[object], Awaitable[str]]:
    """Make a function that answers when something has happened."""

    async def answer(_request: object) -> str:
        await asyncio.to_thread(until.wait)
        return "Late."

    return answer


def test_more_calls_than_a_connection_takes_are_all_answered(grok_server):
    others_are_done = threading.Event()
    grok_server.when(stream=True).reply(late(others_are_done))
    with channel(grok_server) as opened, ThreadPoolExecutor(8) as threads:
        stub = chat_pb2_grpc.ChatStub(opened)
        first = stub.GetCompletionChunk(HELLO, metadata=KEY)
        asked = threads.map(lambda _: stub.GetCompletion(HELLO, metadata=KEY), range(5000))
        answers = Counter(answer.outputs[0].message.content for answer in asked)
        others_are_done.set()
        heard = "".join(chunk.outputs[0].delta.content for chunk in first)

    assert answers == {"The fake server saw no image.": 5000}
    assert heard == "Late."


def test_calls_that_are_taken_back_disturb_no_other(grok_server):
    others_are_done = threading.Event()
    grok_server.when(stream=False).reply(late(others_are_done))
    grok_server.when(stream=True).reply("Never.", fault={"first_token": 60})
    with channel(grok_server) as opened:
        stub = chat_pb2_grpc.ChatStub(opened)
        first = stub.GetCompletion.future(HELLO, metadata=KEY)
        for _ in range(300):
            taken_back = stub.GetCompletionChunk(HELLO, metadata=KEY)
            # Its headers are there.
            taken_back.initial_metadata()
            taken_back.cancel()
        others_are_done.set()

        assert first.result().outputs[0].message.content == "Late."


def test_a_client_that_gives_up_leaves_the_server_well(grok_server, monkeypatch):
    real = grok_server.app.service.complete

    async def slow(request, log):
        await asyncio.sleep(0.3)
        return await real(request, log)

    with monkeypatch.context() as patched, channel(grok_server) as opened:
        patched.setattr(grok_server.app.service, "complete", slow)
        stub = chat_pb2_grpc.ChatStub(opened)
        with pytest.raises(grpc.RpcError) as late:
            stub.GetCompletion(HELLO, metadata=KEY, timeout=0.1)
        time.sleep(0.5)
    with channel(grok_server) as opened:
        answer = chat_pb2_grpc.ChatStub(opened).GetCompletion(HELLO, metadata=KEY)

    assert late.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert answer.outputs[0].message.role == chat_pb2.MessageRole.ROLE_ASSISTANT


def test_without_the_messages_of_xai_sdk_it_says_what_to_install():
    program = """
import sys
sys.modules["xai_sdk"] = None
from fake_server import FakeServer
import grpc
with FakeServer() as server, grpc.insecure_channel(
    server.url.split("/")[2], options=[("grpc.enable_http_proxy", 0)]
) as channel:
    try:
        channel.unary_unary("/xai_api.Chat/GetCompletion")(b"")
    except grpc.RpcError as error:
        print(error.code().name, error.details())
"""
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert ran.stdout.startswith("UNIMPLEMENTED The fake server needs more packages for gRPC:")
    assert "pip install 'llm-grok-vision[grpc]'" in ran.stdout


def test_nothing_of_grpc_is_loaded_before_the_first_call():
    program = """
import sys
import httpx2
from fake_server import FakeServer
with FakeServer() as server:
    httpx2.get(server.url + "/models", headers={"authorization": "Bearer k"})
print(sorted({"grpc", "google.protobuf", "xai_sdk"} & set(sys.modules)))
"""
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert ran.stdout == "[]\n"


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        pytest.param({"messages": [{"role": 80}]}, "80 is no MessageRole", id="role"),
        pytest.param({"reasoning_effort": 99}, "99 is no ReasoningEffort", id="effort"),
    ],
)
def test_a_value_that_has_no_name_is_refused(grok_server, fields, told):
    request = chat_pb2.GetCompletionsRequest(model="grok-4.3", **fields)

    with grpc.insecure_channel(grok_server.api_host) as channel, pytest.raises(grpc.RpcError) as e:
        chat_pb2_grpc.ChatStub(channel).GetCompletion(
            request, metadata=[("authorization", "Bearer k")]
        )

    assert e.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert told in e.value.details()


def ask(server: FakeServer, **fields: Any) -> chat_pb2.GetChatCompletionResponse:
    """Ask with fields of one's own beside a question."""
    content = [chat_pb2.Content(text="What is it?")]
    asked = {"model": "grok-4", "messages": [chat_pb2.Message(role=1, content=content)], **fields}
    with channel(server) as opened:
        stub = chat_pb2_grpc.ChatStub(opened)
        return stub.GetCompletion(chat_pb2.GetCompletionsRequest(**asked), metadata=KEY)


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("web_search", "web_search"),
        ("x_search", "x_search"),
        ("code_execution", "code_interpreter"),
        ("collections_search", "file_search"),
        ("mcp", "mcp"),
        ("attachment_search", "file_search"),
        ("image_generation", "image_generation"),
    ],
)
def test_the_tools_of_xai_have_the_names_of_rest_in_the_journal(grok_server, kind, told):
    tool = chat_pb2.Tool()
    getattr(tool, kind).SetInParent()

    ask(grok_server, tools=[tool])

    assert grok_server.requests[0].tools == [told]


@pytest.mark.parametrize(
    ("kind", "text"),
    [("JSON_OBJECT", "{}"), ("TEXT", "The fake server saw no image.")],
)
def test_an_answer_may_have_to_be_json(grok_server, kind, text):
    wanted = chat_pb2.ResponseFormat(format_type=f"FORMAT_TYPE_{kind}")

    assert ask(grok_server, response_format=wanted).outputs[0].message.content == text


def test_a_part_that_says_nothing_is_refused(grok_server):
    asked = [chat_pb2.Message(role=1, content=[chat_pb2.Content()])]

    with pytest.raises(grpc.RpcError, match="nothing") as refused:
        ask(grok_server, messages=asked)

    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_a_long_message_is_told_by_its_length(grok_server):
    long = [chat_pb2.Message(role=1, content=[chat_pb2.Content(text="boat " * 20_000)])]

    ask(grok_server, messages=long)

    (request,) = grok_server.requests
    assert request.raw_request.startswith(b"(1000")
    assert request.raw_request.endswith(b" bytes of protobuf)")


SETTINGS: list[Any] = [
    pytest.param({"stop": ["x"]}, {"stop": ["x"]}, id="stop"),
    pytest.param({"user": "u"}, {"user": "u"}, id="user"),
    pytest.param({"reasoning_effort": 1}, {"reasoning_effort": "low"}, id="effort"),
    pytest.param({"store_messages": True}, {"store_messages": True}, id="store"),
    pytest.param({"n": 2, "temperature": 0}, {"n": 2, "temperature": 0}, id="numbers"),
]


@pytest.mark.parametrize(("fields", "parameters"), SETTINGS)
def test_settings_have_the_names_of_rest_in_the_journal(grok_server, fields, parameters):
    ask(grok_server, model="grok-4.3", **fields)

    assert grok_server.requests[0].parameters == parameters


NOT_READ: list[Any] = [
    pytest.param(
        {"search_parameters": chat_pb2.SearchParameters()}, "Live search is deprecated", id="search"
    ),
    pytest.param(
        {"tools": [chat_pb2.Tool(function=chat_pb2.Function(name="a", parameters="[1]"))]},
        "Invalid JSON schema",
        id="schema-of-a-tool",
    ),
    pytest.param(
        {
            "response_format": chat_pb2.ResponseFormat(
                format_type="FORMAT_TYPE_JSON_SCHEMA", schema="{"
            )
        },
        "Invalid JSON schema",
        id="schema-of-the-answer",
    ),
]


@pytest.mark.parametrize(("fields", "told"), NOT_READ)
def test_settings_that_are_refused_over_rest_are_refused(grok_server, fields, told):
    with pytest.raises(grpc.RpcError, match=told) as refused:
        ask(grok_server, **fields)

    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_a_tool_may_have_no_schema(grok_server):
    ask(grok_server, tools=[chat_pb2.Tool(function=chat_pb2.Function(name="look"))])

    assert grok_server.requests[0].tools == ["look"]
