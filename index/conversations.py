"""Conversations, kept in the catalog as JSON that the upper floor writes and reads."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from index.catalog import Catalog


class Conversations:
    """The conversations of a library.

    Args:
        catalog: Its catalog.
    """

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def save(self, conversation_id: str, title: str, data: str) -> None:
        """Store a conversation under its id, in place of an earlier state of it."""
        with self._catalog.transaction() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO conversations VALUES (?, ?, ?, ?)",
                (conversation_id, title, datetime.now(UTC).isoformat(), data),
            )

    def load(self, conversation_id: str) -> str | None:
        """Read a conversation as it was stored; `None` if there is none of this id."""
        rows = self._catalog.rows("SELECT data FROM conversations WHERE id = ?", (conversation_id,))
        return str(rows[0][0]) if rows else None

    def list(self) -> list[tuple[str, str, datetime]]:
        """List `(id, title, last change)` of the conversations, the newest first."""
        rows = self._catalog.rows("SELECT id, title, updated FROM conversations ORDER BY updated DESC")
        return [(row[0], row[1], datetime.fromisoformat(row[2])) for row in rows]
