"""The record of truth: documents, their text and their passages in SQLite (WAL); the door of sqlite3.

Vectors and the lexical index can always be rebuilt from here. A change is announced first (`announce`), then made in
the other two stores, then committed here together with the removal of its announcement (`commit`). An announcement
that is still there when a library is opened names exactly the documents a crash left half done.
"""

from __future__ import annotations

import json
import threading
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from index.errors import DiskFullError, LibraryBusyError, LibraryError, StaleIndexError
from index.types import Document, DocumentInfo, Page, Passage

if TYPE_CHECKING:
    import sqlite3

SCHEMA_VERSION = 1

_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE documents (
    id TEXT PRIMARY KEY, title TEXT NOT NULL, published TEXT, author TEXT, media_type TEXT NOT NULL, language TEXT,
    added TEXT NOT NULL, characters INTEGER NOT NULL, pages TEXT NOT NULL, passages INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE texts (document_id TEXT PRIMARY KEY, data BLOB NOT NULL);
CREATE TABLE sources (source TEXT PRIMARY KEY, document_id TEXT NOT NULL, added TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX sources_by_document ON sources (document_id);
CREATE TABLE passages (
    id TEXT PRIMARY KEY, document_id TEXT NOT NULL, start INTEGER NOT NULL, end INTEGER NOT NULL,
    page INTEGER, heading TEXT NOT NULL, text TEXT NOT NULL
);
CREATE INDEX passages_by_document ON passages (document_id, start);
CREATE TABLE announced (document_id TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE conversations (id TEXT PRIMARY KEY, title TEXT NOT NULL, updated TEXT NOT NULL, data TEXT NOT NULL)
    WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class NewDocument:
    """A document ready to be recorded, with its passages."""

    document: Document
    passages: Sequence[Passage]


class Catalog:
    """One SQLite file. Safe from several threads; each has its own connection.

    Args:
        path: The file; made if missing.
        busy_timeout: Seconds to wait for another process's transaction.

    Raises:
        StaleIndexError: A newer version of Dossier made it.
        LibraryError: It is not a catalog, or damaged.
    """

    def __init__(self, path: Path, busy_timeout: float = 30.0) -> None:
        self._path = path
        self._busy_timeout = busy_timeout
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._lock = threading.Lock()
        with self._explained():
            self._prepare()

    def close(self) -> None:
        """Close every thread's connection."""
        with self._lock:
            for connection in self._connections:
                connection.close()
            self._connections.clear()
            self._local = threading.local()

    # Connections and transactions

    def _connection(self) -> sqlite3.Connection:
        import sqlite3

        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = sqlite3.connect(
                self._path, timeout=self._busy_timeout, isolation_level=None, check_same_thread=False
            )
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA cache_size = -16000")
            self._local.connection = connection
            with self._lock:
                self._connections.append(connection)
        return connection

    @contextmanager
    def _explained(self) -> Iterator[None]:
        import sqlite3

        try:
            yield
        except sqlite3.OperationalError as error:
            if "full" in str(error) or "disk I/O" in str(error):
                raise DiskFullError(
                    f"The disk of {self._path.parent} is full ({error}).",
                    remedy="Make room and run the same command again; what was stored before is intact.",
                ) from error
            if "locked" in str(error) or "busy" in str(error):
                raise LibraryBusyError(
                    f"Another process is writing to {self._path.parent}.", remedy="Wait for it and try again."
                ) from error
            raise LibraryError(
                f"The catalog {self._path} cannot be used: {error}.", remedy="Check the folder and its permissions."
            ) from error
        except sqlite3.DatabaseError as error:
            raise LibraryError(
                f"{self._path} is not a Dossier catalog or is damaged: {error}.",
                remedy="Restore it from a backup, or make a new library in another folder.",
            ) from error

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        connection = self._connection()
        with self._explained():
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK") if connection.in_transaction else None
                raise
            connection.execute("COMMIT")

    def _rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with self._explained():
            return self._connection().execute(sql, values).fetchall()

    def _prepare(self) -> None:
        connection = self._connection()
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version > SCHEMA_VERSION:
            raise StaleIndexError(
                f"The library {self._path.parent} was made by a newer version of Dossier "
                f"(schema {version}; this one knows {SCHEMA_VERSION}).",
                remedy="Upgrade Dossier, or make a new library in another folder.",
            )
        if version == SCHEMA_VERSION:
            return
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("BEGIN IMMEDIATE")
        if connection.execute("PRAGMA user_version").fetchone()[0] == 0:  # nobody else was quicker
            for statement in _SCHEMA.split(";"):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        connection.execute("COMMIT")

    # What the library is

    def get_meta(self, key: str) -> str | None:
        """Read a property of the library, such as the name of its encoder."""
        rows = self._rows("SELECT value FROM meta WHERE key = ?", (key,))
        return str(rows[0][0]) if rows else None

    def set_meta(self, key: str, value: str) -> None:
        """Write a property of the library."""
        with self._transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    # Changes

    def announce(self, document_ids: Iterable[str]) -> None:
        """Record that the other stores are about to change for these documents."""
        with self._transaction() as connection:
            connection.executemany("INSERT OR IGNORE INTO announced VALUES (?)", [(i,) for i in document_ids])

    def announced(self) -> list[str]:
        """List the documents whose change was announced and not committed."""
        return [row[0] for row in self._rows("SELECT document_id FROM announced ORDER BY document_id")]

    def commit(self, add: Sequence[NewDocument] = (), remove: Sequence[str] = (), settled: Sequence[str] = ()) -> None:
        """Record additions and removals and take back their announcements, all or nothing.

        Args:
            add: Documents to record; one that is there already only gains its source.
            remove: Ids of documents to forget, with their sources.
            settled: Ids whose announcement is void because nothing changed.
        """
        with self._transaction() as connection:
            for document_id in remove:
                for table, column in (
                    ("passages", "document_id"), ("texts", "document_id"), ("sources", "document_id"),
                    ("documents", "id"), ("announced", "document_id"),
                ):  # fmt: skip
                    connection.execute(f"DELETE FROM {table} WHERE {column} = ?", (document_id,))
            for new in add:
                self._insert(connection, new)
                connection.execute("DELETE FROM announced WHERE document_id = ?", (new.document.id,))
            connection.executemany("DELETE FROM announced WHERE document_id = ?", [(i,) for i in settled])

    def _insert(self, connection: sqlite3.Connection, new: NewDocument) -> None:
        d = new.document
        pages = json.dumps([[p.number, p.start, p.end, p.width, p.height] for p in d.pages])
        connection.execute(
            "INSERT OR REPLACE INTO documents VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (d.id, d.title, d.published.isoformat() if d.published else None, d.author, d.media_type, d.language,
             d.added.isoformat(), len(d.text), pages, len(new.passages)),
        )  # fmt: skip
        connection.execute(
            "INSERT OR REPLACE INTO texts VALUES (?, ?)", (d.id, zlib.compress(d.text.encode("utf-8"), 6))
        )
        connection.execute("INSERT OR REPLACE INTO sources VALUES (?, ?, ?)", (d.source, d.id, d.added.isoformat()))
        connection.execute("DELETE FROM passages WHERE document_id = ?", (d.id,))
        connection.executemany(
            "INSERT INTO passages VALUES (?, ?, ?, ?, ?, ?, ?)",
            [(p.id, p.document_id, p.start, p.end, p.page, p.heading, p.text) for p in new.passages],
        )

    def set_source(self, source: str, document_id: str, added: datetime) -> None:
        """Record that a source holds a document that is already known."""
        with self._transaction() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO sources VALUES (?, ?, ?)", (source, document_id, added.isoformat())
            )

    # Questions about it

    def document_of_source(self, source: str) -> str | None:
        """Find the id of the document that a source held when it was last added."""
        rows = self._rows("SELECT document_id FROM sources WHERE source = ?", (source,))
        return rows[0][0] if rows else None

    def sources_of(self, document_id: str) -> list[str]:
        """List the sources of a document, the oldest first."""
        sql = "SELECT source FROM sources WHERE document_id = ? ORDER BY added, source"
        return [row[0] for row in self._rows(sql, (document_id,))]

    def has_document(self, document_id: str) -> bool:
        """Tell whether a document is recorded."""
        return bool(self._rows("SELECT 1 FROM documents WHERE id = ?", (document_id,)))

    def get_document(self, document_id: str) -> Document | None:
        """Read a document with its text; `None` if there is none of this id."""
        rows = self._rows(
            "SELECT d.title, d.published, d.author, d.media_type, d.language, d.added, d.pages, t.data "
            "FROM documents d JOIN texts t ON t.document_id = d.id WHERE d.id = ?",
            (document_id,),
        )
        if not rows:
            return None
        title, published, author, media_type, language, added, pages, data = rows[0]
        return Document(
            id=document_id,
            source=(self.sources_of(document_id) or [""])[0],
            title=title,
            text=zlib.decompress(data).decode("utf-8"),
            pages=tuple(Page(*page) for page in json.loads(pages)),
            published=_date(published),
            author=author,
            media_type=media_type,
            language=language,
            added=datetime.fromisoformat(added),
        )

    def page_at(self, document_id: str, offset: int) -> int | None:
        """Find the number of the page that holds an offset of a document's text; `None` without pages."""
        rows = self._rows("SELECT pages FROM documents WHERE id = ?", (document_id,))
        number: int | None = None
        for page in json.loads(rows[0][0]) if rows else ():
            if page[1] > offset:
                break
            number = page[0]
        return number

    def list_documents(self, document_ids: Sequence[str] | None = None) -> list[DocumentInfo]:
        """List documents without their text, by title; all of them if no ids are given."""
        sql = (
            "SELECT d.id, (SELECT source FROM sources s WHERE s.document_id = d.id ORDER BY added, source LIMIT 1), "
            "d.title, d.published, d.author, d.media_type, d.language, d.added, d.characters, "
            "json_array_length(d.pages), d.passages FROM documents d"
        )
        if document_ids is not None:
            sql += f" WHERE d.id IN ({','.join('?' * len(document_ids))})"
        rows = self._rows(f"{sql} ORDER BY d.title COLLATE NOCASE, d.id", tuple(document_ids or ()))
        return [
            DocumentInfo(r[0], r[1] or "", r[2], _date(r[3]), r[4], r[5], r[6], datetime.fromisoformat(r[7]), *r[8:])
            for r in rows
        ]

    def find_documents(self, prefix: str) -> list[str]:
        """List the ids that begin with a prefix."""
        sql = "SELECT id FROM documents WHERE substr(id, 1, ?) = ? ORDER BY id LIMIT 20"
        return [row[0] for row in self._rows(sql, (len(prefix), prefix))]

    def get_passages(self, ids: Sequence[str]) -> dict[str, Passage]:
        """Read passages by id; unknown ids are left out."""
        marks = ",".join("?" * len(ids))
        rows = self._rows(
            f"SELECT id, document_id, start, end, text, page, heading FROM passages WHERE id IN ({marks})", tuple(ids)
        )
        return {row[0]: Passage(*row[1:]) for row in rows}

    def passages_of(self, document_id: str) -> list[Passage]:
        """Read a document's passages in the order of its text."""
        sql = "SELECT document_id, start, end, text, page, heading FROM passages WHERE document_id = ? ORDER BY start"
        return [Passage(*row) for row in self._rows(sql, (document_id,))]

    def passage_ids(self) -> set[str]:
        """Read the ids of all passages."""
        return {row[0] for row in self._rows("SELECT id FROM passages")}

    def count(self) -> tuple[int, int]:
        """Count documents and passages."""
        row = self._rows("SELECT count(*), coalesce(sum(passages), 0) FROM documents")[0]
        return int(row[0]), int(row[1])

    # Conversations, as JSON that the upper floor writes and reads

    def save_conversation(self, conversation_id: str, title: str, data: str) -> None:
        """Store a conversation under its id, in place of an earlier state of it."""
        with self._transaction() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO conversations VALUES (?, ?, ?, ?)",
                (conversation_id, title, datetime.now(UTC).isoformat(), data),
            )

    def load_conversation(self, conversation_id: str) -> str | None:
        """Read a conversation as it was stored; `None` if there is none of this id."""
        rows = self._rows("SELECT data FROM conversations WHERE id = ?", (conversation_id,))
        return str(rows[0][0]) if rows else None

    def list_conversations(self) -> list[tuple[str, str, datetime]]:
        """List `(id, title, last change)` of the conversations, the newest first."""
        rows = self._rows("SELECT id, title, updated FROM conversations ORDER BY updated DESC")
        return [(row[0], row[1], datetime.fromisoformat(row[2])) for row in rows]


def _date(value: str | None) -> date | None:
    return date.fromisoformat(value) if value else None
