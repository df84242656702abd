"""`llm grok-vision`: models, what images cost, many images, the key, and a server to try on.

This module is imported with every `llm` command; what a command needs, it imports itself.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from .catalogue import DEFAULT_MODEL
from .commands_describe import describe

if TYPE_CHECKING:
    from .estimate import Estimate


class _Commands(click.Group):
    """Says in a sentence why an output could not be written."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            # Whoever reads it has enough; click knows what to do.
            raise
        except OSError as error:
            raise click.ClickException(f"{error.strerror or error}") from None


@click.group(name="grok-vision", cls=_Commands)
def grok_vision() -> None:
    """Commands for xAI's vision models"""


grok_vision.add_command(describe)


@grok_vision.command()
@click.option("json_", "--json", is_flag=True, help="Output as JSON")
def models(json_: bool) -> None:
    """
    List the vision models and what they cost

    Prices are US dollars for a million tokens; images cost what other prompt tokens cost.

    Example usage:

    \b
        $ llm grok-vision models
        $ llm grok-vision models --json
    """
    from .known import known_models

    known = known_models()
    if json_:
        _print_json([{"model_id": f"xai/{model.name}", **model._asdict()} for model in known])
        return
    _print_table(
        {
            "model": f"xai/{model.name}",
            "context": _number(model.context_length, ","),
            "$/M in": _number(model.prompt_price, "g"),
            "$/M out": _number(model.completion_price, "g"),
            "images by": model.accounting,
            "status": "current" if model.is_current else "retired",
        }
        for model in known
    )


@grok_vision.command()
@click.argument("images", nargs=-1, required=True, type=click.Path())
@click.option(
    "name",
    "-m",
    "--model",
    default=DEFAULT_MODEL,
    show_default=True,
    help="Model whose rule and price count",
)
@click.option("json_", "--json", is_flag=True, help="Output as JSON")
@click.option("--draw", metavar="FILE", help="Save a copy of the image with its tiles drawn")
def tokens(images: tuple[str, ...], name: str, json_: bool, draw: str | None) -> None:
    """
    Show what image files cost, without sending them

    Tiles are counted as xAI's guide says (older models were seen to bill auto as low),
    patches as newer models were seen to bill them. What xAI would refuse is converted
    first, as it is when it is sent.

    Example usage:

    \b
        $ llm grok-vision tokens photo.jpg
        $ llm grok-vision tokens *.png -m grok-4.6 --json
        $ llm grok-vision tokens photo.jpg --draw tiles.png
    """
    from .errors import ImageError
    from .estimate import draw_tiles, estimates, find_model, measure

    model = find_model(name)
    if draw and len(images) != 1:
        raise click.UsageError("--draw takes one image at a time")
    rows = []
    problems = []
    for image in images:
        try:
            measured = measure(image)
            if draw:
                draw_tiles(measured, model, draw)
        except ImageError as problem:
            problems.append(str(problem))
            continue
        rows += estimates(measured, model)
    if json_:
        _print_json([row._asdict() for row in rows])
    elif rows:
        _print_tokens(rows)
    for sentence in problems:
        click.echo(f"Error: {sentence}", err=True)
    if problems:
        click.get_current_context().exit(1)


def _print_tokens(rows: "Sequence[Estimate]") -> None:
    _print_table(
        {
            "image": row.image,
            "pixels": f"{row.width}x{row.height}",
            "bytes": f"{row.bytes:,}",
            "detail": row.detail,
            "tokens": f"{row.tokens:,}",
            "USD": _number(row.usd, ".6f"),
        }
        for row in rows
    )


@grok_vision.command()
@click.option("--key", help="API key to use, or the name of a stored one")
def refresh(key: str | None) -> None:
    """
    Ask xAI for its models, and remember those that read images

    Models that came after this plugin can be used from then on, by xAI's names for
    them. What changed is told on standard error.

    Example usage:

    \b
        $ llm grok-vision refresh
        $ llm -m xai/grok-5 'What is this?' -a photo.jpg
    """
    from .refresh import refreshed

    for line in refreshed(key):
        click.echo(line, err=True)


@grok_vision.command()
@click.option("--key", help="API key to check, or the name of a stored one")
def check(key: str | None) -> None:
    """
    Check the key: where it came from, and what xAI lets it do

    Costs nothing. Ends with an error if xAI refuses the key.

    Example usage:

    \b
        $ llm grok-vision check
        $ llm grok-vision check --key xai-...
    """
    from .check import checked

    for line in checked(key):
        click.echo(line)


@grok_vision.command(context_settings={"ignore_unknown_options": True})
@click.option("--api-key", metavar="KEY", help="The one good key (default: any key is good)")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def serve(api_key: str | None, arguments: tuple[str, ...]) -> None:
    """
    Run a fake of xAI's API on this machine

    Prints the settings that point llm at it, and stops on Ctrl-C. The arguments are
    those of python -m fake_server, whose own help lists them all.

    Example usage:

    \b
        $ llm grok-vision serve
        $ llm grok-vision serve --port 8400 --images pictures/
    """
    import sys

    from .serve import serve

    sys.exit(serve(arguments, api_key))


def _print_table(rows: Any) -> None:
    from llm.utils import dicts_to_table_string

    rows = list(rows)
    for line in dicts_to_table_string(list(rows[0]), rows):
        click.echo(line.rstrip())


def _number(value: float | None, form: str) -> str:
    return "?" if value is None else format(value, form)


def _print_json(rows: Sequence[dict[str, Any]]) -> None:
    import json

    click.echo(json.dumps(rows, indent=2))
