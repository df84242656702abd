"""What answers in the place of the fake: a recorder of xAI's API, or a replayer."""

import os
from importlib import import_module
from pathlib import Path

from .front import Application


def passing(
    record: str | os.PathLike[str] | None,
    upstream: str,
    replay: str | os.PathLike[str] | None,
    max_body: int,
) -> Application | None:
    """Make what answers in the place of the fake, or None; raises ValueError."""
    if record is not None and replay is not None:
        raise ValueError("a server records or replays, not both")
    if record is None and replay is None:
        return None
    try:
        from .recorder import Recorder
        from .replayer import Replayer

        import_module("vcr")
    except ImportError as error:
        raise ValueError(
            f"recordings need more packages: pip install 'llm-grok-vision[record]' ({error})"
        ) from None
    if record is not None:
        if not upstream.startswith(("http://", "https://")):
            raise ValueError(f"upstream begins with http:// or https://: {upstream}")
        return Recorder(Path(record), upstream.rstrip("/"), max_body)
    return Replayer(Path(replay or ""), max_body)
