"""Documents to passages: exact offsets, whole sentences, sections kept together, never more than the encoder reads.

Guarantees, held by property tests: `passage.text == text[start:end]`; passages are in order and do not overlap; every
non-blank character outside `skipped` lies in one; no passage has more tokens than `limit`.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from index.resplit import kept_spans
from index.sentences import Span, sentence_spans, trim
from index.types import Heading, Page, Parsed, Passage

HEADING_TOKENS = 32
"""Room in the encoder's window for the title and headings that are embedded in front of a passage."""
_TITLE = 16  # tokens of a line before a sentence that is too short to be a passage


class Tokenizer(Protocol):
    """What the splitter needs of an encoder."""

    @property
    def max_tokens(self) -> int:
        """Tokens the encoder reads, special ones included."""

    @property
    def special_tokens(self) -> int:
        """How many of those are special."""

    def token_offsets(self, text: str) -> list[tuple[int, int]]:
        """Character spans of all tokens of a text, without special ones."""

    def count_tokens(self, text: str) -> int:
        """Number of tokens of a text, without special ones."""


@dataclass(frozen=True, slots=True)
class _Unit:
    """A sentence or part of one: its span, its tokens, whether a paragraph begins with it, whether it is a heading, its
    section, and its region (a stretch of the text between skipped ones)."""

    start: int
    end: int
    tokens: int
    paragraph: bool
    title: bool
    section: int
    region: int


def split(
    parsed: Parsed,
    document_id: str,
    tokenizer: Tokenizer,
    chunk_size: int,
    former: Sequence[str] = (),
    tokens: Sequence[Span] | None = None,
) -> list[Passage]:
    """Cut a parsed document into passages.

    Args:
        parsed: The document.
        document_id: Its id.
        tokenizer: Counts tokens as the encoder does.
        chunk_size: Aimed-at tokens of a passage; lowered to what the encoder reads less `HEADING_TOKENS`.
        former: Texts of the passages of an older state of the document; those that did not change are kept.
        tokens: `tokenizer.token_offsets(parsed.text)`, if it is known already.

    Returns:
        Passages in the order of the text.
    """
    kept = kept_spans(parsed, former) if former else []
    rest = replace(parsed, skipped=tuple(sorted([*parsed.skipped, *kept]))) if kept else parsed
    spans = sorted([*kept, *_spans(rest, tokenizer, chunk_size, tokens)])
    outline = _Outline(parsed.headings, parsed.text)
    starts = [page.start for page in parsed.pages]
    return [
        Passage(document_id, a, b, parsed.text[a:b], _page_of(parsed.pages, starts, a), outline.above(a, b))
        for a, b in spans
    ]


