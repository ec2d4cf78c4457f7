"""Words that limit a question to some documents: "only from the Ministry", "just the PDFs", "only 2026"."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date
from pathlib import PurePath
from typing import TYPE_CHECKING

from index.where import AnyOf, Dates, Filter, parse_where
from rag.grounding.edits import MONTHS
from rag.words import STOP_WORDS

if TYPE_CHECKING:
    from index.library import Library
    from index.types import DocumentInfo

_ONLY = r"(?:only|just|solely|exclusively|merely|nothing but)"
_IN = (
    r"(?:from|in|by|according to|based on|using|with|on the basis of|looking at|out of|the ones? (?:from|in|by)|"
    r"what (?:is|was|stands|it says|they say) in)"
)
_LIMIT = (
    r"(?:limit|restrict|narrow|confine|reduce)(?: (?:it|this|that|yourself|the search|the answer|them))?(?: down)? to"
)
_BEFORE_COLON = re.compile(
    rf"^\W*(?:and |but |please |now |ok |okay )?(?:{_ONLY} (?:{_IN} )?|{_LIMIT} (?:{_ONLY} )?|{_IN} )"
    r"(?P<scope>[^:?]+?)(?: (?:only|alone))?\s*[:,;–—]\s*(?P<rest>.+)$",
    re.IGNORECASE | re.DOTALL,
)
_WHOLE = re.compile(
    rf"^\W*(?:no\W+)?(?:and |but |please |now |ok |okay |what about |how about )?"
    rf"(?:{_ONLY} (?:{_IN} )?(?:what )?|{_LIMIT} (?:{_ONLY} )?|(?:use |look at |search |"
    rf"take ){_ONLY} (?:{_IN} )?|{_IN} )"
    r"(?P<scope>[^:?]+?)(?: (?:says?|states?|wrote|writes|reports?|say about (?:it|that|this)))?"
    r"(?: (?:only|alone))?(?:,? please)?\s*[.?!]*$",
    re.IGNORECASE,
)
_AT_END = re.compile(
    rf"^(?P<rest>.+?)[\s,;–—(-]+(?:(?:but |and )?{_ONLY} {_IN} (?P<scope>[^:?,]+?)|"
    rf"{_IN} (?P<alone>[^:?,]+?) (?:only|alone))"
    r"(?:,? please)?\)?\s*[.?!]*$",
    re.IGNORECASE,
)
_TYPES = {
    "pdf": "pdf", "pdfs": "pdf", "docx": "docx", "html": "html", "email": "eml", "emails": "eml", "e-mail": "eml",
    "e-mails": "eml", "mail": "eml", "mails": "eml", "spreadsheet": "xlsx", "spreadsheets": "xlsx", "excel": "xlsx",
    "slides": "pptx", "powerpoint": "pptx", "markdown": "md", "webpage": "html", "webpages": "html",
}  # fmt: skip
_PLAIN = frozenset(
    "document documents file files paper papers source sources one ones text texts article articles page pages version "
    "published dated newest year's ones' written report reports".split()
)
_BY_SOURCE = re.compile(
    r"^\W*(?:and |but |now |ok |okay |what about |how about )*(?:according to|based on|from|on the basis of|looking at|"
    r"what (?:is|was|stands|it says|they say) in)\b",
    re.IGNORECASE,
)
_ONLY_DATE = re.compile(
    rf"(?:the |early |late |mid |end of |week |of |\W|\d{{1,2}}(?:st|nd|rd|th)?\b|(?:19|20)\d\d|{'|'.join(MONTHS)})+",
    re.IGNORECASE,
)
_PLEASE = re.compile(r"[\s,]*\bplease\W*$", re.IGNORECASE)
_YEAR = re.compile(r"\b(?:19|20)\d\d\b")
_SIDE = re.compile(r"\b(?P<side>before|since|after|until|up to)\b", re.IGNORECASE)
_MONTHS = [month.lower() for month in MONTHS]
_WORD = re.compile(r"[^\W_]+(?:[-'’][^\W_]+)*")
_MOST = 50  # documents named in a filter; more are no narrowing


@dataclass(frozen=True, slots=True)
class Narrowing:
    """A question cut from the words that limit it.

    `rest` is what is asked, empty if only a limit was typed; `scope` are the words of the limit; `where` and `titles`
    are the documents it stands for, `None` and empty where it fits none or all of them.
    """

    rest: str
    scope: str
    where: Filter | None
    titles: tuple[str, ...]


def find_narrowing(question: str, library: Library, *, follows: bool) -> Narrowing | None:
    """Find out whether a question is limited to some documents.

    Args:
        question: As typed.
        library: Whose documents may be meant.
        follows: Whether something was asked before, which a mere limit can be about.

    Returns:
        The parts; `None` if no limit is asked for.
    """
    question = _PLEASE.sub("", question)
    match = _BEFORE_COLON.match(question) or (_WHOLE.match(question) if follows else None)
    sure = match is not None and re.match(rf"^\W*(?:\w+ )?(?:{_ONLY}|{_LIMIT})", question, re.IGNORECASE) is not None
    if match is None:
        match = _AT_END.match(question)
        sure = match is not None
    if match is None:
        return None
    parts = match.groupdict()
    scope = (parts.get("scope") or parts.get("alone") or "").strip()
    if not sure and (_BY_SOURCE.match(question) is None or _ONLY_DATE.fullmatch(scope)):
        return None  # "And in June?", "In 2019, …": no limit but a part of what is asked
    where, infos = resolve(scope, library)
    if where is None and not sure:
        return None
    rest = (parts.get("rest") or "").strip()
    if rest and where is None:
        return None
    return Narrowing(rest, scope, where, tuple(info.title for info in infos))


def resolve(scope: str, library: Library) -> tuple[Filter | None, list[DocumentInfo]]:
    """Find the documents that words stand for: by type, date, and words of title, author and file name.

    Returns:
        A filter and its documents; `None` and none if the words fit no document, or all of them.
    """
    words = [match.group().lower().replace("’", "'").removesuffix("'s") for match in _WORD.finditer(scope)]
    words = [w for w in words if w not in STOP_WORDS or w == "may"]
    types = {_TYPES[w] for w in words if w in _TYPES}
    dates, dated = _dates(scope, words)
    where = parse_where(f"type={','.join(sorted(types))}") if types else Filter()
    if dates is not None:
        where = replace(where, published=(dates,))
    names = [w for w in words if w not in _TYPES and w not in _PLAIN and w not in dated]
    if not where and not names:
        return None, []
    every = library.documents(where=where or None)
    wanted = {t for w in names for t in library.lexical.terms(w)}
    found = [info for info in every if wanted <= terms_of_name(info, library)] if wanted else every
    if not found or len(found) == len(library) or (wanted and len(found) > _MOST):
        return None, []
    if wanted:
        where = replace(where, documents=(AnyOf(tuple(info.id for info in found)),))
    return where, found


def both(first: Filter | str | None, second: Filter | None) -> Filter | str | None:
    """Join two filters: both must hold."""
    if second is None or not first:
        return second or first
    given = parse_where(first) if isinstance(first, str) else first
    names = ("sources", "titles", "types", "published", "tags", "languages", "documents")
    return Filter(**{name: (*getattr(given, name), *getattr(second, name)) for name in names})


def terms_of_name(info: DocumentInfo, library: Library) -> set[str]:
    """The index terms of a document's title, author and file name."""
    name = re.sub(r"[-_.]+", " ", PurePath(info.source.split("!/")[-1]).name)
    return set(library.lexical.terms(f"{info.title} {info.author or ''} {name}"))


def _dates(scope: str, words: list[str]) -> tuple[Dates | None, set[str]]:
    """Read a year, or a month of a year, with "before" or "since" in front of it."""
    year = _YEAR.search(scope)
    if year is None:
        return None, set()
    number = int(year.group())
    month = next((i for i, name in enumerate(_MONTHS, 1) if name in words), None)
    first = date(number, month or 1, 1)
    following = date(number + (month == 12 or month is None), (month % 12 + 1) if month else 1, 1)
    last = date.fromordinal(following.toordinal() - 1)
    side = _SIDE.search(scope)
    named = {year.group(), *(_MONTHS[month - 1 : month] if month else ())}
    if side is None:
        return Dates(((first, last),)), named
    before = {"before": date.fromordinal(first.toordinal() - 1), "until": last, "up to": last}
    word = side["side"].lower()
    if word in before:
        return Dates(((None, before[word]),)), named
    return Dates(((following if word == "after" else first, None),)), named
