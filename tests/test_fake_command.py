"""The command prints its base URL first, stops clean on a signal, and says what is wrong."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx2
import pytest

from tests.asking import BEARER, body, image
from tests.pictures import data_url, picture, png_of_bytes
from tests.running import MODULE, Running, run, running

URL = "https://example.com/cat.png"
# A stream far longer than what sockets hold: 128 answers about 100 images.
LONG = body(*[image(URL)] * 100, stream=True, n=128)

pytestmark = pytest.mark.covers_processes

BOTH = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["INT", "TERM"])
HALF = b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n{"

# What is left behind by a clean stop.
CLEAN = (0, "", "")


def client() -> httpx2.Client:
    return httpx2.Client(trust_env=False, verify=False, headers=BEARER, timeout=30)


def ask(server: Running, **fields: object) -> httpx2.Response:
    with client() as one:
        return one.post(f"{server.url}/chat/completions", json=body(**fields))


def has_ipv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


def test_the_first_line_is_the_base_url():
    with running() as server:
        answer = ask(server)

    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/v1", server.url)
    assert answer.status_code == 200


@BOTH
def test_a_signal_ends_it_without_a_word(number):
    with running() as server:
        assert server.stop(number) == CLEAN


@BOTH
def test_a_signal_that_comes_again_and_again_is_heard_once(number):
    with running() as server:
        while server.process.poll() is None:
            server.process.send_signal(number)
            time.sleep(0.001)
        out, err = server.process.communicate(timeout=30)

    assert (server.process.returncode, out, err) == CLEAN


@BOTH
def test_a_connection_kept_alive_does_not_hold_it(number):
    with running() as server, client() as one:
        one.get(f"{server.url}/models")

        assert server.stop(number) == CLEAN


@BOTH
def test_a_stream_that_nobody_reads_to_its_end_does_not_hold_it(number):
    with running() as server, client() as one:
        request = one.build_request("POST", f"{server.url}/chat/completions", json=LONG)
        answer = one.send(request, stream=True)
        # Without a name it would be forgotten, and the connection closed.
        pieces = answer.iter_bytes()
        next(pieces)

        assert server.stop(number) == CLEAN
        answer.close()


@BOTH
def test_answers_on_their_way_finish(number, tmp_path):
    rules = "rules: [{reply: one two three, fault: {per_token: 0.1}}]"
    (tmp_path / "slow.yaml").write_text(rules)
    with running("--scenario", str(tmp_path / "slow.yaml")) as server, client() as one:
        url, question = f"{server.url}/chat/completions", body(stream=True)
        asked = [one.build_request("POST", url, json=question) for _ in range(3)]
        answers = [one.send(request, stream=True) for request in asked]
        streams = [answer.iter_bytes() for answer in answers]
        heads = [next(pieces) for pieces in streams]

        stopped = server.stop(number)
        told = [head + b"".join(pieces) for head, pieces in zip(heads, streams, strict=True)]
        for answer in answers:
            answer.close()

    assert stopped == CLEAN
    assert all(text.endswith(b"data: [DONE]\n\n") for text in told)


@BOTH
def test_a_request_that_is_still_coming_does_not_hold_it(number):
    with running() as server:
        port = int(server.url.removesuffix("/v1").rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port)) as half:
            half.sendall(HALF)

            assert server.stop(number) == CLEAN


def test_it_listens_on_the_port_it_is_given():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]

    with running("--port", str(port)) as server:
        assert server.url == f"http://127.0.0.1:{port}/v1"


def test_a_taken_port_is_said_in_a_line():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = run("--port", port)

    [line] = ended.stderr.splitlines()
    assert (ended.returncode, ended.stdout) == (1, "")
    assert line.startswith("fake_server: ")
    assert "in use" in line
    assert port in line


WRONG = [
    pytest.param(["--host", "nowhere.invalid"], "", id="no-such-host"),
    pytest.param(["--host", ""], "host is an address", id="no-host"),
    pytest.param(["--images", "no/such/folder"], "no/such/folder", id="no-such-folder"),
    pytest.param(["--images", __file__], Path(__file__).name, id="a-file-for-a-folder"),
]


@pytest.mark.parametrize(("arguments", "said"), WRONG)
def test_what_cannot_be_is_said_in_a_line(arguments, said):
    ended = run(*arguments)

    [line] = ended.stderr.splitlines()
    assert (ended.returncode, ended.stdout) == (1, "")
    assert line.startswith("fake_server: ")
    assert said in line


@pytest.mark.parametrize(
    ("option", "value"),
    [
        pytest.param("--clock", "broken", id="no-such-clock"),
        pytest.param("--port", "70000", id="no-such-port"),
        pytest.param("--port", "http", id="port-by-name"),
    ],
)
def test_a_value_that_an_option_does_not_take_ends_it(option, value):
    ended = run(option, value)

    assert (ended.returncode, ended.stdout) == (2, "")
    assert option in ended.stderr.splitlines()[-1]


INTERRUPTED = [
    pytest.param((), (), id="one"),
    pytest.param(("--workers", "2"), (), id="workers"),
    pytest.param(("run",), ("--", "true"), id="run"),
]


@pytest.mark.parametrize(("before", "behind"), INTERRUPTED)
def test_ctrl_c_ends_it_without_a_word_before_it_listens(tmp_path, before, behind):
    scenario = tmp_path / "scenario.yaml"
    os.mkfifo(scenario)
    command = (*MODULE, *before, "--scenario", str(scenario), *behind)
    pipe = subprocess.PIPE
    with (
        subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True) as process,
        # Opened as soon as it reads, which has no end.
        scenario.open("w"),
    ):
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)

    assert (process.returncode, out, err) == (130, "", "")


OPTIONS = (
    "--host",
    "--port",
    "--images",
    "--allow-host",
    "--no-placeholder",
    "--contract",
    "--api-key",
    "--max-body",
    "--clock",
)


def test_help_names_every_option():
    ended = run("--help")

    assert (ended.returncode, ended.stderr) == (0, "")
    assert [option for option in OPTIONS if f"{option} " not in ended.stdout] == []


def test_the_key_it_is_given_is_the_one_good_key():
    with running("--api-key", "xai-another-key") as server:
        answer = ask(server)

    assert answer.status_code == 400
    assert "Incorrect API key" in answer.text


def test_a_body_too_large_is_read_before_it_is_refused():
    """A client that cannot finish sending would see a broken connection."""
    with running("--max-body", "1000") as server:
        large = ask(server, user="x" * 5_000_000)
        small = ask(server)

    assert large.status_code == 413
    assert small.status_code == 200


def test_pictures_come_from_the_folder_it_is_given(tmp_path):
    (tmp_path / "example.com").mkdir()
    (tmp_path / "example.com" / "cat.png").write_bytes(picture(40, 30))

    with running("--images", str(tmp_path)) as server:
        answer = ask(server, messages=body(image(URL))["messages"])

    assert "PNG, 40x30 pixels" in answer.text


def test_without_a_placeholder_other_pictures_fail():
    with running("--no-placeholder") as server:
        answer = ask(server, messages=body(image(URL))["messages"])

    assert "404 Not Found" in answer.text


def test_a_host_that_is_allowed_is_fetched_from():
    with running("--allow-host", "127.0.0.1", "--allow-host", "localhost") as server:
        answer = ask(server, messages=body(image(f"{server.url}/models"))["messages"])

    assert "HTTP status 401 Unauthorized" in answer.text


def test_a_real_clock_tells_the_time():
    with running("--clock", "real") as server:
        answer = ask(server)

    assert answer.json()["created"] > 1767225600


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no ::1")
def test_it_listens_on_ipv6():
    with running("--host", "::1") as server:
        answer = ask(server)

    assert re.fullmatch(r"http://\[::1\]:\d+/v1", server.url)
    assert answer.status_code == 200


def test_it_is_installed_as_fake_xai():
    script = str(Path(sys.executable).with_name("fake-xai"))

    with running(command=(script,)) as server:
        assert ask(server).status_code == 200
        assert server.stop(signal.SIGTERM) == CLEAN


def test_missing_packages_are_said_in_a_line():
    code = "import sys; sys.modules['uvicorn'] = None; from fake_server import cli; cli.main([])"

    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=False
    )

    [line] = ended.stderr.splitlines()
    assert "pip install 'llm-grok-vision[fake]'" in line


@pytest.mark.parametrize("arguments", [["verify", "cassettes"], ["--record", "."]])
def test_recordings_name_the_extra_that_they_need(arguments):
    code = (
        "import sys; sys.modules['vcr'] = None; sys.modules['vcr.persisters.filesystem'] = None\n"
        "from fake_server.cli import main\n"
        f"sys.exit(main({arguments!r}))"
    )

    ended = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )

    assert ended.returncode == 1
    assert "pip install 'llm-grok-vision[record]'" in ended.stderr
    assert "Traceback" not in ended.stderr


needs_proc = pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="memory is read as Linux has it"
)


def resident(server: Running) -> int:
    """Read how many KB of memory a server has."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(re.findall(r"^VmRSS:\s*(\d+)", status, re.MULTILINE)[0])


