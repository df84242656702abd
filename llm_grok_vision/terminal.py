"""Where what is printed goes."""

from typing import TextIO


def is_terminal(stream: TextIO | None) -> bool:
    """Tell a terminal from a file, a pipe, and a stream that was closed when Python began."""
    return stream is not None and stream.isatty()
