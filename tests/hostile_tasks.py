"""What the hostile and the fuzz tests have done in a worker: read a file, and tell what became of it."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from index.errors import DocumentError
from index.parse import parse, read_parts, read_source
from index.settings import LibrarySettings

_NETWORK = ("socket.connect", "socket.getaddrinfo", "socket.sendto", "urllib.Request", "http.client.connect")
_attempts: list[str] = []


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file gave: documents, those in it that failed with their reasons, characters; and what it tried.

    `attempts` at the network, whether text of the `secret` file is in it, and how many spans do not fit the text.
    """

    documents: int
    failures: tuple[str, ...]
    characters: int
    attempts: tuple[str, ...]
    secret: bool
    misfits: int


@dataclass(frozen=True, slots=True)
class Setup:
    settings: LibrarySettings
    secret: str


def _listen(event: str, arguments: tuple[object, ...]) -> None:
    if event in _NETWORK:
        _attempts.append(f"{event} {arguments!r}"[:200])


sys.addaudithook(_listen)  # before the walls of the worker are closed, so that it hears what they refuse


def read(setup: Setup, name: str) -> Reading:
    """Read every document of a file, as a sync does."""
    path = Path(name)
    _attempts.clear()
    documents, failures, characters, secret, misfits = 0, [], 0, False, 0
    for part in read_parts(path, read_source(path, setup.settings), setup.settings):
        if isinstance(part.result, DocumentError):
            failures.append(f"{type(part.result).__name__}: {part.result.message}"[:200])
            continue
        parsed = part.result
        documents += 1
        characters += len(parsed.text)
        secret = secret or setup.secret in parsed.text
        spans = [(p.start, p.end) for p in (*parsed.pages, *parsed.headings)] + list(parsed.skipped)
        misfits += sum(not 0 <= start <= end <= len(parsed.text) for start, end in spans)
    return Reading(documents, tuple(failures[:5]), characters, tuple(_attempts), secret, misfits)


def parse_bytes(settings: LibrarySettings, task: tuple[str, bytes]) -> int:
    """Parse bytes under a file name; gives the number of characters."""
    name, data = task
    return len(parse(Path(name), data, settings).text)
