"""Text put together from paragraphs, list items, headings and table rows, with the offsets of the headings."""

from __future__ import annotations

import re
from collections.abc import Sequence

from index.types import Heading

_BLANKS = re.compile(r"[ \t\u00a0\f\v]+")


class Paragraphs:
    """Writes a text piece by piece; blank pieces leave no trace."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._length = 0
        self._item_before = False
        self.headings: list[Heading] = []

    @property
    def text(self) -> str:
        """What was written."""
        return "".join(self._parts)

    def add(self, text: str, *, level: int = 0, title: str = "", item: bool = False) -> None:
        """Write a paragraph, after a blank line.

        Args:
            text: Its words; runs of blanks become one, line breaks stay.
            level: Its level if it is a heading, else 0.
            title: What the heading is called, where that is more than its words.
            item: It is an item of a list: items that follow each other have no blank line between them.
        """
        lines = (_BLANKS.sub(" ", line).strip() for line in text.replace("\r", "\n").split("\n"))
        text = "\n".join(line for line in lines if line)
        if not text:
            return
        if level:
            text = text.replace("\n", " ")
        if self._parts:
            gap = "\n" if item and self._item_before else "\n\n"
            self._parts.append(gap)
            self._length += len(gap)
        if level:
            self.headings.append(Heading(self._length, self._length + len(text), level, title or text))
        self._parts.append(text)
        self._length += len(text)
        self._item_before = item

    def add_written(self, text: str, headings: Sequence[Heading]) -> None:
        """Write text that is finished already, with its headings."""
        if not text.strip():
            return
        if self._parts:
            self._parts.append("\n\n")
            self._length += 2
        at = self._length
        self.headings += [Heading(h.start + at, h.end + at, h.level, h.title) for h in headings]
        self._parts.append(text)
        self._length += len(text)
        self._item_before = False
