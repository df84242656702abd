"""xAI's own SDK for Python against the fake: nothing is changed but host and key."""

import asyncio
import base64
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from google.protobuf.message import Message
from pydantic import BaseModel
from xai_sdk import AsyncClient, Client
from xai_sdk.chat import image, system, tool, tool_result, user

from fake_server import FakeServer
from tests.asking import send
from tests.pictures import data_url, picture, png_of_bytes

PHOTO = data_url(picture(449, 448))
URL = "https://pictures.test/cat.png"
TIDE = tool("tide", "Tell the tide.", {"type": "object", "properties": {"place": {}}})


class Boat(BaseModel):
    name: str
    masts: int


@pytest.fixture
def client(grok_server: FakeServer) -> Iterator[Client]:
    with Client(api_key="xai-test-key", api_host=grok_server.api_host) as client:
        yield client


def test_a_file_and_an_address_in_one_question(
    grok_server: FakeServer, client: Client, photo: Path
):
    grok_server.serve_image(URL, picture(449, 448))
    inline = base64.b64encode(photo.read_bytes()).decode()
    chat = client.chat.create(model="grok-4", messages=[system("Be brief.")])
    chat.append(
        user(
            "What are in these images?",
            image(image_url=f"data:image/jpeg;base64,{inline}", detail="high"),
            image(image_url=URL, detail="low"),
            "Say it in a word.",
        )
    )

    response = chat.sample()

    assert response.usage.prompt_image_tokens == 1792 + 256
    assert response.content.startswith("The fake server saw 2 images.")
    assert (response.role, response.finish_reason) == ("ROLE_ASSISTANT", "REASON_STOP")
    asked, first, second, more = grok_server.requests[0].parts[1:]
    assert (asked, more) == ("What are in these images?", "Say it in a word.")
    assert [first, second] == grok_server.requests[0].images
    assert [(seen.detail, seen.source) for seen in grok_server.requests[0].images] == [
        ("high", "data"),
        ("low", "scenario"),
    ]


def test_a_stream_tells_what_was_used_on_every_chunk(grok_server: FakeServer, client: Client):
    grok_server.reply("A boat at sea.", reasoning="Two masts.")
    chat = client.chat.create(model="grok-4")
    chat.append(user("What is it?", image(image_url=PHOTO)))

    chunks = [chunk.proto for _, chunk in chat.stream()]

    usage = [(chunk.usage.prompt_image_tokens, chunk.usage.completion_tokens) for chunk in chunks]
    assert usage == [(768, 0), (768, 0), (768, 1), (768, 2), (768, 3), (768, 4), (768, 4)]
    assert [chunk.usage.reasoning_tokens for chunk in chunks] == [1, 2, 2, 2, 2, 2, 2]
    assert {chunk.outputs[0].delta.role for chunk in chunks} == {2}
    assert [chunk.outputs[0].finish_reason for chunk in chunks] == [0, 0, 0, 0, 0, 0, 3]


def test_a_streamed_answer_adds_up(grok_server: FakeServer, client: Client):
    grok_server.reply("A boat at sea.", reasoning="Two masts.")
    chat = client.chat.create(model="grok-4")
    chat.append(user("What is it?"))

    *_, (response, _) = chat.stream()

    assert (response.content, response.reasoning_content) == ("A boat at sea.", "Two masts.")
    assert (response.role, response.finish_reason) == ("ROLE_ASSISTANT", "REASON_STOP")


def test_an_answer_is_parsed(client: Client):
    chat = client.chat.create(model="grok-4")
    chat.append(user("Describe the boat", image(image_url=PHOTO)))

    response, boat = chat.parse(Boat)

    assert boat == Boat(name="text", masts=1)
    assert response.usage.prompt_image_tokens == 768


def test_a_tool_is_called_and_told_what_came_of_it(grok_server: FakeServer, client: Client):
    grok_server.reply(tool_calls=[("tide", {"place": "Leith"})])
    grok_server.reply("High tide.")
    chat = client.chat.create(model="grok-4", tools=[TIDE])
    chat.append(user("The tide?"))

    first = chat.sample()
    chat.append(first)
    chat.append(tool_result("high"))
    second = chat.sample()

    (call,) = first.tool_calls
    assert (call.function.name, call.function.arguments) == ("tide", '{"place":"Leith"}')
    assert first.finish_reason == "REASON_TOOL_CALLS"
    assert second.content == "High tide."
    assert [message.role for message in grok_server.requests[1].messages] == [
        "user",
        "assistant",
        "tool",
    ]


def test_several_answers_to_one_question(client: Client):
    chat = client.chat.create(model="grok-4")
    chat.append(user("Hello"))

    with pytest.warns(PendingDeprecationWarning):
        answers = chat.sample_batch(3)

    assert [answer.content for answer in answers] == ["The fake server saw no image."] * 3


def test_an_answer_that_comes_later_is_waited_for(grok_server: FakeServer, client: Client):
    chat = client.chat.create(model="grok-4")
    chat.append(user("What is it?", image(image_url=PHOTO)))

    response = chat.defer()

    assert response.usage.prompt_image_tokens == 768
    assert [request.path.rpartition("/")[2] for request in grok_server.requests] == [
        "StartDeferredCompletion",
        "GetDeferredCompletion",
        "GetDeferredCompletion",
    ]


