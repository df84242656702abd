"""What answers in the place of the fake: a recorder of xAI's API, or a replayer."""

import os
from importlib import import_module
from pathlib import Path
from urllib.parse import urlsplit

from .front import Instead


def passing(
    record: str | os.PathLike[str] | None, upstream: str, replay: str | os.PathLike[str] | None
) -> Instead | None:
    """Make what answers in the place of the fake, or None; raises ValueError."""
    if record is not None and replay is not None:
        raise ValueError("a server records or replays, not both")
    if record is None and replay is None:
        return None
    try:
        from .recorder import Recorder, trusted
        from .replayer import Replayer

        import_module("vcr")
    except ImportError as error:
        raise ValueError(
            f"recordings need more packages: pip install 'llm-grok-vision[record]' ({error})"
        ) from None
    if record is None:
        return Replayer(Path(replay or ""))
    folder = Path(record)
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"record is no folder: {folder}")
    if not upstream.startswith(("http://", "https://")) or not urlsplit(upstream).hostname:
        raise ValueError(f"upstream begins with http:// or https:// and a host: {upstream}")
    return Recorder(folder, upstream.rstrip("/"), trusted())
