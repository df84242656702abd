"""Recording what an API answers, replaying it, and nothing secret in what is written."""

import base64
import hashlib
import json
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest
import vcr
import yaml

from fake_server import FakeServer
from fake_server.verify import verify
from tests.asking import BEARER, body, image, post, send, text
from tests.pictures import data_url, picture
from tests.sessions import STEPS, Known, Question

CAT = picture(64, 64)
# As an image of a message, but for what stands in the place of its bytes.
NO_IMAGE = b'{"model": "grok-4", "messages": [{"type": "base64", "data": 7}]}'
# JSON that can be read, and is deeper than functions call each other.
DEEP = b'{"model": ' + b"[" * 900 + b"]" * 900 + b"}"
SECRET = {"authorization": "Bearer xai-secret-key", "cookie": "session=secret-cookie"}


@pytest.fixture
def upstream() -> Iterator[FakeServer]:
    """Stand in for xAI: a fake of its own, with a cookie in its answers."""
    with FakeServer(api_key="xai-secret-key") as server:
        yield server


@pytest.fixture
def recorder(upstream: FakeServer, tmp_path: Path) -> Iterator[FakeServer]:
    with FakeServer(record=tmp_path, upstream=upstream.url.removesuffix("/v1")) as server:
        yield server


def ask(server: FakeServer, **fields) -> httpx2.Response:
    asked = body(text("What is it?"), image(data_url(CAT)), **fields)
    return send(server, "POST", "/v1/chat/completions", json=asked, headers=SECRET)


