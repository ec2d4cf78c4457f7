"""Word documents, read from their XML: the text is the words themselves, without marks of another format."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from index.errors import UnreadableDocumentError
from index.parse.numbering import Numbering
from index.parse.ooxml import read_properties
from index.parse.package import Package, attribute, local
from index.parse.paragraphs import Paragraphs
from index.parse.stated import as_language
from index.parse.table import row_lines
from index.parse.text import find_dateline, first_line
from index.settings import LibrarySettings
from index.types import Parsed

_DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_TRANSPARENT = frozenset(
    ("ins", "moveTo", "smartTag", "customXml", "sdt", "sdtContent", "hyperlink", "fldSimple", "dir")
)
_TRANSPARENT |= frozenset(("bdo", "oMath", "oMathPara", "ruby", "rubyBase"))
_SIGNS = {"tab": "\t", "cr": "\n", "noBreakHyphen": "\u2011", "ptab": "\t"}
_HEADING = re.compile(r"heading ([1-9])")


@dataclass(slots=True)
class _Style:
    name: str = ""
    base: str = ""
    level: int = 0
    number: tuple[str, int] | None = None


@dataclass(slots=True)
class _Line:
    """A paragraph on its way to the text: its words, and what hangs on it."""

    words: list[str] = field(default_factory=list)
    boxes: list[Any] = field(default_factory=list)
    notes: list[Any] = field(default_factory=list)


def parse_docx(data: bytes, settings: LibrarySettings) -> Parsed:
    """Read a Word document; title, author, date and tags come from its properties, else from its text."""
    package = Package(data, "Word document", settings)
    main = package.main() or "word/document.xml"
    root = package.xml(main)
    body = next((node for node in root if local(node) == "body"), None) if root is not None else None
    if body is None:
        raise UnreadableDocumentError(
            "The Word document has no text part.", remedy="Open it in a word processor and save it again as .docx."
        )
    reader = _Reader(package, main)
    reader.blocks(body)
    text, stated = reader.out.text, read_properties(package)
    headings = tuple(reader.out.headings)
    return Parsed(
        text,
        _DOCX,
        title=stated.title or reader.title or (headings[0].title if headings else None) or first_line(text),
        author=stated.author,
        published=find_dateline(text) or stated.saved,
        language=reader.language() or stated.language,
        headings=headings,
        tags=stated.tags,
        images=reader.images,
        notes=(f"{reader.images} image{'s' if reader.images > 1 else ''} passed over.",) if reader.images else (),
    )


class _Reader:
    """Walks the body of a document and writes its text."""

    def __init__(self, package: Package, main: str) -> None:
        parts = dict(package.related(main).values())
        self.out = Paragraphs()
        self.title: str | None = None
        self.images = 0
        self._styles: dict[str, _Style] = {}
        self._default_language = ""
        self._languages: Counter[str] = Counter()
        self._read_styles(package.xml(parts.get("styles", "")))
        self._numbering = Numbering(package.xml(parts.get("numbering", "")))
        self._notes: dict[tuple[str, str], Any] = {}
        for kind in ("footnote", "endnote"):
            root = package.xml(parts.get(kind + "s", ""))
            for node in root if root is not None else ():
                self._notes[kind, attribute(node, "id")] = node

    def language(self) -> str | None:
        """The language most of the letters are marked with."""
        common = self._languages.most_common(1)
        return as_language(common[0][0]) if common else None

    def blocks(self, parent: Any) -> None:
        """Write the paragraphs and tables of an element, in order."""
        for node in parent:
            name = local(node)
            if name == "p":
                self._paragraph(node)
            elif name == "tbl":
                self._table(node)
            elif name in _TRANSPARENT:
                self.blocks(node)

    def _paragraph(self, node: Any) -> None:
        line = _Line()
        self._inline(node, line)
        text = "".join(line.words)
        properties = _child(node, "pPr")
        style = attribute(_child(properties, "pStyle"), "val") if _child(properties, "pStyle") is not None else ""
        level = self._level(properties, style)
        if text.strip():
            if self.title is None and self._name(style) == "title":
                self.title = " ".join(text.split())
            mark = self._mark(properties, style)
            simple = mark == "- " or re.fullmatch(r"\d{1,3}[.)] ", mark) is not None
            self.out.add(mark + text.lstrip(), level=level, item=simple and not level)
        for box in line.boxes:
            self.blocks(box)
        for note in line.notes:
            self.blocks(note)

    def _inline(self, parent: Any, line: _Line, language: str = "") -> None:
        for node in parent:
            name = local(node)
            if name == "r":
                properties = _child(node, "rPr")
                if _is_on(_child(properties, "vanish")):
                    continue
                marked = _child(properties, "lang")
                self._inline(node, line, attribute(marked, "val") if marked is not None else "")
            elif name == "t":
                words = node.text or ""
                self._languages[language or self._default_language] += len(words)
                line.words.append(words)
            elif name in _SIGNS:
                line.words.append(_SIGNS[name])
            elif name == "br":
                line.words.append("\n" if attribute(node, "type") in ("", "textWrapping") else " ")
            elif name in ("footnoteReference", "endnoteReference"):
                note = self._notes.get((name.removesuffix("Reference"), attribute(node, "id")))
                if note is not None and note not in line.notes:
                    line.notes.append(note)
            elif name == "AlternateContent":  # the same thing in several forms
                self._inline(next(iter(node), ()), line, language)
            elif name in ("drawing", "pict", "object"):
                self._drawn(node, line)
            elif name in _TRANSPARENT or _is_math(node):
                self._inline(node, line, language)

    def _drawn(self, node: Any, line: _Line) -> None:
        boxes = [inner for inner in node.iter() if local(inner) == "txbxContent"]
        line.boxes += boxes
        pictures = sum(1 for inner in node.iter() if local(inner) in ("blip", "imagedata", "chart", "relIds"))
        self.images += pictures

    def _table(self, node: Any) -> None:
        rows: list[list[str]] = []
        marked = 0
        for row in _descend(node, "tr"):
            cells: list[str] = []
            for cell in _descend(row, "tc"):
                cells.append(self._cell(cell))
                span = _child(_child(cell, "tcPr"), "gridSpan")
                cells += [""] * (min(_number(attribute(span, "val"), 1), 64) - 1 if span is not None else 0)
            if _is_on(_child(_child(row, "trPr"), "tblHeader")) and len(rows) == marked:
                marked += 1
            rows.append(cells)
        if all(sum(1 for cell in row if cell.strip()) <= 1 for row in rows):  # a table for the sake of its frame
            for row in rows:
                self.out.add("\n".join(cell for cell in row if cell.strip()))
            return
        for text in row_lines(rows, marked=marked or None):
            self.out.add(text)

    def _cell(self, cell: Any) -> str:
        outer, self.out = self.out, Paragraphs()
        try:
            self.blocks(cell)
            return self.out.text
        finally:
            self.out = outer

    def _read_styles(self, root: Any) -> None:
        for node in root if root is not None else ():
            if local(node) == "docDefaults":
                marked = next((inner for inner in node.iter() if local(inner) == "lang"), None)
                self._default_language = attribute(marked, "val") if marked is not None else ""
            elif local(node) == "style":
                style = _Style()
                for child in node:
                    if local(child) == "name":
                        style.name = attribute(child, "val").lower()
                    elif local(child) == "basedOn":
                        style.base = attribute(child, "val")
                    elif local(child) == "pPr":
                        level = _child(child, "outlineLvl")
                        style.level = _number(attribute(level, "val"), 9) + 1 if level is not None else 0
                        style.number = _list_of(child)
                self._styles[attribute(node, "styleId")] = style

    def _chain(self, style: str) -> Iterator[_Style]:
        seen: set[str] = set()
        while style in self._styles and style not in seen:
            seen.add(style)
            yield self._styles[style]
            style = self._styles[style].base

    def _name(self, style: str) -> str:
        return self._styles[style].name if style in self._styles else style.lower()

    def _level(self, properties: Any, style: str) -> int:
        stated = _child(properties, "outlineLvl")
        if stated is not None:
            level = _number(attribute(stated, "val"), 9) + 1
            return level if level <= 9 else 0
        for one in self._chain(style):
            named = _HEADING.fullmatch(one.name)
            if one.level or named is not None:
                level = one.level or (int(named.group(1)) if named is not None else 0)
                return level if level <= 9 else 0
        return 0

    def _mark(self, properties: Any, style: str) -> str:
        stated = _list_of(properties) or next((one.number for one in self._chain(style) if one.number), None)
        return self._numbering.next(*stated) if stated is not None else ""


def _is_math(node: Any) -> bool:
    """Whether an element is part of a formula, whose letters are text as well."""
    return isinstance(node.tag, str) and "/math" in node.tag and not local(node).endswith("Pr")


def _child(node: Any, name: str) -> Any:
    return next((child for child in node if local(child) == name), None) if node is not None else None


def _descend(node: Any, name: str) -> Iterator[Any]:
    """The children of a name, also those that are wrapped in a content control or a tracked insertion."""
    for child in node:
        if local(child) == name:
            yield child
        elif local(child) in _TRANSPARENT:
            yield from _descend(child, name)


def _is_on(node: Any) -> bool:
    return node is not None and attribute(node, "val").lower() not in ("0", "false", "off")


def _list_of(properties: Any) -> tuple[str, int] | None:
    node = _child(properties, "numPr")
    if node is None:
        return None
    number, level = _child(node, "numId"), _child(node, "ilvl")
    if number is None:
        return None
    return attribute(number, "val"), _number(attribute(level, "val"), 0) if level is not None else 0


def _number(text: str, default: int) -> int:
    return int(text) if text.isdecimal() and len(text) < 9 else default
