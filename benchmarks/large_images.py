"""What large images cost on their way out: memory, CPU and wall, against those who send them too.

    .venv/bin/python benchmarks/large_images.py [RUNS]

Each run is a process of its own, against one fake server. Counted is what the same command
takes more with images than without any; the minimum is the least disturbed. The peers are LLM's own
OpenAI model and the openai package, which build the request in memory.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from PIL import Image

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
        "LLM's OpenAI model": [LLM, "-m", "peer", "--no-log", "--no-stream", "Hi", *attached],
        "openai package": [sys.executable, "-c", OPENAI, *images],
    }


def least(command: list[str], environment: dict[str, str], runs: int) -> Cost:
    """Give the least of each figure over some runs."""
    costs = [measure(command, environment) for _ in range(runs)]
    return Cost(*(min(figures) for figures in zip(*costs, strict=True)))


def main() -> None:
    """Print a table of each peer and each load."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        noise(folder / "large.png", 20_900_000)
        noise(folder / "small.png", 200_000)
        loads = {
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
            print(
                "| images | sent by | memory, MB | CPU, s | wall, s |\n| --- | --- | --- | --- | --- |"
            )
            for load, images in loads.items():
                for peer, command in commands(images).items():
                    plain = least(commands([])[peer], environment, runs)
                    with_images = least(command, environment, runs)
                    more = [one - other for one, other in zip(with_images, plain, strict=True)]
                    print(f"| {load} | {peer} | {more[0]:.1f} | {more[1]:.2f} | {more[2]:.2f} |")
            server.terminate()


if __name__ == "__main__":
    main()
