"""Bring the vectors and the lexical index back to what the catalog says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from index.errors import LibraryBusyError
from index.split import embedded_texts

if TYPE_CHECKING:
    from index.library import Library


def repair(library: Library) -> list[str]:
    """Repair what differs between the three stores.

    Announced documents are made anew in the other two stores. If the counts of passages still differ (a store was
    deleted, or lost its last writes in a power cut), ids are compared one by one. A library that another process is
    writing to is left alone: its announcements are that process's business.

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


def _counts_agree(library: Library) -> bool:
    expected = library.catalog.count()[1]
    return library.vectors.count() == expected and library.lexical.count() == expected


def find_differences(library: Library) -> list[str]:
    """List the documents whose passages are missing, left over or doubled in either store."""
    expected = library.catalog.passage_ids()
    lexical = Counter(library.lexical.ids())
    doubled = {name for name, count in lexical.items() if count > 1}
    differing = (expected ^ library.vectors.ids()) | (expected ^ set(lexical)) | doubled
    return sorted({name.rsplit(":", 1)[0] for name in differing})


def rebuild(library: Library, document_ids: Sequence[str]) -> None:
    """Make some documents anew in the vectors and the lexical index; those the catalog lacks are removed there."""
    batch = 50
    for at in range(0, len(document_ids), batch):
        chosen = document_ids[at : at + batch]
        titles = {info.id: info.title for info in library.documents(list(chosen))}
        by_document = {name: library.passages(name) for name in titles}
        passages = [p for group in by_document.values() for p in group]
        library.lexical.replace(passages, titles, remove=chosen)
        library.vectors.remove(chosen)
        if passages:
            encoder = library.encoder
            texts = [t for name, group in by_document.items() for t in embedded_texts(titles[name], group, encoder)]
            library.vectors.replace(passages, encoder.encode(texts))
