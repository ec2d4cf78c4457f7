"""Keeping a library in step with its folders as files change; the door of watchfiles."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from index.errors import ConfigError, DocumentError, LibraryBusyError
from index.scan import source_name
from index.types import AddReport, Failure

if TYPE_CHECKING:
    from index.library import Library

_QUIET = 1_000
"""Milliseconds without another change after which files count as written: copying a large file takes many writes."""


def watch(library: Library, folders: Iterable[str | Path] = (), stop: Event | None = None) -> Iterator[AddReport]:
    """Sync once, then after each change of a file, until `stop` is set or the iterator is closed.

    A folder that vanishes (a disk unmounted) is reported and waited for; nothing is removed because of it.

    Args:
        library: The library.
        folders: The folders; those of earlier syncs if there are none.
        stop: Ends the watch.

    Yields:
        The report of each sync.

    Raises:
        ConfigError: No folder is named, here or before.
        DocumentError: A folder does not exist at the start.
    """
    from watchfiles import DefaultFilter
    from watchfiles import watch as changes

    chosen = [Path(f).expanduser() for f in folders] or [Path(f) for f in library.ledger.folders()]
    if not chosen:
        raise ConfigError(
            "No folder is named, and this library has none to keep in step.", remedy="Name it: dossier watch FOLDER"
        )
    for folder in chosen:
        if not folder.is_dir():
            yield library.sync(chosen)  # raises, and says which
    inside = source_name(library.path)
    quiet = DefaultFilter(ignore_paths=[inside])  # the library may lie in one of its folders
    first = True
    for found in changes(
        *chosen, watch_filter=quiet, stop_event=stop, debounce=_QUIET * 10, step=_QUIET, rust_timeout=_QUIET,
        yield_on_timeout=True,
    ):  # fmt: skip
        if not found and not first:
            continue
        first = False  # the first sync comes when the watch has begun, so that no change falls between the two
        try:
            yield library.sync(chosen)
        except (DocumentError, LibraryBusyError) as error:  # for now: the next change is another chance
            failure = Failure(str(chosen[0]), type(error).__name__, error.message, error.remedy)
            yield AddReport(failed=(failure,))
