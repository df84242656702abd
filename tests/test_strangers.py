"""The clients that people have, against the fake: one table, and what each of them shows.

The clients for Node need a Node of this machine and what `make test` installs for it.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fake_server import FakeServer
from fake_server.journal import LoggedImage
from tests.pictures import picture
from tests.strangers import KEY, LINK

HERE = Path(__file__).parent
NODE = shutil.which("node")
FOR_PYTHON = ("openai", "xai-sdk", "langchain-xai", "pydantic-ai")
FOR_NODE = ("openai", "openai-4", "ai", "ai-6")
IDS = [*(f"{name}-python" for name in FOR_PYTHON), *(f"{name}-node" for name in FOR_NODE)]

# Who does not say how many tokens the images were: /v1/responses has no word for them, and
# some clients keep that to themselves.
SILENT = {"ai-node", "pydantic-ai-python"}
SILENT_IN_STREAMS = {"langchain-xai-python"}

Told = dict[str, Any]


class Stranger:
    """A client in a process of its own."""

    def __init__(self, name: str, process: "subprocess.Popen[str]") -> None:
        self.name, self._process = name, process

    def ask(self, case: str) -> Told:
        """Have it do one case."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{case}\n")
        self._process.stdin.flush()
        told: Told = json.loads(self._process.stdout.readline())
        return told


@pytest.fixture(scope="module")
def keyed() -> Iterator[FakeServer]:
    """A server with one good key."""
    with FakeServer(api_key=KEY) as server:
        yield server


@pytest.fixture
def server(keyed: FakeServer) -> FakeServer:
    """Forget what was asked before."""
    keyed.clear()
    return keyed


