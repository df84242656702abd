"""Web servers of this machine: with pictures, and all that can go wrong with them, or with files."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.pictures import picture

PICTURE = picture(449, 448)

# A path, its status, its headers and its body.
PAGES: dict[str, tuple[int, dict[str, str], bytes]] = {
    "/cat.png": (200, {"content-type": "image/png"}, PICTURE),
    "/parameter.png": (200, {"content-type": "Image/PNG; q=1"}, PICTURE),
    "/named-jpeg.png": (200, {"content-type": "image/jpeg"}, PICTURE),
    "/cut.png": (200, {"content-type": "image/png"}, PICTURE[:-1]),
    "/small.png": (200, {"content-type": "image/png"}, picture(1, 1)),
    "/page.html": (200, {"content-type": "text/html"}, b"<html>"),
    "/untyped.png": (200, {}, PICTURE),
    "/bytes.png": (200, {"content-type": "application/octet-stream"}, PICTURE),
    "/no-head.png": (200, {"content-type": "image/png"}, PICTURE),
    "/shy-head.png": (200, {"content-type": "application/octet-stream"}, PICTURE),
    "/people-only.png": (200, {"content-type": "image/png"}, PICTURE),
    "/unknown": (200, {}, bytes(99)),
    "/nothing.png": (200, {}, b""),
    "/animation.png": (200, {"content-type": "image/png"}, picture(64, 64, "GIF")),
    "/paper.pdf": (200, {"content-type": "application/pdf"}, picture(64, 64, "PDF")),
    "/forbidden.png": (403, {"content-type": "image/png"}, PICTURE),
    "/to-cat": (302, {"location": "/cat.png"}, b""),
    "/to-to-to-cat": (301, {"location": "/to-to-cat"}, b""),
    "/to-to-cat": (307, {"location": "/to-cat"}, b""),
    "/to-stranger": (302, {"location": "http://stranger.test/cat.png"}, b""),
    "/to-private": (302, {"location": "http://127.0.0.2/cat.png"}, b""),
    "/to-ftp": (302, {"location": "ftp://127.0.0.1/cat.png"}, b""),
    "/to-nowhere": (302, {}, b""),
    "/loop": (302, {"location": "/loop"}, b""),
}

# Hosts that answer GET and not HEAD.
HEADS = {"/no-head.png": 405, "/shy-head.png": 403}


class Web(ThreadingHTTPServer):
    """Serves PAGES, /slow, /dripping and /endless; `seen` are the headers of each GET, by
    their names in small letters; `asked_for` are verbs and paths; `sent` counts the bytes
    of /endless. /people-only.png is not for xAI.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.seen: list[dict[str, str]] = []
        self.asked_for: list[str] = []
        self.sent = 0
        self.asked, self.closing = threading.Event(), threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Web

    def do_HEAD(self) -> None:
        self.server.asked_for.append(f"HEAD {self.path}")
        status, headers, _ = PAGES.get(self.path, (404, {}, b""))
        self._send(HEADS.get(self.path, status), headers, b"")

    def do_GET(self) -> None:
        self.server.asked_for.append(f"GET {self.path}")
        self.server.seen.append({name.lower(): value for name, value in self.headers.items()})
        self.server.asked.set()
        if self.path == "/slow":
            self.server.closing.wait(30)
            return
        if self.path == "/endless":
            self._send_without_end()
            return
        if self.path == "/dripping":
            self._drip()
            return
        if self.path == "/people-only.png" and "Xai" in self.headers["user-agent"]:
            self._send(403, {}, b"")
            return
        self._send(*PAGES.get(self.path, (404, {}, b"")))

    def _send(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _send_without_end(self) -> None:
        """Send zeros until the other side has had enough, or 200 MiB went out."""
        self.send_response(200)
        self.send_header("content-type", "image/png")
        self.end_headers()
        try:
            while self.server.sent < 200 * 1024**2:
                self.wfile.write(bytes(65536))
                self.server.sent += 65536
        except OSError:
            self.server.closing.set()

    def _drip(self) -> None:
        """Send a byte now and then, until the other side has had enough or 4 seconds went by."""
        self.send_response(200)
        self.end_headers()
        with suppress(OSError):
            for _ in range(200):
                self.server.closing.wait(0.02)
                self.wfile.write(b"\x89")

    def log_message(self, *message: Any) -> None:
        """Say nothing."""


class _Files(SimpleHTTPRequestHandler):
    def log_message(self, *message: Any) -> None:
        """Say nothing."""


@contextmanager
def serving() -> Iterator[Web]:
    """Serve as long as the context lasts."""
    with Web() as web, _running(web):
        try:
            yield web
        finally:
            web.closing.set()


@contextmanager
def serving_folder(folder: Path) -> Iterator[str]:
    """Serve the files of a folder as long as the context lasts; give the address of the folder."""
    handler = partial(_Files, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server, _running(server):
        yield f"http://127.0.0.1:{server.server_port}"


@contextmanager
def _running(server: ThreadingHTTPServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
