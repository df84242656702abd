"""xAI's own tools, which run on its side: `-T WebSearch` and the like.

LLM carries them to the model and never runs them; they travel over /v1/responses.
OPENAPI says what each takes (`ModelTool`); a parameter that is not given is not sent.
"""

from datetime import date
from typing import Any

import llm

from .errors import InvalidTool
from .limits import MAX_SEARCH_DOMAINS, MAX_SEARCH_HANDLES


class WebSearch(llm.ServerSideTool):
    """Search the web and read its pages, on xAI's side.

    Domains are allowed or excluded, not both, 5 at most.
    """

    name = "web_search"

    def __init__(
        self,
        *,
        allowed_domains: list[str] | None = None,
        excluded_domains: list[str] | None = None,
        enable_image_understanding: bool | None = None,
        enable_image_search: bool | None = None,
    ) -> None:
        super().__init__()
        _check_one_of("allowed_domains", allowed_domains, "excluded_domains", excluded_domains)
        self._parameters = {
            "allowed_domains": _names("allowed_domains", allowed_domains, MAX_SEARCH_DOMAINS),
            "excluded_domains": _names("excluded_domains", excluded_domains, MAX_SEARCH_DOMAINS),
            "enable_image_understanding": _flag(
                "enable_image_understanding", enable_image_understanding
            ),
            "enable_image_search": _flag("enable_image_search", enable_image_search),
        }

    def tool_spec(self, model: Any) -> dict[str, Any]:  # noqa: ARG002 (LLM passes it)
        """Give the tool as the request names it."""
        return _spec(self.name, self._parameters)


class XSearch(llm.ServerSideTool):
    """Search the posts on X, on xAI's side.

    Handles are allowed or excluded, not both, 10 at most; dates are like 2026-01-31.
    """

    name = "x_search"

    def __init__(
        self,
        *,
        allowed_x_handles: list[str] | None = None,
        excluded_x_handles: list[str] | None = None,
        from_date: str | None = None,
        to_date: str | None = None,
        enable_image_understanding: bool | None = None,
        enable_video_understanding: bool | None = None,
    ) -> None:
        super().__init__()
        _check_one_of(
            "allowed_x_handles", allowed_x_handles, "excluded_x_handles", excluded_x_handles
        )
        self._parameters = {
            "allowed_x_handles": _names("allowed_x_handles", allowed_x_handles, MAX_SEARCH_HANDLES),
            "excluded_x_handles": _names(
                "excluded_x_handles", excluded_x_handles, MAX_SEARCH_HANDLES
            ),
            "from_date": _date("from_date", from_date),
            "to_date": _date("to_date", to_date),
            "enable_image_understanding": _flag(
                "enable_image_understanding", enable_image_understanding
            ),
            "enable_video_understanding": _flag(
                "enable_video_understanding", enable_video_understanding
            ),
        }

    def tool_spec(self, model: Any) -> dict[str, Any]:  # noqa: ARG002 (LLM passes it)
        """Give the tool as the request names it."""
        return _spec(self.name, self._parameters)


class CodeExecution(llm.ServerSideTool):
    """Run Python code in a sandbox, on xAI's side."""

    name = "code_interpreter"

    def __init__(self) -> None:
        super().__init__()

    def tool_spec(self, model: Any) -> dict[str, Any]:  # noqa: ARG002 (LLM passes it)
        """Give the tool as the request names it."""
        return _spec(self.name, {})


# The last stands for what xAI has besides: `llm.ServerSideTool({"type": "mcp", ...})`.
SERVER_TOOLS: tuple[type[llm.ServerSideTool], ...] = (
    WebSearch,
    XSearch,
    CodeExecution,
    llm.ServerSideTool,
)


def _spec(kind: str, parameters: dict[str, Any]) -> dict[str, Any]:
    given = {name: value for name, value in parameters.items() if value is not None}
    return {"type": kind, **given}


def _check_one_of(one: str, given: object, other: str, also: object) -> None:
    if given and also:
        raise InvalidTool(f"{one} and {other} cannot be given together; choose one.")


def _names(parameter: str, names: Any, most: int) -> list[str] | None:
    if names is None:
        return None
    if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
        raise InvalidTool(f"{parameter} is a list of names, not {names!r}.")
    if len(names) > most:
        raise InvalidTool(f"{parameter} takes {most} names at most, got {len(names)}.")
    return [name.removeprefix("@") for name in names]


def _date(parameter: str, text: Any) -> str | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text).isoformat()
    except (TypeError, ValueError):
        raise InvalidTool(f"{parameter} is a date like 2026-01-31, not {text!r}.") from None


def _flag(parameter: str, value: Any) -> bool | None:
    if value is not None and not isinstance(value, bool):
        raise InvalidTool(f"{parameter} is true or false, not {value!r}.")
    return value
