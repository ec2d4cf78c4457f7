"""PDF: text with paragraphs restored, and the place of every character on the page; the door of pypdfium2.

A page's text is made by one function, `_read_page`, which also says which character of the PDF each character of the
text came from. Boxes are therefore looked up on demand by reading the one page again; nothing is stored for them.
"""

from __future__ import annotations

import re
import threading
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import c_double
from dataclasses import dataclass
from datetime import date
from typing import Any

from index.errors import DocumentTooLargeError, EmptyDocumentError, UnreadableDocumentError
from index.parse.text import find_dateline
from index.settings import LibrarySettings
from index.types import Heading, Page, Parsed

_LOCK = threading.RLock()  # pdfium is not thread-safe, not even across documents
_SOFT_HYPHENS = "\x02\ufffe\u00ad"
_BULLET = re.compile(r"(?:[-*+•‣▪◦–—·]|\(?\d{1,3}[.)]|\(?[a-z][.)])\s")
_DIGITS = re.compile(r"\d+|\b[ivxlc]+\b")
_JUNK_TITLE = re.compile(
    r"^(?:untitled|microsoft word|document\d*|.*\.(?:docx?|pdf|tex|dvi|indd|qxd))\b", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle on a page as fractions (0 to 1) of its width and height, from the top left."""

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of a page: `chars` are `(character, index in the PDF's page)`; edges in points from the bottom left."""

    chars: tuple[tuple[str, int], ...]
    left: float
    right: float
    bottom: float
    top: float
    size: float

    @property
    def text(self) -> str:
        return "".join(c for c, _ in self.chars)


@dataclass(frozen=True, slots=True)
class _PageText:
    text: str
    indices: tuple[int, ...]
    """For each character of `text`, its index in the PDF's page; -1 for those added here."""
    lines: tuple[tuple[int, int, _Line], ...]
    """Start and end in `text`, and the line."""
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
    """Read all pages of a PDF.

    Raises:
        UnreadableDocumentError: It is encrypted or damaged.
        EmptyDocumentError: No page holds text, as in a scan.
        DocumentTooLargeError: It has more pages than the settings allow.
    """
    import pypdfium2 as pdfium

    with _opened(data) as document:
        count = len(document)
        if count > settings.max_pages:
            raise DocumentTooLargeError(
                f"The PDF has {count:,} pages, over the limit of {settings.max_pages:,}.",
                remedy="Split it, or raise max_pages under [library] in dossier.toml.",
            )
        read: list[_PageText] = []
        damaged = 0
        for index in range(count):
            try:
                read.append(_read_page(document, index))
            except pdfium.PdfiumError:
                damaged += 1
                read.append(_PageText("", (), (), 1.0, 1.0))
        meta = document.get_metadata_dict()
    silent = sum(not page.text.strip() for page in read)
    if silent == count:
        raise EmptyDocumentError(
            f"None of the {count} page{'s' if count != 1 else ''} holds text: it is a scan, or its text is drawn.",
            remedy="Run it through OCR (for example ocrmypdf) and add the result.",
        )
    notes = [f"{damaged} of {count} pages are damaged and were left out."] if damaged else []
    if silent > damaged:
        notes.append(f"{silent - damaged} of {count} pages hold no text.")
    return _assemble(read, meta, tuple(notes))


def _assemble(read: list[_PageText], meta: dict[str, str], notes: tuple[str, ...]) -> Parsed:
    texts, pages, headings, skipped = [], [], [], []
    furniture = _furniture(read)
    body_size = _body_size(read)
    sizes = sorted({round(line.size) for p in read for _, _, line in p.lines if line.size > body_size * 1.08})[::-1]
    offset = 0
    for number, page in enumerate(read, 1):
        texts.append(page.text)
        pages.append(Page(number, offset, offset + len(page.text), page.width, page.height))
        for index, (start, end, line) in enumerate(page.lines):
            if (number, index) in furniture:
                skipped.append((offset + start, offset + end))
            elif line.size > body_size * 1.08 and _is_title_like(line.text):
                level = min(sizes.index(round(line.size)) + 1, 6)
                headings.append(Heading(offset + start, offset + end, level, line.text.strip()))
        offset += len(page.text) + 2
    text = "\n\n".join(texts)
    if len(pages) >= 3 and len(texts[0].split()) < 60:
        headings = [h for h in headings if h.start >= pages[0].end]  # a title page stands above nothing
    first_page = next((p.text for p in read if p.text.strip()), "")
    return Parsed(
        text,
        "application/pdf",
        title=_title(meta, read),
        author=meta.get("Author", "").strip() or None,
        published=find_dateline(first_page) or _pdf_date(meta.get("CreationDate", "")),
        pages=tuple(pages),
        headings=tuple(_merge_headings(headings)),
        skipped=tuple(skipped),
        notes=notes,
    )


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


def _body_size(read: list[_PageText]) -> float:
    weights: Counter[float] = Counter()
    for page in read:
        for start, end, line in page.lines:
            weights[round(line.size, 1)] += end - start
    return weights.most_common(1)[0][0] if weights else 10.0


def _furniture(read: list[_PageText]) -> set[tuple[int, int]]:
    """Find running headers and footers: outermost lines that come again, but for their numbers, on other pages."""
    seen: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for number, page in enumerate(read, 1):
        order = sorted(range(len(page.lines)), key=lambda i: -page.lines[i][2].top)
        for where, chosen in (("top", order[:2]), ("bottom", order[::-1][:2])):
            for index in chosen:
                line = page.lines[index][2]
                middle = (line.top + line.bottom) / 2 / page.height
                if middle > 0.88 if where == "top" else middle < 0.12:
                    key = _DIGITS.sub("#", line.text.strip().lower())
                    seen.setdefault((where, key), []).append((number, index))
    needed = 2 if len(read) <= 4 else 3
    return {place for places in seen.values() if len(places) >= needed for place in places}


def _title(meta: dict[str, str], read: list[_PageText]) -> str | None:
    stated = meta.get("Title", "").strip()
    if stated and not _JUNK_TITLE.match(stated):
        return stated
    for page in read[:2]:
        lines = [line for _, _, line in page.lines if _is_title_like(line.text)]
        if lines:
            largest = max(line.size for line in lines)
            return next(line.text.strip() for line in lines if line.size == largest)
    return None


def _pdf_date(value: str) -> date | None:
    match = re.match(r"(?:D:)?(\d{4})(\d\d)(\d\d)", value)
    try:
        return date(*map(int, match.groups())) if match else None
    except ValueError:
        return None


def _read_page(document: Any, index: int) -> _PageText:
    page = document[index]
    try:
        width, height = page.get_size()
        text_page = page.get_textpage()
        try:
            lines = _read_lines(text_page)
        finally:
            text_page.close()
    finally:
        page.close()
    return _join_lines(lines, width or 1.0, height or 1.0)


def _read_lines(text_page: Any) -> list[_Line]:
    import pypdfium2.raw as raw

    count = raw.FPDFText_CountChars(text_page)
    lines: list[_Line] = []
    current: list[tuple[str, int]] = []
    for i in range(count):
        code = raw.FPDFText_GetUnicode(text_page, i)
        if code in (10, 13):
            if current:
                lines.append(_measure(text_page, current))
                current = []
        elif code and code < 0x110000 and not 0xD800 <= code <= 0xDFFF:
            char = chr(code)
            current.append((" " if char.isspace() else char, i))
        elif code:
            current.append(("\ufffd", i))
    if current:
        lines.append(_measure(text_page, current))
    return [line for line in lines if line.text.strip()]


def _measure(text_page: Any, chars: list[tuple[str, int]]) -> _Line:
    import pypdfium2.raw as raw

    inked = [i for c, i in chars if not c.isspace() and c not in _SOFT_HYPHENS] or [chars[0][1]]
    edges = [c_double() for _ in range(4)]
    boxes = []
    for i in (inked[0], inked[len(inked) // 2], inked[-1]):
        raw.FPDFText_GetCharBox(text_page, i, *edges)
        boxes.append(tuple(e.value for e in edges))  # left, right, bottom, top
    return _Line(
        tuple(chars),
        left=min(b[0] for b in boxes),
        right=max(b[1] for b in boxes),
        bottom=min(b[2] for b in boxes),
        top=max(b[3] for b in boxes),
        size=raw.FPDFText_GetFontSize(text_page, inked[len(inked) // 2]),
    )


def _join_lines(lines: list[_Line], width: float, height: float) -> _PageText:
    right_edge = _right_edge(lines)
    parts: list[str] = []
    indices: list[int] = []
    places: list[tuple[int, int, _Line]] = []
    for number, line in enumerate(lines):
        chars = list(line.chars)
        while chars and chars[-1][0].isspace():
            chars.pop()
        while chars and chars[0][0].isspace():
            chars.pop(0)
        if number:
            glue = _glue(lines[number - 1], line, right_edge)
            if not glue and parts and parts[-1] in _SOFT_HYPHENS:
                parts.pop()
                indices.pop()
                start, end, before = places[-1]
                places[-1] = (start, end - 1, before)
            parts.extend(glue)
            indices.extend([-1] * len(glue))
        start = len(parts)
        parts.extend("-" if c in _SOFT_HYPHENS else c for c, _ in chars[:-1])
        parts.append(chars[-1][0])
        indices.extend(i for _, i in chars)
        places.append((start, len(parts), line))
    text = "".join("-" if c in _SOFT_HYPHENS else c for c in parts)
    return _PageText(text, tuple(indices), tuple(places), width, height)


def _right_edge(lines: list[_Line]) -> float:
    long_lines = sorted(line.right for line in lines if len(line.chars) >= 40)
    return long_lines[int(0.9 * (len(long_lines) - 1))] if long_lines else 0.0


def _glue(line: _Line, following: _Line, right_edge: float) -> str:
    """Choose what stands between two lines: nothing, a space, a line break or an empty line."""
    last, text = line.text.rstrip()[-1], following.text.lstrip()
    tall = max(line.top - line.bottom, line.size * 0.7, 1.0)
    gap = line.bottom - following.top
    same_size = abs(line.size - following.size) <= 0.06 * max(line.size, following.size)
    if not same_size or gap > 1.6 * tall or gap < -3 * tall:
        return "\n\n"
    if last in _SOFT_HYPHENS:
        return ""
    bullet = _BULLET.match(text) is not None
    full = line.right >= right_edge - 0.12 * max(right_edge - line.left, 1.0) and len(line.chars) > 20
    indented = following.left > line.left + 6 and _BULLET.match(line.text.lstrip()) is None
    if bullet or (indented and not text[:1].islower()):
        return "\n"
    if full or (text[:1].islower() and len(line.chars) > 30):
        return "" if last == "-" and text[:1].islower() else " "
    return "\n"


def find_boxes(data: bytes, page: Page, start: int, end: int) -> tuple[Box, ...]:
    """Find the rectangles that cover a stretch of a page's text, one a line.

    Args:
        data: The PDF's bytes.
        page: The page, as in `Document.pages`.
        start: First character in the document's text, code points from 0; clipped to the page.
        end: One past the last.

    Returns:
        Boxes from top to bottom; empty if the stretch lies outside the page.
    """
    import pypdfium2.raw as raw

    with _opened(data) as document:
        read = _read_page(document, page.number - 1)
        wanted = [i for i in read.indices[max(start - page.start, 0) : max(end - page.start, 0)] if i >= 0]
        if not wanted:
            return ()
        text_page = document[page.number - 1].get_textpage()
        line_of = [line.chars[0][1] for _, _, line in read.lines]
        runs: dict[int, list[tuple[float, float, float, float]]] = {}
        edges = [c_double() for _ in range(4)]
        for i in wanted:
            if raw.FPDFText_GetCharBox(text_page, i, *edges):
                left, right, bottom, top = (e.value for e in edges)
                if right > left and top > bottom:
                    runs.setdefault(bisect_right(line_of, i), []).append((left, right, bottom, top))
    boxes = []
    for run in runs.values():
        left, right = min(b[0] for b in run), max(b[1] for b in run)
        bottom, top = min(b[2] for b in run), max(b[3] for b in run)
        boxes.append(
            Box(left / read.width, 1 - top / read.height, (right - left) / read.width, (top - bottom) / read.height)
        )
    return tuple(boxes)


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
