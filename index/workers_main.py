"""The child of `index.workers`: takes tasks from a pipe, one at a time, and answers each.

A message is its length, eight bytes big-endian, and a pickle. The first one from the parent names the function; each
answer is `(kind, value, last)`: "done" with what the function returned or the `DossierError` it raised, or "lost" with
reason and detail; `last` says that the process ends after it.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import pickle
import signal
import struct
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from index.errors import DossierError
from index.sandbox import close_walls

_LENGTH = struct.Struct(">Q")
_MIB = 1024 * 1024
_MOST_TASKS = 500  # then a fresh process: what libraries leak must not be held against a later file
_NO_MEMORY = ("memory", "MemoryError")
_MEMORY = pickle.dumps(("lost", _NO_MEMORY, True), protocol=5)  # made while there is room for it


def main() -> None:
    """Serve the parent until it closes the pipe."""
    tasks, answers = os.dup(0), os.dup(1)  # neither is handed on to programs, nor found by a parser that prints
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _die_with(int(sys.argv[2]))
    name, pickled, seconds, memory_mb, folder = pickle.loads(_receive(tasks) or b"")  # noqa: S301  # from our parent
    try:
        module, _, attribute = name.partition(":")
        function = getattr(importlib.import_module(module), attribute)
        setup = pickle.loads(pickled)  # noqa: S301  # from our parent
    except Exception as error:
        _send(answers, pickle.dumps(("lost", ("error", f"{name}: {_say(error)}"), True), protocol=5))
        return
    _limit(memory_mb)
    _lock(folder)
    close_walls(folder)
    _send(answers, pickle.dumps(("done", None, False), protocol=5))
    memory = _Memory(memory_mb)
    count = 0
    while (message := _receive(tasks)) is not None:
        count += 1
        _alarm(seconds * 1.5 + 1)  # should the parent be unable to
        kind, value = _do(function, setup, message)
        last = count >= _MOST_TASKS or value is _NO_MEMORY or memory.swollen()
        try:
            answer = pickle.dumps((kind, value, last), protocol=5)
        except MemoryError:
            answer, last = _MEMORY, True
        except Exception as error:  # the result does not pickle, or nests too deep for it
            answer = pickle.dumps(("lost", ("error", _say(error)), last), protocol=5)
        del value
        _alarm(0)
        _send(answers, answer)
        if last:
            return


def _do(function: Callable[[Any, Any], object], setup: object, message: bytearray) -> tuple[str, object]:
    try:
        return "done", function(setup, pickle.loads(message))  # noqa: S301  # from our parent
    except BaseException as error:  # SystemExit too: the process is ours to end
        if _from_memory(error):
            return "lost", _NO_MEMORY
        return ("done", error) if isinstance(error, DossierError) else ("lost", ("error", _say(error)))


def _from_memory(error: BaseException | None) -> bool:
    """Tell if an error goes back to a lack of memory, which a parser took for damage of its file."""
    for _ in range(20):
        if error is None:
            return False
        if isinstance(error, MemoryError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _say(error: BaseException) -> str:
    with contextlib.suppress(Exception):
        text = " ".join(str(error).split())
        return f"{type(error).__name__}: {text[:300]}" if text else type(error).__name__
    return type(error).__name__


class _Memory:
    """Tells if this process has grown past half its limit for good."""

    def __init__(self, memory_mb: int) -> None:
        self._most = memory_mb * _MIB // 2
        self._file: int | None = None
        with contextlib.suppress(OSError):
            self._file = os.open("/proc/self/statm", os.O_RDONLY)

    def swollen(self) -> bool:
        if self._resident() <= self._most:
            return False
        import gc

        gc.collect()
        with contextlib.suppress(Exception):
            import ctypes

            ctypes.CDLL(None).malloc_trim(0)
        return self._resident() > self._most

    def _resident(self) -> int:
        if self._file is None:
            return 0
        return int(os.pread(self._file, 100, 0).split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _limit(memory_mb: int) -> None:
    """Limit what the system can limit: memory that holds data, the size of a file, and no core dumps."""
    try:
        import resource
    except ImportError:
        return  # Windows; the parent's clock remains
    # Address space would be the stricter measure, but libraries reserve far more of it than they use.
    for kind, most in (("RLIMIT_DATA", memory_mb * _MIB), ("RLIMIT_FSIZE", memory_mb * _MIB), ("RLIMIT_CORE", 0)):
        with contextlib.suppress(AttributeError, OSError, ValueError):
            resource.setrlimit(getattr(resource, kind), (most, most))


def _lock(folder: str) -> None:
    """Mark the temporary folder as in use for as long as this process lives, however it ends."""
    with contextlib.suppress(ImportError, OSError):
        import fcntl

        fcntl.flock(os.open(folder, os.O_RDONLY), fcntl.LOCK_EX)


def _alarm(seconds: float) -> None:
    """Have the system end the process after some time, or not (0), even in the middle of native code."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, seconds)


def _die_with(parent: int) -> None:
    """End when the parent ends, even if it is killed while a task runs."""
    if sys.platform == "linux":
        with contextlib.suppress(Exception):
            import ctypes

            ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    if os.name != "posix":
        return
    if os.getppid() != parent:
        os._exit(1)  # it ended before we asked
    if sys.platform != "linux":

        def look() -> None:
            while os.getppid() == parent:
                time.sleep(0.5)
            os._exit(1)

        threading.Thread(target=look, daemon=True).start()


def _receive(pipe: int) -> bytearray | None:
    """Read one message; `None` at the end of the pipe."""
    head = _read(pipe, _LENGTH.size)
    return _read(pipe, _LENGTH.unpack(head)[0]) if head else None


def _read(pipe: int, size: int) -> bytearray | None:
    data = bytearray()
    while len(data) < size:
        chunk = os.read(pipe, min(size - len(data), _MIB))
        if not chunk:
            return None
        data += chunk
    return data


def _send(pipe: int, message: bytes) -> None:
    view = memoryview(_LENGTH.pack(len(message)) + message)
    while view:
        view = view[os.write(pipe, view) :]
