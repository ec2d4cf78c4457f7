"""Uploaded files: into the library's own folder under a safe name, then into the library, one at a time."""

from __future__ import annotations

import filecmp
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from index.errors import DossierError
from index.types import AddReport
from rag.assistant import Assistant
from ui.web.strings import say

State = Literal["reading", "added", "replaced", "known", "failed"]
_UNSAFE = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]')
_LONGEST = 120


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one file: `details` are sentences, such as the reason and remedy of a failure."""

    name: str
    state: State
    details: tuple[str, ...] = ()


def add_uploads(
    assistant: Assistant, files: Sequence[Path], note: Callable[[AddReport], None] | None = None
) -> Iterator[list[Outcome]]:
    """Add files one after the other, so that one that cannot be read stops no other.

    Args:
        assistant: Whose library takes them.
        files: Uploaded files; they are moved from where they are. Their words are searchable when this ends; making
            vectors is left to somebody else.
        note: Told what came of each file that was read.

    Yields:
        The outcomes so far, after each step; the last is that of the file at hand.
    """
    outcomes: list[Outcome] = []
    for file in files:
        yield [*outcomes, Outcome(file.name, "reading")]
        outcomes.append(_add(assistant, file, note))
        yield list(outcomes)


def _add(assistant: Assistant, file: Path, note: Callable[[AddReport], None] | None) -> Outcome:
    name = safe_name(file.name)
    kept: Path | None = None
    try:
        kept, fresh = _keep(file, assistant.library.path / "uploads")
        report = assistant.add([kept], embed=False)
        if note is not None:
            note(report)
    except DossierError as error:
        if kept is not None and fresh:
            kept.unlink(missing_ok=True)
        return Outcome(name, "failed", (error.message, error.remedy))
    except OSError as error:
        told = say("problem.no_room", why=error.strerror), say("problem.no_room.remedy")
        return Outcome(name, "failed", told)
    if report.failed:
        if fresh:
            kept.unlink(missing_ok=True)
        failure = report.failed[0]
        return Outcome(name, "failed", (failure.message, failure.remedy))
    notes = tuple(told for _, told in report.notes)
    state: State = "added" if report.added else "replaced" if report.updated else "known"
    return Outcome(name, state, notes)


def _keep(file: Path, folder: Path) -> tuple[Path, bool]:
    """Move a file into a folder; gives its place there, and whether it is new in it."""
    folder.mkdir(exist_ok=True)
    target = folder / safe_name(file.name)
    stem, suffix, number = target.stem, target.suffix, 2
    while target.exists() and not filecmp.cmp(file, target, shallow=False):
        target = folder / f"{stem} ({number}){suffix}"
        number += 1
    fresh = not target.exists()
    if fresh:
        shutil.move(file, target)
    else:
        file.unlink()
    return target, fresh


def safe_name(name: str) -> str:
    """Make a file name that is one on every system: no folders, control characters or leading dots, not too long."""
    cleaned = _UNSAFE.sub("_", name.replace("\\", "/").rsplit("/", 1)[-1]).strip().lstrip(".") or "file"
    path = Path(cleaned)
    return f"{path.stem[: _LONGEST - len(path.suffix)]}{path.suffix}" if len(cleaned) > _LONGEST else cleaned
