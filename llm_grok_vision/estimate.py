"""What images would cost, and a picture of how they are cut: for `llm grok-vision tokens`."""

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import llm

from .catalogue import CatalogueModel
from .errors import InvalidSetting
from .images import ImageInfo
from .known import known_models
from .limits import IMAGE_DETAILS, MAX_TILES
from .prepare import Preparation, prepare, read_image
from .tokens import Cost, patched, tiled

if TYPE_CHECKING:
    from PIL import ImageDraw


class Measured(NamedTuple):
    """A file, and what would be sent of it: `data`, converted if xAI would refuse the file."""

    path: str
    data: bytes
    info: ImageInfo


class Estimate(NamedTuple):
    """One image at one detail; `usd` are US dollars at the model's price, None if it has none."""

    image: str
    width: int
    height: int
    bytes: int
    detail: str
    tokens: int
    usd: float | None


def find_model(name: str) -> CatalogueModel:
    """Find a model by any of its names, with `xai/` or without."""
    plain = name.removeprefix("xai/")
    for model in known_models():
        if plain in model.names:
            return model
    raise InvalidSetting(f"There is no model {name}; 'llm grok-vision models' lists them.")


def measure(path: str) -> Measured:
    """Read an image, once; raises an ImageError for what would not be sent."""
    preparation = Preparation()
    data = read_image(llm.Attachment(path=path), path, preparation)
    return Measured(path, *prepare(data, path, preparation))


def estimates(image: Measured, model: CatalogueModel) -> list[Estimate]:
    """Estimate an image at each detail."""
    return [_estimate(image, model, detail) for detail in IMAGE_DETAILS]


def _estimate(image: Measured, model: CatalogueModel, detail: str) -> Estimate:
    info = image.info
    tokens = _cost(model, info.width, info.height, detail).tokens
    price = model.prompt_price
    usd = None if price is None else round(tokens * price / 1_000_000, 10)
    return Estimate(image.path, info.width, info.height, len(image.data), detail, tokens, usd)


def _cost(model: CatalogueModel, width: int, height: int, detail: str) -> Cost:
    if model.accounting == "patches":
        return patched(width, height, detail)
    return tiled(width, height, detail)


def draw_tiles(image: Measured, model: CatalogueModel, out: str) -> None:
    """Save a copy of an image with the squares it is cut into drawn over it.

    Tiles are numbered; of more than six, the guide does not say how they are fitted to
    six, so that all are drawn. Raises InvalidSetting for a file that cannot be written, and
    DamagedImage for pixels that cannot be read.
    """
    from PIL import ImageDraw

    from .convert import decode

    if Path(out).exists() and Path(out).samefile(image.path):
        raise InvalidSetting(f"{out} is the image itself; draw into another file.")
    cost = _cost(model, image.info.width, image.info.height, "high")
    picture = decode(image.data, image.path)
    pen = ImageDraw.Draw(picture)
    for number in range(cost.columns * cost.rows):
        left = number % cost.columns * cost.side
        top = number // cost.columns * cost.side
        square = (left, top, left + cost.side, top + cost.side)
        if model.accounting == "patches":
            pen.rectangle(square, outline="white", width=1)
        else:
            pen.rectangle(square, outline="black", width=3)
            pen.rectangle(square, outline="white", width=1)
            _write(pen, (left + 12, top + 6), str(number + 1), cost.side // 6)
    _write(pen, (12, image.info.height - 44), _caption(model, cost), 28)
    try:
        picture.save(out)
    except (OSError, ValueError) as error:
        raise InvalidSetting(f"{out} could not be written: {error}.") from None


def _write(pen: "ImageDraw.ImageDraw", at: tuple[int, int], text: str, size: int) -> None:
    from PIL import ImageFont

    font = ImageFont.load_default(size)
    pen.text(at, text, fill="white", font=font, stroke_width=3, stroke_fill="black")


def _caption(model: CatalogueModel, cost: Cost) -> str:
    squares = cost.columns * cost.rows
    is_counted_less = model.accounting == "tiles" and squares > MAX_TILES
    counted = f", counted as {MAX_TILES}" if is_counted_less else ""
    return f"{model.name}: {squares} {model.accounting}{counted}: {cost.tokens} tokens"
