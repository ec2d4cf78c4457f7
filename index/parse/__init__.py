"""Files to documents: one parser a format, chosen by name and checked against the bytes; containers give several.

`read_parts` reads whatever a file holds. `parse` reads a single document. Nothing in a document is run or fetched, and
nothing is written to the disk.
"""

from __future__ import annotations

from pathlib import Path

from index.parse.containers import open_source, read_parts, source_of
from index.parse.formats import (
    FORMATS,
    Format,
    document_id,
    is_supported,
    is_supported_name,
    known_suffixes,
    parse,
    read_source,
    unpacked,
)
from index.settings import LibrarySettings

__all__ = [
    "FORMATS",
    "Format",
    "document_id",
    "is_supported",
    "is_supported_name",
    "known_suffixes",
    "open_bytes",
    "open_source",
    "parse",
    "read_parts",
    "read_source",
    "source_of",
]


def open_bytes(path: Path, settings: LibrarySettings) -> bytes:
    """Read a file again as its parser saw it (a `.gz` opened), for page images and downloads."""
    return unpacked(path, read_source(path, settings), settings)[1]
