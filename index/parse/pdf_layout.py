"""The layout of a PDF's page: reading order of its lines, cells of tables, paragraphs; pure geometry.

Coordinates are those of the page as it is shown, in points from the bottom left.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

SOFT_HYPHENS = "\x02\ufffe\u00ad"
CELL = " | "
_BULLET = re.compile(r"(?:[-*+•‣▪◦–—·]|\(?\d{1,3}[.)]|\(?[a-z][.)])\s")
_NUMBERING = re.compile(r"\(?[\dA-Za-z]{1,4}(?:\.\d{1,3})*[.)]?|[-*+•‣▪◦–—·]")
# First halves of compounds that keep their hyphen; elsewhere a hyphen at the end of a line is taken out.
_COMPOUNDS = frozenset(
    "self well all half cross ex non one two three four five six seven eight nine ten first second third high low long "
    "short open full real large small old new early late multi anti pro vice north south east west".split()
)
_ANY_HYPHEN = SOFT_HYPHENS + "-"
_HYPHENS = {ord(c): "-" for c in SOFT_HYPHENS}
_WORD_END = re.compile(r"[^\W\d_]+$")
_WORD_START = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a page, or a cell or a column's part of one.

    `indices` give for each character of `text` its index in the PDF's page, -1 for those that were added here. Lines of
    the same `column` stand below each other.
    """

    text: str
    indices: tuple[int, ...]
    left: float
    right: float
    bottom: float
    top: float
    size: float
    column: int = 0


@dataclass(frozen=True, slots=True)
class Placed:
    """A line in the text of its page: `text[start:end]`."""

    start: int
    end: int
    line: Line


@dataclass(frozen=True, slots=True)
class PageText:
    """The text of a page; `indices` gives for each character its index in the PDF's page, -1 if it was added."""

    text: str
    indices: tuple[int, ...]
    lines: tuple[Placed, ...]
    width: float
    height: float


def order_lines(rows: Sequence[Sequence[Line]], width: float) -> list[Line]:
    """Put a page's lines into reading order.

    Args:
        rows: The PDF's own lines, each cut where a wide gap stands between two words.
        width: Width of the page.

    Returns:
        Lines: column by column where there are columns; otherwise as the PDF has them, cells of a table row joined.
    """
    pieces = [piece for row in rows for piece in row]
    columns = _columns(pieces, width)
    if columns is not None:
        return columns
    return [_join_row(rows, i) for i in range(len(rows))]


def _columns(pieces: list[Line], width: float, depth: int = 0) -> list[Line] | None:
    """Order pieces by columns; `None` if there are none.

    A gutter is a vertical strip that few pieces cross, with lines of prose on both sides at the same height. Pieces
    that cross it (titles, wide figures) cut the page into bands; each band is read column by column.
    """
    gutter = _gutter(pieces) if len(pieces) >= 8 and depth < 3 else None
    if gutter is None:
        return None
    ordered: list[Line] = []
    for kind, band in _bands(pieces, gutter):
        if kind == "across":
            ordered.extend(band)
            continue
        for side in ([p for p in band if p.right <= gutter], [p for p in band if p.right > gutter]):
            inner = _columns(side, width, depth + 1)
            number = 1 + max((line.column for line in ordered), default=0)
            below = _from_top(side) if inner is None else inner
            ordered.extend(replace(line, column=line.column + number) for line in below)
    return ordered


def _from_top(pieces: Sequence[Line]) -> list[Line]:
    """From top to bottom, and from left to right within a line."""
    rows: list[list[Line]] = []
    for piece in sorted(pieces, key=lambda p: -(p.top + p.bottom)):
        if rows and _same_height(rows[-1][0], piece):
            rows[-1].append(piece)
        else:
            rows.append([piece])
    return [_join_row([sorted(row, key=lambda p: p.left) for row in rows], i) for i in range(len(rows))]