def test_a_stored_answer_is_fetched_gone_on_from_and_deleted(
    grok_server: FakeServer, client: Client
):
    chat = client.chat.create(model="grok-4", store_messages=True)
    chat.append(user("What is it?", image(image_url=PHOTO)))
    first = chat.sample()

    (kept,) = client.chat.get_stored_completion(first.id)
    later = client.chat.create(model="grok-4", previous_response_id=first.id)
    later.append(user("How long is it?"))
    second = later.sample()

    assert kept.content == first.content
    assert second.usage.prompt_image_tokens == 768
    assert client.chat.delete_stored_completion(first.id) == first.id
    with pytest.raises(grpc.RpcError) as gone:
        client.chat.get_stored_completion(first.id)
    assert gone.value.code() is grpc.StatusCode.NOT_FOUND
    assert len(grok_server.requests[2].messages) == 3


def test_what_was_not_to_be_stored_is_not_found(client: Client):
    chat = client.chat.create(model="grok-4")
    chat.append(user("Hello"))

    with pytest.raises(grpc.RpcError, match="No responses could be found"):
        client.chat.get_stored_completion(chat.sample().id)


def test_models_tokens_and_the_key_are_told(client: Client):
    model = client.models.get_language_model("grok-4")

    assert (model.name, list(model.aliases)) == ("grok-4-0709", ["grok-4", "grok-4-latest"])
    assert model.prompt_text_token_price == 30_000
    assert "grok-4.3" in [listed.name for listed in client.models.list_language_models()]
    assert client.models.list_embedding_models() == []
    assert "grok-imagine-image" in [
        listed.name for listed in client.models.list_image_generation_models()
    ]
    words = client.tokenize.tokenize_text("A boat at sea", "grok-4")
    assert [token.string_token for token in words] == ["A", " boat", " at", " sea"]
    assert client.auth.get_api_key_info().redacted_api_key == "xai-...-key"


def test_the_journal_tells_in_json_what_was_used(grok_server: FakeServer, client: Client):
    calls = [("web_search", {"query": "cats"})]
    grok_server.reply("Cats.", server_tool_calls=calls)

    client.chat.create(model="grok-4", messages=[user("What are cats?")]).sample()

    (row,) = send(grok_server, "GET", "/_fake/requests").json()["requests"]
    assert row["usage"]["server_side_tools_used"] == [1]
    assert row["usage"]["prompt_text_tokens"] == 3


def test_an_image_of_fifteen_megabytes_is_taken(client: Client):
    chat = client.chat.create(model="grok-4")
    chat.append(user("What is it?", image(image_url=data_url(png_of_bytes(15_000_000)))))

    assert "15,000,000 bytes" in chat.sample().content


def test_the_asynchronous_client_gets_the_same(grok_server: FakeServer):
    async def ask() -> tuple[str, str, int]:
        client = AsyncClient(api_key="xai-test-key", api_host=grok_server.api_host)
        chat = client.chat.create(model="grok-4")
        chat.append(user("What is it?", image(image_url=PHOTO, detail="high")))
        whole = await chat.sample()
        async for response, _ in chat.stream():
            streamed = response
        deferred = await chat.defer()
        await client.close()
        assert deferred.content == whole.content
        return whole.content, streamed.content, whole.usage.prompt_image_tokens

    whole, streamed, tokens = asyncio.run(ask())

    assert whole == streamed
    assert tokens == 768


def test_a_busy_service_is_asked_again(grok_server: FakeServer, client: Client):
    grok_server.fail(503)
    grok_server.reply("A boat.")
    chat = client.chat.create(model="grok-4")
    chat.append(user("What is it?"))

    assert chat.sample().content == "A boat."
    assert [request.status for request in grok_server.requests] == [503, 200]


def test_a_rate_limit_is_not_asked_again(grok_server: FakeServer, client: Client):
    grok_server.fail(429)
    chat = client.chat.create(model="grok-4")
    chat.append(user("What is it?"))

    with pytest.raises(grpc.RpcError) as refused:
        chat.sample()

    assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert len(grok_server.requests) == 1


def test_no_field_of_an_answer_is_left_out(grok_server: FakeServer, client: Client):
    """A name that the newest messages do not know would go in silence."""
    fields = {"text_tokens": 9, "cached_tokens": 4, "reasoning_tokens": 2}
    grok_server.reply("A boat.", tool_calls=[("tide", {})], citations=[URL], usage=fields)
    chat = client.chat.create(model="grok-4", messages=[user("Hi", image(URL))], tools=[TIDE])

    answer = chat.sample().proto

    assert named(answer) == {
        *("id", "outputs", "created", "model", "system_fingerprint"),
        *("usage", "citations", "service_tier"),
    }
    assert named(answer.usage) == {
        *("completion_tokens", "reasoning_tokens", "prompt_tokens", "total_tokens"),
        *("prompt_text_tokens", "prompt_image_tokens", "cached_prompt_text_tokens"),
        "cost_in_usd_ticks",
    }
    (call,) = answer.outputs[0].message.tool_calls
    assert named(call) == {"id", "type", "status", "function"}


def named(message: Message) -> set[str]:
    """Name the fields of a message that say something."""
    return {field.name for field, _ in message.ListFields()}