def grown_by(server: Running, before: int, most: int) -> int:
    """Give by how many KB a server has grown, when it is below the most, or in ten seconds."""
    until = time.monotonic() + 10
    while resident(server) - before >= most and time.monotonic() < until:
        time.sleep(0.05)
    return resident(server) - before


@needs_proc
@pytest.mark.parametrize("detail", ["auto", "none"], ids=["answered", "refused"])
def test_large_images_leave_their_memory(detail):
    with running("--keep-images", "0") as server, client() as one:
        one.post(f"{server.url}/chat/completions", json=body()).raise_for_status()
        before = resident(server)
        for size in range(6_000_000, 6_000_006):
            asked = body(image(data_url(png_of_bytes(size)), detail=detail))
            one.post(f"{server.url}/chat/completions", json=asked)

        # The last one is let go of just after its answer.
        assert grown_by(server, before, 8 * 1024) < 8 * 1024


@needs_proc
def test_files_that_are_forgotten_leave_their_memory():
    with running() as server, client() as one:
        before = resident(server)
        for name in "abcdef":
            upload = {"file": (name, bytes(6_000_000))}
            one.post(f"{server.url}/files", files=upload).raise_for_status()
        # What uploads give back, they have given back by then.
        time.sleep(0.3)
        one.post(f"{server.url.removesuffix('/v1')}/_fake/reset").raise_for_status()

        assert grown_by(server, before, 8 * 1024) < 8 * 1024


def test_it_starts_without_what_few_need():
    look = "import sys, fake_server.cli, fake_server.server; print(*sys.modules)"

    told = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)

    few_need = {"httpx2", "jinja2", "python_multipart", "redis", "vcr", "xai_sdk", "yaml"}
    assert few_need & {*told.stdout.split()} == set()
