"""Rich text: its words by striprtf; headings, rows of tables and properties from its control words."""

from __future__ import annotations

import re
from collections import Counter
from datetime import date

from index.errors import UnreadableDocumentError
from index.parse.package import first_line as reason_of
from index.parse.paragraphs import Paragraphs
from index.parse.stated import as_tags, as_text
from index.parse.table import row_lines
from index.parse.text import find_dateline, first_line
from index.settings import LibrarySettings
from index.types import Parsed

# Marks of our own, from the private use area, that striprtf carries through as letters.
_HEAD, _CELL, _ROW, _BREAK, _INSIDE = "\ue0f0", "\ue0f1", "\ue0f2", "\ue0f3", "\ue0f4"
_OUTLINE = re.compile(r"\\outlinelevel([0-8])(?![0-9]) ?")
_CELL_WORD = re.compile(r"\\(?:nest)?cell(?![a-z]) ?")
_ROW_WORD = re.compile(r"\\(?:nest)?row(?![a-z]) ?")
_NOTE_OR_PARAGRAPH = re.compile(r"\{(?:\\\*)?\\footnote(?![a-z])|\\par(?![a-z]) ?")
_INSIDE_WORD = re.compile(r"\\intbl(?![a-z]) ?")
_LINE_WORD = re.compile(r"\\line(?![a-z]) ?")
_HIDDEN_GROUPS = re.compile(r"\{\\\*?\\?(?:\*\\shppict|pict|nonshppict|object|\*\\objdata|\*\\themedata)\b")
_GROUP_EDGE = re.compile(r"\\[\\{}]|\\bin(\d{1,9}) ?|[{}]")
_LANGUAGES = {
    7: "de",
    9: "en",
    10: "es",
    12: "fr",
    16: "it",
    19: "nl",
    21: "pl",
    22: "pt",
    25: "ru",
    29: "sv",
    31: "tr",
}
_LANGUAGES |= {4: "zh", 5: "cs", 6: "da", 8: "el", 11: "fi", 14: "hu", 17: "ja", 18: "ko", 20: "no", 24: "ro", 34: "uk"}


def parse_rtf(data: bytes, settings: LibrarySettings) -> Parsed:
    """Read a rich text file; title, author, date and keywords come from its information group."""
    if not data.lstrip().startswith(b"{\\rtf"):
        raise UnreadableDocumentError(
            "The file does not begin as rich text does.", remedy="Give it the ending of its real format."
        )
    source, images = _without_pictures(data.decode("latin-1"))
    info = _group(source, "{\\info")
    out = _written(_words(source.replace(info, "", 1) if info else source))
    headings = tuple(out.headings)
    saved = _time(info, "revtim") or _time(info, "creatim")
    return Parsed(
        out.text,
        "application/rtf",
        title=_stated(info, "title", source) or (headings[0].title if headings else None) or first_line(out.text),
        author=_stated(info, "author", source),
        published=find_dateline(out.text) or saved,
        language=_language(source),
        headings=headings,
        tags=as_tags(_stated(info, "keywords", source)),
        images=images,
        notes=(f"{images} image{'s' if images > 1 else ''} passed over.",) if images else (),
    )


def _language(source: str) -> str | None:
    """The language that most of the runs are marked with, else the one stated for the whole."""
    codes = Counter(re.findall(r"\\lang(\d{1,5})(?!\d)", source)) - Counter({"1024": len(source), "0": len(source)})
    stated = re.search(r"\\deflang(\d{1,5})", source)
    code = codes.most_common(1)[0][0] if codes else stated.group(1) if stated is not None else "0"
    return _LANGUAGES.get(int(code) & 0x3FF)


def _without_pictures(source: str) -> tuple[str, int]:
    """Take out pictures and embedded objects, which are most of a file and no text, and count them."""
    parts, at, images = [], 0, 0
    for match in _HIDDEN_GROUPS.finditer(source):
        if match.start() >= at:
            parts.append(source[at : match.start()])
            at = _group_end(source, match.start())
            images += "nonshppict" not in match.group() and "themedata" not in match.group()
    parts.append(source[at:])
    return "".join(parts), images


def _group_end(source: str, start: int) -> int:
    """Where the group that opens at `start` ends; binary data in it counts by its stated length."""
    depth, at = 0, start
    while (match := _GROUP_EDGE.search(source, at)) is not None:
        at = match.end() + int(match.group(1) or 0)
        depth += {"{": 1, "}": -1}.get(match.group(), 0)
        if depth == 0:
            return at
    return len(source)


