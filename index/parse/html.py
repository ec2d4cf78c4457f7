"""HTML: the main text without navigation and boilerplate; the door of trafilatura."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from index.errors import EmptyDocumentError, UnreadableDocumentError
from index.parse.boilerplate import is_bare, sounds_foreign, text_length
from index.parse.stated import as_date, as_language, as_tags
from index.parse.text import decode, decode_declared
from index.settings import LibrarySettings
from index.types import Heading, Parsed

_CHARSET = re.compile(rb"<meta[^>]+charset=[\"']?([\w-]+)", re.IGNORECASE)
_HIDDEN = {"script", "style", "noscript", "template", "iframe", "object", "svg", "head", "select", "button"}
_CHROME = {"nav", "header", "footer", "aside", "form"}
_BLOCKS = {"p", "div", "section", "article", "main", "blockquote", "dl", "dt", "dd", "figure", "figcaption", "address"}
_BLOCKS |= {"ul", "ol", "table", "hr", "details", "summary", "body", "html", "center", "fieldset", "caption"}
_CHROME_NAME = re.compile(
    r"\b(?:nav|navbar|navheader|navfooter|navigation|menu|breadcrumbs?|cookies?|cookie-banner|footer|site-header|sidebar|"
    r"share|social|related|newsletter|subscribe|skip-link|pagination)\b",
    re.IGNORECASE,
)
_SELF_CLOSED = re.compile(
    r"<(title|script|style|textarea|iframe|a|p|div|span|td|th|i|b|em)(\s[^<>]*)?/>", re.IGNORECASE
)
_SPACE = re.compile(r"[ \t\r\n\f\u00a0]{2,}|[\t\r\n\f\u00a0]")  # not a single space: there are millions
_MAX_ELEMENTS = 100_000  # trafilatura takes 30 µs and more for each
_MOST_OF_ID = 3  # words of an id that names a part of a site
_MAX_DEPTH = 400  # deeper nesting than any real page; stops a hostile one before Python's recursion limit


def parse_html(data: bytes, settings: LibrarySettings) -> Parsed:
    """Read the main text of an HTML page, its title, author, date and language where it states them."""
    text, notes = _decode(data)
    return html_text(text, notes)


def html_text(source: str, notes: tuple[str, ...] = ()) -> Parsed:
    """Make a parsed document of HTML source.

    Two readings are compared: all text outside navigation, with its headings, and the main text as trafilatura finds
    it. If the second is most of the first (85%), there is no boilerplate to lose and the first, better structured, is
    kept. If it is less than half, the main text cannot be told and the first is kept too. In between, the second.
    A page that cannot have boilerplate is not searched for its main text, which takes half of the time of reading it.
    """
    import logging

    from trafilatura import bare_extraction, extract_metadata

    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)  # its complaints are ours to handle
    tree = _tree(source)
    whole = _Writer()
    whole.write(tree, drop=_HIDDEN | _CHROME, chrome=_CHROME_NAME)
    main = _Writer()
    found: Any = None
    stated: Any = None
    if _within(tree, _MAX_DEPTH, _MAX_ELEMENTS):
        if not is_bare(whole.length, whole.links, whole.foreign):
            found = bare_extraction(source, favor_recall=True, include_comments=False)
        if _states_anything(tree):
            # Where the page states no date, the search for one is kept short: it would not be used, and loading the
            # date parser alone takes seconds.
            search = {"original_date": True, "extensive_search": _states_date(tree)}
            stated = extract_metadata(source, date_config=search)
        if found is not None and found.body is not None:
            main.write(found.body, drop=set())
    text, headings = whole.done()
    main_text, main_headings = main.done()
    if 0.5 * len(text) <= len(main_text) < 0.85 * len(text):
        text, headings = main_text, main_headings
    if not text:
        everything = _Writer()
        everything.write(tree, drop=_HIDDEN)
        text, headings = everything.done()
    if not text:
        text = _all_text(source)  # nested deeper than the parser goes
    if not text:
        raise EmptyDocumentError("The page holds no text.", remedy="Save it from a browser after it has loaded.")
    title = _title(stated.title if stated is not None else None, tree.findtext(".//title"))
    return Parsed(
        text,
        "text/html",
        title=title or (headings[0].title if headings else None),
        author=_clean(stated.author if stated is not None else None) or _stated_author(tree),
        published=as_date(stated.date) if stated is not None and _states_date(tree) else None,
        language=as_language(tree.get("lang") or tree.get("{http://www.w3.org/XML/1998/namespace}lang") or ""),
        headings=tuple(headings),
        tags=as_tags(*tree.xpath("//meta[@property='article:tag' or @name='keywords']/@content")),
        images=whole.images,
        notes=notes,
    )


def _says_heading(node: Any, name: str) -> bool:
    """Tell if an element's id is made of the words of its heading, as generators of manuals do: then it is text.

    An id of many words is taken for one whatever stands in the element: headings have such ids themselves.
    "how-do-i-share-variables" is no part of a site for sharing. A single word tells only on what is called a section:
    `<div id="menu">` may be headed "Menu", too.
    """
    words = re.findall(r"[a-z0-9]+", name.lower())
    if len(words) > _MOST_OF_ID:
        return True
    if len(words) == 1 and node.tag != "section" and "section" not in (node.get("class") or "").split():
        return False
    heading = next((e for e in node.iter() if isinstance(e.tag, str) and _heading_level(e, e.tag)), None)
    return heading is not None and re.findall(r"[a-z0-9]+", "".join(heading.itertext()).lower()) == words


def page_text(source: str) -> tuple[str, list[Heading], int]:
    """Write all visible text of a page that is known to have no boilerplate, such as a chapter of a book.

    Returns:
        The text, its headings, and how many pictures were passed over; blank text for a page without any.
    """
    tree = _tree(_SELF_CLOSED.sub(r"<\1\2></\1>", source)) if source.strip() else None
    writer = _Writer()
    if tree is not None:
        writer.write(tree, drop=_HIDDEN)
    text, headings = writer.done()
    if not text and source.strip():
        text = _all_text(source)  # nested deeper than the parser goes
    return text, headings, writer.images


def _tree(source: str) -> Any:
    import lxml.html
    from lxml import etree

    try:
        parser = lxml.html.HTMLParser(huge_tree=True)
        return lxml.html.document_fromstring(re.sub(r"^\s*<\?xml[^>]*\?>", "", source), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError) as error:
        raise UnreadableDocumentError(
            f"The page cannot be parsed as HTML: {error}.", remedy="Check that it is an HTML page."
        ) from error


def _all_text(source: str) -> str:
    """The words between the tags, for a page that no tree can be made of."""
    from html.parser import HTMLParser

    class Words(HTMLParser):
        def __init__(self) -> None:
            super().__init__()
            self.parts: list[str] = []
            self.hidden = ""

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            if tag in ("script", "style"):
                self.hidden = tag

        def handle_endtag(self, tag: str) -> None:
            if tag == self.hidden:
                self.hidden = ""

        def handle_data(self, data: str) -> None:
            if not self.hidden:
                self.parts.append(data)

    words = Words()
    words.feed(source)
    return "\n".join(line for part in words.parts if (line := _SPACE.sub(" ", part).strip()))


def _decode(data: bytes) -> tuple[str, tuple[str, ...]]:
    declared = _CHARSET.search(data[:4096])
    if declared is not None:
        text = decode_declared(data, declared.group(1).decode("ascii"))
        if text is not None:  # else the page lies about its encoding; detect it instead
            return text.replace("\r\n", "\n").replace("\r", "\n"), ()
    return decode(data)


def _title(found: str | None, stated: str | None) -> str | None:
    """The title found (without the name of the site) if it is part of the one the page states, else the stated one."""
    found, stated = _clean(found), _clean(stated)
    return found if found and (not stated or found.lower() in stated.lower()) else stated


def _stated_author(tree: Any) -> str | None:
    stated = tree.xpath("//meta[@name='author' or @property='article:author']/@content")
    return _clean(stated[0]) if stated else None


def _states_anything(tree: Any) -> bool:
    """Whether a page says who wrote it, when, or under which title, other than in its title element."""
    return bool(
        tree.xpath(
            "//meta[@property or @itemprop or contains(@name,'author') or contains(@name,'Author')"
            " or contains(@name,'date') or contains(@name,'title') or contains(@name,'publi')"
            " or contains(@name,'creator')] | //time"
            " | //script[@type='application/ld+json'] | //*[@itemprop or @rel='author' or contains(@class,'author')"
            " or contains(@class,'byline') or contains(@class,'date') or contains(@id,'author')]"
        )
    )


def _states_date(tree: Any) -> bool:
    """A date is taken only from a statement of it; trafilatura also guesses from any number in the page."""
    return bool(
        tree.xpath(
            "//time | //meta[contains(translate(concat(@name,@property,@itemprop,@http-equiv),"
            "'DATEPUBLISH','datepublish'),'date') or contains(@property,'published') or contains(@name,'published')]"
            " | //script[@type='application/ld+json'] | //*[contains(@class,'date') or contains(@class,'byline')]"
        )
    )


def _within(tree: Any, depth: int, elements: int) -> bool:
    """Tell if a tree is neither deeper nor larger than the limits."""
    level = [tree]
    while level:
        depth -= 1
        elements -= len(level)
        if depth < 0 or elements < 0:
            return False
        level = [child for node in level for child in node]
    return True


def _clean(value: str | None) -> str | None:
    return _SPACE.sub(" ", value).strip() or None if value else None


class _Writer:
    """Writes a tree of HTML (or trafilatura's XML) as paragraphs, headings, list items and table rows."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self.length = 0
        self._headings: list[Heading] = []
        self._line: list[str] = []
        self._prefix = ""
        self._gap = "\n\n"
        self._chrome: re.Pattern[str] | None = None
        self.images = 0
        self.links = 0
        self.foreign = 0

    def done(self) -> tuple[str, list[Heading]]:
        self._flush()
        return "".join(self._parts), self._headings

    def write(self, root: Any, drop: set[str], chrome: re.Pattern[str] | None = None) -> None:
        """Write a tree without the elements named in `drop` or of a class, id or role that `chrome` finds.

        Walks with a stack of its own: a page may nest deeper than Python's recursion goes.
        """
        self._chrome = chrome
        stack: list[Iterator[Any] | Any] = [self._visit(root, drop)]
        while stack:
            child = next(stack[-1], None)
            if child is None:
                stack.pop()
            else:
                stack.append(self._visit(child, drop))

    def _visit(self, node: Any, drop: set[str]) -> Iterator[Any]:
        tag = node.tag if isinstance(node.tag, str) else "!comment"
        if tag != "!comment" and tag not in drop and not self._left_out(node, tag):
            yield from self._inside(node, tag)
        if node.tail:
            self._line.append(node.tail)

    def _left_out(self, node: Any, tag: str) -> bool:
        if _is_hidden(node):
            return True
        if self._chrome is None or tag in ("body", "main", "article", "html"):
            return False
        names = " ".join(filter(None, (node.get("class"), node.get("role"))))
        own = node.get("id") or ""
        if own and not (self._is_foreign(own) and _says_heading(node, own)):
            names = f"{names} {own}"
        if not names:
            return False
        if self._chrome.search(names) is not None:
            return True
        if sounds_foreign(names):
            self.foreign += text_length(node)
        return False

    def _is_foreign(self, name: str) -> bool:
        return sounds_foreign(name) or (self._chrome is not None and self._chrome.search(name) is not None)

    def _inside(self, node: Any, tag: str) -> Iterator[Any]:
        level = _heading_level(node, tag)
        self.images += tag in ("img", "picture", "graphic") and node.getparent().tag != "picture"
        if level:
            self._flush()
            self._line.append("".join(node.itertext()))
            self._flush(heading=level)
        elif tag in ("pre", "quote", "code") and "\n" in (text := "".join(node.itertext())):
            self._flush()
            self._emit(text.strip("\n").rstrip(), "\n\n")
        elif tag in ("br", "lb"):
            self._flush(gap="\n")
        elif tag in ("td", "th", "cell"):
            if any(part.strip() for part in self._line):
                self._line.append(" | ")
            self._line.append(node.text or "")
            yield from node
        elif tag in ("li", "item", "tr", "row"):
            self._flush()
            self._gap = "\n"
            self._prefix = "- " if tag in ("li", "item") else ""
            self._line.append(node.text or "")
            yield from node
            self._flush(gap="\n")
            self._prefix = ""
        elif tag in ("p", "div") and _is_whole_cell(node):
            self._line.append(node.text or "")
            yield from node
        elif tag in _BLOCKS or tag == "list":
            self._flush()
            self._line.append(node.text or "")
            yield from node
            self._flush()
        else:
            if tag == "a" and node.get("href"):
                self.links += text_length(node)
            self._line.append(node.text or "")
            yield from node

    def _flush(self, *, heading: int = 0, gap: str = "\n\n") -> None:
        line = "".join(self._line)
        self._line.clear()
        if line:
            line = _SPACE.sub(" ", line).strip().strip("|").strip()
        if line:
            line, self._prefix = self._prefix + line, ""
            start = self._emit(line, self._gap)
            self._gap = gap
            if heading:
                self._headings.append(Heading(start, start + len(line), heading, line))
        elif gap == "\n\n":
            self._gap = gap

    def _emit(self, text: str, gap: str) -> int:
        if self._parts:
            self._parts.append(gap)
            self.length += len(gap)
        start = self.length
        self._parts.append(text)
        self.length += len(text)
        return start


def _is_hidden(node: Any) -> bool:
    if not node.keys():
        return False
    if node.get("hidden") is not None or node.get("epub:type") == "noteref" or node.get("role") == "doc-noteref":
        return True  # the number of a note, which would stick to the word before it
    style = (node.get("style") or "").replace(" ", "").lower()
    return "display:none" in style or "visibility:hidden" in style


def _is_whole_cell(node: Any) -> bool:
    """Whether a paragraph is all that a cell of a table holds, so that it does not break the row."""
    cell = node.getparent()
    return (
        cell is not None
        and cell.tag in ("td", "th")
        and len(cell) == 1
        and len(node.xpath("*[self::p|self::div|self::ul|self::ol|self::table|self::br]")) == 0
    )


_LEVELS = {f"h{level}": level for level in range(1, 7)}


def _heading_level(node: Any, tag: str) -> int:
    return _LEVELS.get((node.get("rend") or "") if tag == "head" else tag, 0)
