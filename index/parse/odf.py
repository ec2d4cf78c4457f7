"""OpenDocument: texts, sheets and slides as LibreOffice writes them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from index.errors import UnreadableDocumentError
from index.parse.package import Package, attribute, local, protected
from index.parse.paragraphs import Paragraphs
from index.parse.stated import as_date, as_language, as_tags, as_text
from index.parse.table import row_lines
from index.parse.text import find_dateline, first_line
from index.settings import LibrarySettings
from index.types import Parsed

_ODF = "application/vnd.oasis.opendocument."
_SILENT = frozenset(
    ("annotation", "annotation-end", "tracked-changes", "bookmark", "change", "sequence-decls", "forms")
)
_SILENT |= frozenset(
    ("note-citation", "ruby-text", "table-of-content", "alphabetical-index", "scripts", "desc", "title")
)
_MAX_REPEAT = 1000  # repeated cells and rows: a sheet may say that a blank one comes a million times


def parse_odt(data: bytes, settings: LibrarySettings) -> Parsed:
    """Read a text document."""
    return _parse(data, settings, "text")


def parse_ods(data: bytes, settings: LibrarySettings) -> Parsed:
    """Read a spreadsheet: each sheet a section, each row a line that repeats its headers."""
    return _parse(data, settings, "spreadsheet")


def parse_odp(data: bytes, settings: LibrarySettings) -> Parsed:
    """Read a presentation: each slide a section, with the speaker's notes below it."""
    return _parse(data, settings, "presentation")


def _parse(data: bytes, settings: LibrarySettings, kind: str) -> Parsed:
    package = Package(data, f"OpenDocument {kind}", settings)
    if b"encryption-data" in package.read("META-INF/manifest.xml"):
        raise protected(f"OpenDocument {kind}")
    root = package.xml("content.xml")
    body = next((node for node in root if local(node) == "body"), None) if root is not None else None
    if body is None or not len(body):
        raise UnreadableDocumentError(
            "The OpenDocument file has no content.", remedy="Open it in LibreOffice and save it again."
        )
    styles = package.xml("styles.xml")
    writer = _Writer(kind, root, styles)
    writer.blocks(body[0])
    text, headings = writer.out.text, tuple(writer.out.headings)
    meta = _Meta(package.xml("meta.xml"))
    titles = (
        as_text(meta.first("title")),
        writer.title,
        headings[0].title if headings and kind != "spreadsheet" else None,
    )
    saved = as_date(meta.first("date")) or as_date(meta.first("creation-date"))
    images = writer.images
    return Parsed(
        text,
        _ODF + kind,
        title=next((title for title in titles if title), None) or (first_line(text) if kind == "text" else None),
        author=as_text(meta.first("initial-creator")) or as_text(meta.first("creator")),
        published=(find_dateline(text) if kind != "spreadsheet" else None) or saved,
        language=as_language(meta.first("language")) or _language(styles),
        headings=headings,
        tags=as_tags(*meta.all("keyword")),
        images=images,
        notes=(f"{images} image{'s' if images > 1 else ''} passed over.",) if images else (),
    )


class _Meta:
    """The statements of a file about itself."""

    def __init__(self, root: Any) -> None:
        self._found = [(local(node), node.text or "") for node in root.iter()] if root is not None else []

    def all(self, name: str) -> list[str]:
        return [text for found, text in self._found if found == name and text.strip()]

    def first(self, name: str) -> str:
        return next(iter(self.all(name)), "")


def _language(styles: Any) -> str | None:
    """The language of the default paragraph."""
    for node in styles.iter() if styles is not None else ():
        if local(node) == "default-style" and attribute(node, "family") in ("paragraph", "graphic", "table-cell"):
            for inner in node:
                language = as_language(attribute(inner, "language"))
                if language:
                    return language
    return None


