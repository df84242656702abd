"""How near the fake comes to a recorded exchange, aspect by aspect.

The question is asked again under the observed contract and in the era of the recording; the
answer is scripted from what was answered: its words, calls, and numbers of tokens. What no
script can give is left out, and named by LEFT_OUT.
"""

import json
from collections.abc import Iterable, Iterator
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any

import httpx2

from fake_server import FakeServer
from fake_server.era import FIRST, NEWEST
from tests.asking import send
from tests.pictures import picture
from tests.recorded import RAW, RESPONSES, Exchange

LEFT_OUT = (
    "what is said, ids and times",
    "numbers of text tokens: xAI's tokenizer and hidden prompts are not public",
    "the order of keys where the recorder sorted them (req_llm's whole answers, rig)",
    "headers of recorders that kept one or two; set-cookie, and those of hops on the way",
    "values of headers",
)

# OBSERVED: the picture that this address had in all recordings.
PICTURES = {"https://httpbin.org/image/jpeg": picture(239, 178, "JPEG")}

# Of the connection, of the edge's own experiments, and one that carries cookies.
_OF_THE_WAY = {
    "connection",
    "transfer-encoding",
    "content-length",
    "set-cookie",
    "content-security-policy-report-only",
    "x-envoy-wasm-service",
    "x-envoy-wasm-route",
}

Verdicts = dict[str, bool]


def compared(exchange: Exchange) -> Verdicts:
    """Ask again, and tell for each aspect that the recording has whether it is the same."""
    with FakeServer(contract="observed", era=era_of(exchange), api_key="the-good-key") as server:
        for url, data in PICTURES.items():
            server.serve_image(url, data)
        again(server, exchange)
        images = sum(image.tokens for image in server.requests[0].images)
        script(server, exchange, images)
        got = again(server, exchange)
    verdicts = {"status": got.status_code == exchange.status}
    if len(exchange.headers) > 2:
        verdicts["headers"] = names(exchange.headers) == names(got.headers.items())
    if exchange.status == got.status_code:
        answers = answers_of(exchange.body), answers_of(got.text)
        verdicts |= _of_shapes(exchange, *answers)
        verdicts |= _of_numbers(*(list(map(_unwrapped, answer)) for answer in answers))
    return verdicts


def era_of(exchange: Exchange) -> str:
    """Find the month of a recording: in its headers, else in its answer."""
    for name, value in exchange.headers:
        if name == "date":
            return _within(parsedate_to_datetime(value))
    times = [
        answer.get("created") or answer.get("created_at")
        for answer in map(_unwrapped, answers_of(exchange.body))
        if isinstance(answer, dict)
    ]
    known = [time for time in times if isinstance(time, int) and time > 10**9]
    return _within(datetime.fromtimestamp(known[0], timezone.utc)) if known else NEWEST


def _within(time: datetime) -> str:
    return min(max(f"{time:%Y-%m}", FIRST), NEWEST)


def again(server: FakeServer, exchange: Exchange) -> httpx2.Response:
    """Send the recorded request, with a bad key where the recorded one was."""
    key = "invalid-key" if "Incorrect API key" in exchange.body else "the-good-key"
    headers = {"authorization": f"Bearer {key}"}
    if not exchange.model:
        return send(server, "GET", exchange.endpoint, headers=headers)
    return send(server, "POST", exchange.endpoint, headers=headers, json=exchange.request)


def script(server: FakeServer, exchange: Exchange, images: int) -> None:
    """Have the fake answer with the words, the calls and the numbers of the recording."""
    if exchange.status == 503:
        server.fail(503)
    if exchange.status != 200 or not exchange.model:
        return
    answers = [_unwrapped(answer) for answer in answers_of(exchange.body)]
    if exchange.endpoint == RESPONSES:
        server.reply(**_of_response(answers[-1], images))
    else:
        server.reply(**_of_chat(answers))


