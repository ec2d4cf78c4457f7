"""Which files are there, and what has to be done about each: the plan of an `add` or `sync`."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from index.errors import DocumentError, UnreadableDocumentError
from index.ledger import RACY, FileRecord, Stamp
from index.types import Failure

if TYPE_CHECKING:
    from index.parts import LibraryParts

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


def expand(
    paths: Sequence[Path], stamps: Mapping[str, Stamp], same: dict[str, None]
) -> tuple[list[Found], list[Failure], Counter[str]]:
    """List files and the supported files of folders; `stamps` and `same` are those of `scan`.

    Returns:
        The files, failures for paths that do not exist, and the counts of endings that were passed over.
    """
    files: dict[str, Found] = {}
    missing: list[Failure] = []
    ignored: Counter[str] = Counter()
    for path in paths:
        path = path.expanduser()
        if path.is_dir():
            files.update((f.source, f) for f in scan(path, ignored, stamps, same))
        elif path.exists():
            status = path.stat()
            source = source_name(path)
            files[source] = Found(str(path), source, status.st_size, status.st_mtime_ns)
        else:
            error = UnreadableDocumentError(f"{str(path)!r} does not exist.", remedy="Check the path.")
            missing.append(failure_of(source_name(path), error))
    return [file for source, file in files.items() if source not in same], missing, ignored


def scan(
    folder: Path,
    ignored: Counter[str],
    stamps: Mapping[str, Stamp] = MappingProxyType({}),
    same: dict[str, None] | None = None,
) -> Iterator[Found]:
    """List the supported files of a folder and its subfolders, in order of their names.

    Hidden files and folders are passed over; so are links to folders, which may lead in a circle.

    Args:
        folder: The folder.
        ignored: Gains the endings of files of other formats.
        stamps: What is known of files, by their sources.
        same: Gains the sources of files that are as `stamps` says; they are not listed then.
    """
    same = {} if same is None else same
    read: set[str] = set()  # endings
    waiting = [(os.fspath(folder.absolute().resolve()), source_name(folder))]
    while waiting:
        at, name = waiting.pop()
        folders: list[tuple[str, str]] = []
        files: list[Found] = []
        inside = name.rstrip(os.sep) + os.sep
        try:
            with os.scandir(at) as opened:
                entries = list(opened)
        except OSError:
            continue  # not ours to read
        for entry in entries:
            file_name = entry.name
            if file_name[0] == ".":
                continue
            try:
                # Most files of a large folder did not change: for these this is all there is to do.
                source = inside + file_name
                if source in stamps and file_name[file_name.rfind(".") :] in read and entry.is_file():
                    status = entry.stat()
                    if stamps[source] == (source, status.st_size, status.st_mtime_ns):
                        same[source] = None
                        continue
                source = inside + _unicode(file_name)
                if entry.is_dir(follow_symlinks=False):
                    folders.append((entry.path, source))
                elif _is_read(entry, read, ignored) and entry.is_file():
                    status = entry.stat()
                    if stamps.get(source) == (source, status.st_size, status.st_mtime_ns):
                        same[source] = None
                    else:
                        files.append(Found(entry.path, source, status.st_size, status.st_mtime_ns))
            except OSError:
                continue  # gone since, or a link to nothing
        yield from sorted(files, key=attrgetter("path"))
        waiting.extend(sorted(folders, reverse=True))


def _unicode(name: str) -> str:
    return name if name.isascii() else os.fsencode(name).decode("utf-8", errors="replace")


def _is_read(entry: os.DirEntry[str], read: set[str], ignored: Counter[str]) -> bool:
    """Tell if there is a parser for a file; its ending joins those that are read, or is counted as passed over."""
    ending = entry.name[entry.name.rfind(".") :]
    if ending in read:
        return True
    from index.parse import is_supported_name

    if not is_supported_name(entry.name):
        if not entry.is_dir():
            ignored[os.path.splitext(entry.name)[1].lower()] += 1
        return False
    if ending.lower() != ".gz":  # which of these are read depends on what stands before
        read.add(ending)
    return True


def make_plan(
    library: LibraryParts,
    files: Iterable[Found],
    *,
    documents: Iterable[tuple[str, str]] = (),
    same: Collection[str] = (),
    retry: bool = False,
    check: bool = False,
) -> Plan:
    """Compare files with what the library knows of them.

    Args:
        library: The library.
        files: The files that are there and not among `same`.
        documents: `(file, document id)` of what is known in some folders.
        same: Sources of files of them that are as they were.
        retry: Whether files that could not be read before are tried again although nothing changed.
        check: Whether even files of the same size and time stamp are compared by their bytes.

    Returns:
        The plan; nothing has been changed.
    """
    plan = Plan()
    if same:
        plan.unchanged = [i for source, i in documents if source in same]
        plan.unchanged_files += len(same)
    circumstances, anything = "", True
    for file in files:
        if not circumstances:
            circumstances, anything = circumstances_of(library), len(library) > 0
        record = library.ledger.file(file.source) if anything else None
        if record is not None and record.failures and (retry or record.under != circumstances):
            plan.to_read.append(file)
        elif record is not None and not check and _unchanged(record, file):
            plan.unchanged.extend(library.ledger.sources_of_file(file.source).values())
            plan.unchanged_files += 1
            plan.failures.extend(record.failures)
        elif record is None and not anything:
            plan.to_read.append(file)  # whatever it holds, it is new
        else:
            _compare(library, file, record, plan)
    return plan


def _unchanged(record: FileRecord, file: Found) -> bool:
    same = record.size == file.size and record.modified == file.modified
    return same and record.seen - record.modified > RACY


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


def ignored_note(ignored: Mapping[str, int]) -> str:
    """Say which files were passed over, by their endings."""
    kinds = ", ".join(f"{n} {suffix or 'without ending'}" for suffix, n in Counter(ignored).most_common(8))
    return f"Files of formats Dossier does not read were passed over: {kinds}."
