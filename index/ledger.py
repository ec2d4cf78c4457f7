"""What the catalog knows besides documents: the files they came from, what those held before, and which are alike."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from index.types import Failure

if TYPE_CHECKING:
    from index.catalog import Catalog


@dataclass(frozen=True, slots=True)
class FileRecord:
    """A file as it was when it was read.

    `size` is in bytes, `modified` and `seen` (when it was read) in nanoseconds since 1970, `digest` the document id of
    its bytes. `failures` are what could not be used of it, and `under` the circumstances in which that was so.
    """

    path: str
    size: int
    modified: int
    digest: str
    seen: int
    failures: tuple[Failure, ...] = ()
    under: str = ""


RACY = 2_000_000_000
"""Nanoseconds: a file read so soon after it was written may have been written again with the same time stamp."""

Stamp = tuple[str, int, int]
"""What tells that a file is as it was: path, size, modified (as in `FileRecord`); of size -1 where more must be known:
something of it failed, or it was read too soon after it was written."""


class Ledger:
    """Tables of the catalog about files.

    Args:
        catalog: The catalog.
    """

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    # Files

    def stamps_under(self, folders: Iterable[str]) -> dict[str, Stamp]:
        """Read what tells whether they changed, for all files in some folders and their subfolders: `{path: stamp}`."""
        sql = (
            "SELECT path, CASE WHEN failure = '' AND seen - modified > ? THEN size ELSE -1 END, modified "
            "FROM files WHERE path >= ? AND path < ?"
        )
        return {row[0]: row for folder in folders for row in self._catalog.rows(sql, (RACY, *_range(folder)))}

    def documents_under(self, folders: Iterable[str]) -> list[tuple[str, str]]:
        """Read `(file, document id)` of all that came from some folders and their subfolders."""
        # What comes out of a file is named by the file's path and more, so both are in the range. The plus sign keeps
        # SQLite from taking the index of files, with which it would look up each row by itself.
        sql = "SELECT file, document_id FROM sources WHERE source >= ? AND source < ? AND +file >= ? AND +file < ?"
        return [row for folder in folders for row in self._catalog.rows(sql, _range(folder) * 2)]

    def file(self, path: str) -> FileRecord | None:
        """Read the record of one file."""
        sql = "SELECT path, size, modified, digest, seen, failure FROM files WHERE path = ?"
        rows = self._catalog.rows(sql, (path,))
        return _file_record(rows[0]) if rows else None

    def record_files(self, records: Iterable[FileRecord]) -> None:
        """Write records of files, in place of earlier ones."""
        with self._catalog.transaction() as connection:
            connection.executemany(
                "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?)",
                [(r.path, r.size, r.modified, r.digest, r.seen, _failure_text(r)) for r in records],
            )

    def forget_files(self, paths: Iterable[str]) -> None:
        """Drop the records of files."""
        with self._catalog.transaction() as connection:
            connection.executemany("DELETE FROM files WHERE path = ?", [(p,) for p in paths])

    def all_failures(self) -> list[Failure]:
        """List what could not be used of the files the library knows."""
        rows = self._catalog.rows(
            "SELECT path, size, modified, digest, seen, failure FROM files WHERE failure != '' ORDER BY path"
        )
        return [failure for row in rows for failure in _file_record(row).failures]

    # Sources

    def sources_of_file(self, path: str) -> dict[str, str]:
        """Read `{source: document id}` of what was read from one file."""
        return dict(self._catalog.rows("SELECT source, document_id FROM sources WHERE file = ?", (path,)))

    # Folders that are kept in step

    def folders(self) -> list[str]:
        """List the folders that were synced, and are again when none is named."""
        return [row[0] for row in self._catalog.rows("SELECT path FROM folders ORDER BY path")]

    def remember_folders(self, folders: Iterable[str]) -> None:
        """Add folders to those."""
        with self._catalog.transaction() as connection:
            connection.executemany("INSERT OR IGNORE INTO folders VALUES (?)", [(f,) for f in folders])

    def forget_folders(self, folders: Iterable[str]) -> None:
        """Take folders from those; their documents stay."""
        with self._catalog.transaction() as connection:
            connection.executemany("DELETE FROM folders WHERE path = ?", [(f,) for f in folders])

    # Near-duplicates

    def alike(self, bands: Sequence[str], document_id: str) -> dict[str, bytes]:
        """Find documents that share a band with one: `{id: signature}`, without itself."""
        if not bands:
            return {}
        rows = self._catalog.rows(
            "SELECT DISTINCT d.id, d.signature FROM bands b JOIN documents d ON d.id = b.document_id "
            f"WHERE b.band IN ({','.join('?' * len(bands))}) AND d.id != ? AND d.signature IS NOT NULL LIMIT 200",
            (*bands, document_id),
        )
        return {row[0]: row[1] for row in rows}

    def link(self, pairs: Iterable[tuple[str, str, float]]) -> None:
        """Record that documents are nearly the same: `(id, other id, similarity)`, in both directions."""
        with self._catalog.transaction() as connection:
            for one, other, similarity in pairs:
                connection.execute("INSERT OR REPLACE INTO near VALUES (?, ?, ?)", (one, other, similarity))
                connection.execute("INSERT OR REPLACE INTO near VALUES (?, ?, ?)", (other, one, similarity))

    def near(self, document_ids: Sequence[str]) -> dict[str, dict[str, float]]:
        """Read `{id: {id of a near-duplicate: similarity}}` of some documents."""
        found: dict[str, dict[str, float]] = {}
        marks = ",".join("?" * len(document_ids))
        sql = f"SELECT document_id, other_id, similarity FROM near WHERE document_id IN ({marks})"
        for one, other, similarity in self._catalog.rows(sql, tuple(document_ids)):
            found.setdefault(one, {})[other] = similarity
        return found

    # What files held before

    def former(self, document_id: str) -> tuple[str, str] | None:
        """Read `(source, text)` of a document whose file has changed since."""
        rows = self._catalog.rows("SELECT source, data FROM former WHERE document_id = ?", (document_id,))
        return (rows[0][0], zlib.decompress(rows[0][1]).decode("utf-8")) if rows else None

    def follow_moves(self, moves: Iterable[tuple[str, str]]) -> None:
        """Record that what files held before belongs to their new places: `(old source, new source)`."""
        with self._catalog.transaction() as connection:
            connection.executemany("UPDATE former SET source = ? WHERE source = ?", [(new, old) for old, new in moves])

    # Reports

    def save_report(self, data: str) -> None:
        """Keep a report, as JSON; the last twenty are."""
        with self._catalog.transaction() as connection:
            connection.execute("INSERT INTO reports (data) VALUES (?)", (data,))
            connection.execute("DELETE FROM reports WHERE number <= (SELECT max(number) FROM reports) - 20")

    def last_report(self) -> str | None:
        """Read the latest report."""
        rows = self._catalog.rows("SELECT data FROM reports ORDER BY number DESC LIMIT 1")
        return str(rows[0][0]) if rows else None


def _range(folder: str) -> tuple[str, str]:
    """The bounds of all paths below a folder, in the order of text: "0" comes right after "/"."""
    text = folder.rstrip("/\\")
    separator = "\\" if "\\" in text and "/" not in text else "/"
    return text + separator, text + chr(ord(separator) + 1)


def _failure_text(record: FileRecord) -> str:
    if not record.failures:
        return ""
    failures = [[f.source, f.error, f.message, f.remedy] for f in record.failures]
    return json.dumps({"under": record.under, "failures": failures}, ensure_ascii=False)


def _file_record(row: tuple[object, ...]) -> FileRecord:
    path, size, modified, digest, seen, text = row
    known: dict[str, Any] = json.loads(str(text)) if text else {"under": "", "failures": []}
    return FileRecord(
        str(path), int(str(size)), int(str(modified)), str(digest), int(str(seen)),
        tuple(Failure(*f) for f in known["failures"]), known["under"],
    )  # fmt: skip
