"""How a recorded answer differs from the fake's, aspect by aspect and field by field.

The question is asked again under the observed contract and in the era of the recording; the
answer is scripted from what was answered: its words, calls, and numbers of tokens. What no
script can give is left out, and named by LEFT_OUT.
"""

import json
from collections.abc import Iterable, Iterator
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx2

from .era import FIRST, NEWEST
from .recorded_body import Form, Text
from .recordings import Recording
from .server import FakeServer

LEFT_OUT = (
    "what is said, ids and times",
    "numbers of text tokens: xAI's tokenizer and hidden prompts are not public",
    "the order of keys where the recorder sorted them",
    "headers of recorders that kept one or two; cookies, and those of hops on the way",
    "values of headers",
)

_KEY = "the-good-key"

# What makes a browser's question of any other one about a path.
_PREFLIGHT = {"origin": "https://example.com", "access-control-request-method": "POST"}

# Of the connection, of the edge's own experiments, and one that carries cookies.
_OF_THE_WAY = {
    "connection",
    "transfer-encoding",
    "content-length",
    "content-encoding",
    "set-cookie",
    "content-security-policy-report-only",
    "x-envoy-wasm-service",
    "x-envoy-wasm-route",
}

# For each aspect that a recording has, what differs in it: nothing where it is the same.
Drift = dict[str, list[str]]


def drift(recording: Recording, images: Path | None = None) -> Drift:
    """Ask again, and tell what differs; `images` is the folder of pictures by their addresses."""
    era = era_of(recording)
    with FakeServer(contract="observed", era=era, api_key=_KEY, images=images) as server:
        again(server, recording)
        script(server, recording, sum(image.tokens for image in server.requests[0].images))
        got = again(server, recording)
    found: Drift = {"status": _differ("status", recording.status, got.status_code)}
    if len(recording.headers) > 2:
        wanted = names(recording.headers)
        found["headers"] = _sets(wanted, names(got.headers.items()))
    if recording.status == got.status_code:
        answers = answers_of(recording.text), answers_of(got.text)
        found |= _of_shapes(recording, *answers)
        found |= _of_numbers(*(list(map(_unwrapped, answer)) for answer in answers))
    return found


def _differ(name: str, recorded: object, got: object) -> list[str]:
    return [] if recorded == got else [f"{name}: {recorded!r} was recorded, the fake has {got!r}"]


def _sets(recorded: Iterable[str], got: Iterable[str]) -> list[str]:
    recorded, got = dict.fromkeys(recorded), dict.fromkeys(got)
    missing = [f"{name} is missing in the fake" for name in recorded if name not in got]
    return missing + [f"{name} is new in the fake" for name in got if name not in recorded]


def era_of(recording: Recording) -> str:
    """Find the month of a recording: in its headers, else in its answer."""
    for name, value in recording.headers:
        if name == "date":
            return _within(parsedate_to_datetime(value))
    times = [
        answer.get("created") or answer.get("created_at")
        for answer in map(_unwrapped, answers_of(recording.text))
        if isinstance(answer, dict)
    ]
    known = [time for time in times if isinstance(time, int) and time > 10**9]
    return _within(datetime.fromtimestamp(known[0], timezone.utc)) if known else NEWEST


def _within(time: datetime) -> str:
    return min(max(f"{time:%Y-%m}", FIRST), NEWEST)


def again(server: FakeServer, recording: Recording) -> httpx2.Response:
    """Send the recorded request, with a bad key where the recorded one was."""
    key = "invalid-key" if "Incorrect API key" in recording.text else _KEY
    url = server.url.removesuffix("/v1") + quote(recording.path) + recording.query
    asked = _asked(recording.request) if recording.method == "POST" else {}
    headers = {"authorization": f"Bearer {key}"}
    if recording.method == "OPTIONS":
        headers |= _PREFLIGHT
    if "content" in asked:
        headers["content-type"] = "application/json"
    with httpx2.Client(trust_env=False, verify=False, timeout=30) as client:
        return client.request(recording.method, url, headers=headers, **asked)


