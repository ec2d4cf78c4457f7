"""Files to documents: one parser a format, chosen by name and checked against the bytes; containers give several.

`read_parts` reads whatever a file holds. `parse` reads a single document. Nothing in a document is run or fetched, and
nothing is written to the disk.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

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
from index.types import Part

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


# Containers know archives and messages, which a folder that did not change need not load.


def read_parts(path: Path, data: bytes, settings: LibrarySettings) -> Iterator[Part]:
    """Read every document that a file holds; see `index.parse.containers.read_parts`."""
    from index.parse.containers import read_parts

    return read_parts(path, data, settings)


def source_of(path: str, name: str) -> str:
    """Name a document inside a file; see `index.parse.containers.source_of`."""
    from index.parse.containers import source_of

    return source_of(path, name)


def open_source(source: str, settings: LibrarySettings) -> bytes:
    """Read again what a source's parser saw; see `index.parse.containers.open_source`."""
    from index.parse.containers import open_source

    return open_source(source, settings)
