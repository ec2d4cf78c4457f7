"""PDF: text with paragraphs restored, and the place of every character on the page; a door of pypdfium2.

A page's text is made by `index.parse.pdf_page.read_page`, which also says which character of the PDF each character of
the text came from. Boxes are therefore looked up on demand by reading the one page again; nothing is stored for them.
"""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from typing import Any

from index.errors import DocumentTooLargeError, EmptyDocumentError, UnreadableDocumentError
from index.parse.pdf_layout import PageText
from index.parse.pdf_ocr import Ocr, find_ocr
from index.parse.pdf_page import locator, opened_page, read_page
from index.parse.stated import as_language
from index.parse.text import find_dateline
from index.settings import LibrarySettings
from index.types import Heading, Page, Parsed

_LOCK = threading.RLock()  # pdfium is not thread-safe, not even across documents
_DIGITS = re.compile(r"\d+|\b[ivxlc]+\b")
_JUNK_TITLE = re.compile(
    r"^(?:untitled|microsoft word|document\d*|.*\.(?:docx?|odt|pdf|tex|dvi|indd|qxd))\b", re.IGNORECASE
)
_NEEDED = 0.5
"""Share of an outline's entries that must be found on their pages before it is trusted for the headings."""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle on a page as fractions (0 to 1) of its width and height, from the top left."""

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class _Row:
    """A line of a page's text, without its characters: `text[start:end]`, where it stands and how large it is."""

    start: int
    end: int
    bottom: float
    top: float
    size: float


@dataclass(frozen=True, slots=True)
class _Read:
    """A page that was read, without the places of its characters: these would fill the memory."""

    text: str
    rows: tuple[_Row, ...]
    width: float
    height: float
    label: str = ""
    images: int = 0
    by_ocr: bool = False
    damaged: bool = False


@dataclass(frozen=True, slots=True)
class _Stated:
    """What a PDF states about itself; `outline` are `(page from 0, level from 1, title)`."""

    title: str
    author: str
    created: str
    language: str
    outline: tuple[tuple[int, int, str], ...]


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
    return _assemble(read, stated, _notes(read, ocr))


def _read(document: Any, index: int, ocr: Ocr | None) -> _Read:
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
        return _Read("", (), 1.0, 1.0, damaged=True)
    rows = tuple(_Row(p.start, p.end, p.line.bottom, p.line.top, p.line.size) for p in text.lines)
    label = ""
    with suppress(pdfium.PdfiumError, UnicodeDecodeError):
        label = document.get_page_label(index) or ""
    by_ocr = by_ocr and bool(text.text.strip())
    return _Read(text.text, rows, text.width, text.height, label, 0 if by_ocr else images, by_ocr)


def _stated(document: Any) -> _Stated:
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
    return _Stated(found("Title", ""), found("Author", ""), found("CreationDate", ""), language, tuple(outline))


def _notes(read: list[_Read], ocr: Ocr | None) -> tuple[str, ...]:
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


def _assemble(read: list[_Read], stated: _Stated, notes: tuple[str, ...]) -> Parsed:
    texts, pages, skipped = [], [], []
    furniture = _furniture(read)
    offset = 0
    for number, page in enumerate(read, 1):
        texts.append(page.text)
        pages.append(Page(number, offset, offset + len(page.text), page.width, page.height, page.label))
        skipped += [
            (offset + row.start, offset + row.end)
            for index, row in enumerate(page.rows)
            if (number, index) in furniture
        ]
        offset += len(page.text) + 2
    headings = _outlined(read, pages, stated.outline) or _large_lines(read, pages, furniture)
    if len(pages) >= 3 and len(texts[0].split()) < 60:
        headings = [h for h in headings if h.start >= pages[0].end]  # a title page stands above nothing
    first_page = next((p.text for p in read if p.text.strip()), "")
    return Parsed(
        "\n\n".join(texts),
        "application/pdf",
        title=_title(stated.title, read),
        author=stated.author.strip() or None,
        published=find_dateline(first_page) or _pdf_date(stated.created),
        language=as_language(stated.language),
        pages=tuple(pages),
        headings=tuple(headings),
        skipped=tuple(skipped),
        notes=notes,
        silent_pages=sum(not p.text.strip() for p in read),
        images=sum(p.images for p in read),
    )


