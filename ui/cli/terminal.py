"""What may be printed, and where.

Documents, their names and titles come from anywhere, and a terminal obeys control characters. So none gets there:
`visible` shows them as escapes (names, titles, messages), `safe` and `one_line` take them out (text of documents).
Characters that turn the direction of writing around, and so make a line look like another, are treated the same.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
from typing import Any

_CONTROLS = [*range(0x20), *range(0x7F, 0xA0), *range(0x2028, 0x202F), *range(0x2066, 0x206A)]
_ESCAPES = {code: chr(code).encode("unicode_escape").decode("ascii") for code in _CONTROLS}
_SAFE: dict[int, str | None] = dict.fromkeys(_CONTROLS)
_SAFE.update({ord(c): c for c in "\n\t"} | {ord(c): " " for c in "\v\f\x1c\x1d\x1e\x1f\x85\u2028\u2029"})


def visible(text: str) -> str:
    """Show a name or title on one line: control characters as escapes such as `\\x1b` and `\\n`."""
    return text.translate(_ESCAPES)


def safe(text: str) -> str:
    """Take control characters out of a document's text; line ends and tabs stay."""
    return text.replace("\r\n", "\n").replace("\r", "\n").translate(_SAFE)


def one_line(text: str, limit: int | None = None) -> str:
    """Make a document's text harmless and put it on one line, cut at a blank to `limit` characters."""
    line = " ".join(safe(text).split())
    if limit is None or len(line) <= limit:
        return line
    cut = line.rfind(" ", 0, limit)
    return f"{line[: cut if cut > 0 else limit]} …"


_BOLD, _PLAIN = "\x02", "\x03"  # stand for escape sequences until lines are broken; no text of a document has them


def bold(text: str) -> str:
    """Mark a harmless text as bold, for `wrap`: it is at a terminal, and left as it is elsewhere."""
    return f"{_BOLD}{text}{_PLAIN}" if text else ""


def wrap(text: str, indent: str = "") -> str:
    """Break a paragraph to the width of the terminal; elsewhere it stays one line."""
    if not sys.stdout.isatty():
        return indent + text.replace(_BOLD, "").replace(_PLAIN, "")
    import textwrap

    width = max(40, min(110, shutil.get_terminal_size().columns))
    filled = textwrap.fill(
        text, width, initial_indent=indent, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
    return filled.replace(_BOLD, "\x1b[1m").replace(_PLAIN, "\x1b[0m")


def print_json(data: Any) -> None:
    """Write data as JSON, in UTF-8 whatever the terminal's encoding."""
    # A file name that is not Unicode holds lone surrogates; "backslashreplace" makes JSON's own escapes of them.
    write_bytes((json.dumps(data, ensure_ascii=False, indent=2) + "\n").encode("utf-8", errors="backslashreplace"))


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
    with contextlib.suppress(BrokenPipeError):
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()


def abandon_stdout() -> None:
    """Send what still waits to be printed nowhere, so that Python does not complain about it when it ends."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def error_record(kind: str, message: str, remedy: str) -> dict[str, Any]:
    """Write an error as `--json` prints it."""
    return {"error": {"type": kind, "message": message, "remedy": remedy}}


def print_error(kind: str, message: str, remedy: str, *, as_json: bool) -> None:
    """Report an error: message and remedy on stderr; with `as_json` also as an object on stdout."""
    say(visible(message))
    say(visible(remedy))
    if as_json:
        try:
            print_json(error_record(kind, message, remedy))
        except OSError:  # stdout is a closed pipe or a full disk; what could be said was said on stderr
            abandon_stdout()
