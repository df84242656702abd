"""What large images cost on their way out: memory, CPU and wall, against those who send them too.

    .venv/bin/python benchmarks/large_images.py [RUNS]

Each run is a process of its own, in turns, against one fake server. Counted is what the same
command takes more with images than without any, in the middle of all runs. The peers are LLM's own
OpenAI model and the openai package, which build the request in memory.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from operator import sub
from pathlib import Path
from statistics import median
from typing import NamedTuple

from PIL import Image

PYTHON = """
import llm, sys
attachments = [llm.Attachment(path=path) for path in sys.argv[1:]]
llm.get_model("xai/grok-4").prompt("Hi", attachments=attachments, stream=False).text()
"""
LLM = str(Path(sys.executable).with_name("llm"))
OPENAI = """
import base64, openai, sys
parts = [{"type": "text", "text": "Hi"}]
for path in sys.argv[1:]:
    with open(path, "rb") as file:
        data = base64.b64encode(file.read()).decode()
    parts.append({"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}})
messages = [{"role": "user", "content": parts}]
openai.OpenAI().chat.completions.create(model="grok-4", messages=messages)
"""


NONE = "none"


class Cost(NamedTuple):
    """What a process took: peak memory in MB, CPU and wall in seconds."""

    memory: float
    cpu: float
    wall: float


def noise(path: Path, size: int) -> None:
    """Write a PNG of about so many bytes that nothing makes smaller."""
    side = int((size / 3) ** 0.5)
    Image.frombytes("RGB", (side, side), os.urandom(side * side * 3)).save(path)


def measure(command: list[str], environment: dict[str, str]) -> Cost:
    """Run a command to its end."""
    began = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{command[:4]} failed")
    wall = time.perf_counter() - began
    return Cost(used.ru_maxrss / 1024, used.ru_utime + used.ru_stime, wall)


def commands(images: list[str]) -> dict[str, list[str]]:
    """Give the command of each, with these images."""
    attached = [word for path in images for word in ("-a", path)]
    return {
        "llm-grok-vision": [LLM, "-m", "xai/grok-4", "--no-log", "--no-stream", "Hi", *attached],
        "llm-grok-vision, from Python": [sys.executable, "-c", PYTHON, *images],
        "LLM's OpenAI model": [LLM, "-m", "peer", "--no-log", "--no-stream", "Hi", *attached],
        "openai package": [sys.executable, "-c", OPENAI, *images],
    }


def more(costs: list[Cost], plain: list[Cost]) -> Cost:
    """Give what one took more than another, in the middle of all runs."""
    pairs = [Cost(*map(sub, one, other)) for one, other in zip(costs, plain, strict=True)]
    return Cost(*map(median, zip(*pairs, strict=True)))


def main() -> None:
    """Print a table of each peer and each load."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        noise(folder / "large.png", 20_900_000)
        noise(folder / "small.png", 200_000)
        loads = {
            NONE: [],
            "one of 20 MiB": [str(folder / "large.png")],
            "100 of 200 KiB": [str(folder / "small.png")] * 100,
        }
        serve = [sys.executable, "-m", "fake_server"]
        with subprocess.Popen(serve, stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout is not None  # noqa: S101 (a pipe was asked for)
            url = server.stdout.readline().strip()
            (folder / "extra-openai-models.yaml").write_text(
                f"- model_id: peer\n  model_name: grok-4\n  api_base: {url}\n"
                "  vision: true\n  can_stream: false\n"
            )
            environment = {
                **os.environ,
                "LLM_USER_PATH": name,
                "XAI_API_KEY": "any",
                "XAI_API_BASE": url,
                "OPENAI_API_KEY": "any",
                "OPENAI_BASE_URL": url,
            }
            costs: dict[tuple[str, str], list[Cost]] = defaultdict(list)
            for _ in range(runs):
                for load, images in loads.items():
                    for peer, command in commands(images).items():
                        costs[load, peer].append(measure(command, environment))
            server.terminate()
    print("| images | sent by | memory, MB | CPU, s | wall, s |\n| --- | --- | --- | --- | --- |")
    for (load, peer), measured in costs.items():
        if load != NONE:
            cost = more(measured, costs[NONE, peer])
            print(f"| {load} | {peer} | {cost.memory:.1f} | {cost.cpu:.2f} | {cost.wall:.2f} |")


if __name__ == "__main__":
    main()
