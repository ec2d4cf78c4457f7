"""One child process of `index.workers`, seen from its parent: its pipes, its clock, its memory and its end."""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from typing import Any, cast

from index.pickles import loads

_START_SECONDS = 60.0  # to start an interpreter and import the function, on a machine with all cores taken
_MIB = 1024 * 1024
_BOOT = "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from index.workers_main import main; main()"
_KEPT = re.compile(  # of the environment; a parser has no use for the rest, least of all for keys to other services
    r"PATH|HOME|USERPROFILE|SYSTEMROOT|WINDIR|LANG|LANGUAGE|TZ|VIRTUAL_ENV|TESSDATA_PREFIX|(?:LC_|LD_|DYLD_|PYTHON)\w*",
    re.IGNORECASE,
)
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_THREAD_LIMIT", "RAYON_NUM_THREADS")
_OUT_OF_MEMORY = re.compile(rb"bad_alloc|out of memory|memory allocation of \d+|cannot allocate memory", re.IGNORECASE)
_FOLDER = "dossier-worker-"
_LENGTH = struct.Struct(">Q")


@dataclass(frozen=True, slots=True)
class Lost:
    """A task whose worker died or was stopped.

    `reason` is "time", "memory", "crash" (the process ended) or "error" (an exception we did not raise on purpose);
    `detail` says more, such as "signal 11 (SIGSEGV)" or "TypeError: …".
    """

    reason: str
    detail: str


class Died(Exception):
    """The child is gone; says what to report."""

    def __init__(self, lost: Lost) -> None:
        super().__init__(lost.detail)
        self.lost = lost


@dataclass(frozen=True, slots=True)
class Plan:
    """What every child of a pool is told, and its limits."""

    function: str
    setup: bytes
    seconds: float
    memory_mb: int


