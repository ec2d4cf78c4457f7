"""What Word documents, presentations and workbooks have in common: their properties."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from index.parse.package import Package, local
from index.parse.stated import as_date, as_language, as_tags, as_text

_PREFIX = re.compile(r"^Microsoft (?:Office )?(?:Word|PowerPoint|Excel) - ")
_EMPTY_TITLES = frozenset(("powerpoint presentation", "word document", "untitled", "presentation", "document", "title"))


@dataclass(frozen=True, slots=True)
class Properties:
    """What a document's properties say of it."""

    title: str | None
    author: str | None
    saved: date | None
    language: str | None
    tags: tuple[str, ...]


def read_properties(package: Package) -> Properties:
    """Read the core properties; a damaged or missing part states nothing."""
    part = next((name for kind, name in package.related("").values() if kind == "core-properties"), "docProps/core.xml")
    root = package.xml(part)
    found = {local(node): (node.text or "").strip() for node in root} if root is not None else {}
    title = as_text(_PREFIX.sub("", found.get("title", "")))
    return Properties(
        None if title is not None and title.lower() in _EMPTY_TITLES else title,
        as_text(found.get("creator", "")),
        as_date(found.get("modified")) or as_date(found.get("created")),
        as_language(found.get("language", "")),
        as_tags(found.get("keywords", "")),
    )
