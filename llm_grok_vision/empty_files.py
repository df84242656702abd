"""A clear sentence for `llm -a empty.jpg`, where LLM 0.36 ends in a traceback.

LLM looks at an attachment's bytes while it reads the command line, before any model
is asked, and its type guesser raises ValueError for a file without bytes. Models
reached in another way have their own check, in `prepare`.
"""

from typing import TYPE_CHECKING, Any

import click

# click 8.3 cannot be subscripted when it runs.
if TYPE_CHECKING:
    _ParamType = click.ParamType[Any]
else:
    _ParamType = click.ParamType


class AttachmentParam(_ParamType):
    """LLM's own attachment type, which also says which file it could not look at."""

    name = "attachment"

    def __init__(self, inner: "click.ParamType[Any]") -> None:
        self._inner = inner

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Convert as LLM does; a file without bytes is a usage error that names it."""
        try:
            return self._inner.convert(value, param, ctx)
        except ValueError as error:
            if "empty" not in str(error):
                raise
            name = "standard input" if value == "-" else value
            self.fail(f"{name} is empty (0 bytes): there is nothing to attach.", param, ctx)


def refuse_empty_files(cli: click.Group) -> None:
    """Put AttachmentParam in front of the type of `-a`, if LLM's command is as we know it."""
    prompt = cli.commands.get("prompt")
    for param in prompt.params if prompt else ():
        if param.name == "attachments" and getattr(param.type, "name", "") == "attachment":
            param.type = AttachmentParam(param.type)
