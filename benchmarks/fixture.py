"""What the fixture costs a test run: session, reset, and a run that does not use it.

    .venv/bin/python benchmarks/fixture.py [RUNS]

In one process: start and stop of a server, and forgetting everything between two tests, beside
pytest-httpserver. As whole processes: a run of pytest with one empty test, with the plugin and without.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from pytest_httpserver import HTTPServer

from fake_server import FakeServer


def in_ms(work: Callable[[], object], times: int) -> float:
    """Do something some times, and give the median in ms."""
    took = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        took.append(1000 * (time.perf_counter() - began))
    return statistics.median(took)


def start_and_stop(kind: Callable[[], FakeServer | HTTPServer]) -> None:
    """Start a server, and stop it."""
    with kind():
        pass


def cpu(options: list[str], folder: str) -> float:
    """Give the CPU time in ms of a run of pytest with one empty test."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options, folder]
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=environment)
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise SystemExit("pytest failed")
    return 1000 * (used.ru_utime + used.ru_stime)


def main() -> None:
    """Print two tables."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 21
    print("| server | start and stop, ms | reset, ms |\n| --- | --- | --- |")
    with FakeServer() as fake, HTTPServer() as peer:
        fake_row = in_ms(lambda: start_and_stop(FakeServer), runs), in_ms(fake.clear, 10 * runs)
        peer_row = in_ms(lambda: start_and_stop(HTTPServer), runs), in_ms(peer.clear, 10 * runs)
    for name, (session, reset) in {"grok_server": fake_row, "pytest-httpserver": peer_row}.items():
        print(f"| {name} | {session:.1f} | {reset:.3f} |")
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "test_nothing.py").write_text("def test_nothing():\n    pass\n")
        pairs = [
            (cpu([], folder), cpu(["-p", "fake_server.pytest_plugin"], folder)) for _ in range(runs)
        ]
    without, with_plugin = (min(column) for column in zip(*pairs, strict=True))
    print("\n| a run of pytest that uses no fixture | CPU, ms |\n| --- | --- |")
    print(f"| without the plugin | {without:.0f} |\n| with it | {with_plugin:.0f} |")


if __name__ == "__main__":
    main()