def _asked(request: Any) -> dict[str, Any]:
    """Give what makes this the body of a request: a form, JSON, or what was none."""
    if request is None or isinstance(request, Text):
        return {"content": (request or "").encode()}
    if not isinstance(request, Form):
        return {"content": json.dumps(request).encode()}
    fields = {sent.name: sent.data for sent in request if sent.file_name is None}
    files = [
        (sent.name, (sent.file_name, sent.data)) for sent in request if sent.file_name is not None
    ]
    return {"data": fields, "files": files}


def script(server: FakeServer, recording: Recording, image_tokens: int) -> None:
    """Have the fake answer with the words, the calls and the numbers of the recording."""
    if recording.status == 503:
        server.fail(503)
    if recording.status != 200 or not recording.model:
        return
    answers = [_unwrapped(answer) for answer in answers_of(recording.text)]
    if recording.path == "/v1/responses":
        server.reply(**_of_response(answers[-1], image_tokens))
    elif recording.path == "/v1/chat/completions":
        server.reply(**_of_chat(answers))


def _of_chat(answers: list[Any]) -> dict[str, Any]:
    choices = [choice for answer in answers for choice in answer.get("choices", ())[:1]]
    messages = [choice.get("message") or choice.get("delta") or {} for choice in choices]
    calls = [call["function"] for message in messages for call in message.get("tool_calls") or ()]
    usage: dict[str, int] = {}
    for found in (answer["usage"] for answer in answers if answer.get("usage")):
        prompt = found.get("prompt_tokens_details", {})
        answered = found.get("completion_tokens_details", {})
        usage = _numbers(
            text_tokens=prompt.get("text_tokens"),
            cached_tokens=prompt.get("cached_tokens"),
            completion_tokens=found.get("completion_tokens"),
            reasoning_tokens=answered.get("reasoning_tokens"),
        )
    is_cut = any(choice.get("finish_reason") == "length" for choice in choices)
    return {
        "text": "".join(message.get("content") or "" for message in messages),
        "reasoning": "".join(message.get("reasoning_content") or "" for message in messages),
        "tool_calls": [(call["name"], json.loads(call["arguments"] or "{}")) for call in calls],
        # All other ends the fake has to find by itself: a new one is a drift.
        "finish_reason": "length" if is_cut else "",
        "usage": usage,
    }


def _numbers(**counts: Any) -> dict[str, int]:
    return {name: count for name, count in counts.items() if isinstance(count, int)}


def _of_response(answer: Any, image_tokens: int) -> dict[str, Any]:
    items = answer.get("output", ())
    parts = [part for item in items if item["type"] == "message" for part in item["content"]]
    thoughts = [
        part["text"] for item in items if item["type"] == "reasoning" for part in item["summary"]
    ]
    calls = [item for item in items if item["type"] == "function_call"]
    usage = answer.get("usage") or {}
    tokens, output = usage.get("input_tokens"), usage.get("output_tokens")
    reasoning = usage.get("output_tokens_details", {}).get("reasoning_tokens", 0)
    return {
        "text": "".join(part["text"] for part in parts),
        "reasoning": "".join(thoughts),
        "tool_calls": [(call["name"], json.loads(call["arguments"])) for call in calls],
        "finish_reason": "length" if answer.get("status") == "incomplete" else "",
        "server_tool_calls": [
            ("web_search", item["action"]) for item in items if item["type"] == "web_search_call"
        ],
        "citations": [note["url"] for part in parts for note in part.get("annotations", ())],
        # It does not say how many of them are of images.
        "usage": _numbers(
            text_tokens=None if tokens is None else tokens - image_tokens,
            cached_tokens=usage.get("input_tokens_details", {}).get("cached_tokens"),
            completion_tokens=None if output is None else output - reasoning,
            reasoning_tokens=reasoning,
        ),
    }


def answers_of(body: str) -> list[Any]:
    """Give the JSON of an answer, or of each event of a stream."""
    if body.startswith(("data:", "event:", ":")):
        lines = [line[6:] for line in body.split("\n") if line.startswith("data: {")]
        return [json.loads(line) for line in lines]
    try:
        return [json.loads(body)]
    except ValueError:
        return [body]


def _unwrapped(answer: Any) -> Any:
    """Take the response out of an event that carries it."""
    return answer.get("response", answer) if isinstance(answer, dict) else answer


def names(headers: Iterable[tuple[str, str]]) -> list[str]:
    """Name the headers that the service itself sends."""
    return sorted({name.lower() for name, _ in headers} - _OF_THE_WAY)


