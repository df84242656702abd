"""What the tests of `llm grok-vision describe` do again and again."""

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from click.testing import Result

from fake_server import FakeServer
from fake_server.journal import LoggedRequest
from tests.prompting import run_llm

# The first picture of the gallery is so wide, the next a pixel more.
FIRST_WIDTH = 16

COMMAND = ("grok-vision", "describe")


def describe(*args: object) -> Result:
    """Run the command in this process."""
    return run_llm(*COMMAND, *args)


@contextmanager
def describing(*args: str, **options: Any) -> Iterator["subprocess.Popen[bytes]"]:
    """Run the command as a process of its own, as long as the context lasts."""
    command = [str(Path(sys.executable).with_name("llm")), *COMMAND, *args]
    pipe = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    with subprocess.Popen(command, **pipe) as process:
        try:
            yield process
        finally:
            process.kill()


def peak_memory(*args: str) -> int:
    """Run the command as a process of its own; give the most memory that it took, in KiB."""
    # A small process in between: the peak of a child begins with the size of its parent.
    measure = (
        "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True);"
        " print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    llm = str(Path(sys.executable).with_name("llm"))
    command = [sys.executable, "-c", measure, llm, *COMMAND, *args]
    done = subprocess.run(command, capture_output=True, check=True)
    return int(done.stdout.splitlines()[-1])


def wait_for_rows(path: str, count: int, process: "subprocess.Popen[bytes]") -> None:
    """Wait until an output has so many lines; an assertion fails if the run ends before."""
    while not Path(path).exists() or Path(path).read_bytes().count(b"\n") < count:
        assert process.poll() is None
        time.sleep(0.01)


def rows(path: str) -> list[dict[str, Any]]:
    """Read the rows of an output of JSON lines."""
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


def images(path: str) -> list[str]:
    """Name the images of an output, sorted."""
    return sorted(row["image"] for row in rows(path))


def times_asked(server: FakeServer) -> Counter[str]:
    """Count how often the server was asked about each picture of the gallery."""
    return Counter(
        f"photos/{image.width - FIRST_WIDTH:03}.png"
        for request in server.requests
        for image in request.images
    )


def batch(word: str, *args: object) -> Result:
    """Run the command with --batch in this process."""
    return describe("--batch", word, *args)


def submit(*args: object, output: str = "out.jsonl") -> Result:
    """Submit a question, and see that it went well."""
    result = batch("submit", *args, "--output", output)
    assert result.exit_code == 0, result.output
    return result


def results(output: str = "out.jsonl", *args: object) -> Result:
    """Fetch what is done."""
    return batch("results", "--output", output, *args)


def answered(server: FakeServer) -> list[LoggedRequest]:
    """Give the requests of batches that the server answered."""
    return [request for request in server.requests if request.batch_request_id]
