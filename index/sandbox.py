"""What a process that reads untrusted files gives up: the network, other programs, and files outside one folder.

Two walls. An audit hook refuses what Python code may try, on every system. On Linux the kernel (Landlock) refuses it to
native code too: writing outside the folder since Linux 5.13, and TCP since 6.7. Both last until the process ends.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable
from typing import Any

_PROGRAM = "tesseract"  # reads scanned pages; the one program that may be started
_NETWORK = (
    "socket.connect socket.bind socket.sendto socket.sendmsg socket.getaddrinfo socket.gethostbyname "
    "socket.gethostbyaddr socket.getnameinfo urllib.Request http.client.connect ftplib.connect smtplib.connect "
    "imaplib.open poplib.connect nntplib.connect telnetlib.Telnet.open webbrowser.open"
)
_PROGRAMS = "os.system os.exec os.fork os.forkpty os.spawn os.startfile os.startfile/2 pty.spawn"
_REFUSED = frozenset(f"{_NETWORK} {_PROGRAMS}".split())
# Event -> pairs of positions among its arguments: a path that is changed, and the folder it is relative to (or none).
_CHANGES: dict[str, tuple[tuple[int, int | None], ...]] = {
    "os.remove": ((0, 1),),
    "os.rmdir": ((0, 1),),
    "os.mkdir": ((0, 2),),
    "os.rename": ((0, 2), (1, 3)),
    "os.link": ((0, 2), (1, 3)),  # a second name inside for a file outside would be a way to write to it
    "os.symlink": ((1, 2),),
    "os.truncate": ((0, None),),
    "os.chmod": ((0, 2),),
    "os.lchmod": ((0, None),),
    "os.chown": ((0, 3),),
    "os.lchown": ((0, None),),
    "os.chflags": ((0, None),),
    "os.utime": ((0, 3),),
    "os.setxattr": ((0, None),),
    "os.removexattr": ((0, None),),
    "sqlite3.connect": ((0, None),),
}
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


def close_walls(folder: str) -> None:
    """Confine this process, until it ends, to reading, computing, and writing under one folder.

    Args:
        folder: Where files may be written, changed and removed.
    """
    sys.dont_write_bytecode = True
    with contextlib.suppress(Exception):  # a system without Landlock; the audit hook is then the only wall
        _ask_kernel(folder)
    sys.addaudithook(audit_hook(folder))


def audit_hook(folder: str) -> Callable[[str, tuple[Any, ...]], None]:
    """Make the audit hook that refuses, by PermissionError, network, programs and writing outside a folder."""
    root = os.path.realpath(folder)

    def inside(path: object, base: object = None) -> bool:
        if isinstance(path, int):
            return True  # a file that is open already
        name = os.fsdecode(path)  # type: ignore[arg-type]  # anything else raises TypeError, which refuses it too
        if name == os.devnull or name == ":memory:":
            return True
        if isinstance(base, int) and base >= 0 and not os.path.isabs(name):
            name = os.path.join(os.readlink(f"/proc/self/fd/{base}"), name)
        folder, last = os.path.split(os.path.abspath(name))
        whole = os.path.realpath(os.path.join(os.path.realpath(folder), last))
        return whole == root or whole.startswith(root + os.sep)

    def program(path: object) -> bool:
        name = os.fsdecode(path)  # type: ignore[arg-type]
        return os.path.basename(name) == _PROGRAM and (os.sep not in name or not inside(name))

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, mode, flags = arguments
            if (_writes(mode) or (isinstance(flags, int) and flags & _WRITING)) and not inside(path):
                raise PermissionError(f"writing to {path!r} is not allowed while reading documents")
        elif event in _REFUSED:
            raise PermissionError(f"{event} is not allowed while reading documents")
        elif event in ("subprocess.Popen", "os.posix_spawn"):
            if not program(arguments[0]):
                raise PermissionError(f"starting {arguments[0]!r} is not allowed while reading documents")
        elif event in _CHANGES:
            for path, base in _CHANGES[event]:
                if not inside(arguments[path], None if base is None else arguments[base]):
                    raise PermissionError(f"{event} on {arguments[path]!r} is not allowed while reading documents")

    return hook


def _writes(mode: object) -> bool:
    return isinstance(mode, str) and any(letter in mode for letter in "wax+")


def _ask_kernel(folder: str) -> None:
    """Set up Landlock; numbers and structures are those of linux/landlock.h, the same on all processors."""
    import ctypes
    import struct

    libc = ctypes.CDLL(None, use_errno=True)
    create, add, restrict = 444, 445, 446
    version = libc.syscall(create, None, 0, 1)
    if version < 1:
        return
    writing = (1 << 1) | sum(1 << bit for bit in range(4, 13))  # write, remove and make things of every kind
    writing |= ((1 << 13) if version >= 2 else 0) | ((1 << 14) if version >= 3 else 0)  # move between, truncate
    network = 3 if version >= 4 else 0  # bind and connect by TCP
    scope = 3 if version >= 6 else 0  # abstract sockets of, and signals to, processes outside
    attributes = struct.pack("=QQQ", writing, network, scope)[: 24 if version >= 6 else 16 if version >= 4 else 8]
    ruleset = libc.syscall(create, attributes, len(attributes), 0)
    if ruleset < 0:
        return
    file_only = writing & ((1 << 1) | (1 << 14))
    for path, allowed in ((folder, writing), (os.devnull, file_only)):
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
        libc.syscall(add, ruleset, 1, struct.pack("=Qi", allowed, place), 0)
        os.close(place)
    if libc.prctl(38, 1, 0, 0, 0) == 0:  # no new privileges: the condition for the next
        libc.syscall(restrict, ruleset, 0)
    os.close(ruleset)
