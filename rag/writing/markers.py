"""Citation markers as models write them: `[1]`, `[1, 3]`, `[1-3]`, `【1】`, `[^1]`, `(source 1)`, `[Passage 2]`."""

from __future__ import annotations

import re
from dataclasses import dataclass

_WORD = r"(?:sources?|passages?|docs?|documents?|refs?|references?|quellen?|fuentes?|nos?\.?)"
_NUMBERS = r"\d{1,3}(?:\s*(?:,|;|and|und|et|y|&|[-–—]|to)\s*\^?\d{1,3})*"
MARKER = re.compile(
    rf"\[\s*(?:{_WORD}\s*)?[\^#]?(?P<a>{_NUMBERS})\s*\]|"
    rf"[【［〔]\s*(?:{_WORD}\s*)?(?P<b>{_NUMBERS})\s*(?:[†:][^】］〕\n]{{0,80}})?[】］〕]|"
    rf"[(（]\s*{_WORD}\s*(?P<c>{_NUMBERS})\s*[)）]",
    re.IGNORECASE,
)
PARTIAL = re.compile(r"[ \t]*[\[【［〔(（][^\]】］〕)）\n]{0,60}$|[ \t]+$")
"""The end of a text that may yet become a marker."""
_RANGE = re.compile(r"(\d+)\s*(?:[-–—]|to)\s*\^?(\d+)", re.IGNORECASE)
_WIDEST = 20


@dataclass(frozen=True, slots=True)
class Marked:
    """A text without its markers: each stood at a place in it, from 0, and names passages."""

    text: str
    markers: tuple[tuple[int, tuple[int, ...]], ...]


def take_markers(text: str) -> Marked:
    """Take the markers out of a text, with the blanks before them."""
    parts: list[str] = []
    found: list[tuple[int, tuple[int, ...]]] = []
    at = length = 0
    for match in MARKER.finditer(text):
        before = text[at : match.start()].rstrip(" \t\u00a0")
        parts.append(before)
        length += len(before)
        found.append((length, _read(match["a"] or match["b"] or match["c"])))
        at = match.end()
        if text[at : at + 1].isalnum() and length:
            parts.append(" ")
            length += 1
    parts.append(text[at:])
    return Marked("".join(parts), tuple(found))


def _read(numbers: str) -> tuple[int, ...]:
    read: list[int] = []
    for match in _RANGE.finditer(numbers):
        first, last = int(match[1]), int(match[2])
        if first <= last <= first + _WIDEST:
            read.extend(range(first, last + 1))
    read.extend(int(n) for n in re.findall(r"\d+", _RANGE.sub(" ", numbers)))
    return tuple(dict.fromkeys(read))
