"""`img:`, the fragment loader: images for `-f` and for `!fragment` in `llm chat`.

Files stay paths, so that LLM's log stays small.
"""

import glob
import io
import mimetypes
from pathlib import Path

import llm
from llm.utils import mimetype_from_path

from .download import media_type
from .errors import ImageNotReadable, UnsupportedImage
from .names import is_web_address, shown_address

_CLIPBOARD = "clipboard"


def images_for(argument: str) -> list[llm.Attachment]:
    """Give the images that the part behind `img:` names; raises an ImageError."""
    if not argument:
        raise ImageNotReadable("img:", f"needs a file, a folder, an address or '{_CLIPBOARD}'.")
    if argument == _CLIPBOARD:
        return _copied()
    if is_web_address(argument):
        return [_at_address(argument)]
    path = Path(argument).expanduser()
    if path.is_dir():
        return _in_folder(path)
    # A name like photo[1].jpg is a file's, where there is such a file.
    if path.exists() or not glob.has_magic(argument):
        return [_file(path)]
    return _matching(path)


def _file(path: Path) -> llm.Attachment:
    if not path.is_file():
        raise ImageNotReadable(str(path), "does not exist.")
    found = _type_of(path)
    if not found.startswith("image/"):
        raise UnsupportedImage(str(path), f"is not an image ({found or 'of no known type'}).")
    return llm.Attachment(type=found, path=str(path.resolve()))


def _in_folder(folder: Path) -> list[llm.Attachment]:
    """Give a folder's images; other files, hidden ones and folders in it are left alone."""
    files = sorted(
        path for path in folder.iterdir() if path.is_file() and not path.name.startswith(".")
    )
    images = [path for path in files if _type_of(path).startswith("image/")]
    if not images:
        raise ImageNotReadable(str(folder), "has no images in it.")
    return [_file(path) for path in images]


def _matching(pattern: Path) -> list[llm.Attachment]:
    # Path.glob takes no pattern that begins at the root.
    matches = map(Path, glob.glob(str(pattern), recursive=True))  # noqa: PTH207
    paths = sorted(path for path in matches if path.is_file())
    if not paths:
        raise ImageNotReadable(str(pattern), "matches no file.")
    return [_file(path) for path in paths]


def _type_of(path: Path) -> str:
    """Tell a file's type by its bytes as LLM does, or else by its name; "" for neither."""
    try:
        found = mimetype_from_path(str(path))
    except ValueError:
        # No bytes: `prepare` says so, if the name is an image's.
        found = None
    return found or mimetypes.guess_type(path.name)[0] or ""


def _at_address(url: str) -> llm.Attachment:
    found = media_type(url) or "of no known type"
    if not found.startswith("image/"):
        raise UnsupportedImage(shown_address(url), f"is not an image ({found}).")
    return llm.Attachment(type=found, url=url)


def _copied() -> list[llm.Attachment]:
    """Take what is in the clipboard: an image, or image files."""
    from PIL import Image, ImageGrab

    try:
        copied = ImageGrab.grabclipboard()
    except NotImplementedError:
        raise ImageNotReadable(
            "The clipboard", "cannot be read: install wl-clipboard or xclip."
        ) from None
    except OSError as error:
        raise ImageNotReadable("The clipboard", f"could not be read: {error}.") from error
    if isinstance(copied, list):
        return [_file(Path(path)) for path in copied]
    if not isinstance(copied, Image.Image):
        raise ImageNotReadable("The clipboard", "has no image in it.")
    out = io.BytesIO()
    copied.save(out, "PNG")
    return [llm.Attachment(type="image/png", content=out.getvalue())]
