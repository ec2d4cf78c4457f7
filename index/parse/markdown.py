"""Markdown: the text stays as it is; headings, title and front matter are read from it."""

from __future__ import annotations

import re
from typing import Any

from index.parse.stated import as_date, as_language, as_names, as_tags, as_text
from index.parse.text import decode, find_dateline, first_line
from index.settings import LibrarySettings
from index.types import Heading, Parsed

_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?)\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_IMAGE = re.compile(r"!\[[^\]\n]{0,500}\]\([^)\n]{1,2000}\)")


def parse_markdown(data: bytes, settings: LibrarySettings) -> Parsed:
    """Read a Markdown file with its YAML front matter, if it has one."""
    text, notes = decode(data)
    return markdown_text(text, "text/markdown", notes)


def markdown_text(text: str, media_type: str, notes: tuple[str, ...] = ()) -> Parsed:
    """Make a parsed document of Markdown text, whatever format it came from."""
    matter = _FRONT_MATTER.match(text)
    meta = _front_matter(matter.group(1)) if matter else {}
    body_at = matter.end() if matter else 0
    headings = find_headings(text, body_at)
    title = as_text(meta.get("title")) or (headings[0].title if headings else None) or first_line(text[body_at:])
    return Parsed(
        text,
        media_type,
        title=title,
        author=as_names(meta.get("author", meta.get("authors"))),
        published=as_date(meta.get("date", meta.get("published"))) or find_dateline(text[body_at:]),
        language=as_language(meta.get("lang", meta.get("language"))),
        headings=tuple(headings),
        skipped=((0, matter.end()),) if matter else (),
        notes=notes,
        tags=as_tags(meta.get("tags"), meta.get("keywords")),
        images=len(_IMAGE.findall(text)),
    )


def find_headings(text: str, start: int = 0) -> list[Heading]:
    """List the headings of Markdown text with their offsets; those inside code blocks do not count."""
    from markdown_it import MarkdownIt

    line_starts = [start]
    for match in re.finditer("\n", text[start:]):
        line_starts.append(start + match.end())
    line_starts.append(len(text))
    parser = MarkdownIt("commonmark", {"maxNesting": 20}).disable(["link", "image", "emphasis", "html_inline"])
    headings = []
    tokens = parser.parse(text[start:])
    for token, inline in zip(tokens, tokens[1:], strict=False):
        if token.type == "heading_open" and token.map is not None and inline.content.strip():
            first, last = token.map
            at, stop = line_starts[first], line_starts[min(last, len(line_starts) - 1)]
            title = re.sub(r"[*_`]+", "", inline.content).strip()
            headings.append(Heading(at, stop, int(token.tag[1]), title))
    return headings


def _front_matter(block: str) -> dict[str, Any]:
    import yaml

    try:
        data = yaml.safe_load(block)
    except (yaml.YAMLError, ValueError, RecursionError):
        return {}  # a rule and some text, not front matter; the text is kept either way
    return data if isinstance(data, dict) else {}
