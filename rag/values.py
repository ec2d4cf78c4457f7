"""Numbers, dates and names as values that can be compared: what they say, how exactly, and of what.

Two values agree if both can be true: "1.2 million" and 1,234,567, "at least 40" and 52, "March 2026" and 4 March.
"""

from __future__ import annotations

import calendar
import math
import re
from dataclasses import dataclass
from datetime import date
from typing import Literal

from rag.grounding.edits import MONTHS
from rag.grounding.facts import content, numbers
from rag.grounding.units import read_unit, same_kind
from rag.words import STOP_WORDS

Kind = Literal["number", "date", "name"]

_ZONE = 6  # content words behind a number that may say what is counted
_MORE = re.compile(
    r"(?:at least|more than|over|above|exceeding|upwards of|no (?:fewer|less) than|minimum of|passed|topped)\s+$", re.I
)
_LESS = re.compile(r"(?:at most|up to|less than|fewer than|under|below|no more than|maximum of|as many as)\s+$", re.I)
_ABOUT = re.compile(
    r"(?:about|around|roughly|approximately|some|circa|ca?\.|nearly|almost|an estimated|estimated at|close to|~)\s*$",
    re.I,
)
_NOT_A_COUNT = re.compile(
    r"(?:\bNo\.|\bNr\.?|№|#|\b(?:number|page|article|section|chapter|paragraph|room|line|week|point|part|item|figure|"
    r"table|crane|pier|berth|channel|route|highway|grade|class|version|not))\s*$|[A-Za-z][-–/]$|\d[:/]$",
    re.IGNORECASE,
)
_BETWEEN = re.compile(r"(?:\s[a-z]+)?\s*(?:to|or|–|—|-)\s*(?:about |around )?")
_PER = re.compile(
    r"\W*(?:\w+\W+){0,2}?(?P<per>each|apiece|per \w+|an? (?:hour|day|week|month|year|piece)|every \w+|daily|weekly|"
    r"monthly|yearly|annually)\b",
    re.IGNORECASE,
)
_PART_BEFORE = re.compile(
    r"\b(?:another|additional|other|further|extra|remaining|first|last|next|only|every)\s+$", re.I
)
_PART_AFTER = re.compile(
    r"(?:\s+\w+){0,2}?\s+(?:more|fewer|less|additional|other|others|further|new|extra|remaining|of (?:the|these|those|"
    r"them|whom|which))\b",
    re.IGNORECASE,
)
_THE = re.compile(r"\b(?:the|these|those|both|all)\s+$", re.IGNORECASE)
_CLAUSE = re.compile(r"[,;:.!?()–—\n\d]|\b(?:and|or|but|than|while|which|who|that)\b")
_COUNTED = re.compile(r"\b(?:number|total|count) of ((?:[\w'-]+ ){0,3}[\w'-]+)", re.IGNORECASE)