def _same_height(one: Line, other: Line) -> bool:
    shared = min(one.top, other.top) - max(one.bottom, other.bottom)
    return shared > 0.5 * min(one.top - one.bottom, other.top - other.bottom)


def _gutter(pieces: Sequence[Line]) -> float | None:
    """Find the middle of the best gutter."""
    prose = [p for p in pieces if len(p.text) >= 15]
    if len(prose) < 8:
        return None
    left, right = min(p.left for p in prose), max(p.right for p in prose)
    best: tuple[float, float] | None = None
    # A gutter begins where a line of its left column ends and is free up to where its right column begins.
    for edge in sorted({round(p.left, 1) for p in prose if left + 0.2 * (right - left) < p.left}):
        before = [p for p in prose if p.right < edge - 4 and p.left < edge]
        after = [p for p in prose if p.left >= edge - 0.6]
        if len(before) < 4 or len(after) < 4:
            continue
        start = max(p.right for p in before)
        crossing = len(prose) - len(before) - len(after)
        if edge - start < 6 or crossing > 0.35 * len(prose) or not _is_prose(before, after, edge):
            continue
        score = min(len(before), len(after)) - 2.0 * crossing
        if best is None or score > best[0]:
            best = (score, (start + edge) / 2)
    return best[1] if best is not None and best[0] > 0 else None


