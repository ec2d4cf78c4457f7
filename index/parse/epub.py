"""E-books: the chapters in reading order, with their headings."""

from __future__ import annotations

from typing import Any

from index.errors import UnreadableDocumentError
from index.parse.html import page_text
from index.parse.package import Package, attribute, local, protected, resolve
from index.parse.paragraphs import Paragraphs
from index.parse.stated import as_date, as_language, as_tags, as_text
from index.parse.text import decode
from index.settings import LibrarySettings
from index.types import Heading, Parsed

_PAGES = ("application/xhtml+xml", "text/html", "application/x-dtbook+xml")


def parse_epub(data: bytes, settings: LibrarySettings) -> Parsed:
    """Read an EPUB; title, authors, date, language and subjects come from its package document."""
    package = Package(data, "e-book", settings)
    container = package.xml("META-INF/container.xml")
    names = (
        [attribute(node, "full-path") for node in container.iter() if local(node) == "rootfile"]
        if container is not None
        else []
    )
    opf = package.xml(names[0]) if names else None
    if opf is None:
        raise UnreadableDocumentError("The e-book has no table of its parts.", remedy="Get the file again.")
    encrypted = package.xml("META-INF/encryption.xml")
    if (
        encrypted is not None
        and b"xmlenc" in package.read("META-INF/encryption.xml")
        and "META-INF/rights.xml" in package.names
    ):
        raise protected("e-book")
    out, images, titles = Paragraphs(), 0, _titles(package, opf, names[0])
    for name in _spine(opf, names[0]):
        source, _ = decode(package.read(name) or b" ")
        text, heads, pictures = page_text(source)
        heads = heads or _headings(text, titles.get(name, []))
        out.add_written(text, heads)
        images += pictures
    said = _statements(opf)
    headings = tuple(out.headings)
    return Parsed(
        out.text,
        "application/epub+zip",
        title=as_text(next(iter(said.get("title", ())), "")) or (headings[0].title if headings else None),
        author=", ".join(said.get("creator", ())) or None,
        published=as_date(next(iter(said.get("date", said.get("modified", ()))), "")),
        language=as_language(next(iter(said.get("language", ())), "")),
        headings=headings,
        tags=as_tags(said.get("subject", [])),
        images=images,
        notes=(f"{images} image{'s' if images > 1 else ''} passed over.",) if images else (),
    )


def _spine(opf: Any, base: str) -> list[str]:
    """The parts to read, in order; the table of contents, which repeats the headings, is not among them."""
    parts: dict[str, str] = {}
    order: list[str] = []
    for node in opf.iter():
        if local(node) == "item" and node.get("media-type") in _PAGES:
            if "nav" not in (node.get("properties") or "").split():
                parts[node.get("id") or ""] = resolve(base, node.get("href") or "")
        elif local(node) == "itemref":
            order.append(node.get("idref") or "")
    return list(dict.fromkeys(parts[name] for name in order if name in parts))


def _titles(package: Package, opf: Any, base: str) -> dict[str, list[tuple[int, str]]]:
    """What the table of contents calls the places of each part, with their levels."""
    found: dict[str, list[tuple[int, str]]] = {}
    for node in opf.iter():
        nav = local(node) == "item" and "nav" in (node.get("properties") or "").split()
        if not nav and node.get("media-type") != "application/x-dtbncx+xml":
            continue
        name = resolve(base, node.get("href") or "")
        try:
            root = package.xml(name)
        except UnreadableDocumentError:
            continue  # the book can be read without it
        for entry in root.iter() if root is not None else ():
            if local(entry) == "a" and entry.get("href"):
                target, words = entry.get("href"), "".join(entry.itertext())
            elif local(entry) == "navPoint":
                content = next((child for child in entry if local(child) == "content"), None)
                label = next((child for child in entry if local(child) == "navLabel"), None)
                target = content.get("src") or "" if content is not None else ""
                words = "".join(label.itertext()) if label is not None else ""
            else:
                continue
            level = sum(1 for above in entry.iterancestors() if local(above) in ("ol", "navPoint"))
            place = max(level + (local(entry) == "navPoint"), 1), " ".join(words.split())
            entries = found.setdefault(resolve(name, target), [])
            if place[1] not in (words for _, words in entries):
                entries.append(place)
    return found


def _headings(text: str, titles: list[tuple[int, str]]) -> list[Heading]:
    """Find the titles that the table of contents gives, where they stand as lines of their own."""
    found: list[Heading] = []
    waiting, at = list(titles), 0
    for line in text.split("\n"):
        match = next((i for i, (_, title) in enumerate(waiting) if title == line), None)
        if match is not None:
            level, title = waiting[match]
            found.append(Heading(at, at + len(line), min(level, 6), title))
            del waiting[: match + 1]
        at += len(line) + 1
    return found


def _statements(opf: Any) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    metadata = next((node for node in opf if local(node) == "metadata"), None)
    for node in metadata.iter() if metadata is not None else ():
        words = " ".join((node.text or "").split())
        if not words:
            continue
        event = attribute(node, "event")
        if local(node) == "date" and event and event != "publication":
            continue
        name = (node.get("property") or "").removeprefix("dcterms:") if local(node) == "meta" else local(node)
        found.setdefault(name, []).append(words)
    return found
