"""One writer at a time, across processes."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from types import TracebackType

from index.errors import LibraryBusyError, LibraryError


class WriteLock:
    """An exclusive lock on a file, let go by the system when its process ends, however it ends.

    Args:
        path: The lock file; made if missing, never removed.
        timeout: Seconds to wait for another holder; 0 does not wait.
    """

    def __init__(self, path: Path, timeout: float) -> None:
        self._path = path
        self._timeout = timeout
        self._descriptor: int | None = None

    def __enter__(self) -> WriteLock:
        try:
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise LibraryError(
                f"The library {self._path.parent} cannot be written: {error.strerror}.",
                remedy="Check the folder's permissions.",
            ) from error
        deadline = time.monotonic() + self._timeout
        while not _try_lock(self._descriptor):
            if time.monotonic() >= deadline:
                os.close(self._descriptor)
                self._descriptor = None
                raise LibraryBusyError(
                    f"Another process is writing to {self._path.parent} and did not finish in {self._timeout:g} s.",
                    remedy="Wait for it and run the same command again; nothing was changed.",
                )
            time.sleep(0.05)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._descriptor is not None:
            # Unlocked, not only closed: a child that another thread has just forked still holds a copy of the
            # descriptor until it runs its own program, and the lock would be its copy's as long.
            _unlock(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = None


def _try_lock(descriptor: int) -> bool:
    if sys.platform == "win32":
        import msvcrt

        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _unlock(descriptor: int) -> None:
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)
        return
    import fcntl

    fcntl.flock(descriptor, fcntl.LOCK_UN)
