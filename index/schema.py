"""The tables of the catalog, and how an older catalog becomes a newer one.

A migration is one transaction: a process killed in the middle of it leaves the old version.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3

SCHEMA_VERSION = 3

_FIRST = """
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

_SECOND = """
ALTER TABLE documents ADD COLUMN headings TEXT NOT NULL DEFAULT '[]';
ALTER TABLE documents ADD COLUMN silent_pages INTEGER NOT NULL DEFAULT 0;
ALTER TABLE documents ADD COLUMN images INTEGER NOT NULL DEFAULT 0;
ALTER TABLE documents ADD COLUMN tables INTEGER NOT NULL DEFAULT 0;
ALTER TABLE documents ADD COLUMN signature BLOB;
ALTER TABLE sources ADD COLUMN file TEXT NOT NULL DEFAULT '';
UPDATE sources SET file = source;
CREATE INDEX sources_by_file ON sources (file);
ALTER TABLE passages ADD COLUMN digest TEXT NOT NULL DEFAULT '';
ALTER TABLE passages ADD COLUMN pending INTEGER NOT NULL DEFAULT 0;
CREATE INDEX passages_pending ON passages (document_id) WHERE pending;
CREATE TABLE files (
    path TEXT PRIMARY KEY, size INTEGER NOT NULL, modified INTEGER NOT NULL, digest TEXT NOT NULL,
    seen INTEGER NOT NULL, failure TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE folders (path TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE tags (document_id TEXT NOT NULL, tag TEXT NOT NULL, PRIMARY KEY (document_id, tag)) WITHOUT ROWID;
CREATE TABLE bands (band TEXT NOT NULL, document_id TEXT NOT NULL, PRIMARY KEY (band, document_id)) WITHOUT ROWID;
CREATE INDEX bands_by_document ON bands (document_id);
CREATE TABLE near (
    document_id TEXT NOT NULL, other_id TEXT NOT NULL, similarity REAL NOT NULL, PRIMARY KEY (document_id, other_id)
) WITHOUT ROWID;
CREATE TABLE former (document_id TEXT PRIMARY KEY, source TEXT NOT NULL, ended TEXT NOT NULL, data BLOB NOT NULL);
CREATE INDEX former_by_source ON former (source, ended);
CREATE TABLE reports (number INTEGER PRIMARY KEY, data TEXT NOT NULL)
"""

_THIRD = """
ALTER TABLE conversations ADD COLUMN owner TEXT NOT NULL DEFAULT '';
ALTER TABLE conversations ADD COLUMN turns INTEGER NOT NULL DEFAULT 0;
ALTER TABLE conversations ADD COLUMN created TEXT;
ALTER TABLE conversations ADD COLUMN deleted TEXT;
UPDATE conversations SET created = updated;
UPDATE conversations SET turns = json_array_length(data, '$.turns')
    WHERE json_valid(data) AND json_type(data, '$.turns') = 'array';
CREATE INDEX conversations_by_owner ON conversations (owner, updated);
CREATE TABLE feedback (
    number INTEGER PRIMARY KEY, conversation_id TEXT NOT NULL, turn INTEGER NOT NULL, owner TEXT NOT NULL,
    rating INTEGER NOT NULL, comment TEXT NOT NULL, created TEXT NOT NULL
);
CREATE INDEX feedback_by_conversation ON feedback (conversation_id, turn)
"""

MIGRATIONS = (_FIRST, _SECOND, _THIRD)
"""`MIGRATIONS[n]` turns version n into version n + 1; an empty file is version 0."""


def migrate(connection: sqlite3.Connection) -> None:
    """Bring a catalog to `SCHEMA_VERSION`; the caller holds no transaction."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = connection.execute("PRAGMA user_version").fetchone()[
            0
        ]  # again: another process may have been quicker
        for statements in MIGRATIONS[version:SCHEMA_VERSION]:
            for statement in statements.split(";"):
                connection.execute(statement)
        if version < SCHEMA_VERSION:
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
