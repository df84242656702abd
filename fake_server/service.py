"""The service itself: a request becomes a completion or an ApiError, whoever asked.

No wire format is known here.
"""

import asyncio
import inspect
import math
from dataclasses import dataclass, field
from typing import Any

import msgspec
from msgspec.structs import replace

from llm_grok_vision.limits import TICKS_PER_USD

from .accounting import Usage, words
from .answer import answer, server_tool_call_id, tool_call_id
from .catalogue import Model, find, get, listed
from .checks import MOST_TOKENS, TEAM, check
from .clock import Clock
from .completion import Completion, ServerToolCall, ToolCall
from .contract import DOCUMENTED, Contract
from .deferred import Deferred
from .exchange import without_images
from .fetch import Sources
from .files import Files
from .identity import uuid
from .journal import Journal, LoggedAnswer, LoggedImage, LoggedRequest
from .rates import Rates, Told
from .refusals import refuse
from .request import ChatRequest, with_known_words
from .scenario import Reply, Rule, Scenario, Scripted, scripted
from .sight import Sight
from .stored import Stored, StoredAnswers

# Bytes of a request from which its images are not hashed again for each of its ids.
_LONG_SEED = 8 * 1024


class _Counted(msgspec.Struct, frozen=True):
    """What a request comes to, and what headers tell of the limits that it met."""

    text_tokens: int
    image_tokens: int
    told: Told


@dataclass
class Service:
    """Answers questions, and notes in the journal what it saw."""

    sources: Sources
    scenario: Scenario
    journal: Journal
    contract: Contract = DOCUMENTED
    clock: Clock = field(default_factory=Clock)
    rates: Rates = field(default_factory=Rates)
    models: frozenset[str] | None = None
    stored: StoredAnswers = field(default_factory=StoredAnswers)
    deferred: Deferred = field(default_factory=Deferred)
    files: Files = field(default_factory=Files)

    def __post_init__(self) -> None:
        self._sight = Sight(self.sources, self.files, self.journal.images, self.contract)

    def now(self) -> int:
        """Seconds since 1970, by the clock that was chosen."""
        return self.clock.now()

    def find(self, name: str) -> Model | None:
        """Find a model that this service has."""
        model = find(name)
        has_it = self.models is None or (model is not None and model.id in self.models)
        return model if has_it else None

    def listed(self, *kinds: str) -> list[Model]:
        """Give the models of these kinds that answer."""
        return [model for model in listed(*kinds) if self.find(model.id)]

    def refresh(self) -> None:
        """Look what others changed: whoever writes the scenario's file, and who shares the state."""
        self.clock.refresh()
        self.scenario.refresh()

    def clear(self) -> None:
        """Forget stored and deferred answers, files, what counts for limits, and other times."""
        self.clock.clear()
        self.rates.clear()
        self.stored.clear()
        self.deferred.clear()
        self.files.clear()

    async def complete(self, request: ChatRequest, log: LoggedRequest) -> Completion:
        """Answer a request; raises the ApiError that it earns."""
        log.model, log.stream = request.model, request.stream
        log.parameters = request.parameters
        log.tools = [*[tool.name for tool in request.tools], *request.server_tools]
        if self.models is not None and not self.find(request.model):
            request = replace(request, is_served=False)
        asked = len(request.seed)
        if request.previous:
            earlier = self.stored.get(request.previous)
            asked += earlier.size
            request = replace(request, messages=(*earlier.messages, *request.messages))
        if self.contract.any_word:
            request = with_known_words(request)
        model = self._answering(check(request))
        text_tokens, images = await self._sight.look(request, model, log)
        if text_tokens > model.context_length:
            raise refuse("context overflow", limit=model.context_length, tokens=text_tokens)
        if images and len(request.seed) >= _LONG_SEED:
            request = replace(request, seed=_shorter(request.seed, images))
        told = self.rates.admit(request.model, TEAM, self.clock)
        counted = _Counted(text_tokens, sum([image.tokens for image in images]), told)
        completion = self._completion(
            request, model, await self._reply(request, log, images), counted
        )
        self.rates.spend(request.model, completion.usage.total_tokens, self.clock)
        log.answer = _logged(completion)
        if request.store:
            self.stored.put(Stored(replace(request, seed=b""), completion.whole, asked))
        return completion

    async def _reply(
        self, request: ChatRequest, log: LoggedRequest, images: list[LoggedImage]
    ) -> Reply:
        """Ask the scenario for an answer, or make one; raises the ApiError that it scripts."""
        rule = self.scenario.choose(log)
        log.fault = rule.fault if rule else None
        told = await self._scripted(rule, log) if rule else None
        if isinstance(told, Reply):
            return told
        if told is not None:
            raise told.as_error(request.model, TEAM)
        return answer(request, images)

    async def _scripted(self, rule: Rule, log: LoggedRequest) -> Scripted | None:
        if not callable(rule.answer):
            return rule.answer
        try:
            given = rule.answer(log)
            return scripted(await given if inspect.isawaitable(given) else given)
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # noqa: BLE001 (whatever it is, such as pytest.fail's, it is the test's)
            # The test hears of it where it asks for it, and the client at once.
            self.scenario.blame(error)
            raise refuse("error in a test's function", problem=_shown(error)) from None

    def _answering(self, model: Model) -> Model:
        """Give the model that answers for this one: another, where it was seen to be retired."""
        if model.status != "retired-served" or not self.contract.by_model:
            return model
        instead = self.contract.era.retired_answer_as
        return get(instead) if instead else model

    def _prioritizes(self, request: ChatRequest) -> bool:
        """Whether an answer comes first, and costs more. ASSUMED: whenever it is asked for."""
        is_asked = request.parameters.get("service_tier") == "priority"
        return is_asked and self.contract.era.has_service_tier

    def _completion(
        self,
        request: ChatRequest,
        model: Model,
        reply: Reply,
        counted: _Counted,
    ) -> Completion:
        reasoning, said, finish_reason = _cut(reply, request.parameters)
        calls = [
            ToolCall(tool_call_id(request, index), name, _json(arguments))
            for index, (name, arguments) in enumerate(reply.tool_calls)
        ]
        server_calls = [
            ServerToolCall(server_tool_call_id(request, index), name, arguments)
            for index, (name, arguments) in enumerate(reply.server_tool_calls)
        ]
        if calls and finish_reason == "stop":
            finish_reason = "tool_calls"
        choices = request.parameters.get("n") or 1
        spoken = [said, words(reply.refusal), *[words(call.arguments) for call in calls]]
        usage = Usage(
            text_tokens=counted.text_tokens,
            image_tokens=counted.image_tokens,
            completion_tokens=choices * sum(map(len, spoken)),
            reasoning_tokens=choices * len(reasoning),
            prices=model.usd_per_million,
            long_context_threshold=model.long_context_threshold,
            is_prioritized=self._prioritizes(request),
            server_tool_calls=tuple([call.name for call in server_calls]),
            tells_cost=self.contract.era.tells_cost,
            tells_context=self.contract.era.tells_context,
        )
        if reply.usage:
            told: dict[str, Any] = dict(reply.usage)
            usage = replace(usage, **told)
        return Completion(
            id=uuid("completion", request.seed) + self.contract.era.id_suffix,
            created=self.now(),
            model=model,
            words=said,
            reasoning=reasoning,
            tool_calls=calls,
            finish_reason=reply.finish_reason or finish_reason,
            choices=choices,
            usage=usage,
            server_tool_calls=server_calls,
            citations=list(dict.fromkeys(reply.citations)),
            contract=self.contract,
            said_model=_said_model(model, request) if self.contract.by_model else "",
            refusal=reply.refusal,
            limits=counted.told,
        )


