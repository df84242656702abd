"""The tools that run at xAI itself, such as the search of the web: what they are called."""

from typing import Final

# DOC OPENAPI: the types of ModelTool but for "function", and "web_search_preview", which
# stands in its words. The last three are names that clients send: ASSUMED to be taken.
TYPES: Final = (
    "web_search",
    "x_search",
    "code_interpreter",
    "code_execution",
    "file_search",
    "mcp",
    "image_generation",
    "shell",
    "tool_search",
    "web_search_preview",
    "code_execution",
    "view_image",
    "view_x_video",
)

# The calls whose shape is known, each with its counter in usage. OBSERVED 2025-12: the
# search of X is not called by its own name, but by those of its functions.
COUNTERS: Final = {
    "web_search": "web_search_calls",
    "x_keyword_search": "x_search_calls",
    "x_semantic_search": "x_search_calls",
    "x_user_search": "x_search_calls",
    "x_thread_fetch": "x_search_calls",
    "view_x_video": "x_search_calls",
    "code_interpreter": "code_interpreter_calls",
}
