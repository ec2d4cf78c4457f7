"""Conversations in the catalog: stored, listed, searched, renamed, deleted and brought back, each by its owner."""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from index.catalog import Catalog
from index.conversations import Conversations, Feedback
from index.errors import LibraryError
from index.schema import MIGRATIONS, SCHEMA_VERSION


def talk(*turns: tuple[str, str], title: str = "") -> str:
    return json.dumps({"title": title, "turns": [{"question": q, "text": a} for q, a in turns]}, ensure_ascii=False)


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    return Catalog(tmp_path / "catalog.sqlite")


@pytest.fixture
def stored(catalog: Catalog) -> Conversations:
    return Conversations(catalog)


def test_saved_conversation_is_listed_with_what_is_known_of_it(stored: Conversations) -> None:
    """The newest first; a second save keeps when it was made and whose it is."""
    stored.save("a", "Berths", talk(("When?", "In June.")), owner="anna", turns=1)
    stored.save("b", "Fees", "{}")
    first = stored.list(owner="anna")[0]
    stored.save("a", "Berths", talk(("When?", "In June."), ("Why?", "Tides.")), owner="anna", turns=2)
    [a, b] = stored.list()
    assert [(a.id, a.title, a.turns, a.owner), (b.id, b.title, b.turns, b.owner)] == [
        ("a", "Berths", 2, "anna"),
        ("b", "Fees", 0, ""),
    ]
    assert a.created == first.created
    assert a.updated > first.updated
    assert "Tides" in (stored.load("a") or "")


def test_nobody_sees_or_changes_what_belongs_to_somebody_else(stored: Conversations) -> None:
    """With an owner, everybody else's conversations do not exist; without one, all do."""
    stored.save("a", "Berths", "{}", owner="anna")
    assert stored.load("a", owner="ben") is None
    assert stored.list(owner="ben") == []
    assert stored.list(owner="") == []
    assert not stored.rename("a", "Mine", owner="ben")
    assert not stored.delete("a", owner="ben")
    with pytest.raises(LibraryError, match="conversation a belongs to somebody else"):
        stored.save("a", "Mine", "{}", owner="ben")
    assert stored.load("a", owner="anna") == stored.load("a") == "{}"
    assert stored.delete("a", owner="anna")
    assert not stored.undelete("a", owner="ben")


@pytest.mark.parametrize(
    ("query", "found"),
    [("", "cba"), ("berth", "ba"), ("BERTH june", "a"), ("ÜBER", "c"), ("question", ""), ("%", ""), ("title", "")],
)
def test_query_matches_title_questions_and_answers_only(stored: Conversations, query: str, found: str) -> None:
    """Every word must occur, in any case; names of fields and wildcards are nothing special."""
    stored.save("a", "First", talk(("When does the berth open?", "In June."), title="First"))
    stored.save("b", "Berths", "not json")
    stored.save("c", "über Gebühren", talk(("Fees?", "Ten marks.")))
    assert "".join(info.id for info in stored.list(query=query)) == found


def test_rename_changes_the_title_in_list_and_data(stored: Conversations) -> None:
    """Whoever resumes it finds the new title; the text of the turns is as it was."""
    stored.save("a", "Old", talk(("When?", "“June” – {}"), title="Old"))
    assert stored.rename("a", "New “title”")
    assert not stored.rename("nowhere", "x")
    assert stored.list()[0].title == "New “title”"
    data = json.loads(stored.load("a") or "")
    assert (data["title"], data["turns"][0]["text"]) == ("New “title”", "“June” – {}")


def test_deleted_conversation_can_come_back_until_it_is_purged(catalog: Catalog, stored: Conversations) -> None:
    """Deleting hides it; undelete and a further save bring it back; purge removes it with its ratings."""
    feedback = Feedback(catalog)
    for name in "ab":
        stored.save(name, name, "{}")
        feedback.add(name, 0, 1)
    assert stored.delete("a")
    assert not stored.delete("a")
    assert stored.load("a") is None
    assert [i.id for i in stored.list()] == ["b"]
    assert [i.id for i in stored.list(deleted=True)] == ["a"]
    assert stored.undelete("a")
    assert not stored.undelete("a")
    assert stored.load("a") == "{}"
    stored.delete("a")
    stored.save("a", "a", "[]")
    assert stored.load("a") == "[]"
    stored.delete("a")
    assert stored.purge(timedelta(days=1)) == 0
    assert stored.purge(timedelta()) == 1
    assert not stored.undelete("a")
    assert [r.conversation_id for r in feedback.list()] == ["b"]


def test_conversations_are_found_by_the_beginning_of_their_id(stored: Conversations) -> None:
    """As far as it is typed."""
    for name in ("abc1", "abd2"):
        stored.save(name, name, "{}")
    assert [i.id for i in stored.find("abc")] == ["abc1"]
    assert {i.id for i in stored.find("ab")} == {"abc1", "abd2"}


def test_feedback_is_kept_in_order(catalog: Catalog) -> None:
    """Each entry with who, what, why and when; the last of a turn is the one that counts."""
    feedback = Feedback(catalog)
    first = feedback.add("a", 1, -1, "Wrong year.", owner="anna")
    assert feedback.add("a", 1, 1) > first
    feedback.add("b", 0, 1)
    [bad, good] = feedback.list("a")
    assert (bad.number, bad.turn, bad.owner, bad.rating, bad.comment) == (first, 1, "anna", -1, "Wrong year.")
    assert (good.rating, good.comment, good.owner) == (1, "", "")
    assert abs(datetime.now(UTC) - good.created) < timedelta(minutes=1)
    assert len(feedback.list()) == 3


def test_conversations_of_version_2_are_kept(tmp_path: Path) -> None:
    """They belong to nobody, know their number of turns, and count as made when they were last changed."""
    path = tmp_path / "catalog.sqlite"
    connection = sqlite3.connect(path, isolation_level=None)
    for statements in MIGRATIONS[:2]:
        connection.executescript(statements)
    connection.execute("PRAGMA user_version = 2")
    when = "2026-01-31T10:00:00+00:00"
    rows = [("a", "Berths", when, talk(("When?", "June."), ("Why?", "Tides."))), ("b", "Odd", when, "not json")]
    connection.executemany("INSERT INTO conversations VALUES (?, ?, ?, ?)", rows)
    connection.close()
    catalog = Catalog(path)
    assert catalog.rows("PRAGMA user_version") == [(SCHEMA_VERSION,)]
    found = {i.id: i for i in Conversations(catalog).list()}
    assert (found["a"].turns, found["a"].owner, found["a"].created) == (2, "", datetime.fromisoformat(when))
    assert (found["b"].turns, found["b"].title) == (0, "Odd")
    assert Conversations(catalog).load("a") == rows[0][3]
    assert Feedback(catalog).list() == []
