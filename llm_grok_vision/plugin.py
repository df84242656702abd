"""The hooks that LLM calls; nothing here touches the network or can raise."""

import sys
from collections.abc import Callable
from contextlib import suppress

import click
import llm

from .catalogue import CatalogueModel
from .known import known_models
from .models import AsyncGrokVision, GrokVision


@llm.hookimpl
def register_models(register: Callable[..., None]) -> None:
    """Register each vision model as `xai/<name>`, with the names xAI gives it as aliases."""
    try:
        models = [(model, llm_aliases(model)) for model in known_models()]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        # An exception here would end every `llm` command, of other plugins too.
        print(f"llm-grok-vision: no models, its catalogue is broken: {error!r}", file=sys.stderr)
        return
    for model, aliases in models:
        register(GrokVision(model), AsyncGrokVision(model), aliases=aliases)


@llm.hookimpl
def register_commands(cli: click.Group) -> None:
    """Add `llm grok-vision`, and mend what `-a` makes of empty files and web addresses."""
    from .commands import grok_vision

    cli.add_command(grok_vision)
    # Another LLM or click than is known here leaves `-a` as it is.
    with suppress(Exception):
        from .cli_attachments import mend_attachments

        mend_attachments()


@llm.hookimpl
def register_fragment_loaders(register: Callable[..., None]) -> None:
    """Register `img:`, which attaches images where LLM takes fragments."""
    register("img", load_images)


def load_images(argument: str) -> list[llm.Attachment]:
    """Attach images: img:photo.jpg, img:photos/, img:photos/*.jpg, img:https://..., img:clipboard."""
    from .fragments import images_for

    return images_for(argument)


def llm_aliases(model: CatalogueModel) -> tuple[str, ...]:
    """Give the names by which LLM finds a model, besides `xai/<name>`.

    xAI's alias "latest" stays out, and whatever else does not begin with grok: in LLM,
    where all providers share one list of names, it would not say whose model it is.
    """
    by_id = (model.id, f"xai/{model.id}") if model.id != model.name else ()
    names = (model.name, *by_id, *model.aliases)
    return tuple(name for name in names if name.startswith(("grok", "xai/")))
