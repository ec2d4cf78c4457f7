"""Bringing a library to the state of its folders."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from index.embedding import Progress
from index.errors import ConfigError, UnreadableDocumentError
from index.ingest import Read, begin, carry_out, embedding
from index.scan import Found, Plan, make_plan, scan, source_name
from index.types import AddReport
from index.writer import Writer

if TYPE_CHECKING:
    from index.parts import LibraryParts


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
    files = {f.source: f for folder in chosen for f in scan(folder, ignored)}
    plan = make_plan(library, files.values(), chosen, whole=True, check=check)
    if not allow_empty:
        _refuse_emptied(chosen, files.values(), plan)
    if dry_run:
        return _preview(library, plan, time.monotonic() - started)
    names = [source_name(f) for f in chosen]
    if plan.is_nothing() and not library.catalog.count_pending() and set(names) <= set(library.ledger.folders()):
        writer = Writer(library)
        writer.tally.unchanged_files = plan.unchanged_files
        writer.tally.unchanged.extend(plan.unchanged)
        writer.tally.failed.extend(plan.failures)
        writer.tally.ignored(ignored)
        writer.tally.started = started
        return writer.tally.report(0, 0)
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


def _refuse_emptied(folders: Sequence[Path], files: Iterable[Found], plan: Plan) -> None:
    """Refuse to remove all there is of a folder that now holds no file at all: it may be an unmounted disk."""
    there = [f.source for f in files]
    for folder in folders:
        inside = source_name(folder)
        gone = [name for name in plan.gone if name.startswith(inside)]
        if gone and not any(name.startswith(inside) for name in there):
            raise UnreadableDocumentError(
                f"{str(folder)!r} holds no documents any more, but the library has {len(gone)} of its files; "
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
