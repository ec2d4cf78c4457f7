"""Filters: which documents a search may look at, as text, as data and as SQL.

    published>=2025-01 type=pdf,html tag=nk source="reports/*" title!=draft

Conditions are separated by spaces and all must hold. Values of one condition are separated by commas and any will do.
`!=` means that none does. A value with spaces, commas or quotes stands in double quotes, a quote in it is doubled.

    source      the path or address: whole, or from some "/" on; a folder stands for all in it; * and ? for any text
    title       words in it, whatever their case; with * or ? the whole title
    type        pdf, html, docx, … or a media type
    published   2025, 2025-03, 2025-03-14, today, yesterday, today-30d (w, m, y), 2024-07..2025-06, none; also < <= > >=
    tag         a tag, whatever its case; * and ?
    language    en matches en-GB, too
    document    an id or its first digits
"""

from __future__ import annotations

import calendar
import difflib
import fnmatch
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import date, timedelta

from index.errors import ConfigError
from index.types import DocumentInfo

KEYS = {
    "source": "sources", "title": "titles", "type": "types", "published": "published", "tag": "tags",
    "language": "languages", "document": "documents",
}  # fmt: skip
"""Keys of the text form, and the fields of `Filter` they fill."""

_BY_BYTES = ("types", "languages", "published")
_LONGEST = 1_000  # characters of a value
_MOST = 100  # values in all; SQLite refuses expressions that are much longer
_CONDITION = re.compile(r"\s*(?P<key>\w+)(?:\s+(?P<spaced>[<>!]?=|[<>])\s+|(?P<op>[<>!]?=|[<>]))")
_VALUE = re.compile(r'"(?P<quoted>(?:[^"]|"")*)"|(?P<bare>[^\s",]+)')
_PLAIN = re.compile(r"[\w./*?:@+~#&%-]+")
_DATE = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?", re.ASCII)
_AGO = re.compile(r"today-(\d{1,5})([dwmy])", re.ASCII)
_EXAMPLE = "Write 2025, 2025-03, 2025-03-14, today, today-30d, 2024-07..2025-06 or none."

