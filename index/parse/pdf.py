"""PDF: text with paragraphs restored, and the place of every character on the page; a door of pypdfium2.

A page's text is made by `index.parse.pdf_page.read_page`, which also says which character of the PDF each character of
the text came from. Boxes are therefore looked up on demand by reading the one page again; nothing is stored for them.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from index.errors import DocumentTooLargeError, EmptyDocumentError, UnreadableDocumentError
from index.parse.pdf_document import ReadPage, Row, Stated, assemble
from index.parse.pdf_layout import PageText
from index.parse.pdf_ocr import Ocr, find_ocr
from index.parse.pdf_page import locator, opened_page, read_page
from index.settings import LibrarySettings
from index.types import Page, Parsed

_LOCK = threading.RLock()  # pdfium is not thread-safe, not even across documents


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle on a page as fractions (0 to 1) of its width and height, from the top left."""

    left: float
    top: float
    width: float
    height: float


@contextmanager
def _opened(data: bytes) -> Iterator[Any]:
    import pypdfium2 as pdfium

    with _LOCK:
        try:
            document = pdfium.PdfDocument(data)
        except pdfium.PdfiumError as error:
            if "password" in str(error).lower():
                raise UnreadableDocumentError(
                    "The PDF is encrypted with a password.", remedy="Save a copy without a password and add that."
                ) from error
            raise UnreadableDocumentError(
                f"The file is not a readable PDF ({error}).", remedy="Get it again, or print it to PDF from a viewer."
            ) from error
        try:
            yield document
        finally:
            document.close()


def parse_pdf(data: bytes, settings: LibrarySettings) -> Parsed:
    """Read all pages of a PDF; pages without text by OCR, if it is installed and not turned off.

    Raises:
        UnreadableDocumentError: It is encrypted or damaged.
        EmptyDocumentError: No page holds text, as in a scan.
        DocumentTooLargeError: It has more pages than the settings allow.
    """
    ocr = find_ocr(settings)
    with _opened(data) as document:
        count = len(document)
        if count > settings.max_pages:
            raise DocumentTooLargeError(
                f"The PDF has {count:,} pages, over the limit of {settings.max_pages:,}.",
                remedy="Split it, or raise max_pages under [library] in dossier.toml.",
            )
        read = [_read(document, index, ocr) for index in range(count)]
        stated = _stated(document)
    silent = sum(not page.text.strip() for page in read)
    if silent == count:
        pages = f"None of the {count} pages holds" if count != 1 else "Its only page does not hold"
        raise EmptyDocumentError(
            f"{pages} text: it is a scan, or its text is drawn.",
            remedy="Install OCR and add it again: pip install 'dossier[ocr]', and the program tesseract "
            "(apt-get install tesseract-ocr)."
            if ocr is None
            else "OCR found no words either; check that it is the right file.",
        )
    return assemble(read, stated, _notes(read, ocr))


def _read(document: Any, index: int, ocr: Ocr | None) -> ReadPage:
    import pypdfium2 as pdfium
    import pypdfium2.raw as raw

    try:
        with opened_page(document, index) as (page, text_page):
            text = read_page(page, text_page)
            count = raw.FPDFPage_CountObjects(page)
            images = sum(
                raw.FPDFPageObj_GetType(raw.FPDFPage_GetObject(page, i)) == raw.FPDF_PAGEOBJ_IMAGE
                for i in range(min(count, 2_000))
            )
            by_ocr = not text.text.strip() and ocr is not None and count > 0
            if by_ocr and ocr is not None:
                text = ocr.read(page)
    except pdfium.PdfiumError:
        return ReadPage("", (), 1.0, 1.0, damaged=True)
    rows = tuple(Row(p.start, p.end, p.line.bottom, p.line.top, p.line.size) for p in text.lines)
    label = ""
    with suppress(pdfium.PdfiumError, UnicodeDecodeError):
        label = document.get_page_label(index) or ""
    by_ocr = by_ocr and bool(text.text.strip())
    return ReadPage(text.text, rows, text.width, text.height, label, 0 if by_ocr else images, by_ocr)


