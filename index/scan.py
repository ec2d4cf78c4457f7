"""Which files are there, and what has to be done about each: the plan of an `add` or `sync`."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from index.errors import DocumentError, UnreadableDocumentError
from index.ledger import FileRecord
from index.types import Failure

if TYPE_CHECKING:
    from index.parts import LibraryParts

_RACY = 2_000_000_000
"""Nanoseconds: a file read so soon after it was written may have been written again with the same time stamp."""

PARSERS = 2
"""Raised when the parsers learn something, so that files that could not be read are tried again."""


@dataclass(frozen=True, slots=True)
class Found:
    """A file that is there: where to open it, how the catalog names it, its size and its time stamp (nanoseconds)."""

    path: str
    source: str
    size: int
    modified: int


@dataclass(slots=True)
class Plan:
    """What to do: files as they were, files whose bytes are known, files to read, and files that are gone.

    `unchanged` are ids of the documents of `unchanged_files`; `known` gives the document id of the bytes; `touched` are
    unchanged but for their time stamp; `gone` gives what was read from each file, `{source: document id}`; `failures`
    are known already, because nothing about the file or the limits has changed.
    """

    unchanged: list[str] = field(default_factory=list)
    unchanged_files: int = 0
    touched: list[FileRecord] = field(default_factory=list)
    known: list[tuple[Found, str]] = field(default_factory=list)
    to_read: list[Found] = field(default_factory=list)
    gone: dict[str, dict[str, str]] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)

    def is_nothing(self) -> bool:
        """Whether there is nothing to do."""
        return not (self.touched or self.known or self.to_read or self.gone)


def source_name(path: Path) -> str:
    """Name a file as the catalog does: its absolute path; bytes that are not Unicode are replaced."""
    return os.fsencode(path.absolute().resolve()).decode("utf-8", errors="replace")


def expand(paths: Sequence[Path]) -> tuple[list[Found], list[Failure], Counter[str]]:
    """List files and the supported files of folders.

    Returns:
        The files, failures for paths that do not exist, and the counts of endings that were passed over.
    """
    files: dict[str, Found] = {}
    missing: list[Failure] = []
    ignored: Counter[str] = Counter()
    for path in paths:
        path = path.expanduser()
        if path.is_dir():
            files.update((f.source, f) for f in scan(path, ignored))
        elif path.exists():
            status = path.stat()
            source = source_name(path)
            files[source] = Found(str(path), source, status.st_size, status.st_mtime_ns)
        else:
            error = UnreadableDocumentError(f"{str(path)!r} does not exist.", remedy="Check the path.")
            missing.append(failure_of(source_name(path), error))
    return list(files.values()), missing, ignored


def scan(folder: Path, ignored: Counter[str]) -> Iterator[Found]:
    """List the supported files of a folder and its subfolders, in order of their names.

    Hidden files and folders are passed over; so are links to folders, which may lead in a circle.

    Args:
        folder: The folder.
        ignored: Gains the endings of files of other formats.
    """
    from index.parse import is_supported_name

    known: set[str] = set()
    waiting = [(os.fspath(folder.absolute().resolve()), source_name(folder))]
    while waiting:
        at, name = waiting.pop()
        folders: list[tuple[str, str]] = []
        try:
            with os.scandir(at) as entries:
                found = sorted(entries, key=lambda e: e.name)
        except OSError:
            continue  # not ours to read
        for entry in found:
            file_name = entry.name
            if file_name[0] == ".":
                continue
            plain = file_name if file_name.isascii() else os.fsencode(file_name).decode("utf-8", errors="replace")
            try:
                if entry.is_dir(follow_symlinks=False):
                    folders.append((entry.path, f"{name}{os.sep}{plain}"))
                    continue
                ending = file_name[file_name.rfind(".") :]
                if ending not in known:
                    if not is_supported_name(file_name):
                        if not entry.is_dir():
                            ignored[os.path.splitext(file_name)[1].lower()] += 1
                        continue
                    if ending.lower() != ".gz":  # which of these are read depends on what stands before
                        known.add(ending)
                if entry.is_file():
                    status = entry.stat()
                    yield Found(entry.path, f"{name}{os.sep}{plain}", status.st_size, status.st_mtime_ns)
            except OSError:
                continue  # gone since, or a link to nothing
        waiting.extend(reversed(folders))


def make_plan(
    library: LibraryParts,
    files: Iterable[Found],
    folders: Sequence[Path],
    *,
    whole: bool = False,
    retry: bool = False,
    check: bool = False,
) -> Plan:
    """Compare files with what the library knows of them.

    Args:
        library: The library.
        files: The files that are there.
        folders: Folders that many of them are in: what is known there is read at once.
        whole: Whether all files of the folders are given, so that what the library knows there and is not among them is
            gone.
        retry: Whether files that could not be read before are tried again although nothing changed.
        check: Whether even files of the same size and time stamp are compared by their bytes.

    Returns:
        The plan; nothing has been changed.
    """
    plan = Plan()
    stamps: dict[str, tuple[int, int, int, int]] = {}
    sources: dict[str, dict[str, str]] = {}
    for folder in (Path(source_name(f)) for f in folders):
        stamps.update(library.ledger.stamps_under(folder))
        sources.update(library.ledger.sources_under(folder))
    here = set()
    circumstances = circumstances_of(library)
    anything = len(library) > 0
    for file in files:
        here.add(file.source)
        stamp = stamps.get(file.source)
        if stamp is not None and not check and not stamp[3] and _same(file, stamp):
            plan.unchanged.extend(sources.get(file.source, {}).values())
            plan.unchanged_files += 1
            continue
        record = library.ledger.file(file.source) if stamp is not None or not whole else None
        if record is not None and record.failures and (retry or record.under != circumstances):
            plan.to_read.append(file)
        elif record is not None and not check and _same(file, (record.size, record.modified, record.seen, 0)):
            plan.unchanged.extend(library.ledger.sources_of_file(file.source).values())
            plan.unchanged_files += 1
            plan.failures.extend(record.failures)
        elif record is None and not anything:
            plan.to_read.append(file)  # whatever it holds, it is new
        else:
            _compare(library, file, record, plan)
    if whole:
        for name in {**stamps, **sources}:
            if name not in here:
                plan.gone[name] = sources.get(name, {})
    return plan


def _same(file: Found, stamp: tuple[int, int, int, int]) -> bool:
    size, modified, seen, _ = stamp
    return file.size == size and file.modified == modified and seen - modified > _RACY


def _compare(library: LibraryParts, file: Found, record: FileRecord | None, plan: Plan) -> None:
    """Settle a file by its bytes."""
    import time

    from index.parse import document_id, read_source

    try:
        digest = document_id(read_source(Path(file.path), library.settings))
    except DocumentError:
        plan.to_read.append(file)  # the reader will say what is wrong
        return
    if record is not None and record.digest == digest:
        now = FileRecord(file.source, file.size, file.modified, digest, time.time_ns(), record.failures, record.under)
        plan.touched.append(now)
        plan.unchanged.extend(library.ledger.sources_of_file(file.source).values())
        plan.unchanged_files += 1
        plan.failures.extend(record.failures)
    elif library.catalog.has_document(digest):
        plan.known.append((file, digest))
    else:
        plan.to_read.append(file)


def circumstances_of(library: LibraryParts) -> str:
    """Everything that decides, besides its bytes, whether a file can be read."""
    import importlib.util
    import shutil

    s = library.settings
    ocr = s.ocr != "off" and importlib.util.find_spec("pytesseract") is not None and shutil.which("tesseract")
    return f"{PARSERS} {s.max_file_mb} {s.max_pages} {s.parse_seconds} {s.parse_memory_mb} {'ocr' if ocr else '-'}"


def failure_of(source: str, error: DocumentError) -> Failure:
    """Write an error down for the report."""
    return Failure(source, type(error).__name__, error.message, error.remedy)
