"""The automatic numbers of a Word document: "1.", "2.3", "(a)", as Word shows them in front of paragraphs."""

from __future__ import annotations

import re
from typing import Any

from index.parse.package import attribute, local

_ROMAN = tuple(
    zip(
        (1000, 900, 500, 400, 100, 90, 50, 40, 10, 9, 5, 4, 1),
        "m cm d cd c xc l xl x ix v iv i".split(),
        strict=True,
    )
)
_PLACE = re.compile(r"%([1-9])")
_MAX_LEVEL = 9


class Numbering:
    """Counts the paragraphs of each list as they come."""

    def __init__(self, root: Any) -> None:
        self._levels: dict[str, dict[int, tuple[str, str, int]]] = {}
        self._lists: dict[str, str] = {}
        self._counts: dict[str, list[int]] = {}
        for node in root if root is not None else ():
            if local(node) == "abstractNum":
                self._levels[attribute(node, "abstractNumId")] = dict(map(_level, _named(node, "lvl")))
            elif local(node) == "num":
                link = next(iter(_named(node, "abstractNumId")), None)
                self._lists[attribute(node, "numId")] = attribute(link, "val") if link is not None else ""

    def next(self, number: str, level: int) -> str:
        """The mark of the next paragraph of a list at a level: "- " for a bullet, "" for none, else its number."""
        kind = self._lists.get(number, "")
        levels = self._levels.get(kind, {})
        if level not in levels or level >= _MAX_LEVEL:
            return ""
        form, pattern, start = levels[level]
        if form == "bullet":
            return "- "
        counts = self._counts.setdefault(kind, [])
        for above in range(len(counts), level + 1):
            counts.append(levels.get(above, ("", "", 1))[2] - (above == level))
        counts[level] += 1
        del counts[level + 1 :]
        if form == "none" or start < 0:
            return ""

        def shown(match: re.Match[str]) -> str:
            at = int(match.group(1)) - 1
            return _written(counts[at], levels.get(at, ("decimal", "", 1))[0]) if at < len(counts) else ""

        mark = _PLACE.sub(shown, pattern).strip()
        return f"{mark} " if mark else ""


def _named(node: Any, name: str) -> list[Any]:
    return [child for child in node if local(child) == name]


def _level(node: Any) -> tuple[int, tuple[str, str, int]]:
    values = {local(child): attribute(child, "val") for child in node}
    start = values.get("start", "")
    index = attribute(node, "ilvl")
    form = (values.get("numFmt") or "decimal", values.get("lvlText", ""), int(start) if start.isdecimal() else 1)
    return int(index) if index.isdecimal() else 0, form


def _written(number: int, form: str) -> str:
    if form in ("lowerLetter", "upperLetter") and number > 0:
        letter = chr(ord("a") + (number - 1) % 26) * min((number - 1) // 26 + 1, 5)
        return letter.upper() if form == "upperLetter" else letter
    if form in ("lowerRoman", "upperRoman") and 0 < number < 4000:
        text = ""
        for value, sign in _ROMAN:
            text, number = text + sign * (number // value), number % value
        return text.upper() if form == "upperRoman" else text
    return f"{number:02d}" if form == "decimalZero" else str(number)
