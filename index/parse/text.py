"""Plain text in any encoding."""

from __future__ import annotations

import codecs
import re
from datetime import date

from index.errors import UnreadableDocumentError
from index.settings import LibrarySettings
from index.types import Parsed

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_NO_CHARSETS = frozenset("punycode idna unicode_escape raw_unicode_escape undefined".split())  # some take hours
_CONTROL = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f\ufffd]")
_MONTHS = "january february march april may june july august september october november december".split()
_DATES = (
    re.compile(r"\b(?P<y>(?:19|20)\d\d)-(?P<m>\d{1,2})-(?P<d>\d{1,2})\b"),
    re.compile(rf"\b(?P<d>\d{{1,2}})(?:st|nd|rd|th)? (?P<name>{'|'.join(_MONTHS)}),? (?P<y>(?:19|20)\d\d)\b", re.I),
    re.compile(rf"\b(?P<name>{'|'.join(_MONTHS)}) (?P<d>\d{{1,2}})(?:st|nd|rd|th)?,? (?P<y>(?:19|20)\d\d)\b", re.I),
)


def decode(data: bytes) -> tuple[str, tuple[str, ...]]:
    """Turn bytes into text with `\\n` line ends.

    Args:
        data: The bytes of a text file.

    Returns:
        The text, and notes for the person: which encoding was guessed where it was not Unicode.

    Raises:
        UnreadableDocumentError: The bytes are not text in any encoding.
    """
    text, notes = _decode(data)
    sample = text[:100_000]
    if len(_CONTROL.findall(sample)) > 0.01 * len(sample) + 2:
        raise UnreadableDocumentError(
            "The file is binary data, not text.", remedy="Give it the ending of its real format, or leave it out."
        )
    return text.replace("\r\n", "\n").replace("\r", "\n"), notes


def decode_declared(data: bytes, encoding: str) -> str | None:
    """Decode bytes by the encoding a document declares; `None` if there is none such, or they are not of it."""
    try:
        name = codecs.lookup(encoding).name
        return None if name.replace("-", "_") in _NO_CHARSETS else data.decode(name)
    except (LookupError, ValueError):
        return None


def _decode(data: bytes) -> tuple[str, tuple[str, ...]]:
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            return data.decode(encoding, errors="replace").lstrip("\ufeff"), ()
    if data[:4096].count(0) > len(data[:4096]) // 4:
        return _decode_wide(data)
    try:
        return data.decode("utf-8"), ()
    except UnicodeDecodeError as error:
        if error.start > len(data) - 4 and error.end >= len(data):  # cut off inside a character
            return data.decode("utf-8", errors="replace"), ("The last character is cut off.",)
    from charset_normalizer import from_bytes

    best = from_bytes(data[:200_000]).best()
    # Short texts give the detector little to go by; the Windows code page is by far the commonest there.
    encoding = best.encoding if best is not None and len(data) > 2000 else "cp1252"
    try:
        text = data.decode(encoding)
    except (UnicodeDecodeError, LookupError):
        encoding, text = "cp1252", data.decode("cp1252", errors="replace")
    return text, (f"The text is not Unicode; it was read as {encoding}.",)


def _decode_wide(data: bytes) -> tuple[str, tuple[str, ...]]:
    """UTF-16 without a byte order mark: every other byte of Latin text is zero."""
    encoding = "utf-16-le" if data[1:4096:2].count(0) >= data[0:4096:2].count(0) else "utf-16-be"
    return data.decode(encoding, errors="replace"), (f"The text has no byte order mark; it was read as {encoding}.",)


def find_date(text: str) -> date | None:
    """Find the first full date that stands in a stretch of text, in ISO form or in English words."""
    found: list[tuple[int, date]] = []
    for pattern in _DATES:
        for match in pattern.finditer(text):
            parts = match.groupdict()
            name = parts.get("name")
            month = _MONTHS.index(name.lower()) + 1 if name else int(parts["m"])
            try:
                found.append((match.start(), date(int(parts["y"]), month, int(parts["d"]))))
            except ValueError:
                continue
            break
    return min(found)[1] if found else None


def find_dateline(text: str) -> date | None:
    """Find the date a text gives itself near its top: in a short line, or where a paragraph begins.

    A date further on in a sentence is what the text speaks of, not when it was published.
    """
    at = 0
    for line in text[:1500].split("\n"):
        if at > 800:
            return None
        found = find_date(line if len(line) <= 80 else line[:60])
        sentence = 40 < len(line) <= 80 and line.rstrip().endswith(".")
        if found is not None and not (sentence and find_date(line[:30]) is None):
            return found
        at += len(line) + 1
    return None


def first_line(text: str) -> str | None:
    """Take the first line as a title if it looks like one: short, no full stop, text below it."""
    lines = text.strip().split("\n", 2)
    line = lines[0].strip().strip("#*=_ ")
    if len(lines) > 1 and 3 <= len(line) <= 150 and not line.endswith((".", ",", ";")):
        return line
    return None


def parse_text(data: bytes, settings: LibrarySettings) -> Parsed:
    """Read a plain text file; the title is its first line, the date one that stands near the top."""
    text, notes = decode(data)
    return Parsed(text, "text/plain", title=first_line(text), published=find_dateline(text), notes=notes)