def paths(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Give the path of each key and the type of its value, as they stand; lists are one."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield f"{path}.{key}", _type(inner)
            # What a tool is told is the user's own.
            if key not in ("arguments", "parameters", "schema", "properties"):
                yield from paths(inner, f"{path}.{key}")
    elif isinstance(value, list):
        for inner in value:
            yield from paths(inner, f"{path}[]")


def _type(value: Any) -> str:
    return "number" if type(value) in (int, float) else type(value).__name__


def events(answers: list[Any]) -> list[str]:
    """Give the kinds of the events of a stream; many of a kind in a row are one."""
    kinds = [answer.get("type") or _kind(answer) for answer in answers]
    return [kind for at, kind in enumerate(kinds) if at == 0 or kinds[at - 1] != kind]


def _kind(chunk: Any) -> str:
    choices = chunk.get("choices", ())
    said = [*(choice.get("delta", {}) for choice in choices), {}][0]
    ended = any("finish_reason" in choice for choice in choices)
    # The role stands on the first chunk, which is looked at by `order`.
    marks = [key for key in said if key != "role"]
    return "+".join([*marks, *["end"] * ended, *["usage"] * bool(chunk.get("usage"))])


def _of_shapes(recording: Recording, recorded: list[Any], got: list[Any]) -> Drift:
    wanted, has = list(paths(recorded)), list(paths(got))
    keys = [list(dict.fromkeys(path for path, _ in pairs)) for pairs in (wanted, has)]
    found: Drift = {"keys": _sets(*keys)}
    if not _is_sorted(recorded[0]):
        found["order"] = [] if found["keys"] else _of_order(*keys)
    both = set(keys[0]) & set(keys[1])
    types = [{pair for pair in pairs if pair[0] in both} for pairs in (wanted, has)]
    found["types"] = _sets(*(sorted(map(" is a ".join, pairs)) for pairs in types))
    if recording.streamed:
        found["events"] = _differ("events", events(recorded), events(got))
    return found


def _is_sorted(answer: Any) -> bool:
    """Whether a recorder put the keys in order: their own says nothing then."""
    return isinstance(answer, dict) and list(answer) == sorted(answer)


def _of_order(recorded: list[str], got: list[str]) -> list[str]:
    for one, other in zip(recorded, got, strict=True):
        if one != other:
            return [f"{one} was recorded where the fake has {other}"]
    return []


def _of_numbers(recorded: list[Any], got: list[Any]) -> Drift:
    found: Drift = {}
    wanted, has = (_last(answers, "usage") for answers in (recorded, got))
    if wanted and has:
        found["arithmetic"] = [] if _adds_up(has) else [f"usage does not add up: {has}"]
        if images := wanted.get("prompt_tokens_details", {}).get("image_tokens"):
            counted = has["prompt_tokens_details"]["image_tokens"]
            found["image tokens"] = _differ("image_tokens", images, counted)
        if cost := wanted.get("cost_in_usd_ticks"):
            found["cost"] = _differ("cost_in_usd_ticks", cost, has.get("cost_in_usd_ticks"))
    if any(isinstance(answer, dict) and "choices" in answer for answer in recorded):
        ends = [_ends(answers) for answers in (recorded, got)]
        found["finish_reason"] = _differ("finish_reason", *ends)
    if models := _told(recorded, "model"):
        found["model"] = _differ("model", models[0], next(iter(_told(got, "model")), None))
    return found


def _last(answers: list[Any], key: str) -> Any:
    return next(filter(None, reversed(_told(answers, key))), None)


def _told(answers: list[Any], key: str) -> list[Any]:
    return [answer[key] for answer in answers if isinstance(answer, dict) and key in answer]


def _ends(answers: list[Any]) -> list[str]:
    choices = [choice for answer in answers for choice in answer.get("choices", ())]
    return [choice["finish_reason"] for choice in choices if choice.get("finish_reason")]


def _adds_up(usage: Any) -> bool:
    if "input_tokens" in usage:
        return bool(usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"])
    prompt = usage["prompt_tokens_details"]
    reasoning = usage["completion_tokens_details"]["reasoning_tokens"]
    return bool(
        usage["prompt_tokens"] == prompt["text_tokens"] + prompt["image_tokens"]
        and usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"] + reasoning
    )
