"""A document's plain text as readable blocks that tile it: every character is in exactly one block.

Nothing is parsed into meaning here; the blocks only say how a stretch of text is best set.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Literal

Style = Literal["meta", "heading", "table", "record", "bullet", "item", "flow", "lines"]
_GAP = re.compile(r"\n[ \t]*(?:\n[ \t]*)+|\n+\Z")
_MARK = re.compile(r"#{1,6}[ \t]+")
_BULLET = re.compile(r"[ \t]*[-*+•‣▪–][ \t]+")
_ITEM = re.compile(rf"{_BULLET.pattern}|[ \t]*\d{{1,3}}[.)][ \t]+")
_FIELD = re.compile(r"([^|:\n]{1,60}): (?=\S)")
_MAIL = re.compile(r"(?:Subject|From|To|Cc|Date|Reply-To): ")
_WRAPPED = 50  # shorter lines are meant to be lines


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch `text[start:end]` to be set in one style.

    `text[start:body]` is markup to hide, such as the sign of a heading; `text[close:end]` the line breaks after it.
    """

    start: int
    body: int
    close: int
    end: int
    style: Style


def blocks(text: str, first: int, last: int, headings: Collection[str] = ()) -> Iterator[Block]:
    """Divide `text[first:last]` into blocks, in order and without gaps.

    Args:
        text: A document's text.
        first: Where to begin, code points from 0.
        last: Where to end, exclusive.
        headings: Titles of headings that no markup shows, without surrounding blanks.
    """
    position = first
    while position < last:
        gap = _GAP.search(text, position, last)
        close, end = gap.span() if gap else (last, last)
        if close == position:  # line breaks at the beginning of the window
            yield Block(position, position, position, end, "flow")
        else:
            yield from _paragraph(text, position, close, end, headings)
        position = end


def _paragraph(text: str, start: int, close: int, end: int, headings: Collection[str]) -> Iterator[Block]:
    while (sign := _MARK.match(text, start, close)) is not None:  # text may follow directly below a heading
        cut = text.find("\n", start, close)
        if cut < 0:
            yield Block(start, sign.end(), close, end, "heading")
            return
        yield Block(start, sign.end(), cut, cut + 1, "heading")
        start = cut + 1
    body = text[start:close]
    lines = body.split("\n")
    if start == 0 and lines[0] == "---":
        closed = len(lines) > 2 and lines[-1] == "---"
        yield Block(start, start + 4 if closed else start, close - 4 if closed else close, end, "meta")
    elif " ".join(body.split()) in headings:
        yield Block(start, start, close, end, "heading")
    elif start == 0 and len(lines) > 2 and all(_MAIL.match(line) for line in lines):
        yield Block(start, start, close, end, "meta")
    elif all(line.lstrip().startswith("|") for line in lines):
        yield Block(start, start, close, end, "table")
    elif all(map(_is_record, lines)):
        position = start
        for line in lines:
            stop = position + len(line)
            beyond = end if stop == close else stop + 1
            yield Block(position, position, stop, beyond, "record")
            position = beyond
    elif _ITEM.match(body):
        yield from _items(text, start, close, end)
    else:
        yield Block(start, start, close, end, "flow" if _is_wrapped(lines) else "lines")


def _is_record(line: str) -> bool:
    """Tell whether a line is a row of a table as it is read from sheets: `Name: Ann | Port: Lyme`."""
    names = [_FIELD.match(part) for part in line.split(" | ")]
    return len(names) > 1 and all(names) and len({name[1] for name in names if name}) == len(names)


def fields(text: str, start: int, close: int) -> list[tuple[str, int, int]]:
    """The fields of a record `text[start:close]`: the name, and where the value begins and ends."""
    found = []
    for part in text[start:close].split(" | "):
        name = _FIELD.match(part)
        assert name is not None, "not a record"
        found.append((name[1], start + name.end(), start + len(part)))
        start += len(part) + len(" | ")
    return found


def _is_wrapped(lines: list[str]) -> bool:
    """Tell whether lines were broken by a margin: none is short, and the next line's first word did not fit on any."""
    longest = max(map(len, lines))
    return all(
        len(line) >= _WRAPPED and len(line) + 1 + len((following.split() or [""])[0]) > longest
        for line, following in zip(lines, lines[1:], strict=False)
    )


def _items(text: str, start: int, close: int, end: int) -> Iterator[Block]:
    """Divide a list: each line with a bullet or number begins an item."""
    cuts = [start]
    position = text.find("\n", start, close)
    while position >= 0:
        if _ITEM.match(text, position + 1, close):
            cuts.append(position + 1)
        position = text.find("\n", position + 1, close)
    for cut, following in zip(cuts, [*cuts[1:], None], strict=True):
        stop = close if following is None else following - 1
        bullet = _BULLET.match(text, cut, stop)
        beyond = end if following is None else following
        yield Block(cut, bullet.end() if bullet else cut, stop, beyond, "bullet" if bullet else "item")
