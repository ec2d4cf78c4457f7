"""What the source panel shows, and the page images behind it."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from index.errors import DossierError
from index.find import find_in_text
from index.library import Library
from index.parse import document_id, open_source, read_source
from index.types import Document
from ui.web.render_source import WINDOW, render_missing, render_page, render_text
from ui.web.render_text import NOTHING, Finds
from ui.web.strings import say

_SETTLED = 30  # matches of a search that are drawn on one page of a PDF
_KEPT = 4
_MARKED_UP = ("text/markdown", "text/x-rst")


class Sources:
    """Shows documents of a library.

    Args:
        library: The library.
    """

    def __init__(self, library: Library) -> None:
        self.library = library
        self._files: dict[str, bytes] = {}
        self._lock = threading.Lock()

    def show(self, request: dict[str, Any]) -> str:
        """Draw a document for the source panel.

        Args:
            request: From the page's script: `document` (id), `start` and `end` (the quote, code points from 0), and
                perhaps `view` ("page" or "text"), `page` to turn to, `before` and `after` (characters to show),
                `query` (to search for in it) and `at` (which match to show, from 0).

        Returns:
            HTML: a PDF's page with boxes over the quote if its file is still what was added, else the text; why not,
            if neither can be shown.
        """
        try:
            return self._show(request)
        except DossierError as error:
            return render_missing(error.message, error.remedy)

    def _show(self, request: dict[str, Any]) -> str:
        document = self.library.document(str(request.get("document") or ""))
        length = len(document.text)
        start = min(_number(request, "start"), length)
        end = min(max(_number(request, "end"), start), length)
        finds = _find(document, request)
        data = self.original(document)
        if data is not None and document.pages and request.get("view") != "text":
            return self._page(document, start, end, data, finds, _number(request, "page"))
        return render_text(
            document,
            start,
            end,
            before=_number(request, "before") or WINDOW,
            after=_number(request, "after") or WINDOW,
            headings=self._headings(document),
            note=say("source.gone") if document.pages and data is None else "",
            switch=data is not None and bool(document.pages),
            finds=finds,
            download=data is not None,
        )

    def _page(self, document: Document, start: int, end: int, data: bytes, finds: Finds, page: int) -> str:
        from index.parse.pdf import find_boxes

        here = finds.spans[finds.at][0] if finds.spans else start
        number = min(max(page or _page_at(document, here), 1), len(document.pages))
        sheet = document.pages[number - 1]
        boxes = find_boxes(data, sheet, start, end) if end > start else ()
        on_page = [i for i, (a, b) in enumerate(finds.spans) if a < sheet.end and sheet.start < b][:_SETTLED]
        found = [(i == finds.at, box) for i in on_page for box in find_boxes(data, sheet, *finds.spans[i])]
        return render_page(document, start, end, number, boxes, finds=finds, found=found, download=True)

    def page_image(self, name: str, number: int) -> bytes | None:
        """Draw a page of a PDF as PNG; `None` if there is no such page any more.

        Raises:
            DocumentError: There is no such document.
        """
        from index.parse.pdf import render_page as draw

        document = self.library.document(name)
        if not 1 <= number <= len(document.pages) or (data := self.original(document)) is None:
            return None
        return draw(data, number, width=1400)

    def original(self, document: Document) -> bytes | None:
        """Read a document's file again; `None` if no file holds any more what was added."""
        with self._lock:
            if document.id in self._files:
                return self._files[document.id]
        settings = self.library.settings
        for source in self.library.catalog.sources_of(document.id):
            try:
                data = open_source(source, settings)
                # The id is that of the file's bytes, or, inside an archive or message, of the part's own.
                whole = read_source(Path(source), settings) if Path(source).is_file() else data
                if document_id(whole) == document.id:
                    break
            except DossierError:
                continue  # moved or deleted; perhaps another source still holds it
        else:
            return None
        with self._lock:
            self._files[document.id] = data
            while len(self._files) > _KEPT:
                self._files.pop(next(iter(self._files)))
        return data

    def _headings(self, document: Document) -> frozenset[str]:
        """Titles of the headings that the text itself does not mark."""
        if document.media_type in _MARKED_UP:
            return frozenset()
        titles = [heading.title for heading in document.headings]
        if not titles:  # a library of an older version keeps them with the passages only
            paths = {passage.heading for passage in self.library.passages(document.id)}
            titles = [title for path in paths for title in path.split(" › ")]
        return frozenset(" ".join(title.split()) for title in titles if title)


def _find(document: Document, request: dict[str, Any]) -> Finds:
    query = request.get("query")
    if not isinstance(query, str) or not query.strip():
        return NOTHING
    spans = find_in_text(document.text, query)
    return Finds(query, spans, min(_number(request, "at"), max(len(spans) - 1, 0)))


def _number(request: dict[str, Any], name: str) -> int:
    value = request.get(name)
    return max(int(value), 0) if isinstance(value, (int, float)) else 0


def _page_at(document: Document, offset: int) -> int:
    return next((page.number for page in reversed(document.pages) if page.start <= offset), 1)
