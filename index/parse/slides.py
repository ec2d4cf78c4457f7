"""Presentations: each slide a section under its title, with its tables, and the speaker's notes below it."""

from __future__ import annotations

from typing import Any

from index.errors import UnreadableDocumentError
from index.parse.ooxml import read_properties
from index.parse.package import Package, attribute, local
from index.parse.paragraphs import Paragraphs
from index.parse.stated import as_language
from index.parse.table import row_lines
from index.parse.text import find_dateline
from index.settings import LibrarySettings
from index.types import Parsed

_PPTX = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
_TITLES = ("title", "ctrTitle")
_FURNITURE = ("dt", "ftr", "sldNum", "hdr", "sldImg")
_WRAPPERS = ("AlternateContent", "Choice", "Fallback", "grpSp")


def parse_pptx(data: bytes, settings: LibrarySettings) -> Parsed:
    """Read a PowerPoint presentation; title, author, date and tags come from its properties."""
    package = Package(data, "presentation", settings)
    main = package.main() or "ppt/presentation.xml"
    root = package.xml(main)
    if root is None:
        raise UnreadableDocumentError(
            "The presentation has no list of slides.", remedy="Open it in PowerPoint or Impress and save it again."
        )
    parts = package.related(main)
    out = Paragraphs()
    images, language, first_title = 0, None, None
    slides = [node for node in root.iter() if local(node) == "sldId"]
    for number, node in enumerate(slides, 1):
        kind, name = next((parts[v] for k, v in node.attrib.items() if k.endswith("}id") and v in parts), ("", ""))
        slide = package.xml(name) if kind == "slide" else None
        if slide is None:
            continue
        title, shapes = _shapes(slide)
        first_title = first_title or title
        out.add(title or f"Slide {number}", level=1, title=f"Slide {number}: {title}" if title else f"Slide {number}")
        for shape in shapes:
            images += _write(shape, out)
        notes = next((target for link, target in package.related(name).values() if link == "notesSlide"), "")
        spoken = package.xml(notes)
        for shape in _shapes(spoken)[1] if spoken is not None else ():
            _write(shape, out)
        language = language or _language(slide)
    stated = read_properties(package)
    return Parsed(
        out.text,
        _PPTX,
        title=stated.title or first_title,
        author=stated.author,
        published=find_dateline(out.text) or stated.saved,
        language=language or stated.language,
        headings=tuple(out.headings),
        tags=stated.tags,
        images=images,
        notes=(f"{images} image{'s' if images > 1 else ''} passed over.",) if images else (),
    )


def _shapes(slide: Any) -> tuple[str, list[Any]]:
    """A slide's title, and its other shapes in the order in which they are read aloud."""
    title, shapes = "", []
    for shape in _flat(next((node for node in slide.iter() if local(node) == "spTree"), ())):
        place = next((attribute(node, "type") for node in shape.iter() if local(node) == "ph"), None)
        if place in _TITLES and not title:
            title = " ".join(" ".join(_paragraphs(shape)).split())
        elif place not in _FURNITURE:
            shapes.append(shape)
    return title, shapes


def _flat(tree: Any) -> list[Any]:
    """The shapes of a tree, those in groups included; of alternatives the first."""
    found: list[Any] = []
    for node in tree:
        name = local(node)
        if name == "AlternateContent":
            found += _flat(next(iter(node), ()))
        elif name in _WRAPPERS:
            found += _flat(node)
        elif name in ("sp", "graphicFrame", "pic", "cxnSp"):
            found.append(node)
    return found


def _write(shape: Any, out: Paragraphs) -> int:
    """Write a shape's text or table; tell how many pictures it was instead."""
    table = next((node for node in shape.iter() if local(node) == "tbl"), None)
    if table is not None:
        properties = next((node for node in table if local(node) == "tblPr"), None)
        marked = 1 if properties is not None and properties.get("firstRow") in ("1", "true") else None
        rows = [
            [" ".join(_paragraphs(cell)) for cell in row if local(cell) == "tc"] for row in table if local(row) == "tr"
        ]
        for line in row_lines(rows, marked=marked):
            out.add(line)
        return 0
    if local(shape) in ("pic", "graphicFrame"):
        return 1
    paragraphs = _paragraphs(shape)
    bodies = [node for node in shape.iter() if local(node) == "ph"]
    listed = bool(bodies) and attribute(bodies[0], "type") in ("", "body", "obj") and len(paragraphs) > 1
    for text in paragraphs:
        out.add(f"- {text}" if listed and "\n" not in text else text, item=listed)
    return 0


def _paragraphs(shape: Any) -> list[str]:
    found = []
    for paragraph in shape.iter():
        if local(paragraph) != "p":
            continue
        words = []
        for node in paragraph.iter():
            if local(node) == "t":
                words.append(node.text or "")
            elif local(node) == "br":
                words.append("\n")
        text = "".join(words).strip()
        if text:
            found.append(text)
    return found


def _language(slide: Any) -> str | None:
    runs = (node for node in slide.iter() if local(node) == "rPr")
    return next((language for node in runs if (language := as_language(attribute(node, "lang")))), None)
