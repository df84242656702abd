"""A long stream, from the fake to what a user sees: time for each chunk, and until the first.

    .venv/bin/python benchmarks/streaming.py [ROUNDS]

Reading: 10,000 chunks of the fake, read through LLM with this plugin, through LLM's own OpenAI model,
by the openai package, and by httpx2 with a JSON decoder, which is the least that anybody does; CPU time of the
reader for each chunk. Sending: how soon the first event comes, and how many a second, from the fake and
from aimock, to a bare socket; and whether each event is a segment of its own.
"""

import json
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

PEERS = Path(__file__).parents[1] / ".bench"
COUNT = 10_000
WORDS = "word " * COUNT
# What is asked for the long answer.
LONG = "At length"
READERS = {
    "llm-grok-vision": """
import llm
response = llm.get_model("xai/grok-4").prompt("At length", key="any", stream=True)
chunks = (chunk for chunk in response)
""",
    "LLM's OpenAI model": """
import llm
response = llm.get_model("peer").prompt("At length", key="any", stream=True)
chunks = (chunk for chunk in response)
""",
    "openai package": """
import openai
asked = {"model": "grok-4", "messages": [{"role": "user", "content": "At length"}]}
stream = openai.OpenAI().chat.completions.create(**asked, stream=True)
chunks = (chunk.choices[0].delta.content for chunk in stream if chunk.choices)
""",
    "httpx2 and json alone": """
import json, os, httpx2
asked = {"model": "grok-4", "messages": [{"role": "user", "content": "At length"}], "stream": True}
def read():
    url = os.environ["XAI_API_BASE"] + "/chat/completions"
    headers = {"authorization": "Bearer any"}
    with httpx2.stream("POST", url, json=asked, headers=headers) as answer:
        for line in answer.iter_lines():
            if line.startswith("data: {"):
                choices = json.loads(line[6:])["choices"]
                yield choices[0]["delta"].get("content") if choices else None
chunks = read()
""",
}
COUNTING = """
import time
next(chunks)
start = time.process_time()
count = sum(1 for _ in chunks)
print((time.process_time() - start) / count * 1e6)
"""


def request(port: int, words: str) -> bytes:
    """Write a question whose answer is streamed."""
    asked = {"model": "grok-4", "messages": [{"role": "user", "content": words}], "stream": True}
    body = json.dumps(asked).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\n"
    head += "authorization: Bearer any\r\ncontent-type: application/json\r\n"
    return f"{head}content-length: {len(body)}\r\n\r\n".encode() + body


def pieces(port: int, words: str) -> Iterator[bytes]:
    """Ask, and give what each read of the socket gives, until the end of the stream."""
    with socket.create_connection(("127.0.0.1", port)) as line:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        line.sendall(request(port, words))
        end = b""
        while b"[DONE]" not in end:
            piece = line.recv(65536)
            end = (end + piece)[-100:]
            yield piece


def first(port: int) -> float:
    """Give the ms until the first event."""
    began = time.perf_counter()
    for piece in pieces(port, "Hi"):
        if b"data: " in piece:
            return 1000 * (time.perf_counter() - began)
    raise SystemExit("there was no event")


def rate(port: int) -> tuple[float, float]:
    """Give the events a second, and how many came in one read of the socket."""
    began = time.perf_counter()
    reads = [piece.count(b"data: ") for piece in pieces(port, LONG)]
    took = time.perf_counter() - began
    filled = [count for count in reads if count]
    return sum(filled) / took, sum(filled) / len(filled)


def started(command: Callable[[int], list[str]]) -> tuple["subprocess.Popen[bytes]", int]:
    """Start a server, and wait until it listens."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    process = subprocess.Popen(command(port), stdout=subprocess.DEVNULL)
    until = time.monotonic() + 20
    while time.monotonic() < until:
        with socket.socket() as line:
            if line.connect_ex(("127.0.0.1", port)) == 0:
                return process, port
        time.sleep(0.05)
    raise SystemExit(f"{command(port)} does not start")


def servers(folder: Path) -> dict[str, Callable[[int], list[str]]]:
    """Give the command of each server for a port."""
    scenario, fixtures = folder / "scenario.yaml", folder / "fixtures.json"
    long_rule = f"  - when: {{text: {LONG}}}\n    reply: {WORDS!r}\n"
    scenario.write_text(f"rules:\n{long_rule}  - reply: hello friend\n")
    long = {"match": {"userMessage": LONG}, "response": {"content": WORDS}, "chunkSize": 5}
    short = {"match": {}, "response": {"content": "hello friend"}, "chunkSize": 5}
    fixtures.write_text(json.dumps({"fixtures": [long, short]}))
    python, aimock = sys.executable, PEERS / "node_modules/.bin/llmock"
    ours = [python, "-m", "fake_server", "--scenario", str(scenario), "--port"]
    found: dict[str, Callable[[int], list[str]]] = {"fake_server": lambda port: [*ours, str(port)]}
    if aimock.exists():
        quiet = ["--log-level", "silent", "-f", str(fixtures)]
        found["aimock"] = lambda port: [str(aimock), "-p", str(port), *quiet]
    return found


def reading(port: int, folder: Path, rounds: int) -> None:
    """Print a row a reader."""
    url = f"http://127.0.0.1:{port}/v1"
    (folder / "extra-openai-models.yaml").write_text(
        f"- model_id: peer\n  model_name: grok-4\n  api_base: {url}\n"
    )
    environment = {"LLM_USER_PATH": str(folder), "XAI_API_BASE": url}
    environment |= {"OPENAI_BASE_URL": url, "OPENAI_API_KEY": "any"}
    print("| reader | CPU for a chunk, µs |\n| --- | --- |")
    took: dict[str, list[float]] = {reader: [] for reader in READERS}
    for _ in range(rounds):
        for reader, program in READERS.items():
            command = [sys.executable, "-c", program + COUNTING]
            took[reader].append(float(subprocess.check_output(command, env=environment)))
    for reader, figures in took.items():
        print(f"| {reader} | {min(figures):.0f} |")


def main() -> None:
    """Print two tables."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    with tempfile.TemporaryDirectory() as name:
        running = {server: started(of) for server, of in servers(Path(name)).items()}
        try:
            reading(running["fake_server"][1], Path(name), rounds)
            print("\n| server | first event, ms | events a second | in one read |")
            print("| --- | --- | --- | --- |")
            for server, (_, port) in running.items():
                soon = statistics.median(first(port) for _ in range(20 * rounds))
                rates = [rate(port) for _ in range(rounds)]
                many, together = (statistics.median(column) for column in zip(*rates, strict=True))
                print(f"| {server} | {soon:.2f} | {many:,.0f} | {together:.1f} |")
        finally:
            for process, _ in running.values():
                process.kill()
                process.wait()


if __name__ == "__main__":
    main()
