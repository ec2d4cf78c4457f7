"""What a library of an older version lacks in its stores, added when it is opened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from index.errors import LibraryBusyError
from index.vectors import Labels

if TYPE_CHECKING:
    from index.parts import LibraryParts

_DOCUMENTS = 200


def relabel(library: LibraryParts) -> None:
    """Write beside each vector what searches filter by; libraries made before there were filters lack it.

    The vectors stay as they are. The lexical index of such a library has other fields and is made anew by `repair`.
    """
    catalog = library.catalog
    if catalog.get_meta("labels") is not None or len(library) == 0:
        return
    try:
        with library.writing(timeout=0):
            documents = library.catalog.list_documents()
            for at in range(0, len(documents), _DOCUMENTS):
                chosen = documents[at : at + _DOCUMENTS]
                passages = [p for info in chosen for p in library.catalog.passages_of(info.id)]
                digests = catalog.digests_of([info.id for info in chosen])
                labels = {info.id: Labels.of(info) for info in chosen}
                library.vectors.relabel(passages, [digests[p.id][0] for p in passages], labels)
            catalog.set_meta("labels", "1")
    except LibraryBusyError:
        pass  # the process that is writing has done or will do it
