"""One page of a PDF: its characters, their places as the page is shown, and its text; a door of pypdfium2.

The text of a page depends on nothing but the page, so that boxes can be found later by reading the one page again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ctypes import c_double
from typing import Any
from unicodedata import bidirectional

from index.parse.pdf_layout import SOFT_HYPHENS, Line, PageText, join_lines, order_lines

_GAP = 1.3
"""Blank between two words, in units of the type's size, from which they belong to different columns or cells."""

Edges = tuple[float, float, float, float]
"""Left, right, bottom and top of a character in points from the bottom left of the page as it is shown."""


@contextmanager
def opened_page(document: Any, index: int) -> Iterator[tuple[Any, Any]]:
    """Open a page (from 0) and its characters."""
    page = document[index]
    try:
        text_page = page.get_textpage()
        try:
            yield page, text_page
        finally:
            text_page.close()
    finally:
        page.close()


def read_page(page: Any, text_page: Any) -> PageText:
    """Read the text of an open page."""
    width, height = page.get_size()
    rows = _rows(text_page, locator(page, text_page))
    return join_lines(order_lines(rows, width or 1.0), width or 1.0, height or 1.0)


def locator(page: Any, text_page: Any) -> Callable[[int], Edges | None]:
    """Make a function that gives the edges of a character by its index, turned and shifted as the page is shown."""
    import pypdfium2.raw as raw

    left, bottom, right, top = page.get_bbox()
    turn = page.get_rotation() // 90 % 4
    a, b, c, d = (c_double() for _ in range(4))
    get_box = raw.FPDFText_GetCharBox

    def locate(index: int) -> Edges | None:
        if not get_box(text_page, index, a, b, c, d):
            return None
        x0, x1, y0, y1 = a.value, b.value, c.value, d.value
        if turn == 0:
            return x0 - left, x1 - left, y0 - bottom, y1 - bottom
        if turn == 1:
            return y0 - bottom, y1 - bottom, right - x1, right - x0
        if turn == 2:
            return right - x1, right - x0, top - y1, top - y0
        return top - y1, top - y0, x0 - left, x1 - left

    return locate


def _rows(text_page: Any, locate: Callable[[int], Edges | None]) -> list[list[Line]]:
    """The PDF's own lines, each cut at wide gaps."""
    import pypdfium2.raw as raw

    get_unicode = raw.FPDFText_GetUnicode
    rows: list[list[Line]] = []
    text: list[str] = []
    indices: list[int] = []
    for i in range(raw.FPDFText_CountChars(text_page)):
        code = get_unicode(text_page, i)
        if code == 10 or code == 13:
            if text:
                rows.append(_pieces("".join(text), indices, text_page, locate))
                text, indices = [], []
        elif code:
            char = chr(code) if code < 0x110000 and not 0xD800 <= code <= 0xDFFF else "\ufffd"
            text.append(" " if char.isspace() else char)
            indices.append(i)
            if code == 2 or code == 0xFFFE:  # pdfium's mark of a word cut at the end of a line swallows the line's end
                rows.append(_pieces("".join(text), indices, text_page, locate))
                text, indices = [], []
    if text:
        rows.append(_pieces("".join(text), indices, text_page, locate))
    return [row for row in rows if row]


def _pieces(text: str, indices: list[int], text_page: Any, locate: Callable[[int], Edges | None]) -> list[Line]:
    """Cut a line where two words stand far apart, as the cells of a table or the lines of two columns do."""
    import pypdfium2.raw as raw

    inked = [m.start() for m in _INK.finditer(text)]
    if not inked:
        return []
    size = _size(raw.FPDFText_GetFontSize(text_page, indices[inked[0]]), locate(indices[inked[0]]))
    cuts = [0]
    for blank in _BLANK.finditer(text):
        before, after = blank.start() - 1, blank.end()
        if before < 0 or after >= len(text) or bidirectional(text[after]) in ("R", "AL"):
            continue
        one, other = locate(indices[before]), locate(indices[after])
        if one is not None and other is not None and (other[0] - one[1] > _GAP * size or other[0] < one[0] - 1):
            cuts.append(after)
    pieces = []
    for start, end in zip(cuts, [*cuts[1:], len(text)], strict=True):
        piece = _measure(text, indices, start, end, text_page, locate)
        if piece is not None:
            pieces.append(piece)
    return pieces


_INK = re.compile(rf"[^\s{SOFT_HYPHENS}]")
_BLANK = re.compile(" +")


def _size(stated: float, edges: Edges | None) -> float:
    """The size of the type; where the page scales it, the stated one says nothing and the letters tell."""
    if stated >= 2:
        return stated
    return max((edges[3] - edges[2]) * 1.3, 4.0) if edges is not None else 10.0


def _measure(
    text: str, indices: list[int], start: int, end: int, text_page: Any, locate: Callable[[int], Edges | None]
) -> Line | None:
    """Measure a piece of a line by its first, middle and last character."""
    import pypdfium2.raw as raw

    inked = [m.start() for m in _INK.finditer(text, start, end)]
    if not inked:
        return None
    middle = inked[len(inked) // 2]
    boxes = [box for at in (inked[0], middle, inked[-1]) if (box := locate(indices[at])) is not None]
    if not boxes:
        return None
    return Line(
        text[start:end],
        tuple(indices[start:end]),
        left=min(b[0] for b in boxes),
        right=max(b[1] for b in boxes),
        bottom=min(b[2] for b in boxes),
        top=max(b[3] for b in boxes),
        size=_size(raw.FPDFText_GetFontSize(text_page, indices[middle]), boxes[0]),
    )