@pytest.fixture(scope="module")
def stranger(
    request: pytest.FixtureRequest, keyed: FakeServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stranger]:
    """Start a client in a folder with the pictures that cases speak of."""
    name, _, language = request.param.rpartition("-")
    if language == "node" and NODE is None:
        pytest.skip("there is no Node on this machine")
    if name == "pydantic-ai" and sys.version_info < (3, 11):
        pytest.skip("pydantic-ai is not for Python 3.10")
    script = HERE / "node" / "strangers.mjs" if language == "node" else HERE / "strangers.py"
    folder = tmp_path_factory.mktemp("pictures")
    (folder / "photo.png").write_bytes(picture(449, 448))
    (folder / "dot.png").write_bytes(picture(1, 1))
    with subprocess.Popen(
        [NODE or "" if language == "node" else sys.executable, str(script), name, keyed.url],
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            yield Stranger(request.param, process)
        finally:
            process.kill()


PHOTO = "PNG, 449x448 pixels, 665 bytes, detail {}"
CAT = "PNG, 800x600 pixels, 2,772 bytes, detail high, 4 tiles, 1280 tokens (a placeholder for {})"
SEEN = "The fake server saw {}."

# A case, the parts that the server sees, and what the client tells: text and image tokens.
ANSWERED = [
    pytest.param("text", ["Hello"], (SEEN.format("no image"), 0), id="text"),
    pytest.param(
        "address",
        [(LINK, "high"), "What's in this image?"],
        (f"{SEEN.format('1 image')} Image 1: {CAT.format(LINK)}.", 1280),
        id="documented-address",
    ),
    pytest.param(
        "inline",
        [("", "high"), "What's in this image?"],
        (f"{SEEN.format('1 image')} Image 1: {PHOTO.format('high')}, 2 tiles, 768 tokens.", 768),
        id="documented-base64",
    ),
    pytest.param(
        "interleaved",
        [("", "low"), "A", (LINK, "high"), "B"],
        (
            (
                f"{SEEN.format('2 images')} Image 1: {PHOTO.format('low')}, 0 tiles, 256 tokens."
                f" Image 2: {CAT.format(LINK)}."
            ),
            1536,
        ),
        id="documented-several",
    ),
    pytest.param(
        "stream",
        [("", "auto")],
        (f"{SEEN.format('1 image')} Image 1: {PHOTO.format('auto')}, 2 tiles, 768 tokens.", 768),
        id="documented-stream",
    ),
    pytest.param("schema", ["A boat"], ('{"name":"text","masts":1}', 0), id="schema"),
]

FINISHED = {"stop": ("stop", "REASON_STOP"), "tool": ("tool_calls", "tool-calls", "tool_call")}


@pytest.mark.parametrize("stranger", IDS, indirect=True)
@pytest.mark.parametrize(("case", "parts", "answer"), ANSWERED)
def test_a_client_is_answered(
    stranger: Stranger, server: FakeServer, case: str, parts: list[Any], answer: tuple[str, int]
):
    text, tokens = answer
    told = stranger.ask(case)

    (request,) = server.requests
    seen = [(one.url, one.detail) if isinstance(one, LoggedImage) else one for one in request.parts]
    silent = stranger.name in SILENT or (case == "stream" and stranger.name in SILENT_IN_STREAMS)
    assert told.get("message", "") == ""
    assert (told["text"], told["image_tokens"]) == (text, None if silent else tokens)
    assert told["finish"] in FINISHED["stop"]
    assert seen == parts
    assert request.key == KEY


@pytest.mark.parametrize("stranger", IDS, indirect=True)
def test_a_client_is_asked_to_call_a_tool(stranger: Stranger, server: FakeServer):
    told = stranger.ask("tool")

    assert told.get("calls") == [["tide", {"place": "text"}]], told
    assert told["finish"] in (*FINISHED["tool"], "REASON_TOOL_CALLS")
    assert server.requests[0].tools == ["tide"]


@pytest.mark.parametrize("stranger", ["ai-node"], indirect=True)
def test_a_client_uploads_an_image_and_asks_about_it(stranger: Stranger):
    assert stranger.ask("file") == {
        "text": f"{SEEN.format('1 image')} Image 1: {PHOTO.format('auto')}, 2 tiles, 768 tokens.",
        "stays": 3600,
        "deleted": True,
    }


@pytest.mark.parametrize("stranger", ["ai-node"], indirect=True)
def test_a_client_makes_a_batch_of_a_file_and_reads_its_results(stranger: Stranger):
    seen = f"{SEEN.format('1 image')} Image 1: {PHOTO.format('auto')}, 2 tiles, 768 tokens."

    assert stranger.ask("batch") == {
        "begun": "pending",
        "status": "completed",
        "counts": {"total": 2, "pending": 0, "completed": 2, "failed": 0},
        "texts": {"a": seen, "b": seen},
    }


@pytest.mark.parametrize("stranger", ["ai-node"], indirect=True)
def test_a_client_learns_later_that_a_batch_of_a_file_is_refused(stranger: Stranger):
    """OBSERVED 2026-08-04 in raif #525."""
    assert stranger.ask("refused-batch") == {
        "begun": "pending",
        "status": "failed",
        "error": "JSONL file validation failed: Model grok-4.5 is not supported for batch processing.",
    }


# A case; the statuses over chat completions, responses and gRPC, and the kind of exception of
# the clients that have kinds; the words.
RAISED = [
    pytest.param(
        "bad-key",
        (400, 400, "UNAUTHENTICATED", "BadRequestError"),
        "Incorrect API key provided.",
        id="observed-bad-key",
    ),
    pytest.param(
        "unknown-model",
        (404, 400, "NOT_FOUND", "NotFoundError"),
        "grok-5",
        id="observed-unknown-model",
    ),
    pytest.param(
        "bad-image",
        (400, 400, "INVALID_ARGUMENT", "BadRequestError"),
        "Image dimensions 1x1 are too small.",
        id="observed-bad-image",
    ),
    pytest.param(
        "failing",
        (429, 429, "RESOURCE_EXHAUSTED", "RateLimitError"),
        "Too many tokens for team",
        id="observed-rate-limit",
    ),
]

# What the exceptions of each client are called; where there is "" the same one for all.
KINDS = {
    "openai-python": "{}",
    "openai-node": "{}",
    "openai-4-node": "{}",
    "langchain-xai-python": "{}",
    "xai-sdk-python": "_InactiveRpcError",
    "pydantic-ai-python": "ModelHTTPError",
    "ai-node": "APICallError",
    "ai-6-node": "APICallError",
}

# They show the status alone: the words are in the exception's `body`.
WORDLESS = {"openai-python", "langchain-xai-python"}


@pytest.mark.parametrize("stranger", IDS, indirect=True)
@pytest.mark.parametrize(("case", "statuses", "words"), RAISED)
def test_a_client_raises_what_is_its_own_for_it(
    stranger: Stranger, server: FakeServer, case: str, statuses: Any, words: str
):
    if case == "failing":
        server.fail(429)

    told = stranger.ask(case)

    *by_protocol, kind = statuses
    status = by_protocol[{"ai-node": 1, "xai-sdk-python": 2}.get(stranger.name, 0)]
    assert KINDS[stranger.name].format(kind) in told.get("kinds", [told.get("kind")]), told
    assert told["status"] == status
    assert words in told["message"] or stranger.name in WORDLESS
    # A mistake is not tried again, nor a rate limit by a client that was told not to.
    assert len(server.requests) == 1
    assert words in server.requests[0].error
