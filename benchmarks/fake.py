"""The fake against other fakes: start, rate, latency and memory, in turns on one machine.

    make bench

Every server answers the same chat, without images and with them, to wrk on loopback. Debian has wrk,
and Java for WireMock (default-jre-headless). "bare echo" is the fake's own server stack with nothing on it,
which is the limit. Each figure is the median of some rounds, in which the servers take turns.
"""

import base64
import json
import math
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from fake_server.openapi import document

PEERS = Path(__file__).parents[1] / ".bench"
ECHO = """
import asyncio, sys
from fake_server.listening import listener, listening

async def app(scope, receive, send):
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body[:600]})

async def main():
    app.app = type("App", (), {"answering": 0})
    with listener("127.0.0.1", int(sys.argv[1])) as socket:
        async with listening(app, socket, 0):
            await asyncio.Event().wait()

asyncio.run(main())
"""
HTTPSERVER = """
import json, sys, threading
from pytest_httpserver import HTTPServer

answer = {"choices": [{"message": {"content": "hello friend"}}]}
with HTTPServer("127.0.0.1", int(sys.argv[1])) as server:
    server.expect_request("/v1/chat/completions").respond_with_json(answer)
    threading.Event().wait()
"""
SCRIPT = """
wrk.method = "POST"
wrk.headers["content-type"] = "application/json"
wrk.headers["authorization"] = "Bearer any"
wrk.body = io.open("{body}"):read("*a")
"""


class Load(NamedTuple):
    """A request, how many connections send it, and for how many seconds."""

    name: str
    image_bytes: int
    connections: int
    seconds: int = 2


LOADS = (
    Load("small", 0, 1),
    Load("small", 0, 16),
    Load("image of 50 KB", 50_000, 1),
    Load("image of 2 MiB", 2 * 1024**2, 1),
)


def servers(folder: Path) -> dict[str, Callable[[int], list[str]]]:
    """Give the command of each server for a port; peers that are not installed are left out."""
    fixtures, replies = folder / "fixtures.json", folder / "replies.yml"
    fixtures.write_text('{"fixtures": [{"match": {}, "response": {"content": "hello friend"}}]}')
    replies.write_text('responses: {"Hello there": "hello friend"}\n')
    python, peers = sys.executable, str(PEERS / "bin" / "python")
    aimock, mockllm = PEERS / "node_modules/.bin/llmock", PEERS / "bin" / "mockllm"
    serve = [python, "-m", "fake_server", "--port"]
    found: dict[str, Callable[[int], list[str]]] = {
        "fake_server": lambda port: [*serve, str(port)],
        "fake_server --workers 2": lambda port: [*serve, str(port), "--workers", "2"],
        "bare echo": lambda port: [python, "-c", ECHO, str(port)],
    }
    if aimock.exists():
        quiet = ["--log-level", "silent"]
        found["aimock"] = lambda port: [str(aimock), "-p", str(port), "-f", str(fixtures), *quiet]
    if mockllm.exists():
        start = [str(mockllm), "start", "-r", str(replies)]
        found["mockllm"] = lambda port: [*start, "--port", str(port)]
        found["pytest-httpserver"] = lambda port: [peers, "-c", HTTPSERVER, str(port)]
    return found | others(folder)


def others(folder: Path) -> dict[str, Callable[[int], list[str]]]:
    """Give the commands of prism, by the fake's own description of the API, and of WireMock."""
    description, mappings = folder / "openapi.json", folder / "mappings"
    description.write_bytes(msgspec.json.encode(document()))
    mappings.mkdir()
    answer = {"choices": [{"message": {"content": "hello friend"}}]}
    request = {"method": "POST", "urlPath": "/v1/chat/completions"}
    mapping = {"request": request, "response": {"status": 200, "jsonBody": answer}}
    (mappings / "chat.json").write_text(json.dumps(mapping))
    prism, wiremock = PEERS / "node_modules/.bin/prism", PEERS / "node_modules/wiremock/build"
    found: dict[str, Callable[[int], list[str]]] = {}
    if prism.exists():
        mock = [str(prism), "mock", "-v", "silent", str(description), "-p"]
        found["prism"] = lambda port: [*mock, str(port)]
    if wiremock.exists() and shutil.which("java"):
        (jar,) = map(str, wiremock.glob("*.jar"))
        run = ["java", "-jar", jar, "--root-dir", str(folder), "--port"]
        found["WireMock"] = lambda port: [*run, str(port)]
    return found


