"""What in a statement cannot be, given its evidence: numbers, dates, names, units and negations that differ.

Rules, not a model: they see the change of one digit, which a small network overlooks, and they can say what is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from index.sentences import sentence_spans
from rag.grounding.edits import OPPOSITES
from rag.grounding.facts import Number, content, denied, is_name, months, names, negations, numbers, weekdays
from rag.grounding.units import same_kind

_HEDGE = re.compile(
    r"\b(?:about|around|approximately|roughly|nearly|almost|some|over|more than|at least|up to|under|less than|"
    r"fewer than|close to|just)\s+(?:\S\s*)?$",
    re.IGNORECASE,
)
_OPENING = re.compile(r"^\s*(?:(?:[-*•]|\(?\d{1,2}[.)])\s+)?(?:(?:yes|no|well|sure|indeed)\s*[,.!]\s*)?", re.IGNORECASE)
_SAME = 0.8  # share of common words from which two sentences say the same but for a denial
_COPIED = 0.8  # likeness, as of SequenceMatcher, from which a statement is taken for a copy of a sentence
_SWAPPED = 3  # words that a swapped name or number has at most
_ALIGNED = 0.6  # share of a statement's words that a sentence must hold to be compared word by word


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Something a statement says that its evidence does not.

    `kind` is "number", "date", "name", "unit", "negation" or "opposite"; `said` is the statement's word; `instead` what
    the evidence has in its place, empty where nothing of the kind is there. A name that is not `sure` may only be
    called otherwise there, by a pronoun or a title.
    """

    kind: str
    said: str
    instead: str
    sure: bool = True

    @property
    def reason(self) -> str:
        """The mismatch in words: "12,000 is not in the source; it says 1,200"."""
        if self.kind == "negation":
            return f"the source says it {'without' if self.said else 'with'} a denial (“{self.said or self.instead}”)"
        if self.kind == "opposite":
            return f"it says “{self.said}” where the source says “{self.instead}”"
        text = f"{self.said} is not in the source"
        return f"{text}; it says {self.instead}" if self.instead else text


def mismatches(statement: str, evidence: Sequence[str], context: str = "") -> list[Mismatch]:
    """Compare the facts of a statement with those of its evidence.

    Args:
        statement: One sentence.
        evidence: The stretches of text that it cites.
        context: What else may be taken as known, such as titles and dates of the documents.

    Returns:
        What differs, none if everything stands in the evidence.
    """
    statement = _OPENING.sub("", statement)
    text = "\n".join(evidence)
    known = f"{text}\n{context}"
    nearest, share = _nearest(statement, evidence)
    found = [*_numbers(statement, text, known, nearest), *_dates(statement, known)]
    found.extend(_names(statement, known, nearest, share >= _ALIGNED))
    if not found:
        found.extend(_swaps(statement, nearest, text))
    if share >= _ALIGNED:
        found.extend(_denials(statement, nearest))
        found.extend(_opposites(statement, nearest, known))
    return found


def _nearest(statement: str, evidence: Sequence[str]) -> tuple[str, float]:
    """The sentence of the evidence that holds most of a statement's words, and the share that it holds."""
    words = set(content(statement))
    best, share = "", 0.0
    for text in evidence:
        for start, end in sentence_spans(text):
            sentence = text[start:end]
            held = len(words & set(content(sentence))) / len(words) if words else 0.0
            if held > share:
                best, share = sentence, held
    return best, share


def _numbers(statement: str, text: str, known: str, nearest: str) -> list[Mismatch]:
    there, here = numbers(known), numbers(statement)
    local = numbers(nearest)
    own = {n.value for n in here}
    found: list[Mismatch] = []
    for number in here:
        same = [n for n in there if _equal(number, n)]
        if same:
            alike = [n for n in same if same_kind(n.unit, number.unit)]
            if alike and all(n.unit != number.unit for n in alike):
                found.append(Mismatch("unit", number.measured, alike[0].measured))
            continue
        if _HEDGE.search(statement[: number.start]) and any(_close(number, n) for n in there):
            continue
        others = [n for n in local or there if n.value not in own and n.year == number.year]
        near = min(others, key=lambda n: _distance(number, n), default=None)
        kind = "date" if number.year else "number"
        found.append(Mismatch(kind, number.words, near.words if near else ""))
    return found


def _equal(a: Number, b: Number) -> bool:
    return abs(a.value - b.value) <= 1e-9 * max(abs(a.value), abs(b.value), 1.0)


