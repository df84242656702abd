"""`describe --batch`: which of its three words was typed, and what goes with it."""

import click

from .asked import Settings
from .batch_results import collect
from .batch_status import show
from .batch_submit import submit

# What goes with the words beside --batch itself, by the names of click's parameters.
_TAKES = {
    "submit": {
        "prompt", "images", "model", "system", "options", "schema", "output", "csv", "key",
    },
    "status": {"output", "key"},
    "results": {"output", "no_log", "key"},
}  # fmt: skip


def run(word: str, settings: Settings) -> None:
    """Do what the word says; raises click's UsageError for what does not go with it."""
    _check_combination(word)
    if word == "status":
        show(settings)
    elif not settings.output:
        raise click.UsageError(f"--batch {word} needs the --output file of the answers.")
    elif word == "submit":
        submit(settings, settings.output)
    else:
        collect(settings, settings.output)


def _check_combination(word: str) -> None:
    context = click.get_current_context()
    for parameter in context.command.params:
        name = str(parameter.name)
        was_typed = (
            context.get_parameter_source(name) == click.core.ParameterSource.COMMANDLINE
            and context.params[name] != ()
        )
        if was_typed and name not in _TAKES[word] | {"batch"}:
            if isinstance(parameter, click.Argument):
                problem = "takes no question and no images: they are known from the submit"
            else:
                problem = f"does not go with {parameter.opts[-1]}"
            raise click.UsageError(f"--batch {word} {problem}.")
