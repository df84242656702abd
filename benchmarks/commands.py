"""Commands of `llm` as whole processes: with this plugin, with others, with none.

    .venv/bin/python benchmarks/commands.py [RUNS]

All plugins are installed in one environment, and LLM_LOAD_PLUGINS says which of them LLM loads. The
first prompts go to one fake server: llm-grok's by what `run` does to a program, llm-anthropic's by its base
URL and a list of models that has a Grok; beside them the same question by LLM's own OpenAI model and by httpx2
alone. llm-gemini asks Google, whatever it is told. Counted is CPU time and wall, in turns; the minimum
is the least disturbed.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from fake_server.run import environment

BIN = Path(__file__).parents[1] / ".bench" / "llm" / "bin"
LLM = str(BIN / "llm")
RIVALS = ("llm-grok", "llm-gemini", "llm-anthropic")
BARE = """
import os, httpx2
content = [{"role": "user", "content": "Hi"}]
answer = httpx2.post(
    os.environ["XAI_API_BASE"] + "/chat/completions",
    json={"model": "grok-4", "messages": content},
    headers={"authorization": "Bearer any"},
)
print(answer.json()["choices"][0]["message"]["content"])
"""


class Row(NamedTuple):
    """A command, and the plugins that LLM loads for it."""

    command: str
    by: str
    words: list[str]
    plugins: str = ""


def rows() -> list[Row]:
    """Give what is measured."""
    made = []
    for command in ("--version", "models"):
        for plugin in ("", "llm-grok-vision", *RIVALS):
            by = plugin or "no plugin"
            made.append(Row(f"llm {command}", by, [LLM, *command.split()], plugin))
    asking = ["--no-log", "--no-stream", "Hi"]
    prompts = {
        "llm-grok-vision": ([LLM, "-m", "xai/grok-4", *asking], "llm-grok-vision"),
        "llm-grok": ([LLM, "-m", "grok-4-latest", *asking], "llm-grok"),
        "llm-anthropic": ([LLM, "-m", "anthropic/grok-4", *asking], "llm-anthropic"),
        "LLM's OpenAI model": ([LLM, "-m", "peer", *asking], ""),
        "httpx2 alone": ([str(BIN / "python"), "-c", BARE], ""),
    }
    made += [Row("first prompt", by, *prompt) for by, prompt in prompts.items()]
    return made


def prepare(folder: Path, url: str) -> dict[str, str]:
    """Have LLM's folder and its plugins know the server; give the environment of the commands."""
    (folder / "extra-openai-models.yaml").write_text(
        f"- model_id: peer\n  model_name: grok-4\n  api_base: {url}\n"
    )
    (folder / "anthropic_models.json").write_text('{"data": [{"id": "grok-4"}]}')
    keys = ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "LLM_GEMINI_KEY")
    address = urlsplit(url).netloc
    told = {"LLM_USER_PATH": str(folder), "XAI_API_BASE": url, "XAI_API_KEY": "any"}
    told["ANTHROPIC_BASE_URL"] = f"http://{address}"
    return environment({**os.environ, **dict.fromkeys(keys, "any"), **told}, address, "any")


def measure(row: Row, told: dict[str, str]) -> tuple[float, float]:
    """Run a command to its end, and give its CPU time and wall in ms."""
    began = time.perf_counter()
    told = {**told, "LLM_LOAD_PLUGINS": row.plugins}
    process = subprocess.Popen(row.words, env=told, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{row} failed")
    return 1000 * (used.ru_utime + used.ru_stime), 1000 * (time.perf_counter() - began)


def main() -> None:
    """Print a table with a row a command and plugin."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 11
    serve = [sys.executable, "-m", "fake_server"]
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(serve, stdout=subprocess.PIPE, text=True) as server,
    ):
        assert server.stdout is not None  # noqa: S101 (a pipe was asked for)
        told = prepare(Path(folder), server.stdout.readline().strip())
        measured = rows()
        rounds = [[measure(row, told) for row in measured] for _ in range(runs)]
        print("| command | with | CPU, ms | wall, ms |\n| --- | --- | --- | --- |")
        for row, figures in zip(measured, zip(*rounds, strict=True), strict=True):
            cpu, wall = map(min, zip(*figures, strict=True))
            print(f"| {row.command} | {row.by} | {cpu:.0f} | {wall:.0f} |")
        server.terminate()


if __name__ == "__main__":
    main()
