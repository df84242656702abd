"""What LLM's log stores as a reference: it comes back whole, today and for ever."""

import hashlib
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from fake_server import FakeServer
from llm_grok_vision.boilerplate import BOILERPLATE
from tests.prompting import run_llm

# Rows of people's logs refer to these. A line may be added here, and none may change.
FINGERPRINTS = {
    "completion_usage_0": "c4e47a97cddc",
    "completion_tokens_details_0": "b9ebd69fe529",
    "prompt_tokens_details_0": "6607d09f7e5c",
    "response_0": "63ee0ad584b7",
    "server_side_tool_usage_details_0": "535bdfde1b73",
}


def _fingerprint(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:12]


def test_entries_are_added_and_never_changed():
    assert {name: _fingerprint(value) for name, value in BOILERPLATE.items()} == FINGERPRINTS


@pytest.mark.parametrize("options", [(), ("-o", "responses", "1")], ids=["chat", "responses"])
def test_a_logged_answer_refers_to_them_and_comes_back_whole(
    xai: FakeServer, own_llm_folder: Path, options: tuple[str, ...]
):
    run_llm("-m", "grok-4", "Hello", *options)

    [logged] = json.loads(run_llm("logs", "--json").output)
    with closing(sqlite3.connect(own_llm_folder / "logs.db")) as logs:
        stored = "".join(
            line for line in logs.iterdump() if "m.completion" in line or "m.resp" in line
        )

    assert stored
    usage = logged["response_json"]["usage"]
    assert usage["num_sources_used"] == 0
    assert usage["cost_in_usd_ticks"] > 0
