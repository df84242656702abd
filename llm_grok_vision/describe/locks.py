"""What one run has for itself, as long as it lasts."""

import os
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import IO

if sys.platform == "win32":
    import msvcrt

    # Windows lets nobody read what is locked: a byte far behind the end hinders nobody.
    _LOCKED_BYTE = 2**40

    def lock(file: IO[bytes]) -> bool:
        """Lock a file until it is closed; False if another process has."""
        os.lseek(file.fileno(), _LOCKED_BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def locked(_folder: Path) -> AbstractContextManager[None]:
        """Do nothing: Windows locks no folders."""
        return nullcontext()

else:
    import fcntl

    def lock(file: IO[bytes]) -> bool:
        """Lock a file until it is closed; False if another process has."""
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            # Some network file systems have no locks.
            return True
        return True

    @contextmanager
    def locked(folder: Path) -> Iterator[None]:
        """Have other runs wait that want to lock this folder, until the context ends."""
        handle = os.open(folder, os.O_RDONLY)
        try:
            with suppress(OSError):
                # As above.
                fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)
