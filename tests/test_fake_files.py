"""Files that are uploaded once and named in messages, by OpenAI's own client and xai-sdk."""

import logging
from collections.abc import Iterator
from typing import Any

import httpx2
import openai
import pytest
from xai_sdk import Client
from xai_sdk.chat import file, user

from fake_server import FakeServer
from fake_server.wire import files as paths
from tests.asking import BEARER, body, image, input_text, post, prompt, respond, send
from tests.pictures import data_url, picture

PHOTO = picture(449, 448)
FORM = {**BEARER, "content-type": "multipart/form-data; boundary=b"}


@pytest.fixture
def client(grok_server: FakeServer) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=grok_server.url, api_key="xai-test-key", max_retries=0) as client:
        yield client


@pytest.fixture
def photo(client: openai.OpenAI) -> str:
    """Upload a picture of two tiles; its id."""
    return client.files.create(file=("cat.png", PHOTO), purpose="assistants").id


def test_an_upload_is_answered_as_recorded(grok_server):
    with openai.OpenAI(base_url=grok_server.url, api_key="k") as client:
        answer = client.files.with_raw_response.create(
            file=("cat.png", PHOTO), purpose="assistants"
        )

    told = answer.http_response.json()
    assert list(told) == [
        "bytes",
        "created_at",
        "expires_at",
        "filename",
        "id",
        "object",
        "purpose",
    ]
    assert (told["bytes"], told["filename"], told["purpose"]) == (len(PHOTO), "cat.png", "")
    assert told["id"].startswith("file_")