def _group(source: str, opening: str) -> str:
    at = source.find(opening)
    return source[at : _group_end(source, at)] if at >= 0 else ""


def _with_notes_below(source: str) -> str:
    """Move footnotes out of the lines they hang on, below the paragraph."""
    parts, waiting, at = [], [], 0
    for match in _NOTE_OR_PARAGRAPH.finditer(source):
        if match.start() < at:
            continue
        parts.append(source[at : match.start()])
        if match.group().startswith("{"):
            at = _group_end(source, match.start())
            waiting.append(source[match.end() : at - 1])
        else:
            parts.append(match.group() + "".join(f"{{ {note}\\par }}" for note in waiting))
            at, waiting = match.end(), []
    return "".join([*parts, source[at:]])


def _words(source: str) -> str:
    from striprtf.striprtf import rtf_to_text

    for pattern, mark in ((_CELL_WORD, _CELL), (_ROW_WORD, _ROW), (_LINE_WORD, _BREAK), (_INSIDE_WORD, _INSIDE)):
        source = pattern.sub(rf"\\uc1\\u{ord(mark)}?", source)
    source = _OUTLINE.sub(lambda m: rf"\uc1\u{ord(_HEAD)}?\u{ord('0') + int(m.group(1))}?", source)
    source = _with_notes_below(source)
    source = source.replace("HYPERLINK", "LINK")  # else striprtf writes addresses into the text
    try:
        text = str(rtf_to_text(source, errors="replace"))
    except (ValueError, LookupError, IndexError, OverflowError, TypeError) as error:
        raise UnreadableDocumentError(
            f"The rich text cannot be read: {reason_of(error)}.",
            remedy="Open it in a word processor and save it again.",
        ) from error
    return text.encode("utf-16", "surrogatepass").decode(
        "utf-16", "replace"
    )  # halves of characters that belong together


def _written(text: str) -> Paragraphs:
    """Cut the words at their marks into headings, paragraphs and rows of tables."""
    out, rows = Paragraphs(), []
    cells: list[str] = []
    begun: list[str] = []  # paragraphs of a cell that goes on
    for line in text.split("\n"):
        while _ROW in line or _CELL in line:
            cell, mark, line = re.split(f"([{_ROW}{_CELL}])", line, maxsplit=1)
            if mark == _CELL:
                cells.append(" ".join([*begun, cell]).replace(_BREAK, " ").replace(_INSIDE, ""))
                begun = []
            else:
                rows.append(cells)
                cells = []
        if _INSIDE in line or (cells and line.strip()):
            begun.append(line)
            continue
        if not line.strip() and rows:
            continue
        _add_rows(out, rows)
        rows = []
        head = re.search(f"{_HEAD}([0-8])", line)
        line = re.sub(f"{_HEAD}[0-8]", "", line).replace(_BREAK, "\n")
        listed = re.match(r"\s*(?:[\u2022\u00b7\uf0b7\u2013-]|\d{1,3}[.)])\s*\t\s*", line)
        if listed is not None and head is None:
            mark = listed.group().strip()
            line = ("- " if not mark[0].isdigit() else f"{mark} ") + line[listed.end() :]
        out.add(line, level=int(head.group(1)) + 1 if head else 0, item=listed is not None)
    _add_rows(out, [*rows, [*cells, *(line.replace(_INSIDE, "") for line in begun)]])
    return out


def _add_rows(out: Paragraphs, rows: list[list[str]]) -> None:
    for line in row_lines([[re.sub(f"{_HEAD}[0-8]", "", cell) for cell in row] for row in rows]):
        out.add(line)


def _stated(info: str, name: str, source: str) -> str | None:
    group = _group(info, f"{{\\{name}") or _group(info, f"{{\\*\\{name}")
    if not group:
        return None
    from striprtf.striprtf import rtf_to_text

    page = re.search(r"\\ansicpg\d{1,5}", source)
    content = re.sub(rf"^\{{(?:\\\*)?\\{name}\b ?", "", group)[:-1]
    try:
        text = rtf_to_text(f"{{\\rtf1\\ansi{page.group() if page else ''} {content}}}", errors="replace")
    except (ValueError, LookupError, IndexError, OverflowError, TypeError):
        return None
    return as_text(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))


def _time(info: str, name: str) -> date | None:
    found = {key: int(value) for key, value in re.findall(r"\\(yr|mo|dy)(\d{1,4})", _group(info, f"{{\\{name}"))}
    try:
        return date(found["yr"], found["mo"], found["dy"])
    except (KeyError, ValueError):
        return None
