"""The fake held against recorded exchanges, by the command that everybody has: `verify`.

`fake_server verify ../shared/recorded/exchanges.jsonl` shows the scores, and what differs.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from fake_server import FakeServer
from fake_server.cli import main
from fake_server.verify import Report, verify
from tests.asking import body, image, send, text
from tests.pictures import data_url, picture
from tests.recorded import FILE, needed

# How many exchanges are the same in each aspect, of how many that have it.
SCORES = Path(__file__).with_name("conformance.json")


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    # OBSERVED: the picture that this address had in all recordings.
    folder = tmp_path_factory.mktemp("images")
    (folder / "httpbin.org" / "image").mkdir(parents=True)
    (folder / "httpbin.org" / "image" / "jpeg").write_bytes(picture(239, 178, "JPEG"))
    return verify([FILE], folder)


@needed
def test_no_aspect_is_worse_than_it_was(report):
    committed = json.loads(SCORES.read_text())

    assert sorted(report.scores) == sorted(committed)
    assert report.worse_than(committed) == []
    assert report.unknown == []


@needed
@pytest.mark.parametrize("aspect", ["status", "types", "arithmetic", "image tokens", "cost"])
def test_there_is_no_difference_in(report, aspect):
    same, of = report.scores[aspect]

    assert same == of > 0


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    """Record three answers of a service that is as the newest that was seen."""
    with (
        FakeServer(contract="observed", clock="real") as upstream,
        FakeServer(record=tmp_path, upstream=upstream.url.removesuffix("/v1")) as server,
    ):
        cat = image(data_url(picture(64, 64)), detail="high")
        for fields in ({}, {"stream": True, "stream_options": {"include_usage": True}}):
            asked = body(text("What is it?"), cat, **{"model": "grok-4.3", **fields})
            bearer = {"authorization": "Bearer xai-key"}
            send(server, "POST", "/v1/chat/completions", json=asked, headers=bearer)
        asked = {"model": "grok-4.3", "input": "Hi"}
        send(server, "POST", "/v1/responses", json=asked, headers=bearer)
    return tmp_path


def test_a_service_that_did_not_change_has_no_drift(recorded, capsys):
    status = main(["verify", str(recorded)])

    told = capsys.readouterr().out
    assert (status, "status: 3 of 3 are the same" in told) == (0, True)
    assert "image tokens: 2 of 2 are the same" in told
    assert "not compared: what is said, ids and times" in told


def test_what_a_browser_asked_is_asked_again_as_it_would(tmp_path, capsys):
    with (
        FakeServer(contract="observed", clock="real") as upstream,
        FakeServer(record=tmp_path, upstream=upstream.url.removesuffix("/v1")) as server,
    ):
        preflight = {"origin": "https://a.example", "access-control-request-method": "POST"}
        send(server, "OPTIONS", "/v1/chat/completions", headers=preflight)

    assert main(["verify", str(tmp_path)]) == 0
    assert "status: 1 of 1 are the same" in capsys.readouterr().out


def plant(folder: Path, name: str, change: Callable[[str], str]) -> None:
    """Change the answer in a cassette."""
    (path,) = folder.glob(f"*{name}.yaml")
    cassette = yaml.safe_load(path.read_text())
    answer = cassette["interactions"][0]["response"]
    answer["body"]["string"] = change(answer["body"]["string"])
    path.write_text(yaml.safe_dump(cassette))


PLANTED: list[Any] = [
    pytest.param(
        "0001-chat-completions",
        lambda text: text.replace('"refusal":null', '"refusal":null,"mood":"good"'),
        "keys: [].choices[].message.mood is missing in the fake",
        id="new-key",
    ),
    pytest.param(
        "0001-chat-completions",
        lambda text: text.replace(',"refusal":null', ""),
        "keys: [].choices[].message.refusal is new in the fake",
        id="lost-key",
    ),
    pytest.param(
        "0001-chat-completions",
        lambda text: text.replace('"index":0', '"index":"0"'),
        "types: [].choices[].index is a str is missing in the fake",
        id="type",
    ),
    pytest.param(
        "0001-chat-completions",
        lambda text: text.replace('"image_tokens":6', '"image_tokens":1024'),
        "image tokens: image_tokens: 1024 was recorded, the fake has 6",
        id="image-tokens",
    ),
    pytest.param(
        "0001-chat-completions",
        lambda text: re.sub(r'"cost_in_usd_ticks":\d+', '"cost_in_usd_ticks":7', text),
        "cost: cost_in_usd_ticks: 7 was recorded, the fake has ",
        id="cost",
    ),
    pytest.param(
        "0001-chat-completions",
        lambda text: text.replace('"model":"grok-4.3"', '"model":"grok-4.3-1111"'),
        "model: model: 'grok-4.3-1111' was recorded, the fake has 'grok-4.3'",
        id="model",
    ),
    pytest.param(
        "0001-chat-completions",
        lambda text: text.replace('"object":"chat.completion",', "").replace(
            '"model":', '"object":"chat.completion","model":'
        ),
        "order: [].created was recorded where the fake has [].object",
        id="order",
    ),
    pytest.param(
        "0001-chat-completions",
        lambda text: text.replace('"prompt_tokens_details"', '"prompt_details"'),
        "keys: [].usage.prompt_details is missing in the fake",
        id="renamed",
    ),
    pytest.param(
        "0002-chat-completions",
        lambda text: text.replace("data: [DONE]", 'data: {"choices":[],"mood":1}\n\ndata: [DONE]'),
        "events: events: ['content', 'end', 'usage', ''] was recorded",
        id="new-event",
    ),
    pytest.param(
        "0001-chat-completions",
        lambda text: text.replace('"finish_reason":"stop"', '"finish_reason":"tired"'),
        "finish_reason: finish_reason: ['tired'] was recorded, the fake has ['stop']",
        id="end",
    ),
    pytest.param(
        "0003-responses",
        lambda text: text.replace('"output_tokens_details"', '"output_details"'),
        "keys: [].usage.output_details is missing in the fake",
        id="response",
    ),
    pytest.param(
        "0003-responses",
        lambda _: "Service moved.",
        "types: ",
        id="no-json",
    ),
]


@pytest.mark.parametrize(("name", "change", "told"), PLANTED)
def test_a_planted_drift_is_told_by_field_with_a_status_for_ci(
    recorded, capsys, name, change, told
):
    plant(recorded, name, change)

    status = main(["verify", str(recorded)])

    out = capsys.readouterr().out
    assert status == 1
    assert told in out or (name == "0003-responses" and "is not understood" in out)


def test_a_drift_of_several_recordings_is_told_once(recorded, capsys):
    def change(text: str) -> str:
        return text.replace('"image_tokens":6', '"image_tokens":1024')

    plant(recorded, "0001-chat-completions", change)
    main(["verify", str(recorded)])
    once = capsys.readouterr().out
    plant(recorded, "0002-chat-completions", change)
    main(["verify", str(recorded)])
    twice = capsys.readouterr().out

    told = "image_tokens: 1024 was recorded, the fake has 6"
    assert (once.count(told), "more" in once) == (1, False)
    assert (twice.count(told), " and 1 more)" in twice) == (1, True)


def test_drift_is_told_in_json_too(recorded, capsys):
    plant(recorded, "0001-chat-completions", lambda text: text.replace('"index":0', '"index":"0"'))

    status = main(["verify", "--json", str(recorded)])

    told = json.loads(capsys.readouterr().out)
    assert status == 1
    assert {row["aspect"] for row in told["differences"]} == {"types"}
    assert told["differences"][0]["model"] == "grok-4.3"
    assert told["scores"]["types"] == [2, 3]


def test_scores_allow_what_was_known(recorded, capsys, tmp_path):
    plant(recorded, "0001-chat-completions", lambda text: text.replace('"index":0', '"index":"0"'))
    known, strict = tmp_path / "known.json", tmp_path / "strict.json"
    known.write_text('{"types": [2, 3], "status": [3, 3]}')
    strict.write_text('{"types": [3, 3]}')

    statuses = [main(["verify", "--scores", str(path), str(recorded)]) for path in (known, strict)]

    assert statuses == [0, 1]


def test_an_image_that_is_gone_is_told(recorded, capsys):
    for path in (recorded / "images").iterdir():
        path.unlink()

    status = main(["verify", str(recorded)])

    assert status == 1
    told = capsys.readouterr().err
    assert "chat-completions.yaml, interaction 1: the image " in told
    assert told.endswith(f" is not in {recorded / 'images'}\n")


def row(path: str, body: str = "") -> str:
    asked = {"model": "grok-4", "messages": [{"role": "user", "content": "Hello"}]}
    told = {"method": "POST", "endpoint": path, "status": 200, "request": asked}
    return json.dumps(told | {"response_headers": [], "response_body": body})


def test_an_answer_that_nobody_reads_to_its_end_is_not_understood(tmp_path, capsys):
    (tmp_path / "deep.jsonl").write_text(row("/v1/chat/completions", "[" * 200_000))

    assert main(["verify", str(tmp_path)]) == 1
    assert "deep.jsonl, line 1: this answer is not understood (Recursion" in capsys.readouterr().out


def test_a_path_is_asked_as_it_was_recorded(tmp_path, capsys):
    (tmp_path / "odd.jsonl").write_text(row("/v1/chat/completions?\0"))

    main(["verify", str(tmp_path)])

    assert "200 was recorded, the fake has 404" in capsys.readouterr().out


WRONG = [
    pytest.param("nowhere.yaml", None, "nowhere.yaml: there is no such file", id="nowhere"),
    pytest.param("odd.yaml", "a: [", "odd.yaml: this is no recording", id="yaml"),
    pytest.param("odd.yaml", "interactions: 7", "odd.yaml: this is no recording", id="shape"),
    pytest.param(
        "odd.jsonl", "{}", "odd.jsonl: this is no recording: 'response_headers'", id="row"
    ),
    pytest.param("odd.jsonl", row("@x/y"), "no recording: '@x/y' is no path", id="host"),
]


@pytest.mark.parametrize(("name", "written", "told"), WRONG)
def test_a_file_that_is_no_recording_is_told_in_a_sentence(tmp_path, capsys, name, written, told):
    path = tmp_path / name
    if written is not None:
        path.write_text(written)

    assert main(["verify", str(path)]) == 1
    assert told in capsys.readouterr().err


def test_scores_that_are_none_are_told(recorded, capsys, tmp_path):
    (tmp_path / "scores.json").write_text("[]")

    assert main(["verify", "--scores", str(tmp_path / "scores.json"), str(recorded)]) == 1
    assert "these are no scores" in capsys.readouterr().err
