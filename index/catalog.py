"""The record of truth: documents, their text and their passages in SQLite (WAL); the door of sqlite3.

Vectors and the lexical index can always be rebuilt from here. A change is announced first (`announce`), then made in
the other two stores, then committed here together with the removal of its announcement (`commit`). An announcement
that is still there when a library is opened names exactly the documents a crash left half done.
"""

from __future__ import annotations

import json
import threading
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from index.errors import DiskFullError, DocumentError, LibraryBusyError, LibraryError, StaleIndexError
from index.records import FORGET_FORMER, NewDocument, delete_document, insert_document
from index.schema import SCHEMA_VERSION, migrate
from index.types import Document, DocumentInfo, Heading, Page, Passage

if TYPE_CHECKING:
    import sqlite3

_COPIED_AT_ONCE = 10_000  # pages of 4 KiB between two reports of how far a copy is


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
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Hold a write transaction; it is undone if the block raises."""
        connection = self._connection()
        with self._explained():
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK") if connection.in_transaction else None
                raise
            connection.execute("COMMIT")

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Read all rows of a query."""
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
        migrate(connection)

    # What the library is

    def get_meta(self, key: str) -> str | None:
        """Read a property of the library, such as the name of its encoder."""
        rows = self.rows("SELECT value FROM meta WHERE key = ?", (key,))
        return str(rows[0][0]) if rows else None

    def set_meta(self, key: str, value: str) -> None:
        """Write a property of the library."""
        with self.transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    # Changes

    def announce(self, document_ids: Iterable[str]) -> None:
        """Record that the other stores are about to change for these documents."""
        with self.transaction() as connection:
            connection.executemany("INSERT OR IGNORE INTO announced VALUES (?)", [(i,) for i in document_ids])

    def announced(self) -> list[str]:
        """List the documents whose change was announced and not committed."""
        return [row[0] for row in self.rows("SELECT document_id FROM announced ORDER BY document_id")]

    def commit(
        self,
        add: Sequence[NewDocument] = (),
        remove: Sequence[str] = (),
        settled: Sequence[str] = (),
        replaced: Sequence[str] = (),
        sources: Sequence[tuple[str, str, str]] = (),
    ) -> None:
        """Record additions and removals and take back their announcements, all or nothing.

        Args:
            add: Documents to record; one that is there already only gains its source.
            remove: Ids of documents to forget, with their sources and what their files held before.
            settled: Ids whose announcement is void because nothing changed.
            replaced: Ids of documents whose file now holds something else; their text is kept, so that citations of it
                can be found again in what took its place.
            sources: `(source, document id, file)` of sources that now hold a document that is known already.
        """
        ended = datetime.now(UTC).isoformat()
        with self.transaction() as connection:
            for document_id in replaced:
                connection.execute(
                    "INSERT OR REPLACE INTO former SELECT t.document_id, s.source, ?, t.data FROM texts t "
                    "JOIN sources s ON s.document_id = t.document_id WHERE t.document_id = ? LIMIT 1",
                    (ended, document_id),
                )
            for document_id in remove:
                connection.execute(
                    "DELETE FROM former WHERE source IN (SELECT source FROM sources WHERE document_id = ?)",
                    (document_id,),
                )
            for document_id in (*replaced, *remove):
                delete_document(connection, document_id)
            for new in add:
                insert_document(connection, new)
                connection.execute("DELETE FROM announced WHERE document_id = ?", (new.document.id,))
            connection.executemany(
                "INSERT OR REPLACE INTO sources VALUES (?, ?, ?, ?)", [(s, i, ended, f) for s, i, f in sources]
            )
            connection.executemany("DELETE FROM announced WHERE document_id = ?", [(i,) for i in settled])
            connection.executemany(FORGET_FORMER, [(new.document.source,) * 2 for new in add] if replaced else [])

    def forget_sources(self, sources: Sequence[str]) -> None:
        """Forget sources whose documents have others; what they held before is forgotten as well."""
        with self.transaction() as connection:
            for table in ("sources", "former"):
                connection.executemany(f"DELETE FROM {table} WHERE source = ?", [(s,) for s in sources])

    def record_vectors(self, made: Sequence[tuple[str, str]]) -> None:
        """Record that passages have a vector now: `(passage id, digest of the text it was made of)`."""
        with self.transaction() as connection:
            sql = "UPDATE passages SET pending = 0, digest = ? WHERE id = ?"
            connection.executemany(sql, [(digest, i) for i, digest in made])

    def await_vectors(self, passage_ids: Sequence[str]) -> None:
        """Record that passages wait for a vector."""
        with self.transaction() as connection:
            connection.executemany("UPDATE passages SET pending = 1 WHERE id = ?", [(i,) for i in passage_ids])

    def copy_to(self, path: Path, progress: Callable[[int, int], None] | None = None) -> None:
        """Write a consistent copy of the catalog into a new file, also while others read and write.

        Args:
            path: The file; must not exist.
            progress: Called with the pages copied and in all.
        """
        import sqlite3

        def told(status: int, remaining: int, total: int) -> None:
            if progress is not None:
                progress(total - remaining, total)

        with self._explained():
            copy = sqlite3.connect(path)
            try:
                self._connection().backup(copy, pages=_COPIED_AT_ONCE, progress=told)
            finally:
                copy.close()

    # Questions about it

    def document_of_source(self, source: str) -> str | None:
        """Find the id of the document that a source held when it was last added."""
        rows = self.rows("SELECT document_id FROM sources WHERE source = ?", (source,))
        return rows[0][0] if rows else None

    def sources_of(self, document_id: str) -> list[str]:
        """List the sources of a document, the oldest first."""
        sql = "SELECT source FROM sources WHERE document_id = ? ORDER BY added, source"
        return [row[0] for row in self.rows(sql, (document_id,))]

    def has_document(self, document_id: str) -> bool:
        """Tell whether a document is recorded."""
        return bool(self.rows("SELECT 1 FROM documents WHERE id = ?", (document_id,)))

    def get_document(self, document_id: str) -> Document | None:
        """Read a document with its text; `None` if there is none of this id."""
        rows = self.rows(
            "SELECT d.title, d.published, d.author, d.media_type, d.language, d.added, d.pages, t.data, "
            "d.headings FROM documents d JOIN texts t ON t.document_id = d.id WHERE d.id = ?",
            (document_id,),
        )
        if not rows:
            return None
        title, published, author, media_type, language, added, pages, data, headings = rows[0]
        return Document(
            id=document_id,
            source=(self.sources_of(document_id) or [""])[0],
            title=title,
            text=_text(document_id, data),
            pages=tuple(Page(*page) for page in json.loads(pages)),
            published=_date(published),
            author=author,
            media_type=media_type,
            language=language,
            added=datetime.fromisoformat(added),
            headings=tuple(Heading(*heading) for heading in json.loads(headings)),
            tags=tuple(self.tags_of(document_id)),
        )

    def tags_of(self, document_id: str) -> list[str]:
        """List a document's tags."""
        return [row[0] for row in self.rows("SELECT tag FROM tags WHERE document_id = ? ORDER BY tag", (document_id,))]

    def page_at(self, document_id: str, offset: int) -> Page | None:
        """Find the page that holds an offset of a document's text; `None` without pages."""
        rows = self.rows("SELECT pages FROM documents WHERE id = ?", (document_id,))
        found: Page | None = None
        for page in json.loads(rows[0][0]) if rows else ():
            if page[1] > offset:
                break
            found = Page(*page)
        return found

    def list_documents(
        self, document_ids: Sequence[str] | None = None, where: tuple[str, list[object]] | None = None
    ) -> list[DocumentInfo]:
        """List documents without their text, by title.

        Args:
            document_ids: Only these; all if `None`.
            where: An SQL condition on `documents d` with its values, as `Filter.to_sql` makes it.
        """
        conditions, values = ["1"], list[object]()
        if document_ids is not None:
            conditions.append(f"d.id IN ({','.join('?' * len(document_ids))})")
            values += document_ids
        if where is not None:
            conditions.append(where[0])
            values += where[1]
        rows = self.rows(f"{_LIST} WHERE {' AND '.join(conditions)} ORDER BY d.title COLLATE NOCASE, d.id", values)
        return [
            DocumentInfo(
                r[0], r[1] or "", r[2], _date(r[3]), r[4], r[5], r[6], datetime.fromisoformat(r[7]), r[8], r[9], r[10],
                r[11], tuple(json.loads(r[12])),
            )
            for r in rows
        ]  # fmt: skip

    def match(self, where: tuple[str, list[object]]) -> list[str]:
        """List the ids of the documents that meet an SQL condition on `documents d`, as `Filter.to_sql` makes it."""
        return [row[0] for row in self.rows(f"SELECT d.id FROM documents d WHERE {where[0]}", where[1])]

    def find_documents(self, prefix: str) -> list[str]:
        """List the ids that begin with a prefix."""
        sql = "SELECT id FROM documents WHERE substr(id, 1, ?) = ? ORDER BY id LIMIT 20"
        return [row[0] for row in self.rows(sql, (len(prefix), prefix))]

    def get_passages(self, ids: Sequence[str]) -> dict[str, Passage]:
        """Read passages by id; unknown ids are left out."""
        marks = ",".join("?" * len(ids))
        rows = self.rows(
            f"SELECT id, document_id, start, end, text, page, heading FROM passages WHERE id IN ({marks})", tuple(ids)
        )
        return {row[0]: Passage(*row[1:]) for row in rows}

    def passages_of(self, document_id: str) -> list[Passage]:
        """Read a document's passages in the order of its text."""
        sql = "SELECT document_id, start, end, text, page, heading FROM passages WHERE document_id = ? ORDER BY start"
        return [Passage(*row) for row in self.rows(sql, (document_id,))]

    def passage_ids(self) -> set[str]:
        """Read the ids of all passages."""
        return {row[0] for row in self.rows("SELECT id FROM passages")}

    def digests_of(self, document_ids: Sequence[str] | None = None) -> dict[str, tuple[str, bool]]:
        """Read, for each passage of some documents (or of all), the digest of its embedded text and if it is pending.

        Returns:
            `{passage id: (digest, pending)}`; the digest is empty in documents of an older schema.
        """
        sql, values = "SELECT id, digest, pending FROM passages", tuple(document_ids or ())
        if document_ids is not None:
            sql += f" WHERE document_id IN ({','.join('?' * len(document_ids))})"
        return {row[0]: (row[1], bool(row[2])) for row in self.rows(sql, values)}

    def pending_documents(self, limit: int, after: str = "") -> list[str]:
        """List documents with passages that wait for a vector, in the order of their ids, from behind one of them."""
        sql = "SELECT DISTINCT document_id FROM passages WHERE pending AND document_id > ? ORDER BY document_id LIMIT ?"
        return [row[0] for row in self.rows(sql, (after, limit))]

    def count_pending(self) -> int:
        """Count the passages that wait for a vector."""
        return int(self.rows("SELECT count(*) FROM passages WHERE pending")[0][0])

    def count(self) -> tuple[int, int]:
        """Count documents and passages."""
        row = self.rows("SELECT count(*), coalesce(sum(passages), 0) FROM documents")[0]
        return int(row[0]), int(row[1])


_LIST = (
    "SELECT d.id, (SELECT source FROM sources s WHERE s.document_id = d.id ORDER BY added, source LIMIT 1), "
    "d.title, d.published, d.author, d.media_type, d.language, d.added, d.characters, json_array_length(d.pages), "
    "d.passages, (SELECT count(*) FROM passages p WHERE p.document_id = d.id AND p.pending), "
    "(SELECT json_group_array(tag) FROM tags t WHERE t.document_id = d.id) FROM documents d"
)


def count_rows(file: Path, table: str) -> int:
    """Count the rows of a table of any SQLite file, without changing it; -1 if that cannot be done."""
    import sqlite3

    try:
        connection = sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True, timeout=1)
        try:
            return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])
        finally:
            connection.close()
    except (sqlite3.Error, OSError):
        return -1


def _date(value: str | None) -> date | None:
    return date.fromisoformat(value) if value else None


def _text(document_id: str, data: bytes) -> str:
    try:
        return zlib.decompress(data).decode("utf-8")
    except (zlib.error, UnicodeDecodeError) as error:
        raise DocumentError(
            f"The stored text of document {document_id} is damaged ({error}).",
            remedy=f"Remove it (dossier remove {document_id}) and add its file again.",
        ) from error
