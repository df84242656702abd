"""What a test says to a fake server: answers by order and by rule, and what goes wrong."""

from collections.abc import Iterable, Mapping
from typing import Any

from .faults import Fault, fault
from .scenario import Function, ImageFailure, Reply, Rule, Scenario, Scripted, failure
from .when import When


class Answers:
    """Adds rules to a scenario, all with the same conditions."""

    def __init__(
        self,
        scenario: Scenario,
        when: When | None = None,
        times: int | None = 1,
        probability: float = 1,
    ) -> None:
        self._scenario = scenario
        self._when = when or When()
        self._times, self._probability = times, probability

    def reply(
        self,
        text: str | Function = "",
        *,
        reasoning: str = "",
        tool_calls: Iterable[tuple[str, Mapping[str, Any]]] = (),
        finish_reason: str = "",
        citations: Iterable[str] = (),
        server_tool_calls: Iterable[tuple[str, Mapping[str, Any]]] = (),
        usage: Mapping[str, int] | None = None,
        refusal: str = "",
        fault: Mapping[str, Any] | None = None,
    ) -> None:
        """Answer the next request that passes the checks with this.

        `text` may be a function, `async` or not: it is given the LoggedRequest, and gives a
        text, a Reply, a Failure, or None where the server is to answer for itself. What it
        raises is raised in the test again.

        `tool_calls` are pairs of a function's name and its arguments. `citations` are web
        addresses: `citations` of a chat completion, annotations of a response, which point
        at "[[1]](address)" where the text has it. `server_tool_calls` are the calls of
        xAI's own tools, in order: ("web_search", {"query": ..., "sources": ...}),
        ("code_interpreter", {"code": ..., "outputs": ...}), or a function of the search of
        X, such as ("x_keyword_search", {"query": ...}). Only a response shows them; a chat
        completion is billed for them too. `usage` says what was used in place of the fake's
        own count: text_tokens, cached_tokens (of these), completion_tokens, reasoning_tokens.
        `refusal` is why the model would not answer; `fault` is what goes wrong on the way.
        """
        if callable(text):
            self._add(text, fault)
            return
        reply = Reply(
            text,
            reasoning,
            tuple(tool_calls),
            finish_reason,
            tuple(citations),
            tuple(server_tool_calls),
            dict(usage or {}),
            refusal,
        )
        self._add(reply, fault)

    def fail(
        self,
        status: int,
        *,
        code: str | None = None,
        error: str | None = None,
        retry_after: float | None = None,
        fault: Mapping[str, Any] | None = None,
    ) -> None:
        """Fail the next request that passes the checks; xAI's words unless others are given."""
        self._add(failure(status, code, error, retry_after), fault)

    def fail_image_fetch(self) -> None:
        """Fail the next request as if the address of its image could not be fetched."""
        self._add(ImageFailure(), None)

    def fault(self, **fields: Any) -> None:
        """Spoil the next answer on its way; the fields are those of `fake_server.faults.Fault`."""
        self._add(None, fields)

    def _add(self, answer: Scripted | Function | None, fields: Mapping[str, Any] | None) -> None:
        wrong: Fault | None = None if fields is None else fault(**fields)
        self._scenario.add(
            Rule(self._when, answer, wrong, self._times, self._probability),
        )
