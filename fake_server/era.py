"""What of an answer changed when: the service of a month, as recordings show it.

OBSERVED in recordings from 2025-09 to 2026-08, but where it says something else. Each answer
names the first month in which it was seen, or the last before which it was not.
"""

import re

import msgspec

FIRST, NEWEST = "2025-09", "2026-08"

# The codes of errors were the sentences that describe the statuses of gRPC.
_SENTENCES = {
    "invalid-argument": "Client specified an invalid argument",
    "invalid_image": "Client specified an invalid argument",
    "not-found": "Some requested entity was not found",
    "permission-denied": "The caller does not have permission to execute the specified operation",
    "resource-exhausted": "Some resource has been exhausted",
    "unauthenticated:no-credentials": (
        "The request does not have valid authentication credentials"
    ),
}


class Era(msgspec.Struct, frozen=True, cache_hash=True):
    """A month, written 2026-08; raises ValueError for one that is not known."""

    month: str = NEWEST

    def __post_init__(self) -> None:
        if not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", self.month) or not (
            FIRST <= self.month <= NEWEST
        ):
            raise ValueError(f"era is a month from {FIRST} to {NEWEST}, not {self.month!r}")

    @property
    def id_suffix(self) -> str:
        """What stands behind the id of an answer: a region, until 2025-11."""
        return "_us-east-1" if self.month <= "2025-11" else ""

    @property
    def tells_cost(self) -> bool:
        """Whether usage says `cost_in_usd_ticks`."""
        return self.month >= "2026-01"

    @property
    def tells_context(self) -> bool:
        """Whether a response says its context, fingerprint and generated images.

        Not yet on 30 January 2026.
        """
        return self.month >= "2026-02"

    @property
    def has_rate_limits(self) -> bool:
        """Whether headers tell the limits of a minute."""
        return self.month >= "2026-01"

    @property
    def has_metrics(self) -> bool:
        """Whether headers of a whole answer tell how long it took."""
        return self.month >= "2026-03"

    @property
    def has_traceparent(self) -> bool:
        """Whether headers carry a trace."""
        return self.month >= "2026-04"

    @property
    def has_service_tier(self) -> bool:
        """Whether a chat completion says `service_tier`."""
        return self.month >= "2026-06"

    @property
    def has_data_retention(self) -> bool:
        """Whether headers say `x-data-retention`; not yet on 3 July 2026."""
        return self.month >= "2026-08"

    @property
    def lists_tool_outputs(self) -> bool:
        """Whether an answer has what a tool of xAI gave, unless it was asked for; not in January.

        OBSERVED 2026-08-24 in GulLabs/any-llm.
        """
        return self.month >= "2026-08"

    @property
    def lists_prices(self) -> bool:
        """Whether lists of models tell all prices; not yet on 10 February 2026.

        OBSERVED GET /v1/models 2026-08-12 in GulLabs/any-llm; ASSUMED of other lists.
        """
        return self.month >= "2026-08"

    @property
    def retired_answer_as(self) -> str:
        """The model that answers for retired ones, "" while they answered for themselves."""
        return "grok-4.3" if self.month >= "2026-06" else ""

    @property
    def shows_key(self) -> bool:
        """Whether the refusal of a key shows its first and last two characters."""
        return self.month < "2026-08"

    def fingerprint(self, whole: str) -> str:
        """Give a `system_fingerprint` with as many digits as it had."""
        return whole if self.month >= "2026-06" else whole[: len("fp_") + 10]

    def code(self, code: str) -> str:
        """Give the code of an error on chat completions; it was still a sentence on 8 June 2026."""
        return code if self.month >= "2026-08" else _SENTENCES.get(code, code)