def cassettes(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.yaml"))


def test_an_answer_is_passed_on_and_written(recorder, upstream, tmp_path):
    upstream.reply("A cat.")

    answer = ask(recorder)

    assert answer.json()["choices"][0]["message"]["content"] == "A cat."
    assert answer.headers["x-request-id"] == answer.json()["id"]
    (path,) = cassettes(tmp_path)
    assert path.name.endswith("-0001-chat-completions.yaml")
    (interaction,) = yaml.safe_load(path.read_text())["interactions"]
    assert json.loads(interaction["response"]["body"]["string"]) == answer.json()
    assert interaction["request"]["uri"].endswith("/v1/chat/completions")


def test_a_stream_is_passed_on_as_it_comes(recorder, upstream, tmp_path):
    upstream.reply("one two", fault={"per_token": 0.3})
    asked = body(stream=True)

    with httpx2.stream(
        "POST", f"{recorder.url}/chat/completions", json=asked, headers=SECRET, trust_env=False
    ) as answer:
        pieces = answer.iter_raw()
        first = next(pieces)
        assert cassettes(tmp_path) == []
        rest = b"".join(pieces)

    assert b'"one"' in first
    assert b" two" in rest
    assert len(cassettes(tmp_path)) == 1


def test_nothing_is_asked_for_that_could_only_be_written_in_base64(recorder, upstream):
    ask(recorder)

    assert upstream.requests[0].headers["accept-encoding"] == "identity"


def test_keys_cookies_and_images_are_not_written_but_by_hash(recorder, tmp_path):
    ask(recorder)

    (path,) = cassettes(tmp_path)
    written = path.read_text()
    name = hashlib.sha256(CAT).hexdigest()
    for secret in ("xai-secret-key", "secret-cookie", data_url(CAT)[40:80]):
        assert secret not in written
    assert f"data:image/png;sha256,{name}" in written.replace("\n", "").replace(" ", "")
    assert (tmp_path / "images" / name).read_bytes() == CAT


def test_an_image_beside_half_a_character_is_kept_by_its_hash_and_asked_with_again(
    recorder, tmp_path
):
    asked = json.dumps(body(text("Half of \ud83d?"), image(data_url(CAT))))
    options = {"content": asked, "headers": {**SECRET, "content-type": "application/json"}}
    recorded = send(recorder, "POST", "/v1/chat/completions", **options)
    (path,) = cassettes(tmp_path)

    assert data_url(CAT)[40:80] not in path.read_text()
    with FakeServer(replay=tmp_path) as server:
        replayed = send(server, "POST", "/v1/chat/completions", **options)
    assert replayed.content == recorded.content


def test_an_image_of_a_message_is_kept_by_its_hash_and_asked_with_again(recorder, tmp_path):
    data = base64.b64encode(CAT).decode()
    source = {"type": "base64", "media_type": "image/png", "data": data}
    asked = {
        "model": "grok-4",
        "max_tokens": 9,
        "messages": [{"role": "user", "content": [{"type": "image", "source": source}]}],
    }
    recorded = send(recorder, "POST", "/v1/messages", json=asked, headers=SECRET)
    (path,) = cassettes(tmp_path)

    assert data[40:80] not in path.read_text()
    assert hashlib.sha256(CAT).hexdigest() in path.read_text()
    with FakeServer(replay=tmp_path) as server:
        replayed = send(server, "POST", "/v1/messages", json=asked, headers=SECRET)
    assert replayed.json() == recorded.json()


URL = data_url(CAT)
ODD: list[Any] = [
    pytest.param(json.dumps(body(text(f"See {URL} and {URL}"))), id="in-a-text"),
    pytest.param(json.dumps(body(image(URL)))[:-1], id="in-half-of-a-body"),
    pytest.param(b"\xff" + json.dumps(body(image(URL))).encode(), id="in-no-utf-8"),
    pytest.param(f'["{URL}", {"[" * 900}{"]" * 900}]', id="in-what-is-deep"),
    pytest.param(json.dumps(body(image(URL.replace(";", ";charset=x;")))), id="of-an-odd-type"),
]


@pytest.mark.parametrize("content", ODD)
def test_an_image_is_kept_by_its_hash_wherever_it_stands(recorder, tmp_path, content):
    options = {"content": content, "headers": {**SECRET, "content-type": "application/json"}}
    recorded = send(recorder, "POST", "/v1/chat/completions", **options)
    (path,) = cassettes(tmp_path)
    (interaction,) = yaml.safe_load(path.read_text())["interactions"]
    kept = str(interaction["request"]["body"])

    assert URL[40:80] not in kept
    assert hashlib.sha256(CAT).hexdigest() in kept
    with FakeServer(replay=tmp_path) as server:
        replayed = send(server, "POST", "/v1/chat/completions", **options)
    assert replayed.content == recorded.content
    assert verify([tmp_path]).unknown == []


def upload(server: FakeServer) -> httpx2.Response:
    """Upload a picture, with a boundary that is another each time."""
    options = {"files": {"file": ("cat.png", CAT)}, "data": {"purpose": "vision"}}
    return send(server, "POST", "/v1/files", headers=SECRET, **options)


def test_an_upload_is_replayed_whatever_its_boundary(recorder, tmp_path):
    recorded = upload(recorder)

    with FakeServer(replay=tmp_path) as server:
        replayed = upload(server)
        other = {"files": {"file": ("cat.png", b"a dog")}, "data": {"purpose": "vision"}}
        refused = send(server, "POST", "/v1/files", headers=SECRET, **other)

    assert replayed.json() == recorded.json()
    assert "asked something else" in refused.json()["error"]


def test_a_file_of_an_upload_is_kept_by_its_hash(recorder, tmp_path):
    upload(recorder)

    (path,) = cassettes(tmp_path)
    (interaction,) = yaml.safe_load(path.read_text())["interactions"]
    name = hashlib.sha256(CAT).hexdigest()
    assert f"\r\n\r\nsha256,{name}\r\n--" in interaction["request"]["body"]
    assert '"purpose"\r\n\r\nvision\r\n--' in interaction["request"]["body"]
    assert (tmp_path / "images" / name).read_bytes() == CAT


@pytest.mark.parametrize(
    "content", [b"", b"vision", b"\r\n\r\n--x\r\n"], ids=["no", "field", "odd"]
)
def test_an_upload_is_replayed_whatever_is_in_its_file(recorder, tmp_path, content):
    options = {"files": {"file": ("cat.png", content)}, "data": {"purpose": "vision", "x": ""}}
    recorded = send(recorder, "POST", "/v1/files", headers=SECRET, **options)

    with FakeServer(replay=tmp_path) as server:
        replayed = send(server, "POST", "/v1/files", headers=SECRET, **options)

    assert replayed.json() == recorded.json()
    assert (tmp_path / "images" / hashlib.sha256(content).hexdigest()).read_bytes() == content


def test_an_upload_in_base64_is_replayed_too(recorder, tmp_path):
    head = 'content-disposition: form-data; name="file"; filename="cat.png"'
    data = base64.b64encode(CAT).decode()
    packed = f"--x\r\n{head}\r\ncontent-transfer-encoding: base64\r\n\r\n{data}\r\n--x--\r\n"
    headers = {**SECRET, "content-type": "multipart/form-data; boundary=x"}
    options = {"content": packed.encode(), "headers": headers}
    recorded = send(recorder, "POST", "/v1/files", **options)

    with FakeServer(replay=tmp_path) as server:
        replayed = send(server, "POST", "/v1/files", **options)

    assert recorded.json()["bytes"] == len(CAT)
    assert replayed.json() == recorded.json()


def test_an_upload_is_verified(recorder, tmp_path):
    upload(recorder)

    assert verify([tmp_path]).differences() == []


@pytest.mark.parametrize(
    "content",
    [b"", b"{", rb'{"model": "\ud800"}', b'"text"', b'{"messages": []}'],
    ids=["no", "cut", "half", "text", "no-model"],
)
def test_what_is_no_question_is_verified_too(recorder, tmp_path, content):
    headers = {**SECRET, "content-type": "application/json"}
    send(recorder, "POST", "/v1/chat/completions", content=content, headers=headers)

    report = verify([tmp_path])

    assert (report.unknown, report.differences()) == ([], [])


def test_a_cassette_is_read_by_vcrpy(recorder, upstream, tmp_path):
    upstream.reply("recorded")
    asked = body(text("What is it?"))
    send(recorder, "POST", "/v1/chat/completions", json=asked, headers=SECRET)
    (path,) = cassettes(tmp_path)

    replaying = vcr.VCR(match_on=["method", "path", "body"], record_mode=vcr.mode.NONE)
    with (
        replaying.use_cassette(str(path)),
        openai.OpenAI(base_url="https://api.x.ai/v1", api_key="k") as client,
    ):
        answer = client.chat.completions.create(**asked)

    assert answer.choices[0].message.content == "recorded"


@pytest.mark.parametrize("stream", [False, True])
def test_what_was_recorded_is_replayed(recorder, upstream, tmp_path, stream):
    upstream.reply("one")
    upstream.reply("two")
    recorded = [ask(recorder, stream=stream) for _ in range(2)]

    with FakeServer(replay=tmp_path) as server:
        replayed = [ask(server, stream=stream) for _ in range(3)]

    assert [answer.text for answer in replayed] == [recorded[n].text for n in (0, 1, 1)]
    assert replayed[0].headers["x-request-id"] == recorded[0].headers["x-request-id"]


def test_a_replay_knows_images_by_their_hash_alone(recorder, tmp_path):
    recorded = ask(recorder)
    shutil.rmtree(tmp_path / "images")

    with FakeServer(replay=tmp_path) as server:
        assert ask(server).json() == recorded.json()


def test_an_image_that_another_wrote_whole_is_asked_with_again(recorder, tmp_path):
    recorded = ask(recorder)
    (path,) = cassettes(tmp_path)
    cassette = yaml.safe_load(path.read_text())
    asked = body(text("What is it?"), image(data_url(CAT)))
    cassette["interactions"][0]["request"]["body"] = json.dumps(asked)
    path.write_text(yaml.safe_dump(cassette))

    with FakeServer(replay=tmp_path) as server:
        assert ask(server).json() == recorded.json()


def test_a_refusal_is_recorded_like_any_answer(recorder, tmp_path):
    refused = ask(recorder, model="grok-99")

    with FakeServer(replay=tmp_path) as server:
        assert ask(server, model="grok-99").json() == refused.json()


def test_what_was_not_recorded_is_no_answer(recorder, tmp_path):
    ask(recorder)

    with FakeServer(replay=tmp_path) as server:
        other = post(server, body(text("Something else")))
        elsewhere = send(server, "GET", "/v1/models", headers=BEARER)
        asked = body(text("What is it?"), image(data_url(CAT)))
        same = send(server, "POST", "/v1/messages", json=asked, headers=BEARER)

    assert same.json()["error"] == (
        "No recording is of POST /v1/messages, only of POST /v1/chat/completions."
    )
    assert other.status_code == elsewhere.status_code == 404
    assert other.json()["code"] == elsewhere.json()["code"] == "not-recorded"
    assert other.json()["error"] == (
        "1 recording of POST /v1/chat/completions asked something else."
    )
    assert elsewhere.json()["error"] == (
        "No recording is of GET /v1/models, only of POST /v1/chat/completions."
    )


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\xff", b"[" * 9000, DEEP, NO_IMAGE],
    ids=["no", "cut", "odd", "deep", "deep-json", "no-image"],
)
def test_what_is_no_question_is_recorded_and_replayed_too(recorder, tmp_path, content):
    options = {"content": content, "headers": {**SECRET, "content-type": "application/json"}}
    recorded = send(recorder, "POST", "/v1/chat/completions", **options)

    with FakeServer(replay=tmp_path) as server:
        replayed = send(server, "POST", "/v1/chat/completions", **options)

    assert recorded.status_code in (400, 422)
    assert replayed.text == recorded.text


@pytest.mark.parametrize(
    ("content", "other"),
    [
        (b"{", b"["),
        (DEEP, DEEP.replace(b"model", b"other")),
        (b'["data:image/png;base64,a"]', b'["data:image/png;base64,b"]'),
    ],
    ids=["no-json", "deep-json", "no-base64"],
)
def test_what_is_no_question_is_not_taken_for_another(recorder, tmp_path, content, other):
    options = {"headers": {**SECRET, "content-type": "application/json"}}
    send(recorder, "POST", "/v1/chat/completions", content=content, **options)

    with FakeServer(replay=tmp_path) as server:
        replayed = send(server, "POST", "/v1/chat/completions", content=other, **options)

    assert replayed.json()["code"] == "not-recorded"


def test_a_made_up_session_is_replayed_as_it_was(recorder, tmp_path):
    def asked(server: FakeServer, question: Question) -> tuple[int, bytes]:
        headers = {**SECRET, "content-type": question.content_type}
        options = {"content": question.data, "headers": headers}
        answer = send(server, question.method, question.path, **options)
        return answer.status_code, answer.content

    dice = random.Random(7)
    known = Known(dice)
    recorded: list[tuple[Question, tuple[int, bytes]]] = []
    while len(recorded) < 100:
        question = dice.choice(STEPS)(dice, known)
        if question.path.startswith("/v1/"):
            recorded.append((question, asked(recorder, question)))
            known.hear(recorded[-1][1][1])

    with FakeServer(replay=tmp_path) as server:
        assert [(question, asked(server, question)) for question, _ in recorded] == recorded


def test_an_address_with_a_query_is_passed_on_and_verified(recorder, upstream, tmp_path):
    refused = send(recorder, "GET", "/v1/batches?limit=x", headers=SECRET)

    assert (upstream.requests[0].query, refused.status_code) == ("limit=x", 400)
    assert verify([tmp_path]).differences() == []


def test_what_is_as_deep_as_python_goes_is_replayed_too(recorder, tmp_path):
    options = {"headers": {**SECRET, "content-type": "application/json"}}
    bodies = [f'["{URL}", {"[" * depth}{"]" * depth}]' for depth in range(970, 1000)]
    recorded = [
        send(recorder, "POST", "/v1/chat/completions", content=one, **options) for one in bodies
    ]

    with FakeServer(replay=tmp_path) as server:
        replayed = [
            send(server, "POST", "/v1/chat/completions", content=one, **options) for one in bodies
        ]

    assert [answer.content for answer in replayed] == [answer.content for answer in recorded]


def test_a_line_of_recordings_may_be_deep(tmp_path):
    row = {
        "method": "POST",
        "endpoint": "/v1/chat/completions",
        "request": json.loads(DEEP),
        "status": 422,
        "response_headers": [],
        "response_body": "No.",
    }
    (tmp_path / "lines.jsonl").write_text(json.dumps(row))

    with FakeServer(replay=tmp_path) as server:
        assert post(server, body()).json()["code"] == "not-recorded"


@pytest.mark.parametrize("way", ["record", "replay"])
def test_what_recordings_need_is_told_where_it_is_not_there(tmp_path, monkeypatch, way):
    monkeypatch.setitem(sys.modules, "vcr", None)

    with pytest.raises(ValueError, match=r"pip install 'llm-grok-vision\[record\]'"):
        FakeServer(**{way: tmp_path})


def test_an_api_that_gives_no_answer_is_told(tmp_path, nobody):
    with FakeServer(record=tmp_path, upstream=nobody) as server:
        answer = ask(server)

    assert answer.status_code == 502
    assert answer.json()["error"] == f"{nobody} gave no answer: ConnectError."
    assert cassettes(tmp_path) == []


def test_an_answer_that_broke_off_is_broken_off_and_not_written(
    recorder, upstream, tmp_path, caplog
):
    upstream.reply("one two three", fault={"after_events": 1})

    with pytest.raises(httpx2.HTTPError):
        ask(recorder, stream=True)

    assert cassettes(tmp_path) == []
    assert caplog.messages == []


def test_a_call_of_grpc_is_not_recorded(recorder):
    headers = {"content-type": "application/grpc"}

    answer = send(recorder, "POST", "/xai_api.Chat/GetCompletion", headers=headers)

    assert (answer.status_code, "gRPC" in answer.json()["error"]) == (501, True)


WRONG = [
    pytest.param({"record": ".", "replay": "."}, "records or replays, not both", id="both"),
    pytest.param({"record": ".", "upstream": "api.x.ai"}, "upstream begins with", id="address"),
    pytest.param({"record": ".", "upstream": "http://"}, "upstream begins with", id="host"),
    pytest.param({"record": "file"}, "record is no folder: file", id="file"),
    pytest.param({"replay": "empty"}, "there is no cassette in this folder", id="empty"),
    pytest.param({"replay": "nowhere"}, "there is no such file", id="nowhere"),
]


@pytest.mark.parametrize(("options", "told"), WRONG)
def test_what_can_not_be_is_an_error_at_once(tmp_path, monkeypatch, options, told):
    monkeypatch.chdir(tmp_path)
    Path("empty").mkdir()
    Path("file").touch()

    with pytest.raises(ValueError, match=told):
        FakeServer(**options)


def test_the_command_records_and_replays(upstream, tmp_path):
    command = [sys.executable, "-m", "fake_server", "--record", str(tmp_path)]
    command += ["--upstream", upstream.url.removesuffix("/v1")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        httpx2.get(f"{url}/models", headers=SECRET, trust_env=False).raise_for_status()
        process.terminate()

    assert len(cassettes(tmp_path)) == 1
