"""A citation's link goes on leading to its words while the files of the library change."""

from __future__ import annotations

from pathlib import Path

import pytest

from index.errors import DocumentError
from index.library import Library
from index.permalink import make_permalink
from index.types import Resolved

QUOTE = "The north berth opens on 3 June and takes vessels of up to 180 metres."
BEFORE = f"# The port\n\nThere are two berths.\n\n{QUOTE}\n\nThe south berth is closed for repairs until autumn.\n"


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "port.md").write_text(BEFORE)
    (folder / "other.txt").write_text("Nothing to do with it.")
    return folder


def link_to(library: Library, quote: str) -> str:
    [info] = library.documents(where="type=md")
    text = library.document(info.id).text
    start = text.index(quote)
    return str(make_permalink(info.id, start, start + len(quote), quote))


def words(library: Library, found: Resolved) -> str:
    assert found.document_id is not None
    return library.document(found.document_id).text[found.start : found.end]


def test_link_into_an_unchanged_document_is_the_same(library: Library, docs: Path) -> None:
    """Nothing happened: the very span."""
    library.sync(docs)
    found = library.resolve(link_to(library, QUOTE))
    assert (found.state, words(library, found), found.quote) == ("same", QUOTE, QUOTE)


def test_link_follows_its_words_through_changes_and_moves(library: Library, docs: Path) -> None:
    """Text put before it moves it; a new number in it changes it; other text in its place, and it is gone."""
    library.sync(docs)
    link = link_to(library, QUOTE)
    (docs / "port.md").write_text("An introduction that was not there before.\n\n" + BEFORE)
    library.sync(docs)
    found = library.resolve(link)
    assert (found.state, words(library, found)) == ("moved", QUOTE)

    (docs / "port.md").rename(docs / "harbour.md")
    library.sync(docs)
    found = library.resolve(link)
    assert (found.state, words(library, found), found.source) == ("moved", QUOTE, str(docs / "harbour.md"))

    later = QUOTE.replace("180", "210")
    (docs / "harbour.md").write_text(BEFORE.replace(QUOTE, later))
    library.sync(docs)
    found = library.resolve(link)
    assert (found.state, words(library, found), found.quote) == ("changed", later, QUOTE)

    (docs / "harbour.md").write_text("# The port\n\nIt was sold. Ask the new owner about the ferry.\n")
    library.sync(docs)
    found = library.resolve(link)
    assert (found.state, found.start, found.end, found.quote) == ("gone", 0, 0, QUOTE)


def test_link_into_a_removed_document_is_gone_and_its_text_forgotten(library: Library, docs: Path) -> None:
    """Who removes a document wants it out of the library, its earlier states too."""
    library.sync(docs)
    first = link_to(library, QUOTE)
    (docs / "port.md").write_text(BEFORE + "\nMore.\n")
    library.sync(docs)
    second = link_to(library, QUOTE)
    (docs / "port.md").unlink()
    library.sync(docs)
    for link in (first, second):
        found = library.resolve(link)
        assert (found.state, found.document_id, found.quote) == ("gone", None, "")
    assert library.catalog.rows("SELECT count(*) FROM former") == [(0,)]


def test_link_with_another_hash_does_not_lead_to_other_words(library: Library, docs: Path) -> None:
    """A link whose hash is not that of the span was not made of it."""
    library.sync(docs)
    link = link_to(library, QUOTE)
    assert library.resolve(link[:-1] + ("0" if link[-1] != "0" else "1")).state == "gone"


def test_text_that_is_no_link_is_refused(library: Library) -> None:
    """The error shows what a link looks like."""
    with pytest.raises(DocumentError, match="is not a link to a place in a document"):
        library.resolve("https://example.org")
