"""A document's text as HTML, with what is laid over it. Pure; everything from a document is escaped here, once."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape

from ui.web.layout import Block, fields

_BOLD = re.compile(r"(\*\*)(?=\S)([^*\n]+?)(?<=\S)\*\*|(?<![\w*])(\*)(?=\S)([^*\n]+?)(?<=\S)\*(?![\w*])")
_SHORT = 12
_RULE = re.compile(r"[|\s:-]+")


@dataclass(frozen=True, slots=True)
class Finds:
    """What a search in the document found: the words, all places as spans, and which of them is at hand, from 0."""

    query: str = ""
    spans: Sequence[tuple[int, int]] = ()
    at: int = 0


NOTHING = Finds()


class Layers:
    """What is laid over a text: the quote in `<mark>`, and what a search found."""

    def __init__(self, start: int, end: int, finds: Finds) -> None:
        self.start, self.end, self.finds = start, end, finds
        self._starts = [a for a, _ in finds.spans]

    def write(self, text: str, first: int, last: int, *, bold: bool = False) -> str:
        """Write `text[first:last]` with what lies in the quote inside `<mark>`, and each place found in a span."""
        set_ = _bold if bold else lambda text, a, b: escape(text[a:b])
        cuts = {first, last, *(c for c in (self.start, self.end) if first < c < last)}
        near = range(max(bisect_right(self._starts, first) - 1, 0), bisect_left(self._starts, last))
        found = [(i, *self.finds.spans[i]) for i in near if self.finds.spans[i][1] > first]
        cuts.update(c for _, a, b in found for c in (a, b) if first < c < last)
        edges = sorted(cuts)
        parts = []
        for a, b in zip(edges, edges[1:], strict=False):
            inside = set_(text, a, b)
            hit = next((i for i, c, d in found if c <= a and b <= d), None)
            if hit is not None:
                now = " now" if hit == self.finds.at else ""
                inside = f'<span class="found{now}">{inside}</span>'
            parts.append(f"<mark>{inside}</mark>" if self.start <= a and b <= self.end and a < b else inside)
        return "".join(parts)


def _bold(text: str, first: int, last: int) -> str:
    parts = []
    for found in _BOLD.finditer(text, first, last):
        a, b = found.span()
        tag, sign, words = ("strong", found[1], found[2]) if found[1] else ("em", found[3], found[4])
        star = f'<span class="hidden">{sign}</span>'
        parts.append(f"{escape(text[first:a])}{star}<{tag}>{escape(words)}</{tag}>{star}")
        first = b
    return "".join([*parts, escape(text[first:last])])


def render_blocks(text: str, blocks: Iterable[Block], layers: Layers) -> str:
    """Draw the blocks of a text one after the other; records that follow each other become a table."""
    parts: list[str] = []
    records: list[Block] = []
    header: list[str] = []
    for block in blocks:
        names = [name for name, _, _ in fields(text, block.start, block.close)] if block.style == "record" else []
        wider = names if _within(header, names) else header if names and _within(names, header) else []
        if records and not wider:
            parts.append(_records(text, records, header, layers))
            records, wider = [], names
        header = wider
        if block.style == "record":
            records.append(block)
        else:
            parts.append(_block(text, block, layers))
    if records:
        parts.append(_records(text, records, header, layers))
    return "".join(parts)


def _within(few: Sequence[str], many: Sequence[str]) -> bool:
    """Tell whether some names are among others, in the same order."""
    rest = iter(many)
    return all(name in rest for name in few)


def _records(text: str, records: Sequence[Block], header: Sequence[str], layers: Layers) -> str:
    """Draw rows `Name: Ann | Port: Lyme` as a table; their names and bars stay in the page, hidden."""
    rows = []
    for block in records:
        known = {name: (first, last) for name, first, last in fields(text, block.start, block.close)}
        position, cells = block.start, []
        for name in header:
            if name not in known:
                cells.append("<td></td>")
                continue
            first, last = known[name]
            hidden = f'<span class="hidden">{layers.write(text, position, first)}</span>'
            cells.append(f'<td{_short(first, last)} dir="auto">{hidden}{layers.write(text, first, last)}</td>')
            position = last
        rest = f'<td class="hidden">{layers.write(text, position, block.end)}</td>'
        rows.append(f"<tr>{''.join(cells)}{rest}</tr>")
    names = "".join(f'<th scope="col" dir="auto">{escape(name)}</th>' for name in header)
    head = f"<thead><tr>{names}</tr></thead>"
    return f'<div class="table" tabindex="0"><table class="records">{head}<tbody>{"".join(rows)}</tbody></table></div>'


def _short(first: int, last: int) -> str:
    """A cell with a date or a number stays on one line."""
    return ' class="short"' if last - first <= _SHORT else ""


def _block(text: str, block: Block, layers: Layers) -> str:
    gap = f'<span class="hidden">{layers.write(text, block.close, block.end)}</span>'
    if block.style == "table":
        rows = "".join(_row(text, a, b, layers) for a, b in _lines(text, block.start, block.close))
        return f'<div class="table" tabindex="0"><table>{rows}</table>{gap}</div>'
    hidden = ""
    if block.body > block.start:
        hidden = f'<span class="hidden">{layers.write(text, block.start, block.body)}</span>'
    inside = f"{hidden}{layers.write(text, block.body, block.close, bold=True)}{gap}"
    return f"<h4>{inside}</h4>" if block.style == "heading" else f'<p class="{block.style}" dir="auto">{inside}</p>'


def _lines(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The lines of a stretch, each with its line break."""
    while start < end:
        stop = text.find("\n", start, end) + 1 or end
        yield start, stop
        start = stop


def _row(text: str, first: int, last: int, layers: Layers) -> str:
    """Draw a line `| a | b |` as a row of a table; its bars stay in the page, hidden."""
    bars = [i for i in range(first, last) if text[i] == "|" and text[i - 1 : i] != "\\"]
    rule = " class='hidden'" if _RULE.fullmatch(text, first, last) else ""
    edges = [first, *bars[1:-1], last] if len(bars) > 2 else [first, last]
    cells = []
    for a, b in zip(edges, edges[1:], strict=False):
        words = text[a:b]
        left = a + len(words) - len(words.lstrip("| \t"))
        right = max(left, a + len(words.rstrip("| \t\n")))
        edge = f'<span class="hidden">{layers.write(text, a, left)}</span>'
        tail = f'<span class="hidden">{layers.write(text, right, b)}</span>'
        cells.append(f"<td{_short(left, right)}>{edge}{layers.write(text, left, right, bold=True)}{tail}</td>")
    return f"<tr{rule}>{''.join(cells)}</tr>"