def question(image_bytes: int) -> bytes:
    """Write a chat, with an image of so many bytes if any."""
    content: Any = "Hello there"
    if image_bytes:
        url = f"data:image/png;base64,{base64.b64encode(png(image_bytes)).decode()}"
        content = [{"type": "image_url", "image_url": {"url": url}}]
    messages = [{"role": "user", "content": content}]
    return json.dumps({"model": "grok-4", "messages": messages}).encode()


def png(size: int) -> bytes:
    """Make a PNG of about so many bytes that nothing makes smaller."""
    import io

    from PIL import Image

    side, file = int((size / 3) ** 0.5), io.BytesIO()
    Image.frombytes("RGB", (side, side), os.urandom(side * side * 3)).save(file, "PNG")
    return file.getvalue()


def ask(port: int, body: bytes) -> int:
    """Ask once, and give the status."""
    headers = {"content-type": "application/json", "authorization": "Bearer any"}
    url = f"http://127.0.0.1:{port}/v1/chat/completions"
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=60) as got:
            return int(got.status)
    except OSError as error:
        return int(getattr(error, "code", 0) or 0)


class Server:
    """A server that runs; `cold` is how long it took until its first answer."""

    def __init__(self, command: Callable[[int], list[str]]) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.port = listener.getsockname()[1]
        began = time.perf_counter()
        null = subprocess.DEVNULL
        self.process = subprocess.Popen(
            command(self.port), stdout=null, stderr=null, start_new_session=True
        )
        while ask(self.port, question(0)) != 200:
            time.sleep(0.005)
        self.cold = time.perf_counter() - began

    def load(self, load: Load, script: Path) -> tuple[float, float]:
        """Send a load, and give requests a second and the latency of 99 %, in ms."""
        url = f"http://127.0.0.1:{self.port}/v1/chat/completions"
        command = ["wrk", "-t1", f"-c{load.connections}", f"-d{load.seconds}", "--latency"]
        told = subprocess.run(
            [*command, "-s", str(script), url], capture_output=True, text=True, check=True
        ).stdout
        if "Non-2xx" in told or "Socket errors" in told:
            return float("nan"), float("nan")
        rate = float(re.findall(r"Requests/sec:\s+([\d.]+)", told)[0])
        value, unit = re.findall(r"99%\s+([\d.]+)(us|ms|s)", told)[0]
        return rate, float(value) * {"us": 0.001, "ms": 1, "s": 1000}[unit]

    def memory(self) -> float:
        """Give the resident memory in MB, that of processes below it too."""
        own = {self.process.pid}
        for path in Path("/proc").glob("[0-9]*/stat"):
            fields = path.read_text().rpartition(")")[2].split()
            if int(fields[1]) in own:
                own.add(int(path.parent.name))
        texts = [Path(f"/proc/{pid}/status").read_text() for pid in own]
        return sum(int(re.findall(r"VmRSS:\s+(\d+)", text)[0]) for text in texts) / 1024

    def stop(self) -> None:
        """End it, and what it started."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def main() -> None:
    """Print a table with a row a server."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        scripts = {}
        for load in LOADS:
            body = folder / f"{load.image_bytes}.json"
            body.write_bytes(question(load.image_bytes))
            scripts[load] = folder / f"{load.image_bytes}.lua"
            scripts[load].write_text(SCRIPT.format(body=body))
        found = servers(folder)
        figures: dict[str, list[list[float]]] = {server: [] for server in found}
        for _ in range(rounds):
            for server, command in found.items():
                running = Server(command)
                row = [running.cold]
                for load in LOADS:
                    row += running.load(load, scripts[load])
                # What stays when all is quiet again.
                time.sleep(0.5)
                figures[server].append([*row, running.memory()])
                running.stop()
    loads = [f"{load.name}, {load.connections}: a second | p99, ms" for load in LOADS]
    print(f"| server | cold, s | {' | '.join(loads)} | MB |")
    print("| --- " * (3 + 2 * len(LOADS)) + "|")
    for server, runs in figures.items():
        middle = [statistics.median(column) for column in zip(*runs, strict=True)]
        shown = [f"{middle[0]:.2f}"]
        for at in range(1, 1 + 2 * len(LOADS), 2):
            rate, latency = middle[at : at + 2]
            shown += ["refused", ""] if math.isnan(rate) else [f"{rate:,.0f}", f"{latency:.1f}"]
        print(f"| {server} | {' | '.join(shown)} | {middle[-1]:.0f} |")


if __name__ == "__main__":
    main()