def test_a_large_upload_needs_no_room_on_the_disk(client, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", "/nowhere")

    made = client.files.create(file=("long.txt", b"a" * 2_000_000), purpose="assistants")

    assert made.bytes == 2_000_000


def test_a_file_is_listed_shown_and_deleted(client, photo):
    assert [one.id for one in client.files.list()] == [photo]
    assert client.files.retrieve(photo).filename == "cat.png"
    assert client.files.content(photo).read() == PHOTO
    assert client.files.delete(photo).deleted is True
    with pytest.raises(openai.NotFoundError):
        client.files.retrieve(photo)


def test_assumed_lists_and_deletions_of_files_are_those_of_openai(grok_server, photo):
    one = send(grok_server, "GET", f"/v1/files/{photo}", headers=BEARER).json()
    rows = send(grok_server, "GET", "/v1/files", headers=BEARER).json()
    gone = send(grok_server, "DELETE", f"/v1/files/{photo}", headers=BEARER).json()

    assert one == {
        "bytes": len(PHOTO),
        "created_at": 1767225600,
        "expires_at": None,
        "filename": "cat.png",
        "id": photo,
        "object": "file",
        "purpose": "",
    }
    assert rows == {"object": "list", "data": [one], "has_more": False}
    assert gone == {"id": photo, "object": "file", "deleted": True}


NAMED = [
    pytest.param(
        lambda server, name: post(server, body({"type": "file", "file": {"file_id": name}})),
        id="documented-chat",
    ),
    pytest.param(
        lambda server, name: respond(server, prompt({"type": "input_image", "file_id": name})),
        id="documented-input-image",
    ),
    pytest.param(
        lambda server, name: respond(server, prompt({"type": "input_file", "file_id": name})),
        id="documented-input-file",
    ),
]


@pytest.mark.parametrize("ask", NAMED)
def test_a_file_that_is_named_is_seen(grok_server, photo, ask):
    answer = ask(grok_server, photo)

    assert answer.status_code == 200, answer.text
    (seen,) = grok_server.requests[-1].images
    assert (seen.source, seen.width, seen.height, seen.tokens) == ("file", 449, 448, 768)


def test_a_file_that_xai_sdk_names_is_seen(grok_server, photo):
    with Client(api_key="xai-test-key", api_host=grok_server.api_host) as client:
        chat = client.chat.create(model="grok-4")
        chat.append(user("What is it?", file(photo)))
        response = chat.sample()

    assert response.usage.prompt_image_tokens == 768


@pytest.mark.parametrize("ask", NAMED)
def test_a_file_that_there_is_not_is_refused(grok_server, ask):
    answer = ask(grok_server, "file_1")

    assert (answer.status_code, answer.json()) == (
        404,
        {"code": "not-found", "error": "Cannot find file with ID file_1"},
    )


def test_a_file_has_the_limits_of_any_image(grok_server, client):
    tiny = client.files.create(file=("dot.png", picture(1, 1)), purpose="assistants").id

    answer = respond(grok_server, prompt({"type": "input_image", "file_id": tiny}))

    assert answer.json()["error"].startswith("Image dimensions 1x1 are too small.")


def test_a_file_counts_as_an_image_for_a_model_that_reads_none(grok_server, photo):
    answer = post(grok_server, body({"type": "file", "file": {"file_id": photo}}, model="grok-3"))

    assert "Image inputs are not supported" in answer.json()["error"]


def test_a_file_without_an_id_is_no_part(grok_server):
    answer = post(grok_server, body({"type": "file", "file": {}}))

    assert answer.json()["error"].endswith("Content part of type file is not supported.")


def test_a_file_stands_among_what_was_asked(grok_server, client, photo):
    asked = prompt(input_text("What is it?"), {"type": "input_image", "file_id": photo})
    number = respond(grok_server, asked).json()["id"]

    (item,) = client.responses.input_items.list(number).data

    assert (item.content[1].type, item.content[1].file_id) == ("input_image", photo)


BROKEN = [
    pytest.param(b"", BEARER, id="no-form"),
    pytest.param(b"--b", FORM, id="half-a-form"),
    pytest.param(
        b'--b\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nx\r\n--b--\r\n',
        FORM,
        id="no-file",
    ),
    pytest.param(b"{}", {**BEARER, "content-type": "multipart/form-data"}, id="no-boundary"),
    pytest.param(b"{}", {**BEARER, "content-type": "application/json"}, id="json"),
    pytest.param(b"{}", FORM, id="json-called-a-form"),
    pytest.param(b"x", {**BEARER, "content-type": "application/octet-stream"}, id="bytes"),
]


@pytest.mark.parametrize(("content", "headers"), BROKEN)
def test_an_upload_that_is_no_form_is_refused_without_a_word_in_the_log(
    grok_server, caplog, content, headers
):
    answer = send(grok_server, "POST", "/v1/files", content=content, headers=headers)

    assert answer.status_code == 400
    assert answer.text.startswith("Error parsing `multipart/form-data` request: ")
    assert caplog.messages == []


def form(*fields: tuple[bytes, bytes, bytes]) -> bytes:
    """Write a form of files, each with the name of its field, its own and its bytes."""
    parts = [
        b'--b\r\nContent-Disposition: form-data; name="%s"; filename="%s"\r\n\r\n%s\r\n' % field
        for field in fields
    ]
    return b"".join(parts) + b"--b--\r\n"


@pytest.mark.parametrize(("parts", "status"), [(1000, 200), (1001, 400)])
def test_a_form_has_at_most_a_thousand_parts(grok_server, parts, status):
    content = form(*[(b"file", b"cat.png", b"")] * parts)

    answer = send(grok_server, "POST", "/v1/files", content=content, headers=FORM)

    assert answer.status_code == status
    assert answer.is_success or answer.text.endswith("request: more than 1,000 parts")


def test_a_file_in_another_field_is_not_taken(grok_server):
    content = form((b"mask", b"mask.png", b"mask"), (b"file", b"cat.png", PHOTO))

    answer = send(grok_server, "POST", "/v1/files", content=content, headers=FORM)

    assert (answer.json()["filename"], answer.json()["bytes"]) == ("cat.png", len(PHOTO))


def test_a_name_that_is_no_utf_8_is_told_as_far_as_it_is(grok_server):
    content = form((b"file", b"caf\xe9.png", PHOTO))

    answer = send(grok_server, "POST", "/v1/files", content=content, headers=FORM)

    assert answer.json()["filename"] == "caf\ufffd.png"


HOUR, MONTH = 3600, 30 * 24 * 3600


def upload(server: FakeServer, *parts: tuple[str, Any]) -> httpx2.Response:
    """Upload a form of these parts in this order; bytes are a file."""
    fields = [
        (name, ("cat.png", value) if isinstance(value, bytes) else (None, value))
        for name, value in parts
    ]
    return send(server, "POST", "/v1/files", files=fields, headers=BEARER)


@pytest.mark.parametrize("seconds", [HOUR, MONTH], ids=["doc-least", "doc-most"])
def test_a_file_is_there_until_it_expires(grok_server, seconds):
    told = upload(grok_server, ("expires_after", str(seconds)), ("file", PHOTO)).json()
    path = f"/v1/files/{told['id']}"

    assert told["expires_at"] - told["created_at"] == seconds
    grok_server.advance(seconds - 1)
    assert send(grok_server, "GET", path, headers=BEARER).json() == told
    grok_server.advance(1)
    assert send(grok_server, "GET", path, headers=BEARER).status_code == 404
    assert send(grok_server, "GET", f"{path}/content", headers=BEARER).status_code == 404
    assert send(grok_server, "GET", "/v1/files", headers=BEARER).json()["data"] == []
    assert send(grok_server, "DELETE", path, headers=BEARER).status_code == 404


def test_a_message_cannot_name_a_file_that_expired(grok_server):
    told = upload(grok_server, ("expires_after", str(HOUR)), ("file", PHOTO)).json()
    asked = prompt({"type": "input_image", "file_id": told["id"]})

    assert respond(grok_server, asked).status_code == 200
    grok_server.advance(HOUR)
    assert respond(grok_server, asked).status_code == 404


LIFETIMES = [
    pytest.param((("expires_after", str(HOUR - 1)), ("file", PHOTO)), id="doc-too-short"),
    pytest.param((("expires_after", str(MONTH + 1)), ("file", PHOTO)), id="doc-too-long"),
    pytest.param((("expires_after", "1" * 5000), ("file", PHOTO)), id="far-too-long"),
    pytest.param((("expires_after", "a day"), ("file", PHOTO)), id="no-number"),
    pytest.param((("expires_after", ""), ("file", PHOTO)), id="nothing"),
    pytest.param(
        (("file", PHOTO), ("expires_after", str(HOUR))), id="observed-in-ai-20038-behind-the-file"
    ),
]


@pytest.mark.parametrize("parts", LIFETIMES)
def test_a_lifetime_that_cannot_be_is_refused(grok_server, parts):
    answer = upload(grok_server, *parts)

    assert answer.status_code == 400
    assert "expires_after must be a number of seconds between 3600 and 2592000" in answer.text
    assert send(grok_server, "GET", "/v1/files", headers=BEARER).json()["data"] == []


def test_a_file_that_is_too_large_is_refused(client, monkeypatch):
    monkeypatch.setattr(paths, "MAX_FILE_BYTES", len(PHOTO) - 1)

    with pytest.raises(openai.APIStatusError) as refused:
        client.files.create(file=("cat.png", PHOTO), purpose="assistants")

    assert refused.value.status_code == 413


def test_a_file_of_the_most_bytes_is_taken(client, monkeypatch):
    monkeypatch.setattr(paths, "MAX_FILE_BYTES", len(PHOTO))

    assert client.files.create(file=("cat.png", PHOTO), purpose="assistants").bytes == len(PHOTO)


def test_who_else_reads_forms_hears_of_theirs(grok_server, photo):
    assert not logging.getLogger("python_multipart.multipart").disabled


@pytest.mark.parametrize("kind", ["file", "text_file"])
def test_doc_a_file_has_two_names_on_chat_completions(grok_server, photo, kind):
    assert post(grok_server, body({"type": kind, "file_id": photo})).status_code == 200


def test_a_part_of_no_such_name_is_no_file(grok_server, photo):
    answer = post(grok_server, body({"type": "audio_file", "file_id": photo}))

    assert answer.status_code >= 400
    assert grok_server.requests[-1].images == []


def test_the_same_file_twice_is_two_files(client, photo):
    again = client.files.create(file=("cat.png", PHOTO), purpose="assistants").id

    assert again != photo


def test_the_oldest_files_go_when_they_are_too_large(grok_server, client, photo, monkeypatch):
    monkeypatch.setattr(grok_server.app.service.files.shelf, "room", len(PHOTO) * 2)

    names = [client.files.create(file=("a", PHOTO), purpose="assistants").id for _ in range(2)]

    assert [one.id for one in client.files.list()] == names


def test_files_are_forgotten_between_tests(grok_server, client, photo):
    grok_server.clear()

    assert client.files.list().data == []


def test_an_image_beside_a_file_keeps_its_place(grok_server, photo):
    post(
        grok_server,
        body(image(data_url(picture(64, 64))), {"type": "file", "file": {"file_id": photo}}),
    )

    assert [seen.source for seen in grok_server.requests[-1].images] == ["data", "file"]
