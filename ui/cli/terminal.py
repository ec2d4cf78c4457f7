"""What reaches a terminal: text of documents is stripped of everything that could steer it."""

from __future__ import annotations

import json
import re
import sys
from typing import Any

_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_BREAKS = re.compile(r"\s*\n\s*")


def safe(text: str) -> str:
    """Make text from a document harmless in a terminal: control and bidirectional override characters become `�`."""
    return _UNSAFE.sub("\ufffd", text)


def one_line(text: str) -> str:
    """Make text harmless and put it on one line."""
    return _BREAKS.sub(" ", safe(text)).strip()


def print_json(data: Any) -> None:
    """Write data as JSON, in UTF-8 whatever the terminal's encoding."""
    write_bytes((json.dumps(data, ensure_ascii=False, indent=2) + "\n").encode("utf-8", errors="replace"))


def write_bytes(data: bytes) -> None:
    """Write bytes to stdout as they are."""
    sys.stdout.flush()
    stream = getattr(sys.stdout, "buffer", None)
    if stream is None:  # stdout was replaced by a text stream, as tests do
        sys.stdout.write(data.decode("utf-8"))
    else:
        stream.write(data)
        stream.flush()


def say(text: str) -> None:
    """Write a line of talk to stderr."""
    sys.stderr.write(f"{text}\n")


def print_error(kind: str, message: str, remedy: str, *, as_json: bool) -> None:
    """Report an error: message and remedy on stderr; with `as_json` also as an object on stdout."""
    say(one_line(message))
    say(one_line(remedy))
    if as_json:
        print_json({"error": {"type": kind, "message": message, "remedy": remedy}})