def _of_chat(answers: list[Any]) -> dict[str, Any]:
    choices = [choice for answer in answers for choice in answer["choices"][:1]]
    messages = [choice.get("message") or choice["delta"] for choice in choices]
    calls = [call["function"] for message in messages for call in message.get("tool_calls") or ()]
    usage: dict[str, int] = {}
    for found in (answer["usage"] for answer in answers if answer.get("usage")):
        prompt, answered = found["prompt_tokens_details"], found["completion_tokens_details"]
        usage = {
            "text_tokens": prompt["text_tokens"],
            "cached_tokens": prompt["cached_tokens"],
            "completion_tokens": found["completion_tokens"],
            "reasoning_tokens": answered["reasoning_tokens"],
        }
    return {
        "text": "".join(message.get("content") or "" for message in messages),
        "reasoning": "".join(message.get("reasoning_content") or "" for message in messages),
        "tool_calls": [(call["name"], json.loads(call["arguments"] or "{}")) for call in calls],
        "finish_reason": next(c["finish_reason"] for c in choices if c.get("finish_reason")),
        "usage": usage,
    }


def _of_response(answer: Any, images: int) -> dict[str, Any]:
    items = answer["output"]
    texts = [
        part["text"] for item in items if item["type"] == "message" for part in item["content"]
    ]
    thoughts = [
        part["text"] for item in items if item["type"] == "reasoning" for part in item["summary"]
    ]
    calls = [item for item in items if item["type"] == "function_call"]
    usage, status = answer["usage"], answer["status"]
    reasoning = usage["output_tokens_details"]["reasoning_tokens"]
    return {
        "text": "".join(texts),
        "reasoning": "".join(thoughts),
        "tool_calls": [(call["name"], json.loads(call["arguments"])) for call in calls],
        "finish_reason": "length" if status == "incomplete" else "",
        "server_tool_calls": [
            ("web_search", item["action"]) for item in items if item["type"] == "web_search_call"
        ],
        "citations": [
            note["url"]
            for item in items
            for part in item.get("content", ())
            for note in part["annotations"]
        ],
        # It does not say how many of them are of images.
        "usage": {
            "text_tokens": usage["input_tokens"] - images,
            "cached_tokens": usage["input_tokens_details"]["cached_tokens"],
            "completion_tokens": usage["output_tokens"] - reasoning,
            "reasoning_tokens": reasoning,
        },
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


def names(headers: Iterable[tuple[str, str]]) -> set[str]:
    """Name the headers that the service itself sends."""
    return {name.lower() for name, _ in headers} - _OF_THE_WAY


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
    said = [*(choice["delta"] for choice in chunk["choices"]), {}][0]
    ended = any("finish_reason" in choice for choice in chunk["choices"])
    # The role stands on the first chunk, which is looked at by `order`.
    marks = [key for key in said if key != "role"]
    return "+".join([*marks, *["end"] * ended, *["usage"] * bool(chunk.get("usage"))])


def _of_shapes(exchange: Exchange, recorded: list[Any], got: list[Any]) -> Verdicts:
    wanted, found = list(paths(recorded)), list(paths(got))
    keys = [list(dict.fromkeys(path for path, _ in pairs)) for pairs in (wanted, found)]
    verdicts = {"keys": set(keys[0]) == set(keys[1])}
    if exchange.repository == RAW:
        verdicts["order"] = keys[0] == keys[1]
    both = set(keys[0]) & set(keys[1])
    types = [{pair for pair in pairs if pair[0] in both} for pairs in (wanted, found)]
    verdicts["types"] = types[0] == types[1]
    if exchange.streamed:
        verdicts["events"] = events(recorded) == events(got)
    return verdicts


def _of_numbers(recorded: list[Any], got: list[Any]) -> Verdicts:
    verdicts: Verdicts = {}
    wanted, found = (_last(answers, "usage") for answers in (recorded, got))
    if wanted and found:
        verdicts["arithmetic"] = _adds_up(found)
        if images := wanted.get("prompt_tokens_details", {}).get("image_tokens"):
            verdicts["image tokens"] = found["prompt_tokens_details"]["image_tokens"] == images
        if cost := wanted.get("cost_in_usd_ticks"):
            verdicts["cost"] = found.get("cost_in_usd_ticks") == cost
    if any(isinstance(answer, dict) and "choices" in answer for answer in recorded):
        ends = [_ends(answers) for answers in (recorded, got)]
        verdicts["finish_reason"] = ends[0] == ends[1]
    if models := [answer["model"] for answer in recorded if "model" in answer]:
        verdicts["model"] = models[0] == got[0]["model"]
    return verdicts


def _last(answers: list[Any], key: str) -> Any:
    found = [answer[key] for answer in answers if isinstance(answer, dict) and answer.get(key)]
    return found[-1] if found else None


def _ends(answers: list[Any]) -> list[str]:
    choices = [choice for answer in answers for choice in answer["choices"]]
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