def _outlined(read: list[_Read], pages: list[Page], outline: tuple[tuple[int, int, str], ...]) -> list[Heading]:
    """Find the entries of the document's own outline among the lines of their pages; empty if most are not there."""
    found: list[Heading] = []
    letters: dict[int, list[str]] = {}
    for index, level, title in outline:
        wanted = _letters(title)
        if not (0 <= index < len(read) and wanted):
            continue
        if index not in letters:
            letters[index] = [_letters(read[index].text[row.start : row.end]) for row in read[index].rows]
        span = _find_lines(letters[index], wanted)
        if span is not None:
            rows, start = read[index].rows, pages[index].start
            found.append(Heading(start + rows[span[0]].start, start + rows[span[1] - 1].end, min(level, 6), title))
    if len(outline) < 3 or len(found) < _NEEDED * len(outline):
        return []
    kept: list[Heading] = []
    for heading in sorted(found, key=lambda h: (h.start, h.level)):
        if not kept or heading.start >= kept[-1].end:
            kept.append(heading)
    return kept


def _find_lines(lines: list[str], wanted: str) -> tuple[int, int] | None:
    """Find up to three lines that are a title, perhaps with a number before it: the first and one past the last."""
    for at in range(len(lines)):
        for count in (1, 2, 3):
            joined = "".join(lines[at : at + count])
            more = len(joined) - len(wanted)
            if joined.endswith(wanted) and more <= 6 and more < len(lines[at]):
                return at, min(at + count, len(lines))
    return None


def _letters(text: str) -> str:
    return "".join(c for c in text.lower() if c.isalnum())


def _large_lines(read: list[_Read], pages: list[Page], furniture: set[tuple[int, int]]) -> list[Heading]:
    """Take short lines that are larger than most of the text for headings, the largest for the highest."""
    body = _body_size(read)
    sizes = sorted({round(row.size) for p in read for row in p.rows if row.size > body * 1.08}, reverse=True)
    found: list[Heading] = []
    for page, place in zip(read, pages, strict=True):
        for index, row in enumerate(page.rows):
            line = page.text[row.start : row.end]
            if row.size > body * 1.08 and (place.number, index) not in furniture and _is_title_like(line):
                level = min(sizes.index(round(row.size)) + 1, 6)
                found.append(Heading(place.start + row.start, place.start + row.end, level, line.strip()))
    return _merge_headings(found)


def _is_title_like(text: str) -> bool:
    stripped = text.strip()
    return 2 <= len(stripped) <= 150 and any(c.isalpha() for c in stripped) and not stripped.endswith((".", ",", ";"))


def _merge_headings(headings: list[Heading]) -> list[Heading]:
    """A heading over two lines is one heading."""
    merged: list[Heading] = []
    for heading in headings:
        last = merged[-1] if merged else None
        if last is not None and heading.start - last.end <= 2 and heading.level == last.level:
            merged[-1] = Heading(last.start, heading.end, last.level, f"{last.title} {heading.title}")
        else:
            merged.append(heading)
    return merged


def _body_size(read: list[_Read]) -> float:
    weights: Counter[float] = Counter()
    for page in read:
        for row in page.rows:
            weights[round(row.size, 1)] += row.end - row.start
    return weights.most_common(1)[0][0] if weights else 10.0


def _furniture(read: list[_Read]) -> set[tuple[int, int]]:
    """Find running headers and footers: outermost lines that come again, but for their numbers, on other pages."""
    seen: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for number, page in enumerate(read, 1):
        order = sorted(range(len(page.rows)), key=lambda i: -page.rows[i].top)
        for where, chosen in (("top", order[:2]), ("bottom", order[::-1][:2])):
            for index in chosen:
                row = page.rows[index]
                middle = (row.top + row.bottom) / 2 / page.height
                if middle > 0.88 if where == "top" else middle < 0.12:
                    key = _DIGITS.sub("#", page.text[row.start : row.end].strip().lower())
                    seen.setdefault((where, key), []).append((number, index))
    needed = 2 if len(read) <= 4 else 3
    return {place for places in seen.values() if len(places) >= needed for place in places}


def _title(stated: str, read: list[_Read]) -> str | None:
    stated = stated.strip()
    if stated and not _JUNK_TITLE.match(stated):
        return stated
    for page in read[:2]:
        rows = [row for row in page.rows if _is_title_like(page.text[row.start : row.end])]
        if rows:
            largest = max(row.size for row in rows)
            return next(page.text[r.start : r.end].strip() for r in rows if r.size == largest)
    return None


def _pdf_date(value: str) -> date | None:
    match = re.match(r"(?:D:)?(\d{4})(\d\d)(\d\d)", value)
    try:
        return date(*map(int, match.groups())) if match else None
    except ValueError:
        return None


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
