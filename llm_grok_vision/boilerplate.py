"""What recurs in xAI's answers, so that LLM's log stores a reference to it instead.

Rows of the log refer to these by name for ever: an entry may be added, and never be
changed or taken away.
"""

from typing import Any, Final

BOILERPLATE: Final[dict[str, Any]] = {
    # Of chat completions. LLM writes down only where an answer differs.
    "completion_usage_0": {
        "completion_tokens_details": {
            "reasoning_tokens": 0,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
        "num_sources_used": 0,
    },
    "completion_tokens_details_0": {
        "reasoning_tokens": 0,
        "audio_tokens": 0,
        "accepted_prediction_tokens": 0,
        "rejected_prediction_tokens": 0,
    },
    "prompt_tokens_details_0": {
        "text_tokens": 0,
        "audio_tokens": 0,
        "image_tokens": 0,
        "cached_tokens": 0,
    },
    # Of responses.
    "response_0": {
        "max_output_tokens": None,
        "object": "response",
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "temperature": 0.7,
        "text": {"format": {"type": "text"}},
        "tool_choice": "auto",
        "tools": [],
        "top_p": 0.95,
        "user": None,
        "incomplete_details": None,
        "status": "completed",
        "store": False,
        "background": False,
        "service_tier": "default",
        "truncation": "disabled",
        "top_logprobs": 0,
        "presence_penalty": 0.0,
        "frequency_penalty": 0.0,
        "prompt_cache_key": None,
        "max_tool_calls": None,
        "safety_identifier": None,
        "error": None,
        "instructions": None,
    },
    "server_side_tool_usage_details_0": {
        "web_search_calls": 0,
        "x_search_calls": 0,
        "code_interpreter_calls": 0,
        "file_search_calls": 0,
        "mcp_calls": 0,
        "document_search_calls": 0,
    },
}
