"""How what the fake does grows: with the size of a request, with its images, with the journal.

    .venv/bin/python benchmarks/growth.py [ROUNDS]

Each request goes to a fake that listens, over one connection. "decoding alone" is the fake's own server
stack with nothing on it but reading the body, JSON and base64, by the libraries that the fake uses; it is measured
as it is, and keeping memory between large requests as the fake does.
"""

import base64
import http.client
import json
import statistics
import subprocess
import sys
import time
from typing import Any

from fake import png

DECODING = """
import asyncio, sys
import msgspec, pybase64
from fake_server.delivery import read_body
from fake_server.listening import listener, listening

async def app(scope, receive, send):
    body = await read_body(receive, 2**30)
    asked = msgspec.json.decode(body)
    for part in asked["messages"][0]["content"]:
        pybase64.b64decode(part["image_url"]["url"].partition(",")[2], validate=True)
    headers = [(b"content-type", b"application/json"), (b"content-length", b"2")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"{}"})

async def main():
    app.app = type("App", (), {"answering": 0})
    with listener("127.0.0.1", 0) as socket:
        async with listening(app, socket, 0):
            print(f"http://127.0.0.1:{socket.getsockname()[1]}/v1", flush=True)
            await asyncio.Event().wait()

asyncio.run(main())
"""
KEEPING = """
from types import SimpleNamespace
from fake_server.process import settle
settle(SimpleNamespace(app=SimpleNamespace()))
"""
FAKE = [sys.executable, "-m", "fake_server"]
ALONE = [sys.executable, "-c", DECODING]
ALONE_KEEPING = [sys.executable, "-c", KEEPING + DECODING]
MIB = 1024**2


class Server:
    """A server that runs, and a connection to it."""

    def __init__(self, command: list[str]) -> None:
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None  # noqa: S101 (a pipe was asked for)
        address = self.process.stdout.readline().split("/")[2]
        self.line = http.client.HTTPConnection(address)
        self.line.connect()

    def took(self, body: bytes) -> float:
        """Ask, and give the ms until the answer."""
        headers = {"content-type": "application/json", "authorization": "Bearer any"}
        began = time.perf_counter()
        self.line.request("POST", "/v1/chat/completions", body, headers)
        answer = self.line.getresponse()
        answer.read()
        if answer.status != 200:
            raise SystemExit(f"{answer.status}")
        return 1000 * (time.perf_counter() - began)

    def stop(self) -> None:
        """End it."""
        self.line.close()
        self.process.kill()
        self.process.wait()


def question(images: list[bytes]) -> bytes:
    """Write a chat about images."""
    urls = [f"data:image/png;base64,{base64.b64encode(image).decode()}" for image in images]
    content: list[dict[str, Any]] = [
        {"type": "image_url", "image_url": {"url": url}} for url in urls
    ]
    return json.dumps(
        {"model": "grok-4", "messages": [{"role": "user", "content": content}]}
    ).encode()


def main() -> None:
    """Print three tables."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    servers = [Server(command) for command in (FAKE, ALONE, ALONE_KEEPING)]
    fake = servers[0]
    print(
        "| an image of, MiB | fake_server, ms | the same again, ms"
        " | decoding alone, ms | ratio | keeping memory, ms | ratio |"
    )
    print("| --- " * 7 + "|")
    for size in (1, 2, 5, 10, 20):
        image = png(size * MIB - 60_000)
        # No two are alike: one that came before is not hashed anew.
        bodies = [question([image + b"%d" % number]) for number in range(rounds)]
        # One server after the other, as somebody sends who has many images.
        one, *others = (statistics.median(map(server.took, bodies)) for server in servers)
        again = statistics.median(fake.took(bodies[-1]) for _ in range(rounds))
        shown = " | ".join(f"{other:.1f} | {one / other:.2f}" for other in others)
        print(f"| {size} | {one:.1f} | {again:.1f} | {shown} |")
    small = png(2_000)
    print("\n| images of 2 KB | fake_server, ms | for each, ms |\n| --- | --- | --- |")
    for count in (10, 100, 1000):
        middle = statistics.median(fake.took(question([small] * count)) for _ in range(rounds))
        print(f"| {count} | {middle:.1f} | {middle / count:.3f} |")
    print("\n| requests before | the next 1,000, each, ms |\n| --- | --- |")
    chat = json.dumps({"model": "grok-4", "messages": [{"role": "user", "content": "Hi"}]}).encode()
    asked = 0
    for wanted in (1_000, 10_000, 100_000):
        while asked < wanted:
            fake.took(chat)
            asked += 1
        middle = statistics.median(fake.took(chat) for _ in range(1_000))
        asked += 1_000
        print(f"| {wanted:,} | {middle:.3f} |")
    for server in servers:
        server.stop()


if __name__ == "__main__":
    main()
