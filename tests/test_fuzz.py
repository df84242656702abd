"""A few thousand made-up inputs: nothing breaks, nothing takes long; `make soak` runs a million."""

import logging
from contextlib import closing

import pytest

from tests.fuzzing import Requests, image, run, stream
from tests.sessions import play
from tests.wires import Wires, answer

# CI has little time; whoever has more runs `make soak`.
COUNT = 3000


@pytest.fixture
def requests(caplog):
    caplog.set_level(logging.CRITICAL)
    with closing(Requests()) as made:
        yield made


@pytest.mark.parametrize("kind", ["http", "grpc"])
def test_no_request_breaks_the_fake(requests, kind):
    assert max(run(kind, getattr(requests, kind), COUNT, seed=7)) < 5


@pytest.fixture
def wires(grok_server):
    with closing(Wires(grok_server)) as made:
        yield made


@pytest.mark.parametrize("kind", ["http1", "http2"])
def test_no_bytes_on_a_connection_break_the_fake(wires, kind):
    assert max(run(kind, getattr(wires, kind), COUNT // 2, seed=7)) < 5


def test_no_image_breaks_a_reader():
    assert max(run("image", image, COUNT, seed=7)) < 5


def test_no_stream_breaks_the_plugin():
    assert max(run("stream", stream, COUNT, seed=7)) < 5


@pytest.mark.usefixtures("caplog")
def test_no_answer_breaks_the_plugin():
    assert max(run("answer", answer, COUNT // 10, seed=7)) < 5


def test_no_session_breaks_the_fake(requests):
    assert max(run("session", lambda dice: play(dice, [requests]), COUNT // 10, seed=7)) < 5
