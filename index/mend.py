"""Repairs of a library from its catalog; no document that the catalog has is ever removed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from index.checks import passage_fault
from index.embedded import embedded_texts
from index.reading import digest_of
from index.repair import rebuild
from index.split import split
from index.types import Document, Parsed, Passage

if TYPE_CHECKING:
    from index.parts import LibraryParts

_BATCH = 200  # documents


def rebuild_stores(
    library: LibraryParts, document_ids: Sequence[str], progress: Callable[[int, int], None] | None = None
) -> None:
    """Make documents anew in the stores, and end what was announced; the caller holds the write lock.

    Args:
        library: The library.
        document_ids: Documents in which the stores differ; announced ones are done as well.
        progress: Called with the documents done and in all.
    """
    announced = library.catalog.announced()
    chosen = list(dict.fromkeys([*announced, *document_ids]))
    for at in range(0, len(chosen), _BATCH):
        rebuild(library, chosen[at : at + _BATCH])
        if progress is not None:
            progress(min(at + _BATCH, len(chosen)), len(chosen))
    library.catalog.commit(settled=announced)


def forget_strays(library: LibraryParts) -> list[str]:
    """Drop passages of documents that the catalog does not have; the caller holds the write lock.

    Returns:
        The ids of those documents, which the stores are to be compared by.
    """
    strays = stray_documents(library)
    if strays:
        library.catalog.announce(strays)
        with library.catalog.transaction() as connection:
            connection.executemany("DELETE FROM passages WHERE document_id = ?", [(name,) for name in strays])
    return strays


def stray_documents(library: LibraryParts) -> list[str]:
    """Ids of documents that have passages and are not in the catalog."""
    sql = "SELECT DISTINCT document_id FROM passages WHERE document_id NOT IN (SELECT id FROM documents)"
    return [row[0] for row in library.catalog.rows(sql)]


def resplit(library: LibraryParts, document_id: str) -> tuple[int, int]:
    """Make the faulty passages of a document again from its text; the caller holds the write lock.

    Passages that are right stay where they are. Text that lies between two of them and was in none before, such as a
    running header, stays out, unless a passage is missing altogether: then nobody can tell, and all text is covered.

    Args:
        library: The library.
        document_id: A document whose text is intact.

    Returns:
        How many passages were kept, and how many were made.
    """
    catalog = library.catalog
    document = catalog.get_document(document_id)
    assert document is not None
    catalog.announce([document_id])  # a crash from here on is ended by whoever opens the library next
    rows = catalog.rows(
        "SELECT id, document_id, start, end, text, page, heading FROM passages WHERE document_id = ? ORDER BY rowid",
        (document_id,),
    )
    passages, kept = _mended(library, document, [(row[0], Passage(*row[1:])) for row in rows])
    digests = [digest_of(t) for t in embedded_texts(document.text, document.title, passages, library.encoder)]
    before = catalog.digests_of([document_id])
    with catalog.transaction() as connection:
        connection.execute("DELETE FROM passages WHERE document_id = ?", (document_id,))
        connection.executemany(
            "INSERT INTO passages VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (p.id, p.document_id, p.start, p.end, p.page, p.heading, p.text, digest,
                 int(before.get(p.id) != (digest, False)))
                for p, digest in zip(passages, digests, strict=True)
            ],
        )  # fmt: skip
        connection.execute("UPDATE documents SET passages = ? WHERE id = ?", (len(passages), document_id))
    rebuild(library, [document_id])
    catalog.commit(settled=[document_id])
    return kept, len(passages) - kept


def _mended(
    library: LibraryParts, document: Document, rows: Sequence[tuple[str, Passage]]
) -> tuple[list[Passage], int]:
    """All passages of a document, in order, and how many of them are as they were."""
    text, numbers = document.text, {page.number for page in document.pages}
    kept: list[tuple[int, Passage]] = []  # with its place among the rows, which were written in the order of the text
    for place, (name, passage) in enumerate(rows):
        if not passage_fault(text, name, passage, numbers) and (not kept or kept[-1][1].end <= passage.start):
            kept.append((place, passage))
    recorded = library.catalog.rows("SELECT passages FROM documents WHERE id = ?", (document.id,))[0][0]
    out = [(passage.start, passage.end) for _, passage in kept]
    if len(rows) == recorded:
        edges = [(-1, 0, 0), *((i, p.start, p.end) for i, p in kept), (len(rows), len(text), len(text))]
        out += [(a[2], b[1]) for a, b in pairwise(edges) if a[0] + 1 == b[0] and a[2] < b[1]]
    parsed = Parsed(
        text, document.media_type, document.title, pages=document.pages, headings=document.headings,
        skipped=tuple(sorted(out)),
    )  # fmt: skip
    made = split(parsed, document.id, library.encoder, library.settings.chunk_size)
    return sorted([*(p for _, p in kept), *made], key=lambda p: p.start), len(kept)


def remake_vectors(library: LibraryParts) -> int:
    """Mark all passages as waiting for a vector, which `embed` then makes in place of the stored one."""
    with library.catalog.transaction() as connection:
        return int(connection.execute("UPDATE passages SET pending = 1 WHERE NOT pending").rowcount)
