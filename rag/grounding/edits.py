"""Small edits that make a true sentence false: another number, date, name or unit, or a negation.

They make negatives to train the support head on, unanswerable questions to train the reader on, and the set of edited
statements that the checks are measured with.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass

KINDS = ("number", "date", "name", "negation", "unit")

MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_WORDS = "two three four five six seven eight nine ten eleven twelve fifteen twenty thirty forty fifty sixty".split()
_UNITS = (
    ("kilometres", "metres", "miles"),
    ("kilometers", "meters", "miles"),
    ("km", "m", "miles"),
    ("tonnes", "kilograms", "pounds"),
    ("tons", "kilograms", "pounds"),
    ("kg", "tonnes", "pounds"),
    ("hours", "minutes", "days"),
    ("days", "weeks", "hours"),
    ("weeks", "months", "days"),
    ("months", "years", "weeks"),
    ("years", "months", "decades"),
    ("minutes", "hours", "seconds"),
    ("million", "billion", "thousand"),
    ("billion", "million", "trillion"),
    ("dollars", "euros", "pounds"),
    ("feet", "metres", "miles"),
    ("ft", "m", "miles"),
    ("miles", "kilometres", "feet"),
    ("percent", "percentage points", "per mille"),
)
_NUMBER = re.compile(r"(?<![\w.,-])\d{1,3}(?:,\d{3})+(?![\w,])|(?<![\w.,-])\d+(?:\.\d+)?(?![\w-])(?!,\d)")
_YEAR = re.compile(r"(?<![\w,.-])(1[5-9]\d\d|20\d\d)(?![\w,])(?!\.\d)")
_NUMBER_WORD = re.compile(rf"\b(?:{'|'.join(_WORDS)})\b", re.IGNORECASE)
_MONTH = re.compile(rf"\b(?:{'|'.join(m for m in MONTHS if m != 'May')}|May(?= \d))\b")
_DAY = re.compile(rf"\b(?:{'|'.join(_DAYS)})\b")
_UNIT = re.compile(rf"(?<=\d )(?:{'|'.join(re.escape(u[0]) for u in _UNITS)})\b")
_NAME = re.compile(r"(?<=[a-z,;] )[A-Z][a-zé]{2,}(?: [A-Z][a-zé]{2,})*")
_VERB = re.compile(
    r"\b(is|are|was|were|has been|have been|will|can|could|should|would|must|did|does|do)\b(?! not\b)(?!n't)"
)
_DRAWS = 12  # names drawn to find one of as many words
_NOT = re.compile(r"\b(?:not |never )")


@dataclass(frozen=True, slots=True)
class Edit:
    """An edited text: what kind of edit, the words taken out and the words put in."""

    kind: str
    text: str
    old: str
    new: str


def edit(text: str, kind: str, names: Sequence[str], rng: random.Random) -> Edit | None:
    """Make a sentence say something else.

    Args:
        text: A sentence.
        kind: One of `KINDS`.
        names: Names to put in the place of its own.
        rng: Chooses.

    Returns:
        The edited sentence, or `None` if it holds nothing of that kind.
    """
    maker = {"number": _number, "date": _date, "unit": _unit, "negation": _negation}.get(kind)
    found = _name(text, names, rng) if maker is None else maker(text, rng)
    if found is None:
        return None
    start, end, new = found
    return Edit(kind, text[:start] + new + text[end:], text[start:end], new)


_Change = tuple[int, int, str]


def _pick(pattern: re.Pattern[str], text: str, rng: random.Random) -> re.Match[str] | None:
    found = list(pattern.finditer(text))
    return rng.choice(found) if found else None


def _number(text: str, rng: random.Random) -> _Change | None:
    years = {m.start() for m in _YEAR.finditer(text)}
    plain = [m for m in _NUMBER.finditer(text) if m.start() not in years]
    words = list(_NUMBER_WORD.finditer(text))
    if not plain and not words:
        return None
    match = rng.choice(plain or words)
    old = match.group()
    if not old[0].isdigit():
        new = rng.choice([w for w in _WORDS if w != old.lower()])
        return match.start(), match.end(), new.capitalize() if old[0].isupper() else new
    value = float(old.replace(",", ""))
    while True:
        factor = rng.choice((0.1, 0.5, 0.8, 1.1, 1.5, 2, 3, 10))
        changed = (value or 1.0) * factor if "." in old else round(value * factor) + rng.choice((0, 1, -1, 2))
        new = f"{changed:.{len(old.partition('.')[2])}f}" if "." in old else str(abs(int(changed)))
        if "," in old:
            new = f"{int(new):,}"
        if float(new.replace(",", "")) != value:
            return match.start(), match.end(), new


def _date(text: str, rng: random.Random) -> _Change | None:
    choices = [m for p in (_YEAR, _MONTH, _DAY) for m in p.finditer(text)]
    if not choices:
        return None
    match = rng.choice(choices)
    old = match.group()
    if old.isdigit():
        return match.start(), match.end(), str(int(old) + rng.choice((-30, -11, -10, -3, -2, -1, 1, 2, 3, 7, 10)))
    pool = MONTHS if old in MONTHS else _DAYS
    return match.start(), match.end(), rng.choice([p for p in pool if p != old])


def _unit(text: str, rng: random.Random) -> _Change | None:
    match = _pick(_UNIT, text, rng)
    if match is None:
        return None
    others = next(u for u in _UNITS if u[0] == match.group())[1:]
    return match.start(), match.end(), rng.choice(others)


def _name(text: str, names: Sequence[str], rng: random.Random) -> _Change | None:
    found = [m for m in _NAME.finditer(text) if m.group() not in MONTHS and m.group() not in _DAYS]
    if not found or not names:
        return None
    match = rng.choice(found)
    drawn = [n for n in (rng.choice(names) for _ in range(_DRAWS)) if n not in text]
    alike = [n for n in drawn if len(n.split()) == len(match.group().split())] or drawn
    return (match.start(), match.end(), alike[0]) if alike else None


def _negation(text: str, rng: random.Random) -> _Change | None:
    there = _NOT.search(text)
    if there is not None:
        return there.start(), there.end(), ""
    match = _VERB.search(text)
    return None if match is None else (match.end(), match.end(), " not")


_OPPOSITES = (
    "first last|largest smallest|biggest smallest|highest lowest|most least|before after|north south|east west|"
    "northern southern|eastern western|increase decrease|increased decreased|more less|won lost|win lose|"
    "oldest youngest|longest shortest|earliest latest|best worst|male female|men women|inside outside|above below|"
    "begin end|start end|began ended|started ended|over under|major minor|public private|same different|"
    "maximum minimum|early late|old new|buy sell|import export|cause prevent|like dislike|good bad|hot cold|"
    "allowed forbidden|positive negative|appointed removed|founded dissolved|built destroyed|support oppose|"
    "supported opposed|accepted rejected"
)
OPPOSITES = {a: b for pair in _OPPOSITES.split("|") for x, y in [pair.split()] for a, b in ((x, y), (y, x))}
_OPPOSITE = re.compile(rf"\b(?:{'|'.join(OPPOSITES)})\b")


def edit_question(question: str, names: Sequence[str], rng: random.Random) -> str | None:
    """Make a question ask for something else: another name, number or date, an opposite, or a negation.

    Args:
        question: A question.
        names: Names to put in the place of its own.
        rng: Chooses.

    Returns:
        The edited question, or `None` if nothing in it can be changed.
    """
    makers = ["opposite", "date", "number", "name", "negation"]
    rng.shuffle(makers)
    makers.sort(key=lambda kind: kind == "negation")  # always possible, and the least telling: last
    for kind in makers:
        if kind == "opposite":
            match = _pick(_OPPOSITE, question, rng)
            if match is not None:
                return question[: match.start()] + OPPOSITES[match.group()] + question[match.end() :]
            continue
        made = edit(question, kind, names, rng)
        if made is not None:
            return made.text
    return None
