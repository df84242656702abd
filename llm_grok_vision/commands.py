"""`llm grok-vision`: what the models are, and what images cost before they are sent.

This module is imported with every `llm` command; what a command needs, it imports itself.
"""

from collections.abc import Sequence
from typing import Any

import click


@click.group(name="grok-vision")
def grok_vision() -> None:
    """Commands for xAI's vision models"""


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
    from .catalogue import vision_models

    known = vision_models()
    if json_:
        _print_json([{"model_id": f"xai/{model.name}", **model._asdict()} for model in known])
        return
    _print_table(
        {
            "model": f"xai/{model.name}",
            "context": f"{model.context_length:,}",
            "$/M in": f"{model.prompt_price:g}",
            "$/M out": f"{model.completion_price:g}",
            "images by": model.accounting,
            "status": "current" if model.is_current else "retired",
        }
        for model in known
    )


@grok_vision.command()
@click.argument("images", nargs=-1, required=True, type=click.Path())
@click.option("name", "-m", "--model", default="grok-4", help="Model whose rule and price count")
@click.option("json_", "--json", is_flag=True, help="Output as JSON")
@click.option("--draw", metavar="FILE", help="Save a copy of the image with its tiles drawn")
def tokens(images: tuple[str, ...], name: str, json_: bool, draw: str | None) -> None:
    """
    Show what images cost, without sending them

    Tiles are counted as xAI's guide says (older models were seen to bill auto as low),
    patches as newer models were seen to bill them. What xAI would refuse is converted
    first, as it is when it is sent.

    Example usage:

    \b
        $ llm grok-vision tokens photo.jpg
        $ llm grok-vision tokens *.png -m grok-4.6 --json
        $ llm grok-vision tokens photo.jpg --draw tiles.png
    """
    from .estimate import draw_tiles, estimates, find_model, measure

    model = find_model(name)
    if draw and len(images) != 1:
        raise click.UsageError("--draw takes one image at a time")
    rows = []
    for image in images:
        measured = measure(image)
        rows += estimates(measured, model)
        if draw:
            draw_tiles(measured, model, draw)
    if json_:
        _print_json([row._asdict() for row in rows])
        return
    _print_table(
        {
            "image": row.image,
            "pixels": f"{row.width}x{row.height}",
            "bytes": f"{row.bytes:,}",
            "detail": row.detail,
            "tokens": f"{row.tokens:,}",
            "USD": f"{row.usd:.6f}",
        }
        for row in rows
    )


def _print_table(rows: Any) -> None:
    from llm.utils import dicts_to_table_string

    rows = list(rows)
    for line in dicts_to_table_string(list(rows[0]), rows):
        click.echo(line.rstrip())


def _print_json(rows: Sequence[dict[str, Any]]) -> None:
    import json

    click.echo(json.dumps(rows, indent=2))