def _is_prose(before: Sequence[Line], after: Sequence[Line], edge: float) -> bool:
    """Tell columns of prose from the cells of a table.

    Lines of a column fill most of its width and follow each other closely; the two sides stand at the same height for
    some lines at least.
    """
    for side in (before, after):
        widths = sorted(p.right - p.left for p in side)
        if widths[len(widths) // 2] < 0.6 * widths[-1]:
            return False
        if sum(len(p.text) for p in side) < 25 * len(side):
            return False
    begun = [p for p in after if p.left <= edge + 3]
    if len(begun) < 0.6 * len(after):
        return False
    overlap = min(max(p.top for p in before), max(p.top for p in after)) - max(
        min(p.bottom for p in before), min(p.bottom for p in after)
    )
    height = sum(p.top - p.bottom for p in before) / len(before)
    return overlap > 3 * height


def _bands(pieces: Sequence[Line], gutter: float) -> Iterator[tuple[str, list[Line]]]:
    """Cut a page at the pieces that cross its gutter, from top to bottom."""
    across = _from_top([p for p in pieces if p.left < gutter < p.right])
    rest = [p for p in pieces if not p.left < gutter < p.right]
    for line in across:
        middle = (line.top + line.bottom) / 2
        above = [p for p in rest if (p.top + p.bottom) / 2 > middle]
        if above:
            yield "columns", above
            rest = [p for p in rest if (p.top + p.bottom) / 2 <= middle]
        yield "across", [line]
    if rest:
        yield "columns", rest


def _join_row(rows: Sequence[Sequence[Line]], number: int) -> Line:
    """Join the pieces of a row: as cells if it belongs to a table, else with a space."""
    row = rows[number]
    if len(row) == 1:
        return row[0]
    neighbours = [rows[i] for i in (number - 1, number + 1) if 0 <= i < len(rows)]
    glue = CELL if any(_aligned(row, other) for other in neighbours) else " "
    text, indices = "", list[int]()
    for piece in row:
        if text:
            text += glue
            indices += [-1] * len(glue)
        stripped = piece.text.rstrip()
        text += stripped
        indices += piece.indices[: len(stripped)]
    return replace(
        row[0],
        text=text,
        indices=tuple(indices),
        right=max(p.right for p in row),
        left=min(p.left for p in row),
        top=max(p.top for p in row),
        bottom=min(p.bottom for p in row),
    )


def _aligned(row: Sequence[Line], other: Sequence[Line]) -> bool:
    """Whether two rows stand in one table: cells but the first begin, end or are centred at the same place."""
    if len(row) < 2 or len(other) < 2:
        return False
    if len(row) == 2 and _NUMBERING.fullmatch(row[0].text.strip()):
        return False
    for cell in row[1:]:
        for theirs in other[1:]:
            edges = (
                cell.left - theirs.left,
                cell.right - theirs.right,
                cell.left + cell.right - theirs.left - theirs.right,
            )
            if min(abs(edge) for edge in edges) < 3:
                return True
    return False


def join_lines(lines: Sequence[Line], width: float, height: float) -> PageText:
    """Make the text of a page: lines of a paragraph are joined, words cut at a line's end made whole."""
    edges = _right_edges(lines)
    words = {w.lower() for line in lines for w in re.findall(r"[^\W\d_]+(?:-[^\W\d_]+)+", line.text)}
    parts: list[str] = []
    indices: list[int] = []
    places: list[Placed] = []
    for line in lines:
        text = line.text.strip()
        if not text:
            continue
        first = line.text.index(text[0])
        if places:
            glue = _glue(places[-1].line, line, edges.get(places[-1].line.column, 0.0))
            if not glue and parts[-1] in _ANY_HYPHEN and not _keeps_hyphen("".join(parts[-30:-1]), line.text, words):
                parts.pop()
                indices.pop()
                places[-1] = replace(places[-1], end=places[-1].end - 1)
            parts.extend(glue)
            indices.extend([-1] * len(glue))
        start = len(parts)
        parts.extend(text)
        indices.extend(line.indices[first : first + len(text)])
        places.append(Placed(start, len(parts), line))
    whole = "".join(parts).translate(_HYPHENS)
    return PageText(whole, tuple(indices), tuple(places), width, height)


def _keeps_hyphen(before: str, after: str, words: set[str]) -> bool:
    """Whether a hyphen at a line's end belongs to its word: the page writes it so elsewhere, or it is a compound."""
    first, second = _WORD_END.search(before), _WORD_START.match(after.lstrip())
    if first is None or second is None:
        return first is None  # 2-\n3 is a range, not a word
    return first.group().lower() in _COMPOUNDS or f"{first.group()}-{second.group()}".lower() in words


def _right_edges(lines: Sequence[Line]) -> dict[int, float]:
    """Where full lines end, for each column."""
    rights: dict[int, list[float]] = {}
    for line in lines:
        if len(line.text) >= (25 if line.column else 40):
            rights.setdefault(line.column, []).append(line.right)
    return {column: sorted(found)[int(0.9 * (len(found) - 1))] for column, found in rights.items()}


def _glue(line: Line, following: Line, right_edge: float) -> str:
    """Choose what stands between two lines: nothing, a space, a line break or an empty line."""
    last, text = line.text.rstrip()[-1], following.text.lstrip()
    tall = max(line.top - line.bottom, line.size * 0.7, 1.0)
    gap = line.bottom - following.top
    same_size = abs(line.size - following.size) <= 0.06 * max(line.size, following.size)
    if not same_size or gap > 1.6 * tall:
        return "\n\n"
    if gap < -3 * tall and line.column != following.column:  # a paragraph goes on in the next column, or another begins
        if last in SOFT_HYPHENS or _cut(line.text, text):
            return ""
        return " " if text[:1].islower() and last not in ".!?:" else "\n\n"
    if gap < -3 * tall:
        return "\n\n"
    if last in SOFT_HYPHENS or _cut(line.text, text):
        return ""
    bullet = _BULLET.match(text) is not None
    full = line.right >= right_edge - 0.12 * max(right_edge - line.left, 1.0) and len(line.text) > 20
    indented = following.left > line.left + 6 and _BULLET.match(line.text.lstrip()) is None
    if bullet or CELL in line.text or CELL in text or (indented and not text[:1].islower()):
        return "\n"
    goes_on = text[:1].islower() and len(line.text) > (12 if line.column else 30)
    return " " if full or goes_on else "\n"


def _cut(text: str, following: str) -> bool:
    """Whether a word is cut by an ordinary hyphen: letters before it, small ones after it."""
    return re.search(r"[^\W\d_]-\s*$", text) is not None and following[:1].islower()
