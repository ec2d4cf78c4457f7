"""How a document becomes rows of the catalog, and how they go."""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from index.types import Document, Parsed, Passage

if TYPE_CHECKING:
    import sqlite3

# What a file held before is kept for its last five states.
FORGET_FORMER = (
    "DELETE FROM former WHERE source = ? AND document_id NOT IN "
    "(SELECT document_id FROM former WHERE source = ? ORDER BY ended DESC LIMIT 5)"
)


@dataclass(frozen=True, slots=True)
class NewDocument:
    """A document ready to be recorded.

    `digests` name, for each passage, the text that its vector is made of; `embedded` are ids of passages that have a
    vector already; `file` is the file that the document was read from (its source, if empty); `signature` and `bands`
    are those of `index.near`; `parsed` gives the counts for the report.
    """

    document: Document
    passages: Sequence[Passage]
    digests: Sequence[str] = ()
    embedded: frozenset[str] = frozenset()
    file: str = ""
    signature: bytes | None = None
    bands: tuple[str, ...] = ()
    parsed: Parsed | None = None


def delete_document(connection: sqlite3.Connection, document_id: str) -> None:
    """Take a document out of every table but `former`."""
    for table, column in (
        ("passages", "document_id"), ("texts", "document_id"), ("sources", "document_id"), ("tags", "document_id"),
        ("bands", "document_id"), ("near", "document_id"), ("near", "other_id"), ("documents", "id"),
        ("announced", "document_id"),
    ):  # fmt: skip
        connection.execute(f"DELETE FROM {table} WHERE {column} = ?", (document_id,))


def insert_document(connection: sqlite3.Connection, new: NewDocument) -> None:
    """Write a document into all tables, in place of an earlier state of it."""
    d, parsed = new.document, new.parsed
    counts = (parsed.silent_pages, parsed.images, parsed.tables) if parsed is not None else (0, 0, 0)
    connection.execute(
        "INSERT OR REPLACE INTO documents VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (d.id, d.title, d.published.isoformat() if d.published else None, d.author, d.media_type, d.language,
         d.added.isoformat(), len(d.text),
         json.dumps([[p.number, p.start, p.end, p.width, p.height, p.label] for p in d.pages]), len(new.passages),
         json.dumps([[h.start, h.end, h.level, h.title] for h in d.headings]), *counts, new.signature),
    )  # fmt: skip
    connection.execute("INSERT OR REPLACE INTO texts VALUES (?, ?)", (d.id, zlib.compress(d.text.encode("utf-8"), 6)))
    connection.execute(
        "INSERT OR REPLACE INTO sources VALUES (?, ?, ?, ?)",
        (d.source, d.id, d.added.isoformat(), new.file or d.source),
    )
    connection.execute("DELETE FROM passages WHERE document_id = ?", (d.id,))
    digests = new.digests or [""] * len(new.passages)
    connection.executemany(
        "INSERT INTO passages VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (p.id, p.document_id, p.start, p.end, p.page, p.heading, p.text, digest, int(p.id not in new.embedded))
            for p, digest in zip(new.passages, digests, strict=True)
        ],
    )
    connection.executemany("INSERT OR IGNORE INTO tags VALUES (?, ?)", [(d.id, tag) for tag in d.tags])
    connection.executemany("INSERT OR IGNORE INTO bands VALUES (?, ?)", [(band, d.id) for band in new.bands])
