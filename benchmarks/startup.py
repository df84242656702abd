"""CPU time that this plugin adds to the start of every `llm` command.

    .venv/bin/python benchmarks/startup.py [RUNS]

Each run is a fresh interpreter in which LLM is loaded already; what is counted is the
import of the plugin and one registration of its models and commands, beside the same for LLM's own
OpenAI models (whose import LLM has paid by then). The minimum is the least disturbed.
"""

import statistics
import subprocess
import sys

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
print(*(1000 * x for x in (imported - start, registered - imported, peer - registered)))
"""
ROWS = ("import", "registration", "registration of LLM's own OpenAI models")


def main(runs: int) -> None:
    """Print the minimum and the median of each figure, in milliseconds of CPU."""
    figures = [
        [float(figure) for figure in subprocess.check_output([sys.executable, "-c", PROBE]).split()]
        for _ in range(runs)
    ]
    for name, column in zip(ROWS, zip(*figures, strict=True), strict=True):
        print(f"{name:42} min {min(column):5.2f} ms   median {statistics.median(column):5.2f} ms")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 11)
