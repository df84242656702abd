"""What LLM 0.36 makes of `-a` and of a template's attachments, where it gives up.

LLM looks at each attachment before any model is asked. A file without bytes ends in a
traceback; of a web address it asks HEAD and follows no redirect, so that hosts which
move, or answer GET alone, are errors. Here the address is asked again, as a browser
would. Where LLM's own way works, this changes nothing.
"""

import importlib
from collections.abc import Callable
from typing import Any

import click
import llm

from .names import is_web_address

Resolve = Callable[[str], llm.Attachment]


def mend_attachments() -> None:
    """Put our own behind LLM's function that reads an attachment's value."""
    cli_module: Any = importlib.import_module("llm.cli")
    cli_module.resolve_attachment = mended(cli_module.resolve_attachment)


def mended(resolve: Resolve) -> Resolve:
    """Wrap LLM's function; what it raises is a usage error then, in LLM's words or clearer."""

    def resolve_attachment(value: str) -> llm.Attachment:
        try:
            attachment = resolve(value)
        except Exception as error:
            if is_web_address(value):
                return _looked_up(value)
            raise click.BadParameter(_words(error, value)) from error
        # Without a type, LLM would ask the host again whenever it logs or lists the prompt.
        return attachment if attachment.type else _looked_up(value)

    return resolve_attachment


def _looked_up(value: str) -> llm.Attachment:
    """Ask the host itself; raises BadParameter, without what is secret in the address."""
    from .download import media_type
    from .errors import ImageError

    try:
        found = media_type(value)
    except ImageError as error:
        raise click.BadParameter(str(error)) from None
    return llm.Attachment(type=found, url=value)


def _words(error: Exception, value: str) -> str:
    if isinstance(error, ValueError) and "empty" in str(error):
        name = "standard input" if value == "-" else value
        return f"{name} is empty (0 bytes): there is nothing to attach."
    return str(error)
