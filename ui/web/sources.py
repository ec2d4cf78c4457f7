"""What the source panel shows, and the page images behind it."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from index.errors import DossierError
from index.library import Library
from index.parse import document_id, open_bytes, read_source
from index.types import Document
from ui.web.render import render_page_image, render_source


class Sources:
    """Shows documents of a library.

    Args:
        library: The library.
    """

    def __init__(self, library: Library) -> None:
        self._library = library
        self._bytes = lru_cache(maxsize=4)(self._read)

    def show(self, request: dict[str, Any]) -> str:
        """Draw a document for the source panel.

        Args:
            request: `document` (id), `start`, `end` (the quote), and `page` to turn to, if any.

        Returns:
            HTML: a PDF's page with boxes over the quote if its file is still what was added, else the text.
        """
        document = self._library.document(str(request.get("document", "")))
        start, end = int(request.get("start") or 0), int(request.get("end") or 0)
        if document.pages:
            page = int(request.get("page") or _page_at(document, start))
            page = min(max(page, 1), len(document.pages))
            if (data := self.pdf(document.id)) is not None:
                from index.parse.pdf import find_boxes

                boxes = find_boxes(data, document.pages[page - 1], start, end) if end > start else ()
                return render_page_image(document, start, end, page, boxes)
        return render_source(document, start, end)

    def pdf(self, name: str) -> bytes | None:
        """The bytes of a PDF; `None` if its file is gone or is not what was added."""
        return self._bytes(name)

    def page_image(self, name: str, number: int) -> bytes | None:
        """A page of a PDF as PNG; `None` if there is no such page."""
        from index.parse.pdf import render_page

        document = self._library.document(name)
        data = self.pdf(document.id)
        if data is None or not 1 <= number <= len(document.pages):
            return None
        return render_page(data, number)

    def _read(self, name: str) -> bytes | None:
        settings = self._library.settings
        for source in self._library.catalog.sources_of(name):
            try:
                path = Path(source)
                if document_id(read_source(path, settings)) == name:
                    return open_bytes(path, settings)
            except DossierError:
                continue  # moved or deleted; perhaps another source still holds it
        return None


def _page_at(document: Document, offset: int) -> int:
    return next((page.number for page in reversed(document.pages) if page.start <= offset), 1)