def _stated(document: Any) -> Stated:
    import ctypes

    import pypdfium2 as pdfium
    import pypdfium2.raw as raw

    values = {}
    for key in ("Title", "Author", "CreationDate"):
        with suppress(UnicodeDecodeError):  # a title that is no text must not lose the document
            values[key] = document.get_metadata_value(key) or ""
    language = ""
    length = raw.FPDFCatalog_GetLanguage(document, None, 0)
    if 2 < length < 100:
        buffer = ctypes.create_string_buffer(length)
        raw.FPDFCatalog_GetLanguage(document, ctypes.cast(buffer, ctypes.POINTER(ctypes.c_ushort)), length)
        language = buffer.raw[: length - 2].decode("utf-16-le", "replace")
    outline: list[tuple[int, int, str]] = []
    with suppress(pdfium.PdfiumError, UnicodeDecodeError, RecursionError, ValueError):
        for item in document.get_toc(max_depth=6):
            destination = item.get_dest()
            page = destination.get_index() if destination is not None else None
            if page is not None and len(outline) < 20_000:
                outline.append((page, item.level + 1, " ".join(item.get_title().split())))
    found = values.get
    return Stated(found("Title", ""), found("Author", ""), found("CreationDate", ""), language, tuple(outline))


def _notes(read: list[ReadPage], ocr: Ocr | None) -> tuple[str, ...]:
    count = len(read)
    damaged, by_ocr = sum(p.damaged for p in read), sum(p.by_ocr for p in read)
    silent = sum(not p.text.strip() for p in read) - damaged
    notes = []
    if damaged:
        notes.append(f"{damaged} of {count} pages are damaged and were left out.")
    if by_ocr and ocr is not None:
        pages = "1 page was" if by_ocr == 1 else f"{by_ocr} pages were"
        notes.append(f"{pages} read by OCR ({ocr.name}): expect misread words.")
    if silent:
        hold = "page holds" if count == 1 else "pages hold"
        notes.append(f"{silent} of {count} {hold} no text.")
    return tuple(notes)


def find_boxes(
    data: bytes, page: Page, start: int, end: int, settings: LibrarySettings | None = None
) -> tuple[Box, ...]:
    """Find the rectangles that cover a stretch of a page's text, one a line.

    Args:
        data: The PDF's bytes.
        page: The page, as in `Document.pages`.
        start: First character in the document's text, code points from 0; clipped to the page.
        end: One past the last.
        settings: Those it was read with, as far as they concern OCR.

    Returns:
        Boxes in the order of the text; empty if the stretch lies outside the page.
    """
    first, last = max(start - page.start, 0), max(end - page.start, 0)
    with _opened(data) as document, opened_page(document, page.number - 1) as (shown, text_page):
        read = read_page(shown, text_page)
        edges_of = locator(shown, text_page)
        if not read.text.strip() and (ocr := find_ocr(settings or LibrarySettings())) is not None:
            read, edges_of = ocr.read(shown), ocr.edges_of
        return tuple(_boxes(read, first, last, edges_of))


def _boxes(read: PageText, first: int, last: int, edges_of: Any) -> Iterator[Box]:
    for placed in read.lines:
        found = [
            edges
            for i in read.indices[max(first, placed.start) : min(last, placed.end)]
            if i >= 0 and (edges := edges_of(i)) is not None and edges[1] > edges[0] and edges[3] > edges[2]
        ]
        if found:
            left, right = min(e[0] for e in found), max(e[1] for e in found)
            bottom, top = min(e[2] for e in found), max(e[3] for e in found)
            yield Box(
                left / read.width, 1 - top / read.height, (right - left) / read.width, (top - bottom) / read.height
            )


def render_page(data: bytes, number: int, *, width: int = 1000) -> bytes:
    """Draw a page as a PNG.

    Args:
        data: The PDF's bytes.
        number: The page, from 1.
        width: The picture's width in pixels.

    Returns:
        The PNG's bytes.
    """
    import io

    with _opened(data) as document:
        page = document[number - 1]
        picture = page.render(scale=width / (page.get_width() or 1.0)).to_pil()
    stream = io.BytesIO()
    picture.save(stream, format="PNG", optimize=False)
    return stream.getvalue()
