"""The pages of a PDF as one document: its title, date and headings, and which lines are running heads."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from datetime import date

from index.parse.stated import as_language
from index.parse.text import find_dateline
from index.types import Heading, Page, Parsed

_DIGITS = re.compile(r"\d+|\b[ivxlc]+\b")
_JUNK_TITLE = re.compile(
    r"^(?:untitled|microsoft word|document\d*|.*\.(?:docx?|odt|pdf|tex|dvi|indd|qxd))\b", re.IGNORECASE
)
_NEEDED = 0.5
"""Share of an outline's entries that must be found on their pages before it is trusted for the headings."""


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a page's text, without its characters: `text[start:end]`, where it stands and how large it is."""

    start: int
    end: int
    bottom: float
    top: float
    size: float


@dataclass(frozen=True, slots=True)
class ReadPage:
    """A page that was read, without the places of its characters: these would fill the memory."""

    text: str
    rows: tuple[Row, ...]
    width: float
    height: float
    label: str = ""
    images: int = 0
    by_ocr: bool = False
    damaged: bool = False


@dataclass(frozen=True, slots=True)
class Stated:
    """What a PDF states about itself; `outline` are `(page from 0, level from 1, title)`."""

    title: str
    author: str
    created: str
    language: str
    outline: tuple[tuple[int, int, str], ...]


def assemble(read: list[ReadPage], stated: Stated, notes: tuple[str, ...]) -> Parsed:
    """Make a document of its pages.

    Args:
        read: The pages, in order.
        stated: What the PDF states about itself.
        notes: For the person who added it.

    Returns:
        The document: pages are two line breaks apart, running heads and feet skipped, headings those of the outline or
        else the lines in larger type.
    """
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


def _outlined(read: list[ReadPage], pages: list[Page], outline: tuple[tuple[int, int, str], ...]) -> list[Heading]:
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


def _large_lines(read: list[ReadPage], pages: list[Page], furniture: set[tuple[int, int]]) -> list[Heading]:
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


def _body_size(read: list[ReadPage]) -> float:
    weights: Counter[float] = Counter()
    for page in read:
        for row in page.rows:
            weights[round(row.size, 1)] += row.end - row.start
    return weights.most_common(1)[0][0] if weights else 10.0


def _furniture(read: list[ReadPage]) -> set[tuple[int, int]]:
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


def _title(stated: str, read: list[ReadPage]) -> str | None:
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
