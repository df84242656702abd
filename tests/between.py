"""A proxy between a client and the fake, which loses, holds back or replaces answers."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

import httpx2
import pytest

from fake_server import FakeServer


@dataclass(frozen=True)
class Fault:
    """What happens to a request: it is not passed on, or its answer is not, or is another.

    "cut" breaks the connection, "hang" leaves the client waiting; a status is answered.
    """

    what: Literal["cut", "hang"] | int
    arrives: bool = False
    body: Any = None


@dataclass(frozen=True)
class Passed:
    """A request that a client sent."""

    method: str
    path: str
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Between(ThreadingHTTPServer):
    """Passes requests on; `faults` are those of the next POSTs of requests to a batch."""

    daemon_threads = True

    def __init__(self, server: FakeServer) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.origin = server.url.removesuffix("/v1")
        self.faults: list[Fault | None] = []
        self.passed: list[Passed] = []
        # Whether asking for the requests of a batch breaks the connection.
        self.lists_fail = False
        self.hanging, self.closing = threading.Event(), threading.Event()

    @property
    def parcels(self) -> list[Passed]:
        """The POSTs of requests to batches."""
        return [one for one in self.passed if one.method == "POST" and "/requests" in one.path]

    def handle_error(self, *args: Any) -> None:
        """Say nothing: clients that are killed hang up."""


class _Handler(BaseHTTPRequestHandler):
    server: Between

    def do_GET(self) -> None:
        self._pass_on("GET")

    def do_POST(self) -> None:
        self._pass_on("POST")

    def _pass_on(self, method: str) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        self.server.passed.append(Passed(method, self.path, body))
        is_parcel = method == "POST" and self.path.endswith("/requests")
        fault = self.server.faults.pop(0) if is_parcel and self.server.faults else None
        if self.server.lists_fail and method == "GET" and self.path.endswith("/requests"):
            fault = Fault("cut")
        if fault is None or fault.arrives:
            headers = {"authorization": self.headers["authorization"]}
            if body:
                headers["content-type"] = "application/json"
            answer = httpx2.request(
                method, self.server.origin + self.path, headers=headers, content=body
            )
        if fault is None:
            self._send(answer.status_code, answer.headers["content-type"], answer.content)
        elif fault.what == "hang":
            self.server.hanging.set()
            self.server.closing.wait(30)
        elif fault.what != "cut":
            self._send(fault.what, "application/json", json.dumps(fault.body).encode())

    def _send(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("retry-after", "0")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *message: Any) -> None:
        """Say nothing."""


@contextmanager
def between(server: FakeServer) -> Iterator[Between]:
    """Put a proxy between the plugin and the fake."""
    with Between(server) as proxy, pytest.MonkeyPatch.context() as patch:
        patch.setenv("XAI_API_BASE", f"http://127.0.0.1:{proxy.server_port}/v1")
        thread = threading.Thread(target=proxy.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield proxy
        finally:
            proxy.closing.set()
            proxy.shutdown()
            thread.join()
