"""`describe --batch` interrupted anywhere: nothing is sent twice, lost or written twice."""

import signal
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from fake_server import FakeServer
from llm_grok_vision.describe import batch_submit
from tests import batching
from tests.between import Fault, between
from tests.describing import (
    answered,
    batch,
    describing,
    images,
    results,
    rows,
    submit,
    times_asked,
    wait_for_rows,
)
from tests.pictures import data_url, png_of_bytes
from tests.prompting import run_process, shown_error

Gallery = Callable[[int], list[str]]


@pytest.fixture
def three_a_post(monkeypatch: pytest.MonkeyPatch) -> None:
    """Allow no more than three pictures of the gallery in a POST."""
    monkeypatch.setattr(batch_submit, "MAX_BATCH_PAYLOAD", 1400)


LOST = [
    pytest.param(Fault("cut", arrives=True), id="the-answer"),
    pytest.param(Fault("cut"), id="the-request"),
    pytest.param(Fault(502, arrives=True, body={"error": "Bad gateway"}), id="in-a-gateway"),
    pytest.param(Fault(503, body={"error": "Busy"}), id="nothing-but-time"),
]


@pytest.mark.usefixtures("no_waiting", "three_a_post")
@pytest.mark.parametrize("fault", LOST)
def test_what_is_lost_on_the_way_is_sent_once_more_if_it_did_not_arrive(
    xai: FakeServer, gallery: Gallery, fault: Fault
):
    names = gallery(8)

    with between(xai) as proxy:
        proxy.faults = [None, fault]
        submitted = submit("What?", *names)

    assert "Images: 8 submitted, 0 submitted or done before" in submitted.stderr
    assert len(proxy.parcels) == (3 if fault.arrives else 4)
    assert results().exit_code == 0
    assert times_asked(xai) == dict.fromkeys(names, 1)


@pytest.mark.usefixtures("no_waiting", "three_a_post")
@pytest.mark.parametrize("arrives", [True, False])
def test_a_submit_that_does_not_get_through_is_gone_on_with(
    xai: FakeServer, gallery: Gallery, arrives: bool
):
    names = gallery(8)
    with between(xai) as proxy:
        # When it arrived, asking for what did is what fails.
        proxy.faults = [None, Fault("cut", arrives=arrives)] + [Fault("cut")] * 9
        proxy.lists_fail = arrives
        broken = batch("submit", "What?", *names, "--output", "out.jsonl")
        unsure = batch("status")
        proxy.faults, proxy.lists_fail = [], False
        again = submit("What?", *names)

    assert "The connection to http://127.0.0.1" in shown_error(broken)
    assert "Images: 3 submitted, 0 submitted or done before" in broken.stderr
    assert "The same command submits the rest." in broken.stderr
    assert "out.jsonl: the submit was stopped before 5 of its images" in unsure.stderr
    assert f"Images: {2 if arrives else 5} submitted" in again.stderr
    assert results().exit_code == 0
    assert times_asked(xai) == dict.fromkeys(names, 1)
    assert len(batch("status").stdout.splitlines()) == 2


@pytest.mark.parametrize("arrives", [True, False], ids=["behind-it", "before-it"])
def test_a_submit_that_is_killed_in_a_post_sends_nothing_twice(
    xai: FakeServer, gallery: Gallery, arrives: bool
):
    """Two images of 15 MB do not fit into a POST."""
    names = gallery(3)
    for name in names[1:]:
        Path(name).write_bytes(png_of_bytes(15_000_000))
    command = ("--batch", "submit", "What?", *names, "--output", "out.jsonl")

    with between(xai) as proxy:
        proxy.faults = [None, Fault("hang", arrives=arrives)]
        with describing(*command) as process:
            assert proxy.hanging.wait(30)
            process.send_signal(signal.SIGKILL)
            process.wait()
        early = results()
        again = submit("What?", *names)
    late = results()

    assert early.exit_code == (0 if arrives else 3)
    assert ("1 were not submitted: the same submit goes on." in early.stderr) is not arrives
    assert f"Images: {0 if arrives else 1} submitted" in again.stderr
    assert late.exit_code == 0
    assert len(answered(xai)) == len(rows("out.jsonl")) == 3


def test_an_interrupted_submit_says_how_to_go_on(xai: FakeServer, gallery: Gallery):
    names = gallery(3)
    with between(xai) as proxy:
        proxy.faults = [Fault("hang")]
        with describing("--batch", "submit", "What?", *names, "--output", "out.jsonl") as process:
            assert proxy.hanging.wait(30)
            process.send_signal(signal.SIGINT)
            _, said = process.communicate()

    assert process.returncode == 1
    assert [line for line in said.decode().splitlines() if line] == [
        "Images: 0 submitted, 0 submitted or done before, 0 failed.",
        "The same command submits the rest.",
        "Aborted!",
    ]


