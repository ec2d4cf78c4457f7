"""Documents to hits: parse, split, embed, store, search.

    from index import Library

    with Library.open("my-library") as library:
        library.add("reports/")
        for hit in library.search("When does the new berth open?"):
            print(hit.rank, hit.passage.heading, hit.passage.text)

The names below are the public surface; heavy libraries are loaded only when they are used.
"""

from __future__ import annotations

from index.errors import DossierError
from index.library import Library
from index.settings import LibrarySettings
from index.types import AddReport, Document, DocumentInfo, Failure, Heading, Hit, Page, Passage, Signals

__all__ = [
    "AddReport",
    "Document",
    "DocumentInfo",
    "DossierError",
    "Failure",
    "Heading",
    "Hit",
    "Library",
    "LibrarySettings",
    "Page",
    "Passage",
    "Signals",
]
