"""reStructuredText: the text stays as it is; headings and fields are read from it; the door of docutils."""

from __future__ import annotations

import re
from typing import Any

from index.parse.stated import as_date, as_language, as_tags, as_text
from index.parse.text import decode, find_dateline, first_line
from index.settings import LibrarySettings
from index.types import Heading, Parsed

_MAX_LENGTH = 2_000_000  # characters; docutils takes a minute for so many, so that longer texts go without headings
_SAFE: dict[str, Any] = {
    "file_insertion_enabled": False,  # no include, no csv-table from a file or an address
    "raw_enabled": False,
    "_disable_config": True,  # no docutils.conf from the folder we happen to be in
    "report_level": 5,
    "halt_level": 6,
    "warning_stream": False,
    "syntax_highlight": "none",
    "smart_quotes": False,
    "toc_backlinks": False,
    "auto_id_prefix": "d-",
    "line_length_limit": 1_000_000,
}
_ADORNMENT = re.compile(r"([!-/:-@\[-`{-~])\1{1,}\s*")


def parse_rst(data: bytes, settings: LibrarySettings) -> Parsed:
    """Read a reStructuredText file; nothing it names is included and nothing in it is run."""
    text, notes = decode(data)
    if len(text) > _MAX_LENGTH:
        note = f"The text is over {_MAX_LENGTH:,} characters long; its headings were not looked for."
        return Parsed(text, "text/x-rst", title=first_line(text), published=find_dateline(text), notes=(*notes, note))
    try:
        tree = _tree(text)
    except Exception as error:  # docutils stumbles over what its authors did not foresee; the text is there without it
        note = f"The markup could not be read ({type(error).__name__}), so that there are no headings."
        return Parsed(text, "text/x-rst", title=first_line(text), published=find_dateline(text), notes=(*notes, note))
    headings = tuple(_headings(tree, text))
    fields = _fields(tree)
    return Parsed(
        text,
        "text/x-rst",
        title=headings[0].title if headings else first_line(text),
        author=as_text(fields.get("author") or fields.get("authors")),
        published=as_date(fields.get("date")) or find_dateline(text),
        language=as_language(fields.get("language") or fields.get("lang")),
        headings=headings,
        tags=as_tags(fields.get("tags"), fields.get("keywords")),
        images=sum(1 for _ in tree.findall(lambda node: node.tagname == "image")),
        notes=notes,
    )


def _tree(text: str) -> Any:
    from docutils.core import publish_doctree

    return publish_doctree(text, settings_overrides=_SAFE)


def _headings(tree: Any, text: str) -> list[Heading]:
    """The titles of the tree, found again in the text: a line over a line of one repeated mark."""
    lines: list[str] = text.split("\n")
    starts: list[int] = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    found: list[Heading] = []
    at = 0
    for node in tree.findall(lambda node: node.tagname in ("title", "subtitle")):
        if node.parent.tagname not in ("section", "document"):
            continue  # of a topic or a sidebar
        source = (node.rawsource or node.astext()).strip()
        row = next((i for i in range(at, len(lines) - 1) if _is_title(lines, i, source)), None)
        if row is not None:
            stripped = lines[row].strip()
            start = starts[row] + lines[row].index(stripped)
            found.append(Heading(start, start + len(stripped), _level(node), " ".join(node.astext().split())))
            at = row + 1
    return found


def _is_title(lines: list[str], i: int, title: str) -> bool:
    return lines[i].strip() == title and _ADORNMENT.fullmatch(lines[i + 1]) is not None


def _level(node: Any) -> int:
    level = 1 if node.tagname == "title" else 2
    above = node.parent
    while above.parent is not None:
        level += 1
        above = above.parent
    return level if node.parent.tagname == "document" or _has_title(above) else level - 1


def _has_title(document: Any) -> bool:
    return any(child.tagname == "title" for child in document.children)


def _fields(tree: Any) -> dict[str, str]:
    """What the list of fields at the top states."""
    found: dict[str, str] = {}
    for info in tree.findall(lambda node: node.tagname in ("docinfo", "field_list")):
        for node in info.children:
            if node.tagname == "field":
                found.setdefault(node[0].astext().lower(), " ".join(node[1].astext().split()))
            elif node.tagname == "authors":
                found.setdefault("author", ", ".join(child.astext() for child in node.children))
            else:
                found.setdefault(node.tagname, node.astext())
        break
    for node in tree.findall(lambda node: node.tagname == "meta"):
        found.setdefault(str(node.get("name", "")).lower(), str(node.get("content", "")))
    return found