_M = rf"(?P<month{{0}}>{'|'.join(MONTHS)}|(?:Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept|Sep|Oct|Nov|Dec)\b\.?)"
_DATE = re.compile(
    r"\b(?P<iso>(?:1[5-9]|20)\d\d-\d\d-\d\d)\b"
    rf"|\b(?P<day1>\d{{1,2}})(?:st|nd|rd|th)? (?:of )?{_M.format(1)}(?:,? (?P<year1>(?:1[5-9]|20)\d\d)\b)?"
    rf"|\b{_M.format(2)} (?P<day2>\d{{1,2}})(?:st|nd|rd|th)?\b(?!:|\d)(?:,? (?P<year2>(?:1[5-9]|20)\d\d)\b)?"
    rf"|\b{_M.format(3)}(?: of|,)? (?P<year3>(?:1[5-9]|20)\d\d)\b"
    r"|\b(?P<season>[Ss]pring|[Ss]ummer|[Aa]utumn|[Ff]all|[Ww]inter)(?: of|,)? (?P<year4>(?:1[5-9]|20)\d\d)\b"
    rf"|\b(?i:in|since|by|until|till|from|of|during|after|before|early|late|mid) {_M.format(5)}\b(?!(?: of|,)? \d)"
    r"|(?:\b(?i:in|since|by|until|till|from|of|during|after|before|year|to|and|early|late)[ -]|\()"
    r"(?P<year6>(?:1[5-9]|20)\d\d)\b(?![,.]?\d)(?! (?:\w+ )?(?:tonnes|tons|people|metres|crowns|dollars|euros))"
)
_BY = re.compile(
    r"\b(?:by|before|until|till|no later than|not later than|latest)(?: the end of| the)?\s+$", re.IGNORECASE
)
_AFTER = re.compile(r"\b(?:after|not before|since|from)(?: the)?\s+$", re.IGNORECASE)
_SEASONS = {"spring": (3, 5), "summer": (6, 8), "autumn": (9, 11), "fall": (9, 11), "winter": (1, 12)}
# To metres, kilograms and hours; months and years are only about so long.
_FACTOR = {
    "kilometre": 1e3, "metre": 1, "centimetre": 0.01, "millimetre": 0.001, "mile": 1609.34, "foot": 0.3048,
    "inch": 0.0254, "yard": 0.9144, "tonne": 1e3, "kilogram": 1, "gram": 0.001, "minute": 1 / 60, "hour": 1, "day": 24,
    "week": 168, "month": 730.5, "year": 8766, "decade": 87660,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Value:
    """One number, date or name in a text.

    `words` are `text[start:end]`. A number lies between `low` and `high`, which are the same if it is exact, and is of
    `unit`, `per` something ("each", "a year") or not; `nouns` are stems of the words behind it, nearest first. `part`
    says that it counts only some of the things ("four more vessels"), `definite` that it speaks of known ones ("the
    four vessels"). A date lies between the days `low` and `high` (ordinals) if its year is known, else it is only a
    month and day. A name is its `nouns`.
    """

    kind: Kind
    words: str
    start: int
    end: int
    low: float = 0.0
    high: float = 0.0
    unit: str = ""
    per: str = ""
    nouns: tuple[str, ...] = ()
    part: bool = False
    definite: bool = False
    known_year: bool = False
    month: int | None = None
    day: int | None = None


def values(text: str, kind: Kind) -> list[Value]:
    """List the numbers or dates of a text, in order; of names only a text that is nothing else is made a value."""
    if kind == "number":
        return _numbers(text)
    if kind == "date":
        return _dates(text)
    named = tuple(word.lower() for word in _NAME.findall(text))
    return [Value("name", text, 0, len(text), nouns=named)] if named else []


def agree(a: Value, b: Value) -> bool | None:
    """Tell whether two values of a kind can both be true; `None` if they cannot be compared."""
    if a.kind == "name":
        one, other = set(a.nouns), set(b.nouns)
        short = _initials(a.words) == b.words or _initials(b.words) == a.words
        return one <= other or other <= one or a.nouns[-1] == b.nouns[-1] or short
    if a.kind == "date":
        return _dates_agree(a, b)
    if a.per.lower() != b.per.lower() or bool(a.unit) != bool(b.unit):
        return None
    if a.unit != b.unit:
        if not same_kind(a.unit, b.unit) or a.unit not in _FACTOR or b.unit not in _FACTOR:
            return None
        f, g = _FACTOR[a.unit], _FACTOR[b.unit]
        return a.low * f * 0.97 <= b.high * g and b.low * g * 0.97 <= a.high * f
    if a.low == a.high or b.low == b.high:
        return a.low <= b.high and b.low <= a.high
    return a.low < b.high and b.low < a.high


def stem(word: str) -> str:
    """Cut a word down to what its forms have in common, roughly; words for the same event get the same stem."""
    low = word.lower().removesuffix("'s").removesuffix("’s")
    for ending, least in (("ations", 9), ("ation", 8), ("ions", 7), ("ion", 6), ("ies", 5), ("ing", 6), ("ed", 5)):
        if low.endswith(ending) and len(low) >= least:
            low = low.removesuffix(ending)
            break
    else:
        if low.endswith("s") and not low.endswith(("ss", "us", "is")) and len(low) > 3:
            low = low[:-1]
    low = low[:-1] if low.endswith(("e", "y")) and len(low) > 3 else low
    low = low[:-1] if len(low) > 3 and low[-1] == low[-2] else low
    return _SAME.get(low, low)


def stems(text: str) -> tuple[str, ...]:
    """The stems of a text's content words, in order."""
    return tuple(stem(word) for word in content(_DIED.sub("died", text)))


_NAME = re.compile(r"\b[A-Z][\w'’-]*\w")
_DIED = re.compile(r"\blos(?:t|e|ing) (?:his|her|their) li(?:fe|ves)\b", re.IGNORECASE)
_ALIKE = (
    "dead die died dying death kil fatal fatalit|injur hurt wound casualt|cost price spend spent expens|"
    "finish complet read|start begin began begun commenc launch|break broke broken|lead led head chair|"
    "build built construct|buy bought purchas acquir|sink sank sunk|sen send sent|open inaugurat"
)
_SAME = {word: group.split()[0] for group in _ALIKE.split("|") for word in group.split()}


def _numbers(text: str) -> list[Value]:
    found = numbers(text)
    dated = [(v.start, v.end) for v in _dates(text)]
    ranged: set[int] = set()
    for one, other in zip(found, found[1:], strict=False):
        between = text[one.start + len(one.words) : other.start]
        spanned = re.fullmatch(r"\s*and\s*", between) and re.search(r"\bbetween\s+$", text[: one.start])
        if spanned or _BETWEEN.fullmatch(between):
            ranged |= {one.start, other.start}
    made = []
    for n in found:
        end = n.start + len(n.words)
        before, after = text[max(0, n.start - 40) : n.start], text[end : end + 80]
        skipped = n.year or n.start in ranged or any(a <= n.start < b for a, b in dated)
        if skipped or _NOT_A_COUNT.search(before) or re.match(r"[:/]\d|(?:st|nd|rd|th)\b|[.)]\s+[A-Z]|[-–]\d", after):
            continue
        if n.words.lower() in _ORDINAL or (n.start == 0 and re.match(r"[.)]\s", after)):
            continue
        made.append(_number(text, n.value, n.unit, n.start, end))
    return made


_ORDINAL = frozenset("first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth".split())


def _number(text: str, value: float, unit: str, start: int, end: int) -> Value:
    before, words = text[max(0, start - 40) : start], text[start:end]
    written, last = read_unit(text, end)
    if unit and written == unit:
        end = last
    after = text[end : end + 80]
    low, high = _bounds(value, words, before, after)
    clause = _CLAUSE.split(text[end:], maxsplit=1)[0]
    nouns = stems(clause)[:_ZONE]
    counted = _COUNTED.search(text[:start])
    if not nouns and counted:
        nouns = stems(counted.group(1))[:_ZONE]
    per = _PER.match(after)
    return Value(
        "number", text[start:end], start, end, low, high, unit, per["per"] if per else "", nouns,
        part=bool(_PART_BEFORE.search(before) or _PART_AFTER.match(after)),
        definite=bool(_THE.search(before)),
    )  # fmt: skip


def _bounds(value: float, words: str, before: str, after: str) -> tuple[float, float]:
    if _MORE.search(before) or re.match(r"\s+(?:\w+ )?or more\b|\+", after):
        return value, math.inf
    if _LESS.search(before):
        return -math.inf, value
    if _ABOUT.search(before) or re.match(r"\s+(?:\w+ )?or so\b", after):
        return value * 0.9, value * 1.1
    half = _precision(value, words) / 2
    return value - half, value + half


def _precision(value: float, words: str) -> float:
    """How exact a number is by the way it is written: 1.2 million to 100,000, 31,000 to 1,000, 412 exactly."""
    scale = next((s for s, w in ((1e12, "trillion"), (1e9, "billion"), (1e6, "million")) if w in words.lower()), 1.0)
    if scale == 1.0 and re.search(r"\b(?:mn|m)\b", words):
        scale = 1e6
    decimals = re.search(r"\.(\d+)", words)
    if decimals:
        return scale * 10.0 ** -len(decimals.group(1))
    whole, zeros = round(value / scale), 0
    while whole and whole % 10 == 0:
        whole, zeros = whole // 10, zeros + 1
    if zeros >= 2:
        return float(scale * 10**zeros)
    return scale if scale > 1 else 0.0


def _dates(text: str) -> list[Value]:
    found = []
    for match in _DATE.finditer(text):
        said = {k.rstrip("123456"): v for k, v in match.groupdict().items() if v}
        try:
            made = _date(said, match, text)
        except ValueError:  # 31 February
            continue
        if made is not None:
            found.append(made)
    return found


def _date(said: dict[str, str], match: re.Match[str], text: str) -> Value | None:
    name = next(k for k in ("iso", "season", "day", "month", "year") if k in said)
    first = match.start(next(k for k, v in match.groupdict().items() if v))
    day = int(said["day"]) if "day" in said else None
    month = _month(said["month"]) if "month" in said else None
    if name == "iso":
        exact = date.fromisoformat(said["iso"])
        year, month, day = exact.year, exact.month, exact.day
    else:
        year = int(said.get("year", 0))
    words, end = text[first : match.end()], match.end()
    if not year:
        if day is not None and month is not None:
            date(2024, month, day)
        return Value("date", words, first, end, month=month, day=day)
    begin, finish = _SEASONS[said["season"].lower()] if "season" in said else (month or 1, month or 12)
    low = date(year, begin, day or 1).toordinal()
    high = date(year, finish, day or calendar.monthrange(year, finish)[1]).toordinal()
    before = text[max(0, first - 25) : first]
    lowest = -math.inf if _BY.search(before) else low
    highest = math.inf if _AFTER.search(before) else high
    return Value("date", words, first, end, lowest, highest, known_year=True, month=month, day=day)


def _month(name: str) -> int:
    return next(i for i, m in enumerate(MONTHS, 1) if m[:3] == name[:3])


def _dates_agree(a: Value, b: Value) -> bool | None:
    if a.known_year and b.known_year:
        return a.low <= b.high and b.low <= a.high
    if a.month is None or b.month is None:
        return None
    return a.month == b.month and (a.day is None or b.day is None or a.day == b.day)


def _initials(name: str) -> str:
    return "".join(w[0] for w in name.split() if w.lower() not in STOP_WORDS and w[:1].isupper())