def test_results_that_are_killed_lose_nothing_and_write_nothing_twice(
    xai: FakeServer, gallery: Gallery
):
    names = gallery(300)
    submit("What?", *names)
    with describing("--batch", "results", "--output", "out.jsonl") as process:
        wait_for_rows("out.jsonl", 20, process)
        process.send_signal(signal.SIGKILL)
        process.wait()
    kept = Path("out.jsonl").read_bytes()
    kept = kept[: kept.rindex(b"\n") + 1]

    again = run_process("grok-vision", "describe", "--batch", "results", "--output", "out.jsonl")

    assert again.returncode == 0
    assert kept.count(b"\n") < 300
    assert Path("out.jsonl").read_bytes().startswith(kept)
    assert [row["image"] for row in rows("out.jsonl")] == names
    assert f"{kept.count(chr(10).encode())} done before" in again.stderr.decode()
    assert times_asked(xai) == dict.fromkeys(names, 1)


def test_a_row_that_was_written_by_a_run_that_was_killed_then_counts_as_written(
    xai: FakeServer, gallery: Gallery, own_llm_folder: Path
):
    names = gallery(1)
    submit("What?", *names)
    results()
    _change(own_llm_folder, "update images set state = 'submitted'")

    results()
    Path("out.jsonl").unlink()
    again = submit("What?", *names)

    assert "Images: 1 submitted, 0 submitted or done before" in again.stderr


@pytest.mark.usefixtures("no_waiting", "three_a_post")
def test_what_failed_in_a_batch_that_was_not_filled_goes_into_another(
    xai: FakeServer, gallery: Gallery
):
    """A batch takes no request a second time."""
    names = gallery(5)
    xai.fail(400, error="No.")
    with between(xai) as proxy:
        proxy.faults = [None, *[Fault("cut")] * 3]
        batch("submit", "What?", *names, "--output", "out.jsonl")
    early = results()

    again = submit("What?", *names)

    assert "Images: 2 done, 0 done before, 1 failed." in early.stderr
    assert "2 were not submitted: the same submit goes on." in early.stderr
    assert early.exit_code == 3
    assert "Images: 3 submitted, 2 submitted or done before" in again.stderr
    assert results().exit_code == 0
    assert times_asked(xai) == dict.fromkeys(names, 1) | {names[0]: 2}


@pytest.mark.usefixtures("no_waiting", "three_a_post")
def test_a_submit_does_not_go_on_with_a_batch_that_has_ended(xai: FakeServer, gallery: Gallery):
    names = gallery(5)
    with between(xai) as proxy:
        proxy.faults = [None, *[Fault("cut")] * 3]
        batch("submit", "What?", *names, "--output", "out.jsonl")
    batching.cancel(xai, batch("status").stdout.splitlines()[1].split()[0])

    again = submit("What?", *names)

    assert "Images: 2 submitted, 3 submitted or done before" in again.stderr
    assert results().exit_code == 0
    assert len(batch("status").stdout.splitlines()) == 3
    assert times_asked(xai) == dict.fromkeys(names, 1)


def test_images_of_a_stopped_submit_that_are_asked_for_no_more_are_forgotten(
    xai: FakeServer, gallery: Gallery
):
    names = gallery(2)
    with between(xai) as proxy:
        proxy.faults = [Fault(400, body={"error": "No."})]
        refused = batch("submit", "What?", *names, "--output", "out.jsonl")
    waiting = results()

    submit("What?", names[0])
    fetched = results()
    submit("What?", names[0])

    assert "Error: No." in shown_error(refused)
    assert "2 were not submitted: the same submit goes on." in waiting.stderr
    assert waiting.exit_code == 3
    assert fetched.exit_code == 0
    assert images("out.jsonl") == names[:1]


def test_the_state_holds_no_image_and_no_key(
    xai: FakeServer, gallery: Gallery, own_llm_folder: Path
):
    names = gallery(3)
    xai.fail(400, error=f"Bad key xai-test-key, bad {data_url(Path(names[0]).read_bytes())}.")
    submit("What?", *names)
    results()

    held = (own_llm_folder / "grok-vision.db").read_bytes()
    assert b"photos/000.png" in held
    assert b"Bad key (your key), bad data:..." in held
    assert b"xai-test-key" not in held
    assert b"iVBORw0KGgo" not in held
    assert b"\x89PNG" not in held


def test_xai_learns_no_path(xai: FakeServer, gallery: Gallery):
    names = gallery(3)

    with between(xai) as proxy:
        submit("What?", *names)
        submit("What?", *names, output="other.jsonl")

    sent = b"".join(one.body for one in proxy.passed)
    assert b"photos" not in sent
    assert b"out.jsonl" not in sent
    ids = [
        one["batch_request_id"] for parcel in proxy.parcels for one in parcel.json["batch_requests"]
    ]
    # Results come in the order of the ids: in that of the images.
    assert [name[:8] for name in ids] == ["0000000-", "0000001-", "0000002-"] * 2
    # Nobody who guesses a path could tell it by the rest.
    assert {len(name) for name in ids} == {24}
    assert len({name[8:] for name in ids}) == 6


def _change(folder: Path, statement: str) -> None:
    connection = sqlite3.connect(folder / "grok-vision.db")
    with connection:
        connection.execute(statement)
    connection.close()