class _Writer:
    """Walks the content and writes its text."""

    def __init__(self, kind: str, root: Any, styles: Any) -> None:
        self.out = Paragraphs()
        self.title: str | None = None
        self.images = 0
        self._kind = kind
        self._parents: dict[str, str] = {}
        self._numbered: dict[tuple[str, int], str] = {}
        for tree in (styles, root):
            for node in tree.iter() if tree is not None else ():
                if local(node) == "style":
                    self._parents[attribute(node, "name")] = attribute(node, "parent-style-name")
                elif local(node) == "list-level-style-number" and attribute(node, "num-format"):
                    parent = node.getparent()
                    key = attribute(parent, "name"), _count(attribute(node, "level"))
                    self._numbered[key] = attribute(node, "num-suffix") or "."

    def blocks(self, parent: Any, prefix: str = "") -> None:
        """Write the paragraphs, lists, tables and slides of an element; `prefix` goes before the first."""
        for node in parent:
            name = local(node)
            if name in ("p", "h"):
                self._paragraph(node, prefix)
                prefix = ""
            elif name == "list":
                self._list(node, attribute(node, "style-name"), 1)
            elif name == "table":
                self._table(node)
            elif name == "page":
                self._slide(node)
            elif name == "frame" and any(local(child) in ("table", "text-box") for child in node):
                self.blocks([child for child in node if local(child) != "image"])  # a picture of what is there as text
            elif name == "frame" and any(local(child) in ("image", "object") for child in node):
                self.images += 1
            elif name and name not in _SILENT:
                self.blocks(node)

    def _paragraph(self, node: Any, prefix: str) -> None:
        words: list[str] = []
        later: list[Any] = []
        self._inline(node, words, later)
        text = "".join(words)
        if self._kind == "text" and self.title is None and self._is_title(attribute(node, "style-name")):
            self.title = as_text(text)
        if text.strip():
            level = min(_count(attribute(node, "outline-level")), 9) if local(node) == "h" else 0
            self.out.add(prefix + text.lstrip(), level=level, item=bool(prefix))
        for block in later:
            self.blocks([block])

    def _inline(self, node: Any, words: list[str], later: list[Any]) -> None:
        words.append(_squeezed(node.text))
        for child in node:
            name = local(child)
            if name == "s":
                words.append(" ")
            elif name == "tab":
                words.append("\t")
            elif name == "line-break":
                words.append("\n")
            elif name in ("note", "frame", "custom-shape", "text-box"):
                later.append(child)  # what is set apart from the line does not stand in it
            elif name and name not in _SILENT:
                self._inline(child, words, later)
            words.append(_squeezed(child.tail))

    def _list(self, node: Any, style: str, level: int) -> None:
        suffix = self._numbered.get((style, level))
        number = 0
        for item in node:
            if local(item) not in ("list-item", "list-header"):
                continue
            number += 1
            first = True
            for child in item:
                if local(child) == "list":
                    self._list(child, attribute(child, "style-name") or style, level + 1)
                elif local(child) == "h":
                    self._paragraph(child, "")
                else:
                    mark = (f"{number}{suffix} " if suffix else "- ") if first and local(item) == "list-item" else ""
                    self.blocks([child], mark)
                first = False

    def _table(self, node: Any) -> None:
        rows: list[list[str]] = []
        marked = 0
        for row, header in _rows(node, False):
            cells: list[str] = []
            for cell in row:
                if local(cell) in ("table-cell", "covered-table-cell"):
                    text = self._cell(cell)
                    cells += [text] * min(max(_count(attribute(cell, "number-columns-repeated")), 1), _MAX_REPEAT)
            times = min(max(_count(attribute(row, "number-rows-repeated")), 1), _MAX_REPEAT) if any(cells) else 1
            marked += header and len(rows) == marked
            rows += [cells] * times
        sheet = self._kind == "spreadsheet"
        if sheet and any(any(row) for row in rows):
            self.out.add(attribute(node, "name"), level=1)
        for line in row_lines(rows, sure=sheet, marked=marked or None):
            self.out.add(line)

    def _cell(self, cell: Any) -> str:
        kind = attribute(cell, "value-type")
        if kind == "date" and self._kind == "spreadsheet":
            return attribute(cell, "date-value").replace("T00:00:00", "").replace("T", " ")[:19]
        outer, self.out = self.out, Paragraphs()
        try:
            self.blocks(cell)
            return self.out.text
        finally:
            self.out = outer

    def _slide(self, node: Any) -> None:
        number = sum(1 for _ in node.itersiblings(node.tag, preceding=True)) + 1
        frames = list(node)
        heads = [f for f in frames if attribute(f, "class") == "title"]
        title = ""
        for head in heads[:1]:
            title = " ".join(self._cell(head).split())
        name = f"Slide {number}"
        self.out.add(title or name, level=1, title=f"{name}: {title}" if title else name)
        for frame in frames:
            if frame not in heads[:1]:
                self.blocks([frame])

    def _is_title(self, style: str) -> bool:
        for _ in range(10):
            if style == "Title":
                return True
            style = self._parents.get(style, "")
        return False


def _rows(table: Any, header: bool) -> Iterator[tuple[Any, bool]]:
    for node in table:
        name = local(node)
        if name == "table-row":
            yield node, header
        elif name in ("table-header-rows", "table-rows", "table-row-group"):
            yield from _rows(node, header or name == "table-header-rows")


def _squeezed(text: str | None) -> str:
    return " ".join(f".{text}.".split())[1:-1] if text else ""


def _count(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 9 else 0
