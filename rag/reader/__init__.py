"""The offline reader: verbatim sentences out of the best passages, and whether they answer at all."""

from __future__ import annotations

from rag.reader.read import Reader, Selection

__all__ = ["Reader", "Selection"]
