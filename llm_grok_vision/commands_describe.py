"""`llm grok-vision describe`: the command line of it; `describe.command` does the work.

This module is imported with every `llm` command, and imports no more than click.
"""

from typing import Any

import click


@click.command()
@click.argument("prompt", required=False)
@click.argument("images", nargs=-1, type=click.Path())
@click.option("-m", "--model", default="xai/grok-4", show_default=True, help="Model to ask")
@click.option("-s", "--system", help="System prompt to use")
@click.option(
    "options",
    "-o",
    "--option",
    type=(str, str),
    multiple=True,
    help="key/value options for the model",
)
@click.option("--schema", help="Schema DSL, JSON schema, filepath or ID")
@click.option(
    "--output", type=click.Path(), metavar="FILE", help="Append answers to FILE; skip those in it"
)
@click.option("--csv", is_flag=True, help="Write CSV instead of a JSON line per image")
@click.option(
    "--concurrency",
    type=click.IntRange(min=1),
    default=4,
    show_default=True,
    help="Images to ask about at the same time",
)
@click.option(
    "--batch",
    type=click.Choice(["submit", "status", "results"]),
    help="Ask through xAI's Batch API: cheaper, and answered later",
)
@click.option("-n", "--no-log", is_flag=True, help="Don't log to database")
@click.option("--key", help="API key to use")
@click.pass_context
def describe(context: click.Context, /, batch: str | None, **typed: Any) -> None:
    """
    Ask one question about each of many images

    Each answer is a line of JSON with the image, the tokens and what it cost, or a line of
    CSV. With --schema, the fields of the answer are columns.

    Answers stand in the --output file as soon as they arrive. The same command goes on
    where it was stopped: images that were answered are not asked again.

    Example usage:

    \b
        $ llm grok-vision describe 'Describe this photo' photos/*.jpg
        $ llm grok-vision describe 'Alt text' *.png --output alt.csv --csv
        $ llm grok-vision describe 'What boats?' *.jpg --schema 'boats int, weather' \\
            --output boats.jsonl -m grok-4.3 -o image_detail low

    With --batch, xAI answers when it has time, and this machine may be off meanwhile.
    Submit, look from time to time, and fetch what is done; the last two need no more than
    the --output file. Results exit with 3 as long as answers are missing.

    \b
        $ llm grok-vision describe --batch submit 'Alt text' *.png --output alt.jsonl
        $ llm grok-vision describe --batch status
        $ llm grok-vision describe --batch results --output alt.jsonl
    """
    if batch in (None, "submit"):
        _check_given(context)
    from .describe.asked import Settings

    settings = Settings(**typed | {"prompt": typed["prompt"] or ""})
    if batch:
        from .describe.batch import run as run_batch

        run_batch(batch, settings)
    else:
        from .describe.command import run

        run(settings)


def _check_given(context: click.Context) -> None:
    """Ask for what two of the words after --batch alone can do without."""
    for name, hint in (("prompt", "'PROMPT'"), ("images", "'IMAGES...'")):
        if context.params[name] in (None, ()):
            raise click.MissingParameter(ctx=context, param_type="argument", param_hint=hint)
