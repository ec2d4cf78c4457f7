"""Bringing a library to the state of its folders."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from index.errors import ConfigError, UnreadableDocumentError
from index.scan import Plan, ignored_note, make_plan, scan, source_name
from index.types import AddReport

if TYPE_CHECKING:
    from index.ingest import Read
    from index.parts import LibraryParts, Progress


def sync(
    library: LibraryParts,
    folders: Sequence[Path],
    *,
    dry_run: bool,
    check: bool,
    allow_empty: bool,
    embed: bool,
    progress: Progress | None,
    read: Read | None = None,
) -> AddReport:
    """Add what is new, replace what changed, follow what moved, remove what is gone; see `Library.sync`.

    `read` reads files in place of the library's own workers.
    """
    started = time.monotonic()
    chosen = [f.expanduser() for f in folders] or [Path(f) for f in library.ledger.folders()]
    if not chosen:
        raise ConfigError(
            "No folder is named, and this library has none to keep in step.", remedy="Name it: dossier sync FOLDER"
        )
    for folder in chosen:
        _check_folder(folder)
    ignored: Counter[str] = Counter()
    names = [source_name(f) for f in chosen]
    stamps = library.ledger.stamps_under(names)
    same: dict[str, None] = {}
    files = {f.source: f for folder in chosen for f in scan(folder, ignored, {} if check else stamps, same)}
    documents = library.ledger.documents_under(names)
    plan = make_plan(library, files.values(), documents=documents, same=same, check=check)
    known = stamps.keys() | dict(documents).keys()
    left = sorted(known - same.keys() - files.keys())
    plan.gone = {source: library.ledger.sources_of_file(source) for source in left}
    if plan.gone and not allow_empty:
        _refuse_emptied(names, [*same, *files], plan)
    if dry_run:
        return _preview(library, plan, time.monotonic() - started)
    if plan.is_nothing() and not library.catalog.count_pending() and set(names) <= set(library.ledger.folders()):
        return AddReport(
            unchanged=tuple(plan.unchanged),
            failed=tuple(plan.failures),
            notes=(("", ignored_note(ignored)),) if ignored else (),
            seconds=time.monotonic() - started,
            unchanged_files=plan.unchanged_files,
        )
    # Not needed where nothing changed, and slow to load.
    from index.ingest import begin, carry_out, embedding
    from index.writer import Writer

    if read is None:
        library.workers.warm(len(plan.to_read))
    begin(library)
    library.ledger.remember_folders(names)
    writer = Writer(library)
    writer.tally.started = started
    writer.tally.ignored(ignored)
    with embedding(library, writer, progress, embed) as embedder:
        carry_out(library, plan, writer, progress, read)
        writer.drop({source: i for sources in plan.gone.values() for source, i in sources.items()})
        library.ledger.forget_files(plan.gone)
    return writer.tally.report(embedder.done if embedder else 0, library.catalog.count_pending())


def _check_folder(folder: Path) -> None:
    """Refuse a folder that is not there: a disk that is not mounted must not empty the library."""
    if not folder.is_dir():
        what = "is not a folder" if folder.exists() else "does not exist"
        raise UnreadableDocumentError(
            f"{str(folder)!r} {what}; nothing was changed.",
            remedy="Check the path, or that its disk is mounted. If the folder is gone for good: "
            f"dossier sync --forget {folder}",
        )


def _refuse_emptied(folders: Sequence[str], there: Iterable[str], plan: Plan) -> None:
    """Refuse to remove all there is of a folder that now holds no file at all: it may be an unmounted disk."""
    for folder in folders:
        inside = folder.rstrip(os.sep) + os.sep
        gone = [name for name in plan.gone if name.startswith(inside)]
        if gone and not any(name.startswith(inside) for name in there):
            raise UnreadableDocumentError(
                f"{folder!r} holds no documents any more, but the library has {len(gone)} of its files; "
                "nothing was changed.",
                remedy="Check that its disk is mounted. If it is meant to be empty: dossier sync --allow-empty "
                f"{folder}",
            )


def _preview(library: LibraryParts, plan: Plan, seconds: float) -> AddReport:
    """Tell what a sync would do; files that are not read yet are named by their paths."""
    changed = [f.source for f in plan.to_read if library.ledger.sources_of_file(f.source)]
    leaving = {source: i for sources in plan.gone.values() for source, i in sources.items()}
    known = {digest: file.source for file, digest in plan.known}
    orphans = [
        i for i in dict.fromkeys(leaving.values())
        if i not in known and set(library.catalog.sources_of(i)) <= set(leaving)
    ]  # fmt: skip
    moved = [(source, known[i]) for source, i in leaving.items() if i in known]
    return AddReport(
        added=tuple(f.source for f in plan.to_read if f.source not in changed),
        updated=tuple(changed),
        unchanged=tuple(plan.unchanged),
        failed=tuple(plan.failures),
        seconds=seconds,
        moved=tuple(moved),
        removed=tuple(orphans),
        duplicates=tuple((f.source, d) for f, d in plan.known if f.source not in {new for _, new in moved}),
        unchanged_files=plan.unchanged_files,
        dry_run=True,
    )
