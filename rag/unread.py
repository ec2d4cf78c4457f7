"""Files that are not part of what was searched, because they could not be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from index.library import Library

_NAMED = 3


def unread_files(library: Library) -> tuple[tuple[str, ...], int]:
    """Find the files that the library knows of and could not read.

    Returns:
        Names of the first few, and how many there are: of all folders that are kept in step, and of the last `add`.
    """
    report = library.last_report()
    failures = [*library.ledger.all_failures(), *(report.failed if report is not None else ())]
    sources = list(dict.fromkeys(failure.source for failure in failures))
    names = (source.rstrip("/\\").replace("\\", "/").rsplit("/", 1)[-1] or source for source in sources[:_NAMED])
    return tuple(names), len(sources)
