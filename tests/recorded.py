"""Recorded answers of the live service, where they are at hand; they are not ours to copy."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

FILE = Path(__file__).parents[1].parent / "shared" / "recorded" / "exchanges.jsonl"
# It keeps bodies as they were, byte for byte.
RAW = "crmne/ruby_llm"
CHAT = "/v1/chat/completions"
RESPONSES = "/v1/responses"

needed = pytest.mark.skipif(not FILE.exists(), reason=f"no recordings: {FILE.name}")


@dataclass(frozen=True)
class Exchange:
    """A request and its answer; `headers` are in the order of the wire, in small letters."""

    repository: str
    endpoint: str
    status: int
    request: Any
    headers: tuple[tuple[str, str], ...]
    body: str

    @property
    def streamed(self) -> bool:
        return self.body.startswith(("data:", "event:"))

    @property
    def model(self) -> str:
        return str(self.request["model"]) if isinstance(self.request, dict) else ""

    def chunks(self) -> list[Any]:
        """Read the events of a stream, but for the word that ends a chat completion."""
        events = [line[6:] for line in self.body.split("\n") if line.startswith("data: {")]
        return [json.loads(event) for event in events]

    def usages(self) -> list[tuple[str, Any]]:
        """Find what was counted, each with the model that counted."""
        answers = self.chunks() if self.streamed else [json.loads(self.body)]
        return [(answer["model"], answer["usage"]) for answer in answers if answer.get("usage")]


@cache
def exchanges(endpoint: str) -> list[Exchange]:
    """Give all exchanges with an endpoint, in the order of the file."""
    rows = [json.loads(line) for line in FILE.read_text().splitlines()]
    return [
        Exchange(
            row["repository"],
            row["endpoint"],
            row["status"],
            row["request"],
            tuple((name.lower(), value) for name, value in row["response_headers"] or ()),
            row["response_body"],
        )
        for row in rows
        if row["endpoint"] == endpoint
    ]


def shape(value: Any) -> Any:
    """Keep keys in their order and the types of values; of a list, its first element's."""
    if isinstance(value, dict):
        return [(key, shape(inner)) for key, inner in value.items()]
    if isinstance(value, list):
        return [shape(inner) for inner in value[:1]]
    return type(value).__name__


def newest(
    month: str,
    *,
    streamed: bool,
    holding: str,
    lacking: str = "no such",
    endpoint: str = CHAT,
) -> Exchange:
    """Find an answer of grok-4.3 of this month that holds a word and lacks another."""
    found = (
        exchange
        for exchange in exchanges(endpoint)
        if exchange.repository == RAW
        and exchange.model == "grok-4.3"
        and exchange.streamed == streamed
        and month in dict(exchange.headers)["date"]
        and holding in exchange.body
        and lacking not in exchange.body
    )
    return next(found)
