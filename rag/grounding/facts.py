"""Numbers, dates, names and negations of a text, in a form in which two texts can be compared."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from rag.grounding.edits import MONTHS
from rag.grounding.units import is_money, read_unit
from rag.words import STOP_WORDS

_UNITS = {
    word: value
    for value, words in enumerate(
        "zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|"
        "eighteen|nineteen".split("|")
    )
    for word in [words]
}
_TENS = {w: 10 * (i + 2) for i, w in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split())}
_ORDINALS = {
    "first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8, "ninth": 9,
    "tenth": 10, "eleventh": 11, "twelfth": 12,
}  # fmt: skip
_OTHER = {"dozen": 12, "half": 0.5, "once": 1, "twice": 2, "a": None}
_SCALE = {
    "hundred": 1e2,
    "thousand": 1e3,
    "million": 1e6,
    "billion": 1e9,
    "trillion": 1e12,
    "mn": 1e6,
    "bn": 1e9,
    "m": 1e6,
}
_WORD_NUMBER = re.compile(
    rf"\b(?:{'|'.join([*_TENS])})[- ](?:{'|'.join(list(_UNITS)[1:10])})\b|"
    rf"\b(?:{'|'.join([*_TENS, *list(_UNITS)[1:]])})\b",
    re.IGNORECASE,
)
_ORDINAL = re.compile(rf"\b(?:{'|'.join(_ORDINALS)})\b", re.IGNORECASE)
_DIGITS = re.compile(r"(?<![\w.])\d+(?:[.,]\d+)*(?:st|nd|rd|th|s)?(?![\d])")
_SCALE_WORD = re.compile(r"[ -]?(hundred|thousand|million|billion|trillion|mn|bn)s?\b", re.IGNORECASE)
_MONEY = {"$": "dollar", "€": "euro", "£": "pound", "¥": "yen", "₹": "rupee", "₽": "rouble", "₴": "hryvnia"}
_ISO = re.compile(r"\b(1\d{3}|20\d\d)-(\d\d)-(\d\d)\b")
_MONTH = re.compile(rf"\b(?:{'|'.join(m for m in MONTHS if m != 'May')}|May(?= \d|,)|(?<=\d )May|(?<=in )May)\b")
_SHORT_MONTH = re.compile(
    r"\b(Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\b\.?(?= \d)|"
    r"(?<=\d )(Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\b"
)
_WEEKDAY = re.compile(r"\b(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day\b")
_NEGATION = re.compile(
    r"\b(?:not|never|no|none|nobody|nothing|neither|nor|without|cannot|nowhere|hardly|scarcely|fail(?:s|ed)? to|"
    r"refus(?:e|es|ed) to|lacks?|denie[sd]|unable)\b|n['’]t\b",
    re.IGNORECASE,
)
_CLAUSE_END = re.compile(r"[.,;:!?]")
_REACH = 4  # words after a denial
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")


@dataclass(frozen=True, slots=True)
class Number:
    """A number in a text: its value, the unit behind it in a normal form (empty without), and its own words.

    `measured` are its words with those of its unit.
    """

    value: float
    unit: str
    words: str
    start: int
    year: bool = False
    measured: str = ""


def numbers(text: str) -> list[Number]:
    """List the numbers of a text, in digits or in words, scaled ("1.2 million" is 1,200,000).

    Returns:
        In order; parts of ISO dates come as year, month and day.
    """
    found: list[Number] = []
    covered: list[tuple[int, int]] = []
    for match in _ISO.finditer(text):
        covered.append(match.span())
        found.append(Number(float(match[1]), "", match[1], match.start(), year=True))
        found.append(Number(float(match[3]), "", match[3], match.start(3)))
    for match in _DIGITS.finditer(text):
        if any(a <= match.start() < b for a, b in covered):
            continue
        number = _from_digits(text, match)
        if number is not None:
            found.append(number)
    for match in _WORD_NUMBER.finditer(text):
        words = re.split(r"[- ]", match.group().lower())
        value = float(sum(_TENS.get(w, _UNITS.get(w, 0)) for w in words))
        if words == ["one"]:
            continue  # a pronoun as often as a number
        found.append(_scaled(text, value, match.start(), match.end()))
    for match in _ORDINAL.finditer(text):
        found.append(Number(float(_ORDINALS[match.group().lower()]), "", match.group(), match.start()))
    return sorted(found, key=lambda n: n.start)


def _from_digits(text: str, match: re.Match[str]) -> Number | None:
    raw = re.sub(r"(st|nd|rd|th|s)$", "", match.group())
    if re.fullmatch(r"\d{1,3}(,\d{3})+(\.\d+)?", raw):
        value = float(raw.replace(",", ""))
    elif re.fullmatch(r"\d+(\.\d+)?", raw):
        value = float(raw)
    elif re.fullmatch(r"\d+,\d+", raw):
        value = float(raw.replace(",", "."))
    else:  # a version, a section, a date in dots: its text is what matters
        digits = re.sub(r"\D", "", raw)
        return Number(float(digits[:15]), "", raw, match.start()) if digits else None
    end = match.start() + len(raw)
    number = _scaled(text, value, match.start(), end)
    year = raw.isdigit() and len(raw) == 4 and 1000 <= value <= 2100 and not number.unit and number.words == raw
    return replace(number, year=year)


def _scaled(text: str, value: float, start: int, end: int) -> Number:
    while scale := _SCALE_WORD.match(text, end):
        value *= _SCALE[scale.group(1).lower()]
        end = scale.end()
    name, last = read_unit(text, end)
    sign = text[start - 1 : start] if start else ""
    if sign in _MONEY and not is_money(name):
        return Number(value, _MONEY[sign], text[start:end], start, measured=text[start - 1 : end])
    return Number(value, name, text[start:end], start, measured=text[start:last])


def months(text: str) -> set[str]:
    """Names of the months that a text names, also in ISO dates and short forms."""
    found = {m.group() for m in _MONTH.finditer(text)}
    found |= {MONTHS[int(m[2]) - 1] for m in _ISO.finditer(text) if 1 <= int(m[2]) <= 12}
    short = {(m.group(1) or m.group(2))[:3] for m in _SHORT_MONTH.finditer(text)}
    return found | {m for m in MONTHS if m[:3] in short}


def weekdays(text: str) -> set[str]:
    """The days of the week that a text names."""
    return {m.group() for m in _WEEKDAY.finditer(text)}


def negations(text: str) -> int:
    """Count the words that deny."""
    return len(_NEGATION.findall(text))


def denied(text: str) -> set[str]:
    """The first content word after each denial, if it follows soon, by its first five letters."""
    found = set()
    for match in _NEGATION.finditer(text):
        rest = _CLAUSE_END.split(text[match.end() :], maxsplit=1)[0]
        following = content(" ".join(rest.split()[:_REACH]))
        if following:
            found.add(following[0][:5])
    return found


_STARTS = frozenset(
    "additionally also although another because besides both but despite during each either even every few finally "
    "first following for furthermore here however if in instead its later many meanwhile moreover most "
    "nevertheless next no nor one only other others overall several similarly since so some subsequently such then "
    "thereafter therefore third thus today two under unlike until upon usually various when whereas while with "
    "within yes yet according note people researchers officials scientists experts sources users members students "
    "teachers".split()
)


def names(text: str) -> list[str]:
    """List the words of a text that are written as names: capitals inside a sentence, and acronyms.

    A word that opens a sentence counts only if another name follows it at once.
    """
    found: list[str] = []
    matches = list(_WORD.finditer(text))
    for i, match in enumerate(matches):
        word = match.group()
        if not word[0].isupper() or word.lower() in STOP_WORDS or word in MONTHS or _WEEKDAY.fullmatch(word):
            continue
        before = text[: match.start()].rstrip(" \"'“‘(*_")
        opens = not before or before[-1] in ".!?:…\n"
        if opens:
            following = matches[i + 1] if i + 1 < len(matches) else None
            joined = following is not None and text[match.end() : following.start()] == " "
            title = joined and following is not None and following.group()[0].isupper()
            if word.lower() in _STARTS or not (title or (word.isupper() and len(word) > 1)):
                continue
        found.append(word)
    return found


def is_name(word: str) -> bool:
    """Tell whether a word, wherever it stands, is written as a name and is no function word."""
    return word[0].isupper() and word.lower() not in STOP_WORDS and word.lower() not in _STARTS


def content(text: str) -> list[str]:
    """The words of a text that carry content, lower-case, without possessive endings."""
    words = (m.group().lower() for m in _WORD.finditer(text))
    bare = (w[:-2] if w.endswith(("'s", "’s")) else w for w in words)
    return [w for w in bare if w not in STOP_WORDS]