def _spans(parsed: Parsed, tokenizer: Tokenizer, chunk_size: int, tokens: Sequence[Span] | None) -> list[Span]:
    limit = max(tokenizer.max_tokens - tokenizer.special_tokens - HEADING_TOKENS, 8)
    target = max(min(chunk_size, limit), 8)
    count = _counter(tokenizer.token_offsets(parsed.text) if tokens is None else tokens)
    units = list(_units(parsed, count, limit))
    spans: list[Span] = []
    most = min(limit, target * 11 // 10)
    for group in _groups(units, target):
        spans.extend(_pack(group, target, most))
    return [piece for span in spans for piece in _fit(parsed.text, span, tokenizer, limit, count)]


def _counter(tokens: Sequence[Span]) -> Callable[[int, int], int]:
    """Count the tokens between two offsets from one tokenisation of the whole text."""
    starts = [a for a, _ in tokens]
    return lambda start, end: bisect_left(starts, end) - bisect_left(starts, start)


def _units(parsed: Parsed, count: Callable[[int, int], int], limit: int) -> list[_Unit]:
    units: list[_Unit] = []
    text = parsed.text
    heads = [h.start for h in parsed.headings]
    for region, (start, end) in enumerate(_regions(text, parsed.skipped)):
        edges = [start, *(h for h in heads if start < h < end), end]
        for a, b in zip(edges, edges[1:], strict=False):
            passed = bisect_right(heads, a)
            section = passed + region * (len(heads) + 1)
            title_end = parsed.headings[passed - 1].end if passed else 0
            previous = a
            for span in _cover(text, a, b, sentence_spans(text, a, b)):
                gap = text[previous : span[0]]
                for piece in _cut(text, span, count, limit):
                    paragraph = "\n" in gap or not units or units[-1].section != section
                    units.append(_Unit(*piece, count(*piece), paragraph, piece[1] <= title_end, section, region))
                    gap = ""
                previous = span[1]
    return units


def _regions(text: str, skipped: Sequence[Span]) -> list[Span]:
    regions, at = [], 0
    for start, end in [*sorted(skipped), (len(text), len(text))]:
        if (span := trim(text, at, max(start, at))) is not None:
            regions.append(span)
        at = max(at, end)
    return regions


def _cover(text: str, start: int, end: int, sentences: list[Span]) -> list[Span]:
    """Stretch sentences over the marks between them (bullets, `#`), so that nothing is left out."""
    covered: list[Span] = []
    at = start
    for _, b in sentences:
        if (span := trim(text, at, b)) is not None:
            covered.append(span)
        at = b
    if (span := trim(text, at, end)) is not None:
        if covered:
            covered[-1] = (covered[-1][0], span[1])
        else:
            covered.append(span)
    return covered


_CUTS = (re.compile(r"\n"), re.compile(r"[;:]\s"), re.compile(r",\s"), re.compile(r"\s"))


def _cut(text: str, span: Span, count: Callable[[int, int], int], limit: int) -> list[Span]:
    """Cut a sentence longer than the limit in halves, at the best place near the middle."""
    start, end = span
    if count(start, end) <= limit or end - start <= 1:
        return [span]
    middle, reach = (start + end) // 2, max((end - start) // 4, 1)
    at = middle
    for pattern in _CUTS:
        found = [m.end() for m in pattern.finditer(text, middle - reach, middle + reach)]
        if found:
            at = min(found, key=lambda place: abs(place - middle))
            break
    halves = (trim(text, start, at), trim(text, at, end))
    return [piece for half in halves if half is not None for piece in _cut(text, half, count, limit)]


def _groups(units: list[_Unit], target: int) -> list[list[_Unit]]:
    """Gather units by section; one too small to stand alone joins the one after it if both fit, a mere title always."""
    groups: list[list[_Unit]] = []
    for unit in units:
        if groups and groups[-1][-1].section == unit.section:
            groups[-1].append(unit)
        else:
            groups.append([unit])
    merged: list[list[_Unit]] = []
    for group in groups:
        before = sum(u.tokens for u in merged[-1]) if merged else target
        small = before < target // 4 and merged[-1][-1].region == group[0].region  # no passage has what lies between
        if small and (merged[-1][-1].title or before + sum(u.tokens for u in group) <= target):
            merged[-1].extend(group)
        else:
            merged.append(group)
    return merged


def _pack(units: list[_Unit], target: int, most: int) -> list[Span]:
    """Pack a section's units into passages of nearly equal size, breaking between paragraphs where that costs little.

    A title before a sentence of nearly `target` stays with it, up to `most`.

    Minimises, over all ways to break, the squared distance of each passage from the mean size, plus a price for a break
    inside a paragraph (dynamic programming; quadratic in units a passage, linear in units).
    """
    total = sum(u.tokens for u in units)
    parts = max(-(-total // target), 1)
    ideal = total / parts
    best: list[tuple[float, int]] = [(0.0, 0)]
    for j in range(1, len(units) + 1):
        size, choice = 0, (float("inf"), j - 1)
        for i in range(j - 1, -1, -1):
            size += units[i].tokens
            titled = i == j - 2 and units[i].tokens <= _TITLE and size <= most
            if size > target and i < j - 1 and not titled:
                break
            price = 0.0 if i == 0 or units[i].paragraph else 0.05
            cost = best[i][0] + ((size - ideal) / target) ** 2 + price
            if cost < choice[0]:
                choice = (cost, i)
        best.append(choice)
    spans: list[Span] = []
    j = len(units)
    while j > 0:
        i = best[j][1]
        spans.append((units[i].start, units[j - 1].end))
        j = i
    return spans[::-1]


def _fit(text: str, span: Span, tokenizer: Tokenizer, limit: int, count: Callable[[int, int], int]) -> list[Span]:
    """Make sure a passage fits on its own: cut out of its text, some words fall into more tokens."""
    start, end = span
    if end - start <= 1 or (count(start, end) < 0.8 * limit and end - start < 8 * limit):
        return [span]
    if tokenizer.count_tokens(text[start:end]) <= limit:
        return [span]
    middle = (start + end) // 2
    spaces = [m.end() for m in re.finditer(r"\s", text[start:end])]
    at = start + min(spaces, key=lambda p: abs(start + p - middle)) if spaces else middle
    if at in (start, end):
        at = middle
    halves = (trim(text, start, at), trim(text, at, end))
    return [piece for half in halves if half is not None for piece in _fit(text, half, tokenizer, limit, count)]


class _Outline:
    """The headings above a place."""

    def __init__(self, headings: Sequence[Heading], text: str) -> None:
        self._starts = [h.start for h in headings]
        self._paths: list[str] = []
        self._empty: list[bool] = []  # nothing stands between it and the next one, which is part of it
        path: list[Heading] = []
        for heading, following in zip(headings, [*headings, None][1:], strict=True):
            path = [h for h in path if h.level < heading.level] + [heading]
            self._paths.append(" › ".join(h.title for h in path))
            self._empty.append(
                following is not None
                and following.level > heading.level
                and not text[heading.end : following.start].strip()
            )

    def above(self, start: int, end: int) -> str:
        """The path of headings at `start`; that of the first heading within, if none stands above.

        A passage that begins with a title and, right below it, the heading of a section is of that section.
        """
        index = bisect_right(self._starts, start) - 1
        if index < 0 and self._starts and self._starts[0] < end:
            index = 0
        while index >= 0 and self._starts[index] >= start and self._empty[index] and self._starts[index + 1] < end:
            index += 1
        return self._paths[index] if index >= 0 else ""


def _page_of(pages: tuple[Page, ...], starts: list[int], position: int) -> int | None:
    return pages[max(bisect_right(starts, position) - 1, 0)].number if pages else None
