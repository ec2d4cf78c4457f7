"""What can be told of a library from its catalog and its folder, without its stores and its encoder."""

from __future__ import annotations

import json
import os
import re
import shutil
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from index.types import Page, Passage

if TYPE_CHECKING:
    from index.catalog import Catalog
    from index.settings import LibrarySettings

State = Literal["ok", "note", "problem", "repaired"]

_BATCH = 100  # documents read at a time
_NAMED = 5
_OWN = {
    "catalog.sqlite", "catalog.sqlite-wal", "catalog.sqlite-shm", "vectors", "lexical", "uploads", "dossier.toml",
    "write.lock", "open.lock", "embedding.lock",
}  # fmt: skip
_SEGMENT = re.compile(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of an examination.

    `name` says what was looked at. `state` is "ok", "note" (worth knowing, nothing is wrong), "problem" or "repaired"
    (what was done about a problem). `remedy` says what to do, empty where there is nothing to; `details` names cases.
    """

    name: str
    state: State
    message: str
    remedy: str = ""
    details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a document in the catalog: `mendable` if its passages can be made again from its text."""

    document_id: str
    reason: str
    mendable: bool


def check_catalog(catalog: Catalog) -> Finding:
    """Have SQLite read the whole file."""
    wrong = [str(row[0]) for row in catalog.rows("PRAGMA integrity_check(20)")]
    schema = catalog.rows("PRAGMA user_version")[0][0]
    if wrong != ["ok"]:
        return Finding(
            "catalog", "problem", f"The catalog is damaged: {wrong[0]}.",
            "Restore the library from a backup (dossier restore FILE --force), or make a new one from its files.",
            tuple(wrong[:_NAMED]),
        )  # fmt: skip
    documents, passages = catalog.count()
    return Finding(
        "catalog", "ok", f"The catalog is whole: {documents:,} documents, {passages:,} passages, schema {schema}."
    )


def find_faults(catalog: Catalog, progress: Callable[[int, int], None] | None = None) -> Iterator[Fault]:
    """Compare every passage, page and heading with its document's text, character by character.

    Args:
        catalog: The catalog.
        progress: Called with the documents looked at and in all.
    """
    total = int(catalog.rows("SELECT count(*) FROM documents")[0][0])
    done, last = 0, ""
    while rows := catalog.rows(
        "SELECT d.id, d.characters, d.pages, d.headings, d.passages, t.data FROM documents d "
        "LEFT JOIN texts t ON t.document_id = d.id WHERE d.id > ? ORDER BY d.id LIMIT ?",
        (last, _BATCH),
    ):
        first, last = rows[0][0], rows[-1][0]
        passages: dict[str, list[tuple[str, Passage]]] = {row[0]: [] for row in rows}
        for row in catalog.rows(
            "SELECT id, document_id, start, end, text, page, heading FROM passages "
            "WHERE document_id BETWEEN ? AND ? ORDER BY document_id, start",
            (first, last),
        ):
            passages.setdefault(row[1], []).append((row[0], Passage(*row[1:])))
        for row in rows:
            fault = _fault_of(row, passages[row[0]])
            if fault is not None:
                yield fault
        done += len(rows)
        if progress is not None:
            progress(done, total)


def _fault_of(row: tuple[Any, ...], passages: list[tuple[str, Passage]]) -> Fault | None:
    name, characters, pages, headings, count, data = row
    try:
        text = zlib.decompress(data).decode("utf-8") if data is not None else None
        spans = [(page[1], page[2]) for page in json.loads(pages)]
        lines = [(heading[0], heading[1]) for heading in json.loads(headings)]
        numbers = {Page(*page).number for page in json.loads(pages)}
    except (zlib.error, ValueError, TypeError, IndexError) as error:
        return Fault(name, f"its record cannot be read ({type(error).__name__}: {error})", False)
    if text is None or len(text) != characters:
        have = "no text" if text is None else f"{len(text):,} characters of text"
        return Fault(name, f"{have} stored in place of {characters:,} characters", False)
    for what, found in (("page", spans), ("heading", lines)):
        outside = [span for span in found if not 0 <= span[0] <= span[1] <= len(text)]
        if outside or any(a[0] > b[0] for a, b in pairwise(found)):
            where = outside[0] if outside else found[0]
            return Fault(name, f"a {what} at {where[0]}-{where[1]} of {len(text):,} characters", False)
    for at, passage in passages:
        reason = passage_fault(text, at, passage, numbers)
        if reason:
            return Fault(name, reason, True)
    for (_, a), (_, b) in pairwise(passages):
        if b.start < a.end:
            return Fault(name, f"its passages at {a.start} and {b.start} overlap", True)
    if len(passages) != count:
        return Fault(name, f"{len(passages):,} passages in place of {count:,}", True)
    return None


def passage_fault(text: str, name: str, passage: Passage, pages: set[int]) -> str:
    """Say what is wrong with a passage; empty if nothing is.

    Args:
        text: Its document's text.
        name: The id under which it is recorded.
        passage: The passage.
        pages: The numbers of the document's pages; empty if it has none.
    """
    if name != passage.id:
        return f"the passage at {passage.start} is recorded as {name!r}"
    if not passage.text or text[max(passage.start, 0) : passage.end] != passage.text:
        return f"the passage at {passage.start} is not the text at {passage.start}-{passage.end}"
    if passage.page is not None and passage.page not in pages:
        return f"the passage at {passage.start} is on page {passage.page}, which there is not"
    return ""


def check_sources(catalog: Catalog) -> Finding:
    """Count the files that documents came from and that are no longer there."""
    files = [row[0] for row in catalog.rows("SELECT DISTINCT file FROM sources ORDER BY file")]
    local = [file for file in files if os.path.isabs(file)]
    gone = [file for file in local if not os.path.exists(file)]
    if not gone:
        return Finding("sources", "ok", f"All {len(local):,} files that documents came from are where they were.")
    return Finding(
        "sources", "note", f"{len(gone):,} of {len(local):,} files are no longer there; their documents stay usable.",
        "dossier sync FOLDER takes out what was deleted and follows what moved.", tuple(gone[:_NAMED]),
    )  # fmt: skip


def folder_size(folder: Path) -> int:
    """Add up the bytes of all files in a folder."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(place, name)).st_size
            except OSError:  # a store has just replaced it
                continue
    return total


def size_text(size: int) -> str:
    """Write a number of bytes for a person."""
    return f"{size / 1e9:,.1f} GB" if size >= 1e9 else f"{size / 1e6:,.1f} MB"


def check_disk(path: Path, settings: LibrarySettings) -> Finding:
    """Compare the free disk space with what the library needs."""
    free, size = shutil.disk_usage(path).free, folder_size(path)
    told = f"{size_text(free)} free; the library takes {size_text(size)}"
    if free < settings.min_free_mb * 1024 * 1024:
        return Finding(
            "disk", "problem", f"The disk is nearly full: {told}, and below {settings.min_free_mb} MiB nothing is "
            "added.", "Make room on that disk, or lower the setting min_free_mb.",
        )  # fmt: skip
    if free < size:
        return Finding(
            "disk", "note", f"Disk: {told}. That is too little to restore or rebuild it beside the old one.",
            "Make room before a backup or a repair.",
        )  # fmt: skip
    return Finding("disk", "ok", f"Disk: {told}.")


def check_leftovers(path: Path) -> Finding:
    """Name what lies in the library's folder and is not used."""
    strange = sorted(entry.name for entry in path.iterdir() if entry.name not in _OWN)
    found = [f"{name} ({size_text(_size_of(path / name))})" for name in strange]
    vectors = path / "vectors"
    segments = [e for e in vectors.iterdir() if _SEGMENT.fullmatch(e.name)] if vectors.is_dir() else []
    if len(segments) > 1:
        size = sum(_size_of(e) for e in segments)
        found.append(f"vectors: {len(segments)} segment folders of which one is used ({size_text(size)} in all)")
    if not found:
        return Finding("leftovers", "ok", "Nothing unknown lies in the library's folder.")
    return Finding(
        "leftovers", "note", f"{len(found)} things in {path} are not in use.",
        "What was set aside by a repair can be deleted once the library works.", tuple(found[:20]),
    )  # fmt: skip


def _size_of(path: Path) -> int:
    return folder_size(path) if path.is_dir() else path.lstat().st_size


def check_ocr(settings: LibrarySettings) -> Finding:
    """Say whether pages without text can be read."""
    from importlib.util import find_spec

    lacking = []
    if find_spec("pytesseract") is None:
        lacking.append("the ocr extra (pip install 'dossier[ocr]')")
    if shutil.which("tesseract") is None:
        lacking.append("the program tesseract (apt install tesseract-ocr)")
    if settings.ocr == "off":
        return Finding("ocr", "note", "OCR is switched off: pages without text stay silent.", "Set ocr to auto.")
    if lacking:
        return Finding(
            "ocr", "note", "Pages without text cannot be read: there is no OCR.", f"Install {' and '.join(lacking)}."
        )
    return Finding("ocr", "ok", "Pages without text are read by Tesseract.")
