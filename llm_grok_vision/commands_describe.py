"""`llm grok-vision describe`: the command line of it; `describe.command` does the work.

This module is imported with every `llm` command, and imports no more than click.
"""

from typing import Any

import click


@click.command()
@click.argument("prompt")
@click.argument("images", nargs=-1, required=True, type=click.Path())
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
@click.option("-n", "--no-log", is_flag=True, help="Don't log to database")
@click.option("--key", help="API key to use")
def describe(**typed: Any) -> None:
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
    """
    from .describe.command import Settings, run

    run(Settings(**typed))