class Child:
    """One process, its pipes and its temporary folder."""

    def __init__(self, plan: Plan, work: threading.Event) -> None:
        self._plan = plan
        self._work = work
        self._lock = threading.Lock()
        self._deadline: float | None = None
        self._allowed = 0.0
        self._verdict: Lost | None = None
        self._resident = 0
        self._errors = b""
        self._folder = tempfile.mkdtemp(prefix=_FOLDER)
        path = json.dumps([entry or os.getcwd() for entry in sys.path])
        try:
            # The command is this interpreter and fixed code; nothing of a document is in it.
            self._process = subprocess.Popen(  # noqa: S603
                [sys.executable, "-P", "-c", _BOOT, path, str(os.getpid())],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                env=_environment(self._folder),
                start_new_session=True,  # Ctrl-C is for the parent, which then decides
                creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
            )
        except OSError:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise
        self._reader = threading.Thread(target=self._drain, name="dossier-worker-errors", daemon=True)
        self._reader.start()

    def begin(self) -> None:
        """Wait until the child has imported the function; raises `Died` if it does not."""
        plan = self._plan
        first = (plan.function, plan.setup, plan.seconds, plan.memory_mb, self._folder)
        answer, _ = self._exchange(pickle.dumps(first, protocol=5), _START_SECONDS)
        if isinstance(answer, Lost):
            raise Died(Lost("error", answer.detail))

    def run(self, task: object) -> tuple[object, bool]:
        """Have one task done; gives the result and whether the child ends after it. Raises `Died` if it dies."""
        return self._exchange(pickle.dumps(task, protocol=5), self._plan.seconds)

    def check(self) -> bool:
        """Look at the clock and the memory, and kill the child if it is over a limit; tells if it is working."""
        with self._lock:  # held throughout, so that the task that is over the limit is still the one at work
            if self._deadline is None:
                return False
            if time.monotonic() > self._deadline:
                self._kill(Lost("time", f"{self._allowed:g} s"))
            resident, most = _resident(self._process.pid), self._plan.memory_mb
            self._resident = max(self._resident, resident)
            if resident > most * _MIB:
                self._kill(Lost("memory", f"{resident / _MIB:.0f} MiB, over the limit of {most} MiB"))
            return True

    def alive(self) -> bool:
        """Tell if it can take a task: it may have died, or been killed, after it answered the last one."""
        with self._lock:
            return self._verdict is None and self._process.poll() is None

    def kill(self, verdict: Lost) -> None:
        """Kill the process and all it started; the first verdict stands."""
        with self._lock:
            self._kill(verdict)

    def _kill(self, verdict: Lost) -> None:
        if self._process.returncode is None:  # not yet waited for, so the number is still its own
            self._verdict = self._verdict or verdict
            with contextlib.suppress(OSError):
                if hasattr(os, "killpg"):
                    os.killpg(self._process.pid, signal.SIGKILL)
                self._process.kill()

    def end(self) -> None:
        """Make sure that nothing is left of it."""
        self.kill(Lost("error", "ended"))
        with self._lock:
            self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        self._reader.join(timeout=1)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _exchange(self, message: bytes, seconds: float) -> tuple[object, bool]:
        with self._lock:
            self._resident, self._allowed = 0, seconds
            self._deadline = time.monotonic() + seconds
        if not self._work.is_set():
            self._work.set()
        try:
            self._send(message)
            answer = self._receive()
        except (OSError, EOFError):
            raise Died(self._cause()) from None
        finally:
            with self._lock:
                self._deadline = None
        try:
            kind, value, last = loads(answer, self._plan.function.split(".")[0])
        except Exception as error:  # a child that has been taken over may send anything
            raise Died(Lost("error", f"the result cannot be taken over: {type(error).__name__}: {error}")) from error
        return (Lost(*value) if kind == "lost" else value), bool(last)

    def _send(self, message: bytes) -> None:
        stdin = cast(Any, self._process.stdin)
        view = memoryview(_LENGTH.pack(len(message)) + message)
        while view:
            view = view[stdin.write(view) :]

    def _receive(self) -> bytearray:
        size = _LENGTH.unpack(self._read(_LENGTH.size))[0]
        if size > self._plan.memory_mb * _MIB:
            self.kill(Lost("memory", f"a result of {size / _MIB:,.0f} MiB"))
            raise EOFError
        return self._read(size)

    def _read(self, size: int) -> bytearray:
        stdout = cast(Any, self._process.stdout)
        data = bytearray(size)
        view = memoryview(data)
        while view:
            count = stdout.readinto(view)
            if not count:
                raise EOFError
            view = view[count:]
        return data

    def _cause(self) -> Lost:
        """Why the child ended, once its pipes are closed."""
        status, patience = None, time.monotonic() + 5
        while status is None and time.monotonic() < patience:
            with self._lock:
                status = self._process.poll()
            if status is None:
                time.sleep(0.005)
        if self._verdict is not None:
            return self._verdict
        self._reader.join(timeout=1)
        detail = _describe(status)
        killed = hasattr(signal, "SIGKILL") and status == -signal.SIGKILL  # not by us: the system ran out of memory
        alarm = hasattr(signal, "SIGALRM") and status == -signal.SIGALRM
        if alarm:
            return Lost("time", f"{self._allowed:g} s")
        full = self._resident > 0.8 * self._plan.memory_mb * _MIB
        if killed or full or _OUT_OF_MEMORY.search(self._errors):
            return Lost("memory", detail)
        return Lost("crash", detail)

    def _drain(self) -> None:
        """Read what the child complains of, so that it never waits for it, and keep the end."""
        stderr = cast(Any, self._process.stderr)
        with contextlib.suppress(OSError, ValueError), stderr:
            while chunk := stderr.read(65536):
                self._errors = (self._errors + chunk)[-4096:]


def remove_left_folders() -> None:
    """Remove the temporary folders of children whose parent was killed; those in use are locked by their child."""
    try:
        import fcntl
    except ImportError:
        return  # Windows
    entries: list[os.DirEntry[str]] = []
    with contextlib.suppress(OSError):
        entries = list(os.scandir(tempfile.gettempdir()))
    for entry in entries:
        # The lock of a young one may not have been taken yet.
        with contextlib.suppress(OSError):
            if entry.name.startswith(_FOLDER) and time.time() - entry.stat(follow_symlinks=False).st_mtime > 60:
                place = os.open(entry.path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
                try:
                    fcntl.flock(place, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(entry.path, ignore_errors=True)
                finally:
                    os.close(place)


def _describe(status: int | None) -> str:
    if status is None:
        return "closed its pipe"
    if status >= 0:
        return f"exit status {status}"
    try:
        return f"signal {-status} ({signal.Signals(-status).name})"
    except ValueError:
        return f"signal {-status}"


def _environment(folder: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if _KEPT.fullmatch(name)}
    kept |= dict.fromkeys(("TMPDIR", "TEMP", "TMP"), folder) | dict.fromkeys(_ONE_THREAD, "1")
    return kept | {"TOKENIZERS_PARALLELISM": "false", "PYTHONUNBUFFERED": "1"}


def _resident(pid: int) -> int:
    """Resident bytes of a process; 0 where the system does not tell."""
    try:
        with open(f"/proc/{pid}/statm", "rb") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError, ValueError):
        return 0
