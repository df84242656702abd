"""What an answer of POST /v1/responses is made of: its items, and how each one streams.

Key order and event order are those of recorded answers: reasoning, functions, messages
and searches of the web of August 2026, searches of X of December 2025.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

import msgspec

from ..accounting import words
from ..completion import Completion, ServerToolCall, ToolCall
from ..identity import opaque

Fields = dict[str, Any]


class Event(msgspec.Struct, frozen=True):
    """An event within an item; its fields stand `before` and `after` the item's id."""

    type: str
    before: Fields
    after: Fields


class Item(msgspec.Struct, frozen=True):
    """An item as it begins and as it is `done`; the events between are made as they are told, once."""

    begun: Fields
    done: Fields
    events: Iterable[Event] = ()


def items_of(completion: Completion, *, encrypted: bool) -> list[Item]:
    """Make the items of an answer, in order; `encrypted` is what `include` may ask for.

    OBSERVED 2026-07-09 in GulLabs/any-llm: those of an answer cut short are completed too.
    """
    items = []
    if completion.reasoning:
        is_secret = encrypted or completion.model.always_encrypts
        secret = opaque(completion.id) if is_secret else ""
        items.append(_reasoning(f"rs_{completion.id}", completion.reasoning, secret))
    for call in completion.server_tool_calls:
        items.append(_server_tool_call(completion.id, call))
        if encrypted or completion.contract.era.lists_tool_outputs:
            items.append(_server_tool_output(completion.id, call, encrypted=encrypted))
    if completion.refusal:
        items.append(_refusal(completion))
    elif completion.words or not completion.tool_calls:
        items.append(_message(completion))
    items += [
        _function_call(f"fc_{completion.id}_{index}", call)
        for index, call in enumerate(completion.tool_calls)
    ]
    return items


def _reasoning(id_: str, words: list[str], secret: str) -> Item:
    begun = {"id": id_, "summary": [], "type": "reasoning", "status": "in_progress"}
    part = {"text": "".join(words), "type": "summary_text"}
    done = begun | {"summary": [part], "status": "completed"}
    if secret:
        done["encrypted_content"] = secret
    kind, index = "response.reasoning_summary", {"summary_index": 0}
    return Item(
        begun,
        done,
        chain(
            [Event(f"{kind}_part.added", {}, {"part": part | {"text": ""}} | index)],
            (Event(f"{kind}_text.delta", {"delta": word}, index) for word in words),
            [
                Event(f"{kind}_text.done", {}, index | {"text": part["text"]}),
                Event(f"{kind}_part.done", {}, {"part": part} | index),
            ],
        ),
    )


def _function_call(id_: str, call: ToolCall) -> Item:
    begun = {
        "arguments": "",
        "call_id": call.id,
        "name": call.name,
        "type": "function_call",
        "id": id_,
        "status": "in_progress",
    }
    kind = "response.function_call_arguments"
    return Item(
        begun,
        begun | {"arguments": call.arguments, "status": "completed"},
        (
            Event(f"{kind}.delta", {"delta": call.arguments}, {}),
            Event(f"{kind}.done", {"arguments": call.arguments}, {}),
        ),
    )


def _server_tool_call(answer: str, call: ServerToolCall) -> Item:
    if call.name == "web_search":
        return _web_search(f"ws_{answer}_{call.id}", call)
    if call.name == "code_interpreter":
        return _code_interpreter(f"ci_{answer}_{call.id}", call)
    return _custom_tool(answer, call)


def _web_search(id_: str, call: ServerToolCall) -> Item:
    search = {"type": "search", "query": "", "sources": []}
    begun = {"id": id_, "type": "web_search_call", "status": "in_progress", "action": search}
    # Other actions than a search say their type: {"type": "open_page", "url": ...}.
    action = call.arguments if "type" in call.arguments else {**search, **call.arguments}
    done = begun | {"status": "completed", "action": action}
    steps = ("in_progress", "searching", "completed")
    return Item(
        begun, done, tuple(Event(f"response.web_search_call.{step}", {}, {}) for step in steps)
    )


def _code_interpreter(id_: str, call: ServerToolCall) -> Item:
    # DOC OPENAPI has these fields; the order of keys and events is ASSUMED. OBSERVED
    # 2025-10, in an older shape: {"arguments", "call_id", "name", "type", "id", "status"}.
    code = str(call.arguments.get("code", ""))
    begun = {
        "id": id_,
        "type": "code_interpreter_call",
        "status": "in_progress",
        "code": "",
        "outputs": [],
    }
    done = begun | {"status": "completed", "code": code}
    done["outputs"] = call.arguments.get("outputs", [])
    kind = "response.code_interpreter_call"
    return Item(
        begun,
        done,
        (
            Event(f"{kind}.in_progress", {}, {}),
            Event(f"{kind}_code.delta", {"delta": code}, {}),
            Event(f"{kind}_code.done", {"code": code}, {}),
            Event(f"{kind}.interpreting", {}, {}),
            Event(f"{kind}.completed", {}, {}),
        ),
    )


