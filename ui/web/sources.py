"""What the source panel shows, and the page images behind it."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from index.errors import DossierError
from index.library import Library
from index.parse import document_id, open_source, read_source
from index.types import Document
from ui.web.render_source import WINDOW, render_missing, render_page, render_text

_GONE = "The file itself is gone or has changed since it was added, so its text as it was then is shown."
_KEPT = 4
_MARKED_UP = ("text/markdown", "text/x-rst")


class Sources:
    """Shows documents of a library.

    Args:
        library: The library.
    """

    def __init__(self, library: Library) -> None:
        self._library = library
        self._pdfs: dict[str, bytes] = {}
        self._lock = threading.Lock()

    def show(self, request: dict[str, Any]) -> str:
        """Draw a document for the source panel.

        Args:
            request: From the page's script: `document` (id), `start` and `end` (the quote, code points from 0), and
                perhaps `view` ("page" or "text"), `page` to turn to, `before` and `after` (characters to show).

        Returns:
            HTML: a PDF's page with boxes over the quote if its file is still what was added, else the text; why not,
            if neither can be shown.
        """
        try:
            return self._show(request)
        except DossierError as error:
            return render_missing(error.message, error.remedy)

    def _show(self, request: dict[str, Any]) -> str:
        document = self._library.document(str(request.get("document") or ""))
        length = len(document.text)
        start = min(_number(request, "start"), length)
        end = min(max(_number(request, "end"), start), length)
        data = self._pdf(document) if document.pages else None
        if data is not None and request.get("view") != "text":
            from index.parse.pdf import find_boxes

            number = min(max(_number(request, "page") or _page_at(document, start), 1), len(document.pages))
            boxes = find_boxes(data, document.pages[number - 1], start, end) if end > start else ()
            return render_page(document, start, end, number, boxes)
        return render_text(
            document,
            start,
            end,
            before=_number(request, "before") or WINDOW,
            after=_number(request, "after") or WINDOW,
            headings=self._headings(document),
            note=_GONE if document.pages and data is None else "",
            switch=data is not None,
        )

    def page_image(self, name: str, number: int) -> bytes | None:
        """Draw a page of a PDF as PNG; `None` if there is no such page any more.

        Raises:
            DocumentError: There is no such document.
        """
        from index.parse.pdf import render_page as draw

        document = self._library.document(name)
        if not 1 <= number <= len(document.pages) or (data := self._pdf(document)) is None:
            return None
        return draw(data, number, width=1400)

    def _pdf(self, document: Document) -> bytes | None:
        """The bytes of a PDF; `None` if no file holds any more what was added."""
        with self._lock:
            if document.id in self._pdfs:
                return self._pdfs[document.id]
        settings = self._library.settings
        for source in self._library.catalog.sources_of(document.id):
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
            self._pdfs[document.id] = data
            while len(self._pdfs) > _KEPT:
                self._pdfs.pop(next(iter(self._pdfs)))
        return data

    def _headings(self, document: Document) -> frozenset[str]:
        """Titles of the headings that the text itself does not mark."""
        if document.media_type in _MARKED_UP:
            return frozenset()
        titles = [heading.title for heading in document.headings]
        if not titles:  # a library of an older version keeps them with the passages only
            paths = {passage.heading for passage in self._library.passages(document.id)}
            titles = [title for path in paths for title in path.split(" › ")]
        return frozenset(" ".join(title.split()) for title in titles if title)


def _number(request: dict[str, Any], name: str) -> int:
    value = request.get(name)
    return max(int(value), 0) if isinstance(value, (int, float)) else 0


def _page_at(document: Document, offset: int) -> int:
    return next((page.number for page in reversed(document.pages) if page.start <= offset), 1)
