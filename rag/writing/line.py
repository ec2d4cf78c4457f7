"""The connection of one request, which another thread can cut."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import Any

_END = b"[DONE]"


class Line:
    """What is known of a request on its way.

    `prompt` and `completion` are the tokens that the server says were read and written, 0 if it does not say.
    `framed` says that the server speaks the OpenAI format, which says how it ends: in `reason` ("stop", "length"), or
    by `[DONE]`.
    """

    def __init__(self) -> None:
        self.framed = False
        self.reason: str | None = None
        self.ended = False
        self.prompt = self.completion = 0
        self._tail = b""
        self._lock = threading.Lock()
        self._sockets: list[Any] = []
        self.cut_off = threading.Event()

    @property
    def complete(self) -> bool:
        """Whether the server said that the answer is at its end, or cannot say so."""
        return not self.framed or self.ended or self.reason is not None

    def trace(self, name: str, info: dict[str, Any]) -> None:
        """Called by the HTTP client at each of its steps."""
        if name.endswith(("connect_tcp.complete", "connect_unix_socket.complete", "start_tls.complete")):
            found = info["return_value"].get_extra_info("socket")
            with self._lock:
                if found is not None:
                    self._sockets.append(found)
            if self.cut_off.is_set():
                self.cut()

    def saw(self, piece: bytes) -> None:
        """Called with the bytes of the answer."""
        self._tail = (self._tail + piece)[-256:]
        self.ended = self.ended or _END in self._tail

    def cut(self) -> None:
        """End the request now. The thread that reads from it gets an error and ends."""
        self.cut_off.set()
        with self._lock:
            for found in self._sockets:
                with contextlib.suppress(OSError, ValueError):
                    found.shutdown(socket.SHUT_RDWR)