def _close(a: Number, b: Number) -> bool:
    """Whether one may be the other, rounded."""
    return b.value != 0 and not a.year and abs(a.value - b.value) <= 0.05 * abs(b.value)


def _distance(a: Number, b: Number) -> tuple[bool, float]:
    return (a.unit != b.unit, abs(a.value - b.value) / max(abs(a.value), abs(b.value), 1.0))


def _dates(statement: str, known: str) -> list[Mismatch]:
    found = []
    for read in (months, weekdays):
        there = read(known)
        for word in sorted(read(statement) - there):
            others = sorted(there - read(statement))
            found.append(Mismatch("date", word, others[0] if others else ""))
    return found


def _names(statement: str, known: str, nearest: str, aligned: bool) -> list[Mismatch]:
    low = known.lower()
    words = set(content(known))
    found = []
    for name in dict.fromkeys(names(statement)):
        bare = re.sub(r"['’]s$", "", name)
        if not _is_named(bare, low, words, known):
            others = [n for n in names(nearest) if n not in statement]
            found.append(Mismatch("name", bare, others[0] if others else "", sure=aligned))
    return found


def _is_named(name: str, low: str, words: set[str], known: str) -> bool:
    small = name.lower()
    if small in words or any(part in words for part in (small.removesuffix("s"), small + "s")):
        return True
    if len(small) >= 5 and any(w[:5] == small[:5] and abs(len(w) - len(small)) <= 4 for w in words):
        return True  # Germany and German, Iraq's and Iraqi
    if len(small) >= 4 and any(w[:4] == small[:4] and abs(len(w) - len(small)) <= 3 for w in words if len(w) >= 4):
        return True
    if name.isupper() and 1 < len(name) <= 6:  # an acronym of capitals that stand in a row
        initials = "".join(w[0] for w in re.findall(r"[A-Za-z]+", known) if w[0].isupper())
        return name in initials or f"{'. '.join(small)}" in low or ".".join(small) in low
    return False


def _swaps(statement: str, nearest: str, text: str) -> list[Mismatch]:
    """Numbers and names put in the place of others in what is otherwise nearly the source's sentence.

    They may stand elsewhere in the source, where the other rules are content to find them.
    """
    own, there = (re.findall(r"\w+(?:[.,]\d+)*", part) for part in (statement, nearest))
    matcher = SequenceMatcher(None, [w.lower() for w in own], [w.lower() for w in there], autojunk=False)
    if matcher.ratio() < _COPIED:
        return []
    named = set(names(text))
    found = []
    for kind, a, b, c, d in matcher.get_opcodes():
        said, instead = own[a:b], there[c:d]
        if kind != "replace" or b - a > _SWAPPED or d - c > _SWAPPED:
            continue
        if said[0][0].isdigit() and instead[0][0].isdigit():
            if set(said).isdisjoint(instead):
                found.append(Mismatch("number", " ".join(said), " ".join(instead)))
            continue
        different = said[0][:4].lower() != instead[0][:4].lower()
        if different and is_name(said[0]) and is_name(instead[0]) and (a or instead[0] in named):
            found.append(Mismatch("name", " ".join(said), " ".join(instead)))
    return found


def _denials(statement: str, nearest: str) -> list[Mismatch]:
    """Words that one of the two denies and the other does not; or, where both say nearly the same, one denial more."""
    own, there = {w[:5] for w in content(statement)}, {w[:5] for w in content(nearest)}
    said, source = denied(statement), denied(nearest)
    if any(w in own and w not in said for w in source):
        return [Mismatch("negation", "", "not")]
    if any(w in there and w not in source for w in said):
        return [Mismatch("negation", "not", "")]
    alike = len(own & there) >= _SAME * max(len(own), len(there))
    if alike and negations(statement) % 2 != negations(nearest) % 2:
        return [Mismatch("negation", "not", "") if negations(statement) else Mismatch("negation", "", "not")]
    return []


def _opposites(statement: str, nearest: str, known: str) -> list[Mismatch]:
    own, there = set(re.findall(r"[a-z]+", statement.lower())), set(re.findall(r"[a-z]+", nearest.lower()))
    return [
        Mismatch("opposite", word, OPPOSITES[word])
        for word in sorted(own - there)
        if OPPOSITES.get(word) in there - own and word not in known.lower().split()
    ]
