"""Questions about what was known at a time: "as of May 2025, how many vessels are there?".

Only documents published by then may answer them. A date that belongs to what is asked ("by 2030 the ministry plans",
"who was minister until 2024?") is no such limit, so a phrase counts only where it can hardly mean anything else.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

from index.where import Dates, Filter, parse_where
from rag.followup.kinds import UNSEARCHED, Kind, follows
from rag.grounding.edits import MONTHS

if TYPE_CHECKING:
    from rag.types import Conversation

_MONTH = rf"(?P<month>{'|'.join(MONTHS)}|(?:Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept|Sep|Oct|Nov|Dec)\b\.?)"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_YEAR = r"(?P<year>(?:19|20)\d\d)(?![\w/-])(?!\.\d)"
_PART = (
    r"(?:(?:the )?(?P<part>very end|end|close|beginning|start|middle|first half|second half|"
    r"(?:first|second|third|fourth|last) quarter|spring|summer|autumn|fall)(?: of|,)? |(?P<short>early|mid|late)[ -]|"
    r"(?P<quarter>Q[1-4])(?: of)? )?"
)
_WRITTEN = (
    r"(?P<year>(?:19|20)\d\d)-(?P<number>\d\d)(?:-(?P<day>\d\d))?(?![\w-])",
    r"(?P<day>\d{1,2})(?P<sign>[./])(?P<number>\d{1,2})(?P=sign)(?P<year>(?:19|20)\d\d)(?![\w/-])",
    rf"(?:the )?{_DAY}(?: of)? {_MONTH},? {_YEAR}",
    rf"{_MONTH} (?:the )?{_DAY},? {_YEAR}",
    rf"{_PART}{_MONTH}(?: of|,)? {_YEAR}",
    rf"{_PART}(?:the year )?{_YEAR}",
    r"(?P<ago>yesterday|last (?:year|month|week))\b",
    rf"(?:the )?{_DAY}(?: of)? {_MONTH}(?! \d)",
    rf"{_MONTH} {_DAY}(?:st|nd|rd|th)?(?![\w:]| \d)",
    rf"(?:the end of )?{_MONTH}(?! \d)\b",
)
_DATES = [re.compile(pattern, re.IGNORECASE) for pattern in _WRITTEN]

# These say it wherever they stand.
_SURE = re.compile(
    r"\b(?:as (?:of|at|per)|(?:according to|from|on|with|given|based on) (?:what|all that|everything|the information)"
    r"(?: that)? (?:was|were|had been|has been|is|people|we|they|one)?\s*(?:then |publicly |already )?"
    r"(?:known|knew|published|reported|available|public)(?: about \w+)? (?:in|by|at|on|as of|up to|until)|"
    r"(?:known|published|available) (?:by|up to|until|as of)|"
    r"(?:from|using|in|with) (?:only )?(?:the )?(?:documents|sources|reports|papers|files) "
    r"(?:(?:that were |that are )?(?:published |dated |available |written )?(?:by|up to|until|as of)))\s+",
    re.IGNORECASE,
)
# These say it at the beginning of a question, and all but "by" also at the end of one about what has been.
_LOOSE = re.compile(r"\b(?P<word>until|up to|up until|till|by)\s+(?:and including\s+)?", re.IGNORECASE)
_FUTURE = re.compile(
    r"\b(?:will|shall|going to|plans?|planned|planning|expects?|expected|due|supposed|want|aim)\b|'ll\b", re.I
)
_SO_FAR = re.compile(
    r"^\s*(?:and |so )?(?:how (?:many|much|often)|what|which|who)\b.*\b(?:has|have|had) (?:\w+ )?\w+", re.I
)
_FROM_THEN_ON = re.compile(
    r"\b(?:effective|starting|beginning|valid|applicable|applies|apply|in force|into force|into effect|payable|"
    r"due|mandatory)(?: \w+)?\W*$",
    re.IGNORECASE,
)
_ASKS = re.compile(r"\s*,|\s+(?:how|what|who|which|where|when|why|is|are|was|were|did|has|have|had)\b", re.IGNORECASE)
_WILL = re.compile(r"\b(?:will|shall|going to)\b|'ll\b", re.IGNORECASE)
_NOW = re.compile(
    r"\b(?:now|nowadays|today|current|currently|at present|these days|the latest|latest|most recent|"
    r"since then|after that|"
    r"later|afterwards|by now|meanwhile|in the end|all documents|any date|whatever (?:the|their) date)\b",
    re.IGNORECASE,
)
_QUOTES = '"“”«»'
_SEASONS = {"spring": 5, "summer": 8, "autumn": 11, "fall": 11}


@dataclass(frozen=True, slots=True)
class AsOf:
    """A question that may use only documents published by a day.

    `limit` is that day, included; `question` is what is left to ask, with every word that does not name the limit.
    """

    limit: date
    question: str


def parse_as_of(question: str, today: date | None = None) -> AsOf | None:
    """Find the date by which documents must have been published to answer a question.

    Args:
        question: As typed.
        today: What "last month" and a month without a year count from; this machine's day if `None`.

    Returns:
        The last day of the month or year that is named, and the rest of the question; `None` if no limit is asked for.
    """
    today = today or date.today()
    for match in _SURE.finditer(question):
        found = _date_at(question, match.end(), today)
        if found is None or _quoted(question, match.start()) or _FROM_THEN_ON.search(question[: match.start()]):
            continue
        limit, end = found
        if limit > today and match.start() > 0 and _WILL.search(question):
            continue  # "What will the fee be as of January 2030?": from then on
        return AsOf(limit, _without(question, match.start(), end))
    for match in _LOOSE.finditer(question):
        found = _date_at(question, match.end(), today)
        if found is None or _quoted(question, match.start()):
            continue
        limit, end = found
        if _loose_is_meant(question, match, end):
            return AsOf(limit, _without(question, match.start(), end))
    return None


def limit_to(where: Filter | str | None, limit: date) -> Filter:
    """Add to a filter that documents must have been published by a day; those without a date do not pass."""
    chosen = (parse_where(where) if isinstance(where, str) else where) or Filter()
    return replace(chosen, published=(*chosen.published, Dates(((None, limit),))))


def limit_to_undated(where: Filter | str | None) -> Filter:
    """Add to a filter that documents must have no date."""
    chosen = (parse_where(where) if isinstance(where, str) else where) or Filter()
    return replace(chosen, published=(*chosen.published, Dates(undated=True)))


def inherited_limit(question: str, kind: Kind, conversation: Conversation | None) -> date | None:
    """Find the limit that a follow-up takes over from the question before it.

    Args:
        question: The follow-up, which names no limit itself.
        kind: What turn it is; a question that stands alone takes over nothing.
        conversation: The turns before it.

    Returns:
        The limit of the last turn that was searched for; `None` without one, or if the question asks for what is known
        now.
    """
    if conversation is None or not follows(kind) or _NOW.search(question):
        return None
    for turn in reversed(conversation.turns):
        if turn.answer is None:
            found = parse_as_of(turn.question)
            return found.limit if found is not None else None
        if turn.answer.kind not in UNSEARCHED:
            return turn.answer.as_of
    return None


def _loose_is_meant(question: str, match: re.Match[str], end: int) -> bool:
    """Tell whether "until", "up to" or "by" limits what may be known and not what is asked."""
    before, after = question[: match.start()].strip(" ,;:"), question[end:]
    if _FUTURE.search(question):
        return False
    if before.lower() in ("", "and", "so", "but", "then", "ok", "okay"):
        return _ASKS.match(after) is not None
    ends = not after.strip(" ?.!")
    return ends and match["word"].lower() != "by" and _SO_FAR.match(before) is not None


def _quoted(question: str, at: int) -> bool:
    """Tell whether a place of a question stands in quotes: then its words are asked about."""
    return sum(question[:at].count(q) for q in _QUOTES) % 2 == 1


def _without(question: str, start: int, end: int) -> str:
    """Take a stretch out of a question, with the punctuation that set it off."""
    before, after = question[:start].rstrip(), question[end:].lstrip()
    if before.endswith("(") and after.startswith(")"):
        before, after = before[:-1].rstrip(), after[1:].lstrip()
    if before.endswith((",", ";", "–", "—")) and (not after or after[0] in ",;–—?.!"):
        before = before[:-1].rstrip()
    if not before:
        after = after.lstrip(" ,;:–—")
    elif after[:1] in (",", ";") and before.endswith((",", ";")):
        after = after[1:].lstrip()
    joint = "" if not before or not after or after[0] in ",;:.?!)" else " "
    rest = (before + joint + after).strip()
    return rest[:1].upper() + rest[1:] if not before else rest


def _date_at(text: str, at: int, today: date) -> tuple[date, int] | None:
    """Read the date that begins at an offset: its last day, and where it ends."""
    for pattern in _DATES:
        match = pattern.match(text, at)
        if match is not None:
            day = _last_day({k: v for k, v in match.groupdict().items() if v}, today)
            if day is not None:
                return day, match.end()
    return None


def _last_day(said: dict[str, str], today: date) -> date | None:
    try:
        if "ago" in said:
            return _before_today(said["ago"].lower(), today)
        month = int(said["number"]) if "number" in said else _month(said.get("month", ""))
        day = int(said.get("day", 0))
        if said.get("sign") == "/" and (month or 0) > 12:
            month, day = day, month or 0  # month first, as in America
        if "year" not in said:
            return _latest(lambda year: _end(year, month, day), today)
        year = int(said["year"])
        return _end_of_part(said, year, month) or _end(year, month, day)
    except ValueError:
        return None


def _before_today(words: str, today: date) -> date:
    first = {"last year": date(today.year, 1, 1), "last month": today.replace(day=1), "yesterday": today}
    return first.get(words, today - timedelta(days=today.weekday())) - timedelta(days=1)


def _latest(make: Callable[[int], date], today: date) -> date:
    """The last such day that is not beyond the month at hand."""
    made = make(today.year)
    return made if (made.year, made.month) <= (today.year, today.month) else make(today.year - 1)


def _month(name: str) -> int | None:
    return next((i for i, m in enumerate(MONTHS, 1) if m.lower()[:3] == name.lower()[:3]), None) if name else None


def _end(year: int, month: int | None, day: int = 0) -> date:
    return date(year, month or 12, day or calendar.monthrange(year, month or 12)[1])


def _end_of_part(said: dict[str, str], year: int, month: int | None) -> date | None:
    """The last day of a part ("early 2025", "the first quarter of 2025"); `None` if it is that of the whole."""
    part = (said.get("part") or said.get("short") or said.get("quarter") or "").lower()
    if month is not None:
        days = {"beginning": 1, "start": 1, "early": 10, "middle": 15, "mid": 15}
        return date(year, month, days[part]) if part in days else None
    if part in ("beginning", "start"):
        return date(year, 1, 1)
    months = {"early": 4, "middle": 6, "mid": 6, "first half": 6, **_SEASONS}
    months |= {f"{word} quarter": 3 * n for n, word in enumerate(("first", "second", "third", "fourth"), 1)}
    months |= {f"q{n}": 3 * n for n in range(1, 5)}
    return _end(year, months[part]) if part in months else None
