"""What documents state of themselves, in whatever form their format writes it: dates, languages, authors, tags."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime
from email.utils import parsedate_to_datetime

from index.parse.text import find_date

_LANGUAGE = re.compile(r"([A-Za-z]{2,3})(?:[-_][A-Za-z0-9-_]+)?")
_NUMERIC_DATE = re.compile(r"\s*(\d{4})[-/.]?(\d{2})[-/.]?(\d{2})(?!\d)")
_MAX_NAMES = 200
_MAX_TAGS = 50


def as_text(value: object) -> str | None:
    """Take a text or number as a line of text; `None` for anything else and for blanks."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    return " ".join(str(value).split()) or None


def as_date(value: object) -> date | None:
    """Read a full date out of an ISO date or time, `20240131`, an e-mail date or one in English words.

    A year or a month alone is no date: nobody said which day.
    """
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    if not isinstance(value, str) or not value.strip():
        return None
    match = _NUMERIC_DATE.match(value)
    try:
        if match is not None:
            return date(*map(int, match.groups()))
        return find_date(value) or parsedate_to_datetime(value).date()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def as_language(value: object) -> str | None:
    """Reduce a language tag ("en-GB", "pt_BR") to the language itself, in lower case; `None` if it is none."""
    match = _LANGUAGE.fullmatch(value.strip()) if isinstance(value, str) else None
    language = match.group(1).lower() if match is not None else None
    return None if language in ("und", "zxx", "mul", "mis") else language


def as_names(value: object) -> str | None:
    """Join a list of names, or of `{"name": …}` records, with commas; a text stays as it is."""
    listed = value if isinstance(value, (list, tuple)) else (value,)
    names = (as_text(item.get("name") if isinstance(item, dict) else item) for item in listed[:_MAX_NAMES])
    return ", ".join(name for name in names if name) or None


def as_tags(*values: object) -> tuple[str, ...]:
    """Gather tags from lists and from texts that part them by commas or semicolons; each once, in their order."""
    found: dict[str, None] = {}
    for value in values:
        parts: Iterable[object] = ()
        if isinstance(value, str):
            parts = re.split(r"[,;\n]", value)
        elif isinstance(value, (list, tuple)):
            parts = value
        for part in parts:
            tag = as_text(part)
            if tag is not None and len(tag) <= 100:
                found.setdefault(tag)
    return tuple(found)[:_MAX_TAGS]