Span = tuple[date | None, date | None]
"""First and last day, both included; `None` where it is open."""


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Holds for a document that matches one of the values; if `negated`, for one that matches none."""

    values: tuple[str, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Dates:
    """Holds for a document published within one of the spans, or without a date if `undated`; or the contrary."""

    spans: tuple[Span, ...] = ()
    undated: bool = False
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Filter:
    """Conditions on documents, all of which must hold. Empty, it holds for every document.

    `types` are media types, `languages` and `documents` in lower case; see the module for what the values mean.
    """

    sources: tuple[AnyOf, ...] = ()
    titles: tuple[AnyOf, ...] = ()
    types: tuple[AnyOf, ...] = ()
    published: tuple[Dates, ...] = ()
    tags: tuple[AnyOf, ...] = ()
    languages: tuple[AnyOf, ...] = ()
    documents: tuple[AnyOf, ...] = ()

    def __bool__(self) -> bool:
        return any(getattr(self, f.name) for f in fields(self))

    def __str__(self) -> str:
        written = []
        short = {media_type: name for name, media_type in reversed(_types().items())} if self.types else {}
        for key, name in KEYS.items():
            for condition in getattr(self, name):
                if isinstance(condition, Dates):
                    values = _written_dates(condition)
                else:
                    values = [_quoted(short.get(v, v) if key == "type" else v) for v in condition.values]
                written.append(f"{key}{'!=' if condition.negated else '='}{','.join(values)}")
        return " ".join(written)

    def narrow(self) -> tuple[Filter, Filter]:
        """Split it into what a document's bytes decide (type, language, date) and what only the catalog knows.

        Returns:
            Two filters; a document matches this one if it matches both.
        """
        bytes_decide = dict.fromkeys(_BY_BYTES, ())
        others = {f.name: () for f in fields(self) if f.name not in _BY_BYTES}
        return replace(self, **others), replace(self, **bytes_decide)

    def matches(self, info: DocumentInfo, tags: Iterable[str], sources: Iterable[str]) -> bool:
        """Tell whether a document with these tags and all these sources meets the conditions."""
        tags, sources = list(tags), list(sources)
        language = (info.language or "").lower().replace("_", "-")

        def any_glob(texts: Sequence[str], patterns: Sequence[str]) -> bool:
            return any(fnmatch.fnmatchcase(text, pattern) for text in texts for pattern in patterns)

        found: list[tuple[AnyOf | Dates, bool]] = []
        found += [(c, any_glob(sources, [p for v in c.values for p in _source_globs(v)])) for c in self.sources]
        found += [(c, any_glob([info.title], [_title_glob(v) for v in c.values])) for c in self.titles]
        found += [(c, info.media_type in c.values) for c in self.types]
        found += [(c, _within(info.published, c)) for c in self.published]
        found += [(c, any_glob(tags, [_caseless_glob(v) for v in c.values])) for c in self.tags]
        found += [(c, any(language == v or language.startswith(f"{v}-") for v in c.values)) for c in self.languages]
        found += [(c, any(info.id.startswith(v) for v in c.values)) for c in self.documents]
        return all(holds != condition.negated for condition, holds in found)

    def to_sql(self) -> tuple[str, list[object]]:
        """Write the conditions for SQLite, over `documents d`, `sources` and `tags`.

        Returns:
            An expression to put after WHERE, with "?" for each value, and the values. No value is part of the text.
        """
        sql, values = _Sql(), list[object]()
        for c in self.sources:
            sql.add(c, "EXISTS (SELECT 1 FROM sources s WHERE s.document_id = d.id AND ({}))", "s.source GLOB ?",
                    [(p,) for v in c.values for p in _source_globs(v)])  # fmt: skip
        for c in self.titles:
            sql.add(c, "({})", "d.title GLOB ?", [(_title_glob(v),) for v in c.values])
        for c in self.types:
            sql.add(c, "({})", "d.media_type = ?", [(v,) for v in c.values])
        for c in self.tags:
            sql.add(c, "EXISTS (SELECT 1 FROM tags t WHERE t.document_id = d.id AND ({}))", "t.tag GLOB ?",
                    [(_caseless_glob(v),) for v in c.values])  # fmt: skip
        for c in self.languages:
            spoken = "replace(lower(coalesce(d.language, '')), '_', '-')"
            sql.add(c, "({})", f"{spoken} = ? OR {spoken} GLOB ?", [(v, f"{_literal(v)}-*") for v in c.values])
        for c in self.documents:
            sql.add(c, "({})", "substr(d.id, 1, ?) = ?", [(len(v), v) for v in c.values])
        for dates in self.published:
            spans = [(*(day.isoformat() if day else open_end for day, open_end in zip(span, ("", "~"), strict=True)),)
                     for span in dates.spans]  # fmt: skip
            sql.add(dates, "({})" if not dates.undated else "(d.published IS NULL OR {})",
                    "coalesce(d.published BETWEEN ? AND ?, 0)", spans)  # fmt: skip
        values += sql.values
        return " AND ".join(sql.clauses) or "1", values


@dataclass(slots=True)
class _Sql:
    clauses: list[str] = field(default_factory=list)
    values: list[object] = field(default_factory=list)

    def add(self, condition: AnyOf | Dates, frame: str, test: str, rows: Sequence[tuple[object, ...]]) -> None:
        """Add one condition: `test` once for each row of values, joined by OR, in the frame."""
        clause = frame.format(" OR ".join([test] * len(rows)) or "0")
        self.clauses.append(f"NOT {clause}" if condition.negated else clause)
        self.values.extend(value for row in rows for value in row)


# Patterns: * and ? are wildcards, brackets are not. The same pattern serves SQLite's GLOB and Python's fnmatch.


def _literal(text: str) -> str:
    return text.replace("[", "[[]")


def _source_globs(value: str) -> list[str]:
    pattern = _literal(value.rstrip("/") or value)
    anywhere = [] if value.startswith(("/", "*")) or "://" in value else [f"*/{pattern}", f"*/{pattern}/*"]
    return [pattern, f"{pattern}/*", *anywhere]


def _caseless_glob(value: str) -> str:
    return "".join(_any_case(c) for c in value)


def _any_case(letter: str) -> str:
    cases = dict.fromkeys(c for c in (letter, letter.lower(), letter.upper()) if len(c) == 1)
    return f"[{''.join(cases)}]" if len(cases) > 1 else _literal(letter)


def _title_glob(value: str) -> str:
    pattern = _caseless_glob(value)
    return pattern if "*" in value or "?" in value else f"*{pattern}*"


def _within(published: date | None, dates: Dates) -> bool:
    if published is None:
        return dates.undated
    return any((a is None or a <= published) and (b is None or published <= b) for a, b in dates.spans)


# Writing


def _quoted(value: str) -> str:
    return value if _PLAIN.fullmatch(value) else '"' + value.replace('"', '""') + '"'


def _written_dates(dates: Dates) -> list[str]:
    spans = [f"{a.isoformat() if a else ''}..{b.isoformat() if b else ''}" for a, b in dates.spans]
    return [*spans, "none"] if dates.undated else spans


# Reading


def parse_where(text: str, today: date | None = None) -> Filter:
    """Read the text form of a filter.

    Args:
        text: Conditions; see the module.
        today: The day that `today` means; that of this machine's clock if `None`.

    Raises:
        ConfigError: A key, type, date or quote is wrong; the message names it.
    """
    today = today or date.today()
    conditions: dict[str, list[AnyOf | Dates]] = {name: [] for name in KEYS.values()}
    at = count = 0
    while text[at:].strip():
        head = _CONDITION.match(text, at)
        if head is None:
            raise ConfigError(
                f"{text[at:].split()[0]!r} is not a condition.",
                remedy="Write a key, an operator and a value, such as type=pdf or published>=2025-01.",
            )
        key, operator = head["key"].lower(), head["op"] or head["spaced"]
        if key not in KEYS:
            near = difflib.get_close_matches(key, KEYS, n=1, cutoff=0.0)
            raise ConfigError(f"{head['key']!r} is not a key of a filter.", remedy=f"Did you mean {near[0]!r}?")
        values, at = _values(text, head.end(), key)
        count += len(values)
        if count > _MOST:
            raise ConfigError(
                f"The filter has more than {_MOST} values.", remedy="Use * for what they have in common, or a tag."
            )
        conditions[KEYS[key]].append(_condition(key, operator, values, today))
    return Filter(**{name: tuple(found) for name, found in conditions.items()})  # type: ignore[arg-type]  # by key


def _values(text: str, at: int, key: str) -> tuple[list[str], int]:
    """Read the values at an offset, and where they end."""
    values: list[str] = []
    while True:
        found = _VALUE.match(text, at)
        rest = text[at:].split()[0][:80] if text[at:].strip() else ""
        value = "" if found is None else found["bare"] or (found["quoted"] or "").replace('""', '"')
        if found is None or not value.strip():
            raise ConfigError(
                f"{key} has no value before {rest!r}." if rest else f"{key} has no value.",
                remedy=f'Write {key}=VALUE without spaces, or {key}="A VALUE WITH SPACES"; close the quotes.',
            )
        values.append(_storable(value, key))
        at = found.end()
        following = text[at : at + 1]
        if following == ",":
            at += 1
        elif following and not following.isspace():
            raise ConfigError(
                f"{key}={text[found.start() : at + 1]!r} has a quote in the middle of a value.",
                remedy='Put the whole value in double quotes and double those in it: title="the ""North"" pier".',
            )
        else:
            return values, at


def _storable(value: str, key: str) -> str:
    if len(value) > _LONGEST or any(c == "\0" or "\ud800" <= c <= "\udfff" for c in value):
        raise ConfigError(
            f"A value of {key} is longer than {_LONGEST} characters or holds characters that no document can have.",
            remedy="Shorten it, with * in place of the rest.",
        )
    return value


def _condition(key: str, operator: str, values: Sequence[str], today: date) -> AnyOf | Dates:
    if key == "published":
        return _dates(operator, values, today)
    if operator not in ("=", "!="):
        raise ConfigError(f"{key} cannot be compared with {operator}.", remedy=f"Write {key}= or {key}!=.")
    reading = {"type": _media_type, "language": _language, "document": _document}.get(key)
    return AnyOf(tuple(dict.fromkeys(map(reading, values) if reading else values)), operator == "!=")


def _types() -> dict[str, str]:
    from index.parse import FORMATS

    return {suffix.lstrip("."): form.media_type for form in FORMATS for suffix in form.suffixes}


def _media_type(value: str) -> str:
    known, name = _types(), value.lower().removeprefix(".")
    if name in known or re.fullmatch(r"[\w.+-]+/[\w.+-]+", name):
        return known.get(name, name)
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.0)
    raise ConfigError(f"{value!r} is not a type of document.", remedy=f"Did you mean {near[0]!r}?")


def _language(value: str) -> str:
    code = value.lower().replace("_", "-")
    if not re.fullmatch(r"[a-z]{2,8}(-[a-z0-9]{1,8})*", code):
        raise ConfigError(f"{value!r} is not the code of a language.", remedy="Write a code such as en, de or pt-BR.")
    return code


def _document(value: str) -> str:
    if not re.fullmatch(r"[0-9a-fA-F]{1,16}", value):
        raise ConfigError(f"{value!r} is not the id of a document.", remedy="dossier list shows the ids.")
    return value.lower()


def _dates(operator: str, values: Sequence[str], today: date) -> Dates:
    if operator in ("=", "!="):
        read = [_range(value, today) for value in values if value.lower() != "none"]
        return Dates(tuple(dict.fromkeys(read)), len(read) < len(values), operator == "!=")
    if len(values) > 1 or values[0].lower() == "none":
        raise ConfigError(
            f"published{operator}{','.join(values)} compares with more than one date, or with none.",
            remedy="Write one date after <, <=, > and >=.",
        )
    first, last = _period(values[0], today)
    try:
        if operator == ">":
            return Dates(((last + timedelta(days=1), None),))
        if operator == "<":
            return Dates(((None, first - timedelta(days=1)),))
    except OverflowError as error:
        raise _no_date(values[0]) from error
    return Dates(((first, None) if operator == ">=" else (None, last),))


def _range(value: str, today: date) -> Span:
    if ".." not in value:
        return _period(value, today)
    left, right = value.split("..", 1)
    first = _period(left, today)[0] if left else None
    last = _period(right, today)[1] if right else None
    if first is not None and last is not None and first > last:
        raise ConfigError(f"{value!r} ends before it begins.", remedy="Write the earlier date first.")
    return first, last


def _period(value: str, today: date) -> tuple[date, date]:
    """Read a day, month, year or distance from today: its first and last day."""
    lower = value.lower()
    try:
        if lower in ("today", "yesterday"):
            day = today - timedelta(days=lower == "yesterday")
            return day, day
        if ago := _AGO.fullmatch(lower):
            day = _before(today, int(ago[1]), ago[2])
            return day, day
        found = _DATE.fullmatch(value)
        if found is None:
            raise _no_date(value)
        year, month, day_of_month = (int(part) if part else None for part in found.groups())
        assert year is not None
        first = date(year, month or 1, day_of_month or 1)
        if day_of_month:
            return first, first
        return first, date(year, month or 12, calendar.monthrange(year, month or 12)[1])
    except (ValueError, OverflowError) as error:
        raise _no_date(value) from error


def _before(today: date, count: int, unit: str) -> date:
    if unit in "dw":
        return today - timedelta(days=count * (7 if unit == "w" else 1))
    months = today.year * 12 + today.month - 1 - count * (12 if unit == "y" else 1)
    year, month = divmod(months, 12)
    return date(year, month + 1, min(today.day, calendar.monthrange(year, month + 1)[1]))


def _no_date(value: str) -> ConfigError:
    return ConfigError(f"{value!r} is not a date.", remedy=_EXAMPLE)