def _shorter(seed: bytes, images: list[LoggedImage]) -> bytes:
    """Give what ids of a large request are made of: its images by their hashes."""
    return b" ".join([without_images(seed), *(image.sha256.encode() for image in images)])


def _logged(completion: Completion) -> LoggedAnswer:
    return LoggedAnswer(
        text="".join(completion.words),
        reasoning="".join(completion.reasoning),
        tool_calls=tuple([(call.name, call.arguments) for call in completion.tool_calls]),
        finish_reason=completion.finish_reason,
        refusal=completion.refusal,
        total_tokens=completion.usage.total_tokens,
        cost_usd=completion.usage.cost_in_usd_ticks / TICKS_PER_USD,
    )


def _shown(error: BaseException) -> str:
    """Say what was raised, in letters that can be sent."""
    kind = type(error).__name__
    try:
        return f"{kind}: {error}".encode(errors="backslashreplace").decode()
    except Exception:  # noqa: BLE001 (some can't say what they are)
        return kind


def _said_model(model: Model, request: ChatRequest) -> str:
    effort = request.parameters.get("reasoning_effort")
    return (effort in ("medium", "high") and model.effort_as) or model.answers_as


def _cut(reply: Reply, parameters: dict[str, Any]) -> tuple[list[str], list[str], str]:
    """Apply `stop` and the most tokens allowed; give reasoning, answer and finish_reason."""
    text = reply.text
    if not parameters:
        return words(reply.reasoning), words(text), "stop"
    ends = [at for stop in parameters.get("stop", ()) if (at := text.find(stop)) >= 0]
    text = text[: min(ends)] if ends else text
    # OBSERVED 2025-09 to 2026-09 on either endpoint: reasoning takes none of them, as where 10 were
    # allowed and 134 were thought. DOC OPENAPI says so of max_output_tokens.
    allowed = min(parameters.get(name) or math.inf for name in MOST_TOKENS)
    reasoning, said = words(reply.reasoning), words(text)
    if len(said) <= allowed:
        return reasoning, said, "stop"
    return reasoning, said[: int(allowed)], "length"


def _json(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
