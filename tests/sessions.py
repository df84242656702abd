"""Made-up sessions with the fake, in which later requests name what earlier ones made.

A session is files, batches, kept answers, rules and the clock, in any order. Servers that share their state
and answer in turns have to answer as one alone.
"""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.fuzzing import IMAGE, ODD, PICTURES, QUERIES, QUESTIONS, Dice, Requests, changed, torn

_BOUNDARY = "boundary"
_FORM = f"multipart/form-data; boundary={_BOUNDARY}"

# What the server said of what it made, by what that is.
_IDS = {
    "file": re.compile(rb'"id":"(file_[^"]+)"'),
    "batch": re.compile(rb'"batch_id":"([^"]+)"'),
    "response": re.compile(rb'"id":"([0-9a-f-]{36}[^"]*)"'),
    "deferred": re.compile(rb'"request_id":"([^"]+)"'),
}

# Pages that tell the time of day, which is another for each server.
_TIMED = re.compile(r"/_fake/(rows|\d+|requests.*)?")


@dataclass(frozen=True)
class Question:
    """A request to the fake."""

    method: str
    path: str
    body: Any = b""
    content_type: str = "application/json"
    query: str = ""

    @property
    def data(self) -> bytes:
        """The body as it is sent."""
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()

    @property
    def is_timed(self) -> bool:
        """Whether its answer tells the time of day."""
        return bool(_TIMED.fullmatch(self.path))


@dataclass
class Known:
    """The ids that were told; `one` of a kind is among the newest, or is none."""

    dice: Dice
    ids: dict[str, list[str]] = field(default_factory=lambda: {kind: ["x"] for kind in _IDS})

    def one(self, kind: str) -> str:
        """Give an id."""
        return self.dice.choice(self.ids[kind][-2:])

    def hear(self, answer: bytes) -> None:
        """Note the ids in an answer."""
        for kind, pattern in _IDS.items():
            self.ids[kind] += [found.decode() for found in pattern.findall(answer)[:3]]


def _sometimes_changed(value: Any, dice: Dice) -> Any:
    return changed(value, dice) if dice.random() < 0.35 else value


def _upload(dice: Dice, _known: Known) -> Question:
    lines = [json.dumps(_sometimes_changed(_line(dice), dice)) for _ in range(dice.randint(0, 4))]
    data = dice.choice([dice.choice(PICTURES), "\n".join(lines).encode(), b""])
    name = dice.choice(["a.png", "b.jsonl", 'é".x', ""])
    part = f'Content-Disposition: form-data; name="file"; filename="{name}"'
    whole = f"--{_BOUNDARY}\r\n{part}\r\n\r\n".encode() + data + f"\r\n--{_BOUNDARY}--\r\n".encode()
    body = torn(whole, dice) if dice.random() < 0.2 else whole
    return Question("POST", "/v1/files", body, dice.choice([_FORM] * 5 + ["multipart/form-data"]))


def _line(dice: Dice) -> dict[str, Any]:
    question = {"model": "grok-4", "messages": [{"role": "user", "content": "hi"}], "input": "hi"}
    url = dice.choice(["/v1/chat/completions", "/v1/responses"])
    return {"custom_id": dice.choice("abc"), "method": "POST", "url": url, "body": question}


def _batch(dice: Dice, known: Known) -> Question:
    wanted = {"name": "a"}
    if dice.random() < 0.5:
        wanted["input_file_id"] = known.one("file")
    return Question("POST", "/v1/batches", _sometimes_changed(wanted, dice))


def _add(dice: Dice, known: Known) -> Question:
    kinds = [
        {"chat_get_completion": _chat(dice, known).body},
        {"responses": _respond(dice, known).body},
        {"image_edit": {}},
    ]
    items = [
        {"batch_request_id": dice.choice([None, "a", "é"]), "batch_request": dice.choice(kinds)}
        for _ in range(dice.randint(0, 3))
    ]
    added = _sometimes_changed({"batch_requests": items}, dice)
    return Question("POST", f"/v1/batches/{known.one('batch')}/requests", added)


def _cancel(_dice: Dice, known: Known) -> Question:
    return Question("POST", f"/v1/batches/{known.one('batch')}:cancel")


def _chat(dice: Dice, _known: Known) -> Question:
    content = [{"type": "text", "text": "x"}, {"type": "image_url", "image_url": {"url": IMAGE}}]
    question = {
        "model": dice.choice(["grok-4", "grok-4.3"]),
        "messages": [{"role": "user", "content": content}],
        "deferred": dice.random() < 0.5,
        "stream": dice.random() < 0.3,
        "max_tokens": dice.choice([None, 1, 2**64]),
    }
    return Question("POST", "/v1/chat/completions", _sometimes_changed(question, dice))


def _respond(dice: Dice, known: Known) -> Question:
    image = {"type": "input_image", "file_id": known.one("file")}
    path, tools = "/v1/responses", []
    if dice.random() < 0.3:
        (tools,) = [question["tools"] for _, asked, question in QUESTIONS if asked == path]
    question = {
        "model": dice.choice(["grok-4", "grok-4.3"]),
        "input": dice.choice(["hi", [{"role": "user", "content": [image]}]]),
        "tools": tools,
        "previous_response_id": dice.choice([None, known.one("response")]),
        "stream": dice.random() < 0.3,
    }
    return Question("POST", path, _sometimes_changed(question, dice))


