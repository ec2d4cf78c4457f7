"""Tables as text: each row a paragraph of its own that repeats the headers, so that it can be found and cited alone."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence

from index.parse.paragraphs import Paragraphs
from index.parse.text import decode
from index.settings import LibrarySettings
from index.types import Parsed

_DELIMITERS = (",", ";", "\t", "|")
_SEP_LINE = re.compile(r"sep=(.)\n", re.IGNORECASE)
_VALUE = re.compile(r"[-+−(]?[\d.,' \u00a0\u202f]*\d[\d.,' \u00a0\u202f]*[%)€$£]?|\d{1,4}([-/.:])\d{1,2}(\1\d{1,4})?.*")
_SAMPLE = 200


def parse_csv(data: bytes, settings: LibrarySettings) -> Parsed:
    """Read a table of comma, semicolon, tab or bar separated values, one paragraph a row."""
    text, notes = decode(data)
    rows, more = read_rows(text)
    out = Paragraphs()
    for line in row_lines(rows, sure=True):
        out.add(line)
    return Parsed(out.text, "text/csv", notes=(*notes, *more))


def parse_tsv(data: bytes, settings: LibrarySettings) -> Parsed:
    """Read a table of tab separated values, one paragraph a row."""
    text, notes = decode(data)
    rows, more = read_rows(text, "\t" if "\t" in text else "")
    out = Paragraphs()
    for line in row_lines(rows, sure=True):
        out.add(line)
    return Parsed(out.text, "text/tab-separated-values", notes=(*notes, *more))


def read_rows(text: str, delimiter: str = "") -> tuple[list[list[str]], tuple[str, ...]]:
    """Cut separated values into cells.

    Args:
        text: The file's text.
        delimiter: What parts the cells; empty to tell it from the text.

    Returns:
        The rows, and notes: whether a quotation mark that never closes made the marks count as letters.
    """
    stated = _SEP_LINE.match(text)
    if stated is not None:
        text, delimiter = text[stated.end() :], stated.group(1)
    delimiter = delimiter or _delimiter(text)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=False))
        if rows and rows[-1] and "\n" in rows[-1][-1] and not text.rstrip().endswith('"'):
            raise csv.Error("a quotation mark is not closed")
    except csv.Error:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quoting=csv.QUOTE_NONE)
        try:
            rows = list(reader)
        except csv.Error:  # one cell longer than the module reads
            rows = [line.split(delimiter) for line in text.split("\n")]
        return rows, ("A quotation mark is not closed; quotation marks were read as part of the values.",)
    return rows, ()


def _delimiter(text: str) -> str:
    """The separator that cuts the first rows into the same number of cells, and into the most of them."""
    sample = "\n".join(text[:65536].split("\n")[:_SAMPLE])
    best, choice = (0.0, 0), ","
    for delimiter in _DELIMITERS:
        try:
            widths = [len(row) for row in csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter) if row]
        except csv.Error:
            continue
        width = max(set(widths), key=lambda w: (widths.count(w), w), default=1)
        if width > 1:
            score = (round(widths.count(width) / len(widths), 1), width)
            if score > best:
                best, choice = score, delimiter
    return choice


def row_lines(rows: Iterable[Sequence[str]], *, sure: bool = False, marked: int | None = None) -> Iterator[str]:
    """Write the rows of a table as lines: `Name: Ann | Port: Lyme`.

    A row of a single cell above a wider table is a caption and stands as it is. The first wider row is the header if it
    looks like one; without a header the cells are joined by bars. Empty cells are left out.

    Args:
        rows: The cells as text.
        sure: Tables of this kind nearly always have a header (spreadsheets do, tables in letters do not).
        marked: How many rows the document marks as headers, `None` if it does not say.

    Yields:
        One line a row; none for the header, unless there is nothing below it, and for empty rows.
    """
    clean = [[" ".join(cell.split()) for cell in row] for row in rows]
    clean = [row for row in clean if any(row)]
    width = max((sum(1 for cell in row if cell) for row in clean), default=0)
    at = 0
    while at < len(clean) and width > 1 and not marked and sum(1 for cell in clean[at] if cell) == 1:
        yield next(cell for cell in clean[at] if cell)
        at += 1
    body = clean[at:]
    names: list[str] = []
    if marked and len(body) > marked:
        names, body = _joined(body[:marked]), body[marked:]
    elif marked is None and len(body) > 1 and _is_header(body, sure):
        names, body = body[0], body[1:]
    for row in body:
        yield " | ".join(
            f"{names[i]}: {cell}" if i < len(names) and names[i] and names[i] != cell else cell
            for i, cell in enumerate(row)
            if cell
        )


def _joined(rows: list[list[str]]) -> list[str]:
    """Several header rows as one: what stands above each other is joined."""
    width = max(len(row) for row in rows)
    return [" ".join(dict.fromkeys(row[i] for row in rows if i < len(row) and row[i])) for i in range(width)]


def _is_header(rows: list[list[str]], sure: bool) -> bool:
    """Whether the first row names columns: distinct short words, over values if it is not sure that there are names."""
    head, below = rows[0], rows[1 : _SAMPLE + 1]
    filled = [cell for cell in head if cell]
    if any(_is_value(cell) or len(cell) > 120 for cell in filled) or len(set(filled)) < len(filled):
        return False
    if sure:
        return True
    if len(filled) < max(len(row) for row in below) - 1:
        return False
    for i, name in enumerate(head):
        column = [row[i] for row in below if i < len(row) and row[i]]
        if name and column and sum(map(_is_value, column)) > len(column) / 2:
            return True
    return False


def _is_value(cell: str) -> bool:
    return len(cell) <= 40 and _VALUE.fullmatch(cell) is not None
