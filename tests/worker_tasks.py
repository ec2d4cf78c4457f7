"""What the tests have done in the children of a `WorkerPool`: small functions, good and bad."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import webbrowser
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from index.errors import UnreadableDocumentError


@dataclass(frozen=True, slots=True)
class Pair:
    """A result of a type of ours."""

    setup: object
    task: object


class Planted:
    """Were it read in the parent, a program would run there."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (os.system, ("true",))


def echo(setup: object, task: object) -> Pair:
    return Pair(setup, task)


def plain(_: object, task: object) -> object:
    return task


def act(setup: str, task: str) -> object:
    """Do what the task names."""
    return _ACTS[task](setup)


def shaky(_: object, task: int) -> int:
    """Die at some of the tasks."""
    if task % 500 == 7:
        os._exit(3)
    if task % 500 == 9:
        os.kill(os.getpid(), signal.SIGSEGV)
    return task


def sized(_: object, size: int) -> bytes:
    return b"x" * size


def length(_: object, task: bytes) -> int:
    return len(task)


def sleepy(_: object, seconds: float) -> float:
    time.sleep(seconds)
    return seconds


def leak(_: object, task: int, kept: list[bytes] = []) -> int:  # noqa: B006  # the leak is meant
    """Keep 30 MiB more at every call."""
    kept.append(bytes(bytearray(os.urandom(1024)) * 30 * 1024))
    return os.getpid()


def forever(_: str) -> None:
    while True:
        pass


def swell(_: str) -> int:
    """Take 2 GB at once, as Python objects do."""
    return len(bytearray(2_000_000_000))


def creep(_: str) -> int:
    """Take 2 GB little by little, caring for no refusal."""
    kept = []
    for _ in range(2000):
        kept.append(bytearray(os.urandom(1024)) * 1024)
    return len(kept)


def creep_outside_limit(_: str) -> int:
    """Take memory that the limit inside the process does not count: shared, so only its residence shows."""
    import mmap

    kept = []
    for _ in range(40):
        block = mmap.mmap(-1, 50 * 1024 * 1024)
        for at in range(0, len(block), 4096):
            block[at] = 1
        kept.append(block)
        time.sleep(0.02)
    return len(kept)


def hidden_shortage(_: str) -> None:
    """Take a lack of memory for a damaged file, as a parser does that catches everything."""
    try:
        bytearray(2_000_000_000)
    except Exception as error:
        raise UnreadableDocumentError("It is damaged.", remedy="Get it again.") from error


def chatter(_: str) -> None:
    while True:
        os.write(1, b"out" * 1000)
        os.write(2, b"err" * 1000)


def recurse(_: str) -> int:
    return recurse(_) + 1


def nested(_: str) -> list[object]:
    result: list[object] = []
    for _ in range(100_000):
        result = [result]
    return result


def explain(_: str) -> None:
    raise UnreadableDocumentError("It is torn.", remedy="Mend it.")


def connect(port: str) -> None:
    with socket.socket() as plug:
        plug.connect(("127.0.0.1", int(port)))


def connect_natively(port: str) -> int:
    """Connect from C, where no audit hook hears of it; gives the error number."""
    libc = ctypes.CDLL(None, use_errno=True)
    plug = libc.socket(2, 1, 0)
    address = (2).to_bytes(2, sys.byteorder) + int(port).to_bytes(2, "big") + bytes([127, 0, 0, 1]) + bytes(8)
    return ctypes.get_errno() if libc.connect(plug, address, 16) else 0


def write_natively(path: str) -> int:
    """Create a file from C; gives the error number."""
    libc = ctypes.CDLL(None, use_errno=True)
    return ctypes.get_errno() if libc.open(path.encode(), os.O_WRONLY | os.O_CREAT, 0o600) < 0 else 0


def temporary(_: str) -> bytes:
    """Use temporary files in every way that ought to work."""
    with tempfile.TemporaryDirectory() as folder:
        first, second = Path(folder, "first"), Path(folder, "second")
        first.write_bytes(b"here")
        first.rename(second)
        (second.parent / "deep").mkdir()
        return second.read_bytes()


def through_link(path: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        link = Path(folder, "link")
        link.symlink_to(path)
        link.write_text("through")


def fake_program(_: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder, "tesseract")
        program.write_text("#!/bin/sh\n")
        subprocess.run([str(program)], check=True)


def environment(_: str) -> dict[str, str]:
    return dict(os.environ)


_ACTS: dict[str, Callable[[str], object]] = {
    "TypeError": lambda _: len(3),  # type: ignore[arg-type]
    "SystemExit": lambda _: sys.exit(0),
    "RecursionError": recurse,
    "nested result": nested,
    "unpicklable result": lambda _: lambda: None,
    "planted result": lambda _: Planted(),
    "DossierError": explain,
    "forever": forever,
    "sleep": lambda _: time.sleep(60),
    "swell": swell,
    "creep": creep,
    "creep outside": creep_outside_limit,
    "hidden shortage": hidden_shortage,
    "segfault": lambda _: ctypes.string_at(0),
    "abort": lambda _: os.abort(),
    "exit": lambda _: os._exit(5),
    "chatter": chatter,
    "print": lambda _: [print("noise" * 1000, file=f) for f in (sys.stdout, sys.stderr)] and "said",
    "pid": lambda _: os.getpid(),
    "group": lambda _: os.getpgid(0),
    "folder": lambda _: tempfile.gettempdir(),
    "environment": environment,
    "path": lambda _: sys.path,
    "temporary": temporary,
    "connect": connect,
    "connect natively": connect_natively,
    "look up": lambda _: socket.getaddrinfo("example.org", 80),
    "bind": lambda _: socket.socket().bind(("127.0.0.1", 0)),
    "browse": lambda _: webbrowser.get("true %s").open("http://example.org/"),
    "program": lambda _: subprocess.run(["true"], check=True),
    "shell": lambda _: os.system("true"),
    "exec": lambda _: os.execv("/bin/true", ["true"]),
    "fork": lambda _: os.fork(),
    "spawn": lambda _: os.posix_spawn("/bin/true", ["true"], {}),
    "fake program": fake_program,
    "tesseract": lambda _: subprocess.run(["tesseract", "--version"], capture_output=True, check=True).stdout,
    "write": lambda path: Path(path).write_text("out"),
    "append": lambda path: open(path, "a").close(),
    "open": lambda path: os.open(path, os.O_RDWR | os.O_CREAT),
    "remove": os.remove,
    "rename": lambda path: os.rename(path, path + ".moved"),
    "take": lambda path: os.rename(path, os.path.join(tempfile.gettempdir(), "taken")),
    "link": lambda path: os.link(path, os.path.join(tempfile.gettempdir(), "linked")),
    "through link": through_link,
    "chmod": lambda path: os.chmod(path, 0o777),
    "truncate": lambda path: os.truncate(path, 0),
    "rmdir": lambda path: os.rmdir(os.path.dirname(path)),
    "mkdir": lambda path: os.mkdir(path + ".d"),
    "write natively": lambda path: write_natively(path + ".native"),
}