def _rule(dice: Dice, _known: Known) -> Question:
    conditions = [{}, {"images": 1}, {"text": "x"}, {"stream": True}, {"image": {"width": 64}}]
    counts = {dice.choice(["text_tokens", "cached_tokens", "x"]): dice.choice([0, 5, 2**32, 2**64])}
    call = {"name": "f", "arguments": {"a": dice.choice(ODD[:9])}}
    reply = {
        "text": "é x",
        "reasoning": "hm",
        "tool_calls": [call],
        "citations": ["https://a.test"],
    }
    answers: list[dict[str, Any]] = [
        {"reply": dice.choice(["hi", "", "x" * 5000])},
        {"reply": _sometimes_changed(reply, dice)},
        {"reply": {"text": "x", "usage": counts}},
        {"fail": {"status": dice.choice([400, 429]), "error": "no", "retry_after": 0.5}},
        {"fail": "image_fetch"},
        {"fault": {"segment": dice.choice([1, 2**64])}},
        {"fault": {dice.choice(["after_events", "after_bytes"]): dice.choice([0, 1, 2**64])}},
    ]
    times = dice.choice([1, 2, 2**63, None])
    rule = {"when": dice.choice(conditions), "times": times, **dice.choice(answers)}
    return Question("POST", "/_fake/rules", rule | {"probability": dice.choice([1, 0.5])})


def _scenario(dice: Dice, known: Known) -> Question:
    rules = [_rule(dice, known).body for _ in range(dice.randint(0, 2))]
    seed = dice.choice([{}, {"seed": dice.choice([0, -1, 2**64])}])
    return Question("PUT", "/_fake/scenario", {"rules": rules, **seed})


def _clock(dice: Dice, _known: Known) -> Question:
    seconds = dice.choice([0, 1, 86400 * 40, 3e8, -1, float("nan")])
    return Question("POST", "/_fake/clock", {"advance": seconds})


def _assert(dice: Dice, _known: Known) -> Question:
    wanted = {"when": {"images": 1}, "times": dice.randint(0, 3)}
    return Question("POST", "/_fake/assert", _sometimes_changed(wanted, dice))


def _look(dice: Dice, known: Known) -> Question:
    batch, file, answer = (known.one(kind) for kind in ("batch", "file", "response"))
    paths = [
        "/v1/batches",
        f"/v1/batches/{batch}",
        f"/v1/batches/{batch}/requests",
        f"/v1/batches/{batch}/results",
        "/v1/files",
        f"/v1/files/{file}",
        f"/v1/files/{file}/content",
        f"/v1/responses/{answer}",
        f"/v1/responses/{answer}/input_items",
        f"/v1/chat/deferred-completion/{known.one('deferred')}",
        "/_fake/",
        f"/_fake/{dice.randint(0, 9)}",
        "/_fake/requests",
    ]
    pages = ["", "limit=1", "limit=1&pagination_token=after_1", *QUERIES]
    return Question("GET", dice.choice(paths), query=dice.choice(pages))


def _delete(dice: Dice, known: Known) -> Question:
    file, answer = known.one("file"), known.one("response")
    paths = [f"/v1/files/{file}", f"/v1/responses/{answer}", "/_fake/rules", "/_fake/requests"]
    return Question("DELETE", dice.choice(paths))


STEPS: list[Callable[[Dice, Known], Question]] = [
    _upload, _upload, _batch, _add, _add, _cancel, _chat, _chat, _respond, _respond, _rule, _scenario,
    _clock, _assert, _look, _look, _look, _delete,
]  # fmt: skip


def play(dice: Dice, *ways: Sequence[Requests]) -> None:
    """Play a session in several ways, which come to the same: of each a server answers after the other.

    None may answer with a 5xx.
    """
    for servers in ways:
        servers[0].server.clear()
    known = Known(dice)
    for number in range(dice.randint(10, 40)):
        turn = [servers[number % len(servers)] for servers in ways]
        _act(dice, turn)
        question = dice.choice(STEPS)(dice, known)
        first, *others = [_answer(each, question) for each in turn]
        assert first["status"] < 500, (question, first)
        for other in others:
            assert question.is_timed or other == first, (question, other, first)
        known.hear(first["body"])


def _act(dice: Dice, servers: list[Requests]) -> None:
    """Do now and then with batches what only a test does."""
    if dice.random() < 0.15:
        act = dice.choice(["hold_batches", "finish_batches", "expire_batches"])
        for each in servers:
            getattr(each.server, act)()


def _answer(requests: Requests, question: Question) -> dict[str, Any]:
    headers = {"content-type": question.content_type}
    sent = requests.ask(question.method, question.path, question.data, headers, question.query)
    start = sent[0] if sent else {"status": 0}
    return {
        "status": start["status"],
        "headers": start.get("headers"),
        "body": b"".join(message.get("body", b"") for message in sent),
        "broken": [message["reset"] for message in sent if "reset" in message],
    }
