"""Conversations and what people thought of their answers, kept in the catalog.

A conversation is JSON that the upper floor writes and reads; here only its `title` and the `question` and `text` of its
`turns` are looked at, for lists and search.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from index.errors import LibraryError
from index.types import ConversationInfo, Rating

if TYPE_CHECKING:
    from index.catalog import Catalog

_Infos = list[ConversationInfo]  # inside the classes below, `list` is the method
_Ratings = list[Rating]

_SAVE = """
INSERT INTO conversations (id, title, updated, data, owner, turns, created) VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET title = excluded.title, updated = excluded.updated, data = excluded.data,
    turns = excluded.turns, deleted = NULL
    WHERE conversations.owner = excluded.owner
"""
_RENAME = """
UPDATE conversations SET title = :title,
    data = CASE WHEN json_valid(data) THEN json_set(data, '$.title', :title) ELSE data END
    WHERE id = :id AND (:owner IS NULL OR owner = :owner)
"""
_MARK = """
UPDATE conversations SET deleted = :deleted
    WHERE id = :id AND (deleted IS NULL) = (:deleted IS NOT NULL) AND (:owner IS NULL OR owner = :owner)
"""
_WORDS = """
SELECT json_extract(value, '$.question'), json_extract(value, '$.text')
    FROM conversations AS c, json_each(CASE WHEN json_valid(c.data) THEN c.data ELSE '{}' END, '$.turns')
    WHERE c.id = ?
"""


class Conversations:
    """The conversations of a library.

    Where an `owner` may be given, `None` means whoever it belongs to; else only that person's conversations exist.

    Args:
        catalog: Its catalog.
    """

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def save(self, conversation_id: str, title: str, data: str, *, owner: str = "", turns: int = 0) -> None:
        """Store a conversation under its id, in place of an earlier state of it; a deleted one comes back.

        Args:
            conversation_id: Its id.
            title: Its title.
            data: The conversation as JSON.
            owner: Whom it belongs to; empty where nobody signs in.
            turns: How many turns it has.

        Raises:
            LibraryError: The id is that of somebody else's conversation.
        """
        now = datetime.now(UTC).isoformat()
        with self._catalog.transaction() as connection:
            done = connection.execute(_SAVE, (conversation_id, title, now, data, owner, turns, now))
            if not done.rowcount:
                raise LibraryError(
                    f"The conversation {conversation_id} belongs to somebody else.", remedy="Start a new conversation."
                )

    def load(self, conversation_id: str, *, owner: str | None = None) -> str | None:
        """Read a conversation as it was stored; `None` if there is none of this id, or it is deleted."""
        sql = "SELECT data FROM conversations WHERE id = ?1 AND (?2 IS NULL OR owner = ?2) AND deleted IS NULL"
        rows = self._catalog.rows(sql, (conversation_id, owner))
        return str(rows[0][0]) if rows else None

    def owner(self, conversation_id: str) -> str | None:
        """Tell whose conversation it is; `None` if there is none of this id, or it is deleted."""
        sql = "SELECT owner FROM conversations WHERE id = ? AND deleted IS NULL"
        rows = self._catalog.rows(sql, (conversation_id,))
        return str(rows[0][0]) if rows else None

    def list(self, *, owner: str | None = None, query: str = "", deleted: bool = False) -> _Infos:
        """List the conversations, the newest first.

        Args:
            owner: Only this person's; everybody's if `None`.
            query: Only those that hold each of these words in their title, questions or answers, whatever their case.
            deleted: List the deleted ones, which can still come back, and not the others.

        Returns:
            The conversations, without their turns.
        """
        rows = self._catalog.rows(
            "SELECT id, title, updated, created, turns, owner FROM conversations "
            "WHERE (deleted IS NOT NULL) = ?2 AND (?1 IS NULL OR owner = ?1) ORDER BY updated DESC, id",
            (owner, deleted),
        )
        words = query.casefold().split()
        found = [row for row in rows if not words or self._holds(row[0], row[1], words)]
        return [ConversationInfo(r[0], r[1], _time(r[2]), _time(r[3]), r[4], r[5]) for r in found]

    def _holds(self, conversation_id: str, title: str, words: Sequence[str]) -> bool:
        turns = self._catalog.rows(_WORDS, (conversation_id,))
        text = "\n".join([title, *(str(part) for turn in turns for part in turn if part)]).casefold()
        return all(word in text for word in words)

    def find(self, prefix: str, *, owner: str | None = None) -> _Infos:
        """List the conversations whose id begins with a prefix."""
        return [info for info in self.list(owner=owner) if info.id.startswith(prefix)]

    def rename(self, conversation_id: str, title: str, *, owner: str | None = None) -> bool:
        """Give a conversation another title; tells whether there is one of this id."""
        return self._change(_RENAME, {"title": title, "id": conversation_id, "owner": owner})

    def delete(self, conversation_id: str, *, owner: str | None = None) -> bool:
        """Put a conversation away, so that `undelete` can bring it back; tells whether there was one of this id."""
        return self._mark(conversation_id, owner, datetime.now(UTC).isoformat())

    def undelete(self, conversation_id: str, *, owner: str | None = None) -> bool:
        """Bring a deleted conversation back; tells whether there was one."""
        return self._mark(conversation_id, owner, None)

    def purge(self, older_than: timedelta) -> int:
        """Remove for good, with their ratings, the conversations deleted longer ago than this; returns how many."""
        limit = ((datetime.now(UTC) - older_than).isoformat(),)
        with self._catalog.transaction() as connection:
            connection.execute(
                "DELETE FROM feedback WHERE conversation_id IN (SELECT id FROM conversations WHERE deleted <= ?)", limit
            )
            return int(connection.execute("DELETE FROM conversations WHERE deleted <= ?", limit).rowcount)

    def _mark(self, conversation_id: str, owner: str | None, deleted: str | None) -> bool:
        return self._change(_MARK, {"deleted": deleted, "id": conversation_id, "owner": owner})

    def _change(self, sql: str, values: dict[str, Any]) -> bool:
        with self._catalog.transaction() as connection:
            return connection.execute(sql, values).rowcount > 0


class Feedback:
    """What people thought of answers.

    Args:
        catalog: The catalog that keeps it.
    """

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def add(self, conversation_id: str, turn: int, rating: int, comment: str = "", *, owner: str = "") -> int:
        """Record what somebody thinks of an answer; earlier ratings stay, the last one counts.

        Args:
            conversation_id: The conversation.
            turn: The answer's place in it, from 0.
            rating: 1 for good, -1 for bad, 0 to take a rating back.
            comment: Why, in their words.
            owner: Who thinks so.

        Returns:
            The number of the entry.
        """
        values = (conversation_id, turn, owner, rating, comment, datetime.now(UTC).isoformat())
        with self._catalog.transaction() as connection:
            sql = "INSERT INTO feedback (conversation_id, turn, owner, rating, comment, created) "
            return int(connection.execute(sql + "VALUES (?, ?, ?, ?, ?, ?)", values).lastrowid or 0)

    def list(self, conversation_id: str | None = None) -> _Ratings:
        """List what was said of a conversation's answers, of all conversations if `None`; the oldest first."""
        rows = self._catalog.rows(
            "SELECT number, conversation_id, turn, owner, rating, comment, created FROM feedback "
            "WHERE ?1 IS NULL OR conversation_id = ?1 ORDER BY number",
            (conversation_id,),
        )
        return [Rating(r[0], r[1], r[2], r[3], r[4], r[5], _time(r[6])) for r in rows]


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
