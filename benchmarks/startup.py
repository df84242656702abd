"""CPU time that this plugin adds to the start of every `llm` command.

    .venv/bin/python benchmarks/startup.py [RUNS]

Each run is a fresh interpreter in which LLM is loaded already; what is counted is the
import of the plugin and one registration of its models and commands, beside the same for LLM's own
OpenAI models (whose import LLM has paid by then), and what registration costs more for those
who ran `llm grok-vision refresh`. The minimum is the least disturbed.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

PROBE = """
import os, time
os.environ["LLM_LOAD_PLUGINS"] = ""
import llm.cli
from llm.default_plugins import openai_models
start = time.process_time()
from llm_grok_vision import plugin
imported = time.process_time()
plugin.register_models(lambda *models, aliases=(): None)
plugin.register_commands(llm.cli.cli)
registered = time.process_time()
openai_models.register_models(lambda *models, aliases=(): None)
peer = time.process_time()
plugin.register_models(lambda *models, aliases=(): None)
again = time.process_time()
folder = os.environ["LLM_USER_PATH"]
os.link(f"{folder}/listed.json", f"{folder}/grok_vision_models.json")
linked = time.process_time()
plugin.register_models(lambda *models, aliases=(): None)
listed = time.process_time()
os.unlink(f"{folder}/grok_vision_models.json")
print(*(1000 * x for x in (
    imported - start, registered - imported, peer - registered, listed - linked - (again - peer)
)))
"""
ROWS = (
    "import",
    "registration",
    "registration of LLM's own OpenAI models",
    "more with a list of 20 new models",
)

LISTED = {
    "aliases": ["grok-latest", "grok-9-latest"],
    "input_modalities": ["text", "image"],
    "prompt_text_token_price": 20000,
    "completion_text_token_price": 60000,
    "context_length": 500000,
    "capabilities": {"reasoning_effort": ["low", "medium", "high", "xhigh"]},
}


def main(runs: int) -> None:
    """Print the minimum and the median of each figure, in milliseconds of CPU."""
    with tempfile.TemporaryDirectory() as folder:
        rows = [{"id": f"grok-9.{number}", **LISTED} for number in range(20)]
        (Path(folder) / "listed.json").write_text(json.dumps({"models": rows}))
        figures = [[float(figure) for figure in _probe(folder).split()] for _ in range(runs)]
    for name, column in zip(ROWS, zip(*figures, strict=True), strict=True):
        print(f"{name:42} min {min(column):5.2f} ms   median {statistics.median(column):5.2f} ms")


def _probe(folder: str) -> bytes:
    environment = {**os.environ, "LLM_USER_PATH": folder}
    return subprocess.check_output([sys.executable, "-c", PROBE], env=environment)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 11)