def _custom_tool(answer: str, call: ServerToolCall) -> Item:
    # OBSERVED 2026-08-24 in GulLabs/any-llm; 2025-12 it was xs_call_<8 digits>.
    call_id = f"xs_{call.id}"
    arguments = msgspec.json.encode(call.arguments).decode()
    begun = {
        "call_id": call_id,
        "input": "",
        "name": call.name,
        "type": "custom_tool_call",
        "id": f"ctc_{answer}_{call.id}",
        "status": "in_progress",
    }
    kind = "response.custom_tool_call_input"
    return Item(
        begun,
        begun | {"input": arguments, "status": "completed"},
        (
            Event(f"{kind}.delta", {}, {"delta": arguments}),
            Event(f"{kind}.done", {}, {"input": arguments}),
        ),
    )


def _server_tool_output(answer: str, call: ServerToolCall, *, encrypted: bool) -> Item:
    """Hand over what a tool gave, sealed. OBSERVED 2026-08 of searches of the web and of X."""
    id_ = f"tco_{answer}_{call.id}"
    begun = {"id": id_, "summary": [], "type": "reasoning", "status": "in_progress"}
    secret = {"encrypted_content": f"{id_}_{opaque(id_)}"} if encrypted else {}
    return Item(begun, begun | {"status": "completed"} | secret)


def _begun(completion: Completion) -> Fields:
    return {
        "content": [],
        "id": f"msg_{completion.id}",
        "role": "assistant",
        "type": "message",
        "status": "in_progress",
    }


def _refusal(completion: Completion) -> Item:
    """Make a message that says why there is none. ASSUMED: as OpenAI's own API does."""
    begun, first = _begun(completion), {"content_index": 0}
    part = {"type": "refusal", "refusal": completion.refusal}
    return Item(
        begun,
        begun | {"content": [part], "status": "completed"},
        chain(
            [Event("response.content_part.added", first, {"part": part | {"refusal": ""}})],
            (
                Event("response.refusal.delta", first, {"delta": word})
                for word in words(completion.refusal)
            ),
            [
                Event("response.refusal.done", first, {"refusal": completion.refusal}),
                Event("response.content_part.done", first, {"part": part}),
            ],
        ),
    )


def _message(completion: Completion) -> Item:
    text = "".join(completion.words)
    notes = list(_annotations(text, completion.citations))
    begun = _begun(completion)
    part = {"type": "output_text", "text": text, "logprobs": [], "annotations": notes}
    empty = part | {"text": "", "annotations": []}
    first = {"content_index": 0}
    return Item(
        begun,
        begun | {"content": [part], "status": "completed"},
        chain(
            [Event("response.content_part.added", first, {"part": empty})],
            _told(completion.words, notes),
            [
                Event("response.output_text.done", first, {"text": text, "logprobs": []}),
                Event("response.content_part.done", first, {"part": part}),
            ],
        ),
    )


def _told(words: Iterable[str], notes: list[Fields]) -> Iterator[Event]:
    """Tell a text word by word, and each annotation when what it points at was told."""
    told = noted = 0
    for word in words:
        told += len(word)
        delta = {"content_index": 0, "delta": word}
        yield Event("response.output_text.delta", delta, {"logprobs": []})
        while noted < len(notes) and 0 < notes[noted]["end_index"] <= told:
            yield _annotation_added(noted, notes[noted])
            noted += 1
    for index in range(noted, len(notes)):
        yield _annotation_added(index, notes[index])


def _annotation_added(index: int, note: Fields) -> Event:
    fields = {"annotation": note, "annotation_index": index, "content_index": 0}
    return Event("response.output_text.annotation.added", fields, {})


def _annotations(text: str, citations: list[str]) -> Iterator[Fields]:
    """Point at the links to what is cited, in the order of the text, then name the rest.

    OBSERVED: links 2026-01 and 2026-08; what no link points at, 2026-07.
    """
    addresses = "|".join(re.escape(url) for url in citations) or "(?!)"
    linked = set()
    for link in re.finditer(rf"\[\[(\d+)\]\]\(({addresses})\)", text):
        linked.add(link[2])
        yield _citation(link[2], link.start(), link.end(), link[1])
    for url in citations:
        if url not in linked:
            yield _citation(url, 0, 0, url)


def _citation(url: str, start: int, end: int, title: str) -> Fields:
    return {
        "type": "url_citation",
        "url": url,
        "start_index": start,
        "end_index": end,
        "title": title,
    }
