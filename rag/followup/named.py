"""Documents that a question points to without asking for them alone: "the Inspector's view", "compared with May".

Narrowing leaves all other documents out; here those that are meant only come first, for the words may mean something
else after all.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING

from index.where import AnyOf, Dates, Filter
from rag.followup.kinds import compares, leans
from rag.followup.narrow import terms_of_name
from rag.grounding.edits import MONTHS
from rag.words import STOP_WORDS, TALK_WORDS

if TYPE_CHECKING:
    from index.library import Library
    from rag.followup.history import History

_PAPER = (
    r"(?:(?:news)?papers?|reports?|briefings?|minutes|(?:fact )?sheets?|articles?|interviews?|e-?mails?|letters?|logs?|"
    r"notes?|memos?|statements?|announcements?|releases?|studies|study|reviews?|surveys?|manuals?|handbooks?|guides?|"
    r"contracts?|polic(?:y|ies)|presentations?|transcripts?|filings?|documents?|files?|accounts?)"
)
_VIEW = (
    r"(?:versions?|views?|figures?|numbers?|estimates?|forecasts?|accounts?|opinions?|positions?|data|plans?|proposals?"
    rf"|answers?|side|{_PAPER})"
)
_SAYS = (
    r"(?:says?|said|writes?|wrote|written|reports?|reported|gives?|gave|given|states?|stated|claims?|claimed|puts?|"
    r"expects?|expected|thinks?|believes?|mentions?|mentioned|announced?|announces|argues?|argued|estimates?|estimated|"
    r"agrees?|agreed|found|finds|hears?|heard)"
)
_NAME = r"(?P<name>(?:(?:the|its|their|his|her|our) |(?-i:[A-Z]))[^?.!:;,]*?)"
_CUES = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"\b(?:according to|in the (?:eyes|words|view|opinion) of|(?:as )?(?:stated|reported|given|announced|"
        rf"estimated|published|claimed) (?:by|in)) {_NAME}(?=[?.!:;,]|$)",
        rf"\b(?:does|did|do|has|have) {_NAME} (?:(?:now|still|also|itself|himself|herself|themselves) )?{_SAYS}\b",
        rf"\bwhat {_NAME} {_SAYS}\b",
        rf"\b(?:in|from|by|of|with|does|do|did|to) (?P<name>(?:the |its |their )?(?:[\w’'-]+ ){{0,3}}{_PAPER}"
        rf"(?: (?:of|for|by|from|to) (?:the )?[\w’'-]+(?: (?-i:[A-Z])[\w’'-]+)*)?)",
        rf"(?:^(?:(?:and|but|so|or|what about|how about) )?|\b(?:about|in|from|with|than|and) )"
        rf"(?P<name>(?:the |(?-i:[A-Z])[\w-]+ ){{0,3}}[\w-]+)[’']s? {_VIEW}\b",
    )
)
_PLAIN = frozenset(
    "paper report briefing sheet article document file statement account version view figure number estimate position "
    "time moment end beginning answer side year month week day today people question".split()
)
_MONTH = re.compile(rf"(?<!\d )\b(?P<month>{'|'.join(MONTHS)})\b")
_YEAR = re.compile(r"\b(?:19|20)\d\d\b")
_YEARS = (1950, 2100)  # in which a month without a year is looked for
_PERSON = re.compile(r"\b(?:he|she|him|her|his|hers|himself|herself)\b", re.IGNORECASE)
_WORD = re.compile(r"[^\W_]+(?:[-'’][^\W_]+)*")
_LOOKED_AT, _MOST = 60, 3  # passages that may lead to a named document; documents that words may name
_ALL = 2_000  # documents of a library whose names are all looked at; of more, those whose text has the words
_HEAD = 250  # characters of a document that say what it is, as its title does
_PERSONAL, _CITED, _SURE = 0.8, 0.45, 0.6
"""What counts less than a name in the question: that a document's name has what "she" stands for, the answer before,
which several documents share between them; that it was cited for that answer. From the last value up it is searched
apart."""
_ENOUGH = 0.5  # share of the words of a name that a document's must have; those at its head count half


def favour(question: str, library: Library, history: History, *, comparing: bool) -> dict[str, float]:
    """Find the documents that a question points to.

    Args:
        question: As typed.
        library: Whose documents may be meant.
        history: What was said before, on which the question leans; empty if it does not.
        comparing: Whether the question sets something against something else.

    Returns:
        How surely each is meant, from 0 to 1, by its id; the others are left out.
    """
    found: dict[str, float] = {}
    last = history.turns[-1].answer if history.turns else None
    for citation in last.citations[:2] if last is not None else ():
        found[citation.document_id] = _CITED
    names = [match["name"] for cue in _CUES for match in cue.finditer(question)]
    if names or comparing:
        for name in _dated(question, library):
            found[name] = 1.0
    if history.highlight[:1].isupper() and _PERSON.search(question):
        people = _named(history.highlight, library)
        for name in people:
            found[name] = max(found.get(name, 0.0), _PERSONAL / len(people))
    for text in dict.fromkeys(names):
        for name in _named(text, library):
            found[name] = min(1.0, found.get(name, 0.0) + 1.0)
    return found


def ask_source(question: str, history: History, library: Library) -> str | None:
    """Put the question before to the source that a turn names, where it asks nothing else.

    Args:
        question: As typed: "And the Inspector's view?", "How does that compare with September?".
        history: What was said before; at least one question.
        library: Tells sources from other things.

    Returns:
        "What will the pier cost, according to the Inspector?"; `None` if the turn has words of its own to search for,
        or names no document of the library.
    """
    cues = ((match, match["name"]) for cue in _CUES for match in cue.finditer(question))
    found = next(((m, name) for m, name in cues if _named(name, library)), None)
    if found is not None:
        rest, how = f"{question[: found[0].start()]} {question[found[0].end() :]}", f"according to {found[1]}"
    elif compares(question) and _dated(question, library):
        time = [m.group() for m in (*_MONTH.finditer(question), *_YEAR.finditer(question))]
        rest, how = _YEAR.sub(" ", _MONTH.sub(" ", question)), f"compared with {' '.join(time)}"
    else:
        return None
    words = [m.group().lower().replace("’", "'") for m in _WORD.finditer(rest)]
    if any(w not in STOP_WORDS and w not in TALK_WORDS and w not in _PLAIN for w in words):
        return None
    earlier = next((q for q in reversed(history.questions) if not leans(q)), history.questions[-1])
    return f"{_CUES[0].sub('', earlier).rstrip('?.!, ')}, {how}?"


def _named(text: str, library: Library) -> list[str]:
    """The documents whose names have most of the words of a text; none if there are too many."""
    words = [m.group().lower().replace("’", "'").removesuffix("'s").removesuffix("'") for m in _WORD.finditer(text)]
    words = [w for w in words if w not in STOP_WORDS]
    plain = {t for w in words if w in _PLAIN or w.removesuffix("s") in _PLAIN for t in library.lexical.terms(w)}
    terms = list(dict.fromkeys(t for w in words for t in library.lexical.terms(w)))
    if plain.issuperset(terms):
        return []
    hits = library.lexical.search(dict.fromkeys(terms, 1.0), _LOOKED_AT)
    ids = list(dict.fromkeys(name.rsplit(":", 1)[0] for name, _ in hits))
    infos = library.documents(ids if len(library) > _ALL else None)
    held = {info.id: terms_of_name(info, library) for info in infos}
    heads = {name: _head(name, library) if name in ids else set[str]() for name in held}
    known = [t for t in terms if any(t in held[name] or t in heads[name] for name in held)]
    telling = [t for t in terms if t not in plain]
    if 2 * sum(t in known for t in telling) < max(len(telling), 2) and known != telling:
        return []
    scores = {
        name: sum(1.0 if t in held[name] else 0.5 if t in heads[name] else 0.0 for t in known) / len(known)
        for name in held
    }
    best = max(scores.values())
    chosen = [name for name, score in scores.items() if score == best]
    return chosen if best >= _ENOUGH and len(chosen) <= _MOST else []


def _head(document_id: str, library: Library) -> set[str]:
    first = next(iter(library.passages(document_id)), None)
    return set(library.lexical.terms(first.text[:_HEAD])) if first is not None else set()


def _dated(question: str, library: Library) -> list[str]:
    """The documents of a month or year in a question; none if there are many, or if it names several.

    A month without a year is that of the newest such document.
    """
    months = list(_MONTH.finditer(question))
    years = set(_YEAR.findall(question))
    if len({m["month"] for m in months}) > 1 or len(years) > 1:
        return []
    spans = [(date(int(y), 1, 1), date(int(y), 12, 31)) for y in years]
    if months:
        number = MONTHS.index(months[0]["month"]) + 1
        spans = [_span(int(year), number) for year in years or range(*_YEARS)]
    infos = library.documents(where=Filter(published=(Dates(tuple(spans)),))) if spans else []
    newest = max((info.published.year for info in infos if info.published is not None), default=0)
    infos = [info for info in infos if info.published is not None and info.published.year == newest]
    return [info.id for info in infos] if len(infos) <= _MOST else []


def _span(year: int, month: int) -> tuple[date, date]:
    """First and last day of a month."""
    following = date(year + month // 12, month % 12 + 1, 1)
    return date(year, month, 1), date.fromordinal(following.toordinal() - 1)


def only(favoured: Mapping[str, float]) -> Filter | None:
    """A filter for the documents that are surely meant; `None` without any."""
    ids = tuple(name for name, sure in favoured.items() if sure >= _SURE)
    return Filter(documents=(AnyOf(ids),)) if ids else None
