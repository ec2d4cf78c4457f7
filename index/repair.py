"""Bring the vectors and the lexical index back to what the catalog says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from index.errors import LibraryBusyError
from index.writer import entry_of

if TYPE_CHECKING:
    from index.parts import LibraryParts


def repair(library: LibraryParts) -> list[str]:
    """Repair what differs between the three stores.

    Announced documents are compared passage by passage; if the counts of passages still differ (a store was deleted, or
    lost its last writes in a power cut), all are. Words are indexed anew at once; passages without the right vector are
    marked as pending, which is for `index.embedding` to end. A library that another process is writing to is left
    alone: its announcements are that process's business.

    Returns:
        Ids of the documents that were repaired.
    """
    catalog = library.catalog
    if not catalog.announced() and _counts_agree(library):
        return []
    try:
        with library.writing(timeout=0):
            announced = catalog.announced()  # again: the other process may have finished in between
            rebuild(library, announced)
            catalog.commit(settled=announced)
            differing = [] if _counts_agree(library) else find_differences(library)
            rebuild(library, differing)
            return sorted({*announced, *differing})
    except LibraryBusyError:
        return []


def _counts_agree(library: LibraryParts) -> bool:
    expected, pending = library.catalog.count()[1], library.catalog.count_pending()
    return library.lexical.count() == expected and library.vectors.holds(expected - pending, expected)


def find_differences(library: LibraryParts) -> list[str]:
    """List the documents of which either store lacks a passage, has one too many or doubled, or has an old vector."""
    expected = library.catalog.digests_of()
    lexical = Counter(library.lexical.ids())
    differing = {name for name, count in lexical.items() if count > 1}
    differing |= expected.keys() ^ lexical.keys()
    vectors = library.vectors.digests()
    differing |= vectors.keys() - expected.keys()
    differing |= {name for name, (digest, pending) in expected.items() if not pending and vectors.get(name) != digest}
    return sorted({name.rsplit(":", 1)[0] for name in differing})


def rebuild(library: LibraryParts, document_ids: Sequence[str]) -> None:
    """Make some documents anew in the lexical index, and see to their vectors; those the catalog lacks are removed."""
    batch = 50
    for at in range(0, len(document_ids), batch):
        chosen = list(document_ids[at : at + batch])
        entries = {info.id: entry_of(info) for info in library.catalog.list_documents(chosen)}
        passages = [p for name in entries for p in library.catalog.passages_of(name)]
        library.lexical.replace(passages, entries, remove=chosen)
        wanted = library.catalog.digests_of(chosen)
        there = library.vectors.digests(chosen)
        wrong = {name for name, digest in there.items() if name not in wanted or wanted[name][0] != digest}
        library.vectors.remove(sorted(wrong))
        missing = [n for n, (_, pending) in wanted.items() if not pending and (n in wrong or n not in there)]
        library.catalog.await_vectors(missing)
