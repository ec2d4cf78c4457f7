"""Where documents give different values for what was asked.

Only what can hardly be anything else counts: the question asks for a number, a date or a name; two different documents
say it of the same subject, of the same time and in the same unit; and both values cannot be true. A near-duplicate that
differs in the value is a document of its own here: an older version of a report is just what a reader should know of.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import combinations

from index.sentences import leans_on_previous
from rag.grounding.facts import months, names, negations
from rag.grounding.units import same_kind
from rag.reader.features import asked_type
from rag.types import Claim, Disagreement
from rag.values import Kind, Value, agree, stem, stems, values
from rag.words import STOP_WORDS

_ADDED = 2  # sentences added to an answer at most, to show what disagrees with it
_SERIES = 3  # a document with so many different values lists something
_LONGEST_VALUE = 60  # characters
_HOW = re.compile(r"\bhow (\w+)\s*((?:[\w'’-]+\s+){0,4})", re.IGNORECASE)
_HOW_LONG = re.compile(r"\bhow (?:long|old)\b", re.IGNORECASE)
_MONEY = re.compile(
    r"\b(?:cost|costs|price|pay|paid|spen[dt]|budget|money|fee|fine|amount|worth|expensive)\b", re.IGNORECASE
)
_SHARE = re.compile(r"\bwhat (?:percentage|percent|share|proportion|rate)\b", re.IGNORECASE)
_LENGTHS = frozenset("far tall high deep wide long large big".split())
_UNITS = {"money": "crown", "share": "percent", "length": "metre", "mass": "kilogram", "time": "hour"}
_GENERIC = frozenset(stem(w) for w in "people persons person men women members things times cases number total".split())
_MEASURES = frozenset(stem(w) for w in "cost budget price amount fee length size percentage share rate money".split())
_FUTURE = re.compile(
    r"\b(?:will|would|shall|could|(?-i:may)|might|should|plans?|planned|expects?|expected|is to|are to|be to|targets?|"
    r"goal|hopes?|intends?|proposed|promises?|promised|by the end of)\b|'ll\b",
    re.IGNORECASE,
)
_TASK = re.compile(  # an item of a list that says what is to be done: "1. Produce the certificate and limit its loads"
    r"^\W*\d+[.)] (?!(?:in|on|at|by|for|from|with|under|after|before|during|since|of|to|as|both|half|most|some|over|"
    r"within|where|when|while|if)\b)[a-z]+(?<!ing)(?<!ed)(?<!s) (?:the|an?|its|their|all|any|no|every|each)\b",
    re.IGNORECASE,
)
_NUMBERED = re.compile(r"\bNos?\.(?= ?\d)")  # "No. 2" denies nothing
_YEAR = re.compile(r"\b(?:1[5-9]|20)\d\d\b(?![,.]\d)")
_SINGLE = re.compile(  # questions that have one answer
    r"\bwho (?!are|were|attended|joined|spoke|took|participated|voted|works?|worked|lives?|lived|will|would|can|could|"
    r"may|should|has|have|had|did|do|does|also|else|among|on|in|at|to\b)\w+|\bwhere (?:is|was|does|did|will)\b|"
    r"\bwhich (?:person|company|country|city|ministry|minister|organi[sz]ation)\b|\bwhose\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence of a document that may answer a question.

    `marker` is that of its citation, 0 if it is none of the answer's statements. `highlight` is the exact answer,
    `text[start:end]`, if a reader marked it. `context` is what stands before it and above it: it says what "it" is.
    """

    text: str
    document_id: str
    title: str = ""
    published: date | None = None
    marker: int = 0
    highlight: tuple[int, int] | None = None
    context: str = ""


def find_disagreements(question: str, statements: Sequence[Said]) -> tuple[Disagreement, ...]:
    """Find the values on which documents disagree.

    Args:
        question: What was asked; it decides which value of a sentence counts.
        statements: The answer's statements with their markers.

    Returns:
        One disagreement or none: a claim for each value, that of the newest document first.
    """
    asked = _asked(question, statements)
    if asked is None:
        return ()
    ordered = sorted(_claims(asked, statements), key=lambda c: c.said.published or date.min, reverse=True)
    kept: list[_Claimed] = []
    for claim in ordered:
        if all(_differ(asked, claim, other) or _rivals(asked, claim, other, ordered) for other in kept):
            kept.append(claim)
    if not any(_differ(asked, a, b) for a, b in combinations(kept, 2)):
        return ()
    claims = tuple(Claim(_words(c), c.said.marker) for c in kept)
    return (Disagreement(asked.kind, claims),)


def conflicting(question: str, chosen: Sequence[Said], candidates: Sequence[Said], limit: int = _ADDED) -> list[Said]:
    """Choose sentences to add to an answer because they give another value than it does.

    Args:
        question: What was asked.
        chosen: The answer's statements.
        candidates: Other sentences of the hits, the best first.
        limit: How many at most.

    Returns:
        Sentences of `candidates`, one for each value that the answer lacks, the newest for each.
    """
    asked = _asked(question, chosen)
    if asked is None:
        return []
    claims = list(_claims(asked, [*chosen, *candidates]))
    own = [c for c in claims if any(c.said is s for s in chosen)]
    others = [c for c in claims if not any(c.said is s for s in chosen)]
    # What one document gives beside another value of its own does not contradict it, so it is not known yet.
    disputed = [c for c in own if any(_differ(asked, c, o) for o in own)]
    added: list[_Claimed] = []
    for claim in others:
        known = [*disputed, *added]
        if not any(_differ(asked, claim, c) for c in own) or any(agree(claim.value, c.value) for c in known):
            continue
        same = [c for c in others if agree(claim.value, c.value) and any(_differ(asked, c, o) for o in own)]
        added.append(max(same, key=lambda c: c.said.published or date.min))
        if len(added) == limit:
            break
    return [claim.said for claim in added]


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a question asks for.

    `head` is the stem of what is counted, empty if it is not a count; `unit` one of the units it may be measured in;
    `terms` are the stems of its content words, `names` those of names and numbers among them.
    """

    kind: Kind
    terms: frozenset[str]
    names: frozenset[str]
    head: frozenset[str] = frozenset()
    adjectives: frozenset[str] = frozenset()
    unit: str = ""
    single: bool = True


@dataclass(frozen=True, slots=True)
class _Claimed:
    said: Said
    value: Value


def _asked(question: str, statements: Sequence[Said]) -> _Asked | None:
    """Read a question; `None` if it asks for no number, date or name."""
    kind = asked_type(question)
    kind = "number" if _HOW_LONG.search(question) or _SHARE.search(question) else kind
    if not kind:
        kind = _kind_of(statements)
    terms = frozenset(stems(question)) - _GENERIC - {"many"}
    named = frozenset(stem(w) for w in names(f"x {question[:1].lower()}{question[1:]}")) | {
        t for t in terms if t[0].isdigit()
    }
    if kind == "time":
        return _Asked("date", terms - frozenset(map(stem, ("year", "date", "day", "month", "time"))), named)
    if kind == "name":
        return _Asked("name", terms, named, single=_SINGLE.search(question) is not None)
    if kind != "number":
        return None
    head, adjectives, unit = _counted(question)
    return _Asked("number", terms - {"long", "old", "far"}, named, head, adjectives, unit)


def _kind_of(statements: Sequence[Said]) -> str:
    """What the marked answer of the first statement is, for questions that do not say ("What is the speed limit?")."""
    if not statements or statements[0].highlight is None:
        return ""
    words = statements[0].text[slice(*statements[0].highlight)]
    for kind, name in (("date", "time"), ("number", "number")):
        found = values(words, "date" if kind == "date" else "number")
        if len(found) == 1 and len(words) - len(found[0].words) <= 12:
            return name
    return ""


def counted(question: str, text: str, marked: tuple[int, int] | None) -> tuple[int, int] | None:
    """Where in a statement the number stands that a question asks for.

    Of two numbers in a sentence the reader may mark the wrong one, or both ("two dead and seven injured"). If just one
    number in the text counts what "how many" asks for, and it is not the only one marked, it is the answer.

    Args:
        question: What was asked.
        text: The statement.
        marked: The reader's answer, `text[start:end]`; `None` if it marked nothing.

    Returns:
        The place of the number, or `marked`.
    """
    if marked is None:
        return None
    asked = _asked(question, ())
    if asked is None or not asked.head:
        return marked
    every = [v for v in values(text, "number") if not v.part]
    inside = [v for v in every if marked[0] <= v.start < marked[1]]
    fitting = [v for v in every if v.nouns and _fits(asked, v, strict=False)]
    if len(fitting) != 1 or inside == fitting or not inside:
        return marked
    return fitting[0].start, fitting[0].end


def _counted(question: str) -> tuple[frozenset[str], frozenset[str], str]:
    """What is counted or measured: stems of the thing, stems of what is said of it, and a unit of the right kind."""
    match = _HOW.search(question)
    word = match.group(1).lower() if match else ""
    if word == "many":
        assert match is not None
        phrase = []
        for w in match.group(2).split():
            if w.lower() in STOP_WORDS:
                break
            phrase.append(stem(w))
        told = [w for w in phrase if w not in _GENERIC]
        if not told:  # "How many people were injured": the word behind says it
            rest = [t for t in stems(question[match.start(2) :]) if t not in _GENERIC]
            return frozenset(rest[:1]), frozenset(), ""
        return frozenset(told[-1:]), frozenset(told[:-1]), ""
    if _SHARE.search(question):
        return frozenset(), frozenset(), _UNITS["share"]
    if _MONEY.search(question):
        return frozenset(), frozenset(), _UNITS["money"]
    unit = "time" if word == "old" else "mass" if word == "heavy" else "length" if word in _LENGTHS - {"long"} else ""
    return frozenset(), frozenset(), _UNITS.get(unit, "")


def _claims(asked: _Asked, sentences: Sequence[Said]) -> Iterator[_Claimed]:
    """Find the value that each sentence gives for what was asked, leaving out sentences and documents without one."""
    made = [_Claimed(s, v) for s in sentences if (v := _value(asked, s)) is not None]
    for claim in made:
        listed: list[Value] = []
        for other in made:
            if other.said.document_id == claim.said.document_id and not any(agree(other.value, v) for v in listed):
                listed.append(other.value)
        if len(listed) < _SERIES:
            yield claim


def _value(asked: _Asked, said: Said) -> Value | None:
    """The one value of a sentence that answers the question, or `None` if there is none or more than one."""
    if said.text.rstrip("\"'”’)* ").endswith("?") or not _is_about(asked, said):
        return None
    if said.highlight is not None:
        start, end = said.highlight
        if asked.kind == "name":
            found = values(said.text[start:end], "name") if asked.single else []
        else:
            found = [v for v in values(said.text, asked.kind) if start <= v.start < end]
        if not found and asked.kind == "date":  # "the 1509 earthquake": a year that nothing else gives away
            marked = values(f"in {said.text[start:end]}", "date")
            found = [replace(v, start=start + v.start - 3, end=start + v.end - 3) for v in marked]
        found = [v for v in found if not v.part and _fits(asked, v, strict=False)]
    elif asked.kind == "number":
        found = [
            v for v in values(said.text, "number") if not v.part and not v.definite and _fits(asked, v, strict=True)
        ]
    else:
        found = values(said.text, "date") if asked.kind == "date" else []
    return found[0] if len(found) == 1 else None


def _fits(asked: _Asked, value: Value, *, strict: bool) -> bool:
    """Tell whether a number counts or measures what is asked for; `strict` where no reader vouches for it."""
    if asked.kind != "number":
        return True
    if asked.unit:
        return same_kind(value.unit, asked.unit)
    if asked.head:
        held = asked.head & set(value.nouns)
        if not value.nouns and not strict:
            return not value.unit
        place = next((i for i, noun in enumerate(value.nouns) if noun in asked.head), 9)
        foreign = set(value.nouns[:place]) - asked.adjectives
        return bool(held) and not value.unit and (place <= 1 or not strict or (place <= 3 and not foreign & {"new"}))
    return bool(value.unit) or (bool(value.nouns) and not strict)


def _is_about(asked: _Asked, said: Said) -> bool:
    """Tell whether a sentence speaks of what the question is about."""
    if not asked.terms:
        return said.highlight is not None
    own = set(stems(said.text))
    near = own | set(stems(f"{said.title} {said.context}"))
    if not asked.names <= near:
        return False
    if asked.names and not asked.names & own and names(said.text) and not leans_on_previous(said.text):
        return False
    share, share_near = len(asked.terms & own) / len(asked.terms), len(asked.terms & near) / len(asked.terms)
    if said.highlight is not None:
        return share >= 0.25 and share_near >= 0.5
    if asked.names and not asked.names & own:
        return False
    if asked.kind == "date":
        return share > 0.99
    subject = asked.terms - _MEASURES - asked.head
    if asked.unit or not asked.head:
        return len(subject & own) >= max(1, 0.5 * len(subject)) if subject else share > 0.99
    return share >= 0.5 or (share >= 0.3 and share_near >= 0.6)


def _differ(asked: _Asked, a: _Claimed, b: _Claimed) -> bool:
    """Tell whether two claims cannot both be true and speak of the same thing at the same time."""
    if a.said.document_id == b.said.document_id or agree(a.value, b.value) is not False:
        return False
    if (
        asked.kind == "number"
        and asked.head
        and not set(a.value.nouns) & set(b.value.nouns)
        and a.value.nouns
        and b.value.nouns
    ):
        return False
    rests = [_rest(a), _rest(b)]
    if asked.kind == "name":
        words = [set(stems(rest)) for rest in rests]
        if len(words[0] & words[1]) < 0.5 * len(words[0] | words[1]):
            return False
    elif _is_ahead(a.said.text) != _is_ahead(b.said.text) and asked.kind == "number":
        return False
    denied = [negations(_NUMBERED.sub("", rest)) % 2 for rest in rests]
    if denied[0] != denied[1]:
        return False
    return asked.kind == "date" or _same_time(a.said, b.said, rests)


def _is_ahead(text: str) -> bool:
    """Whether a sentence says what will or should be, which what is does not contradict."""
    return bool(_FUTURE.search(text) or _TASK.search(text))


def _rest(claim: _Claimed) -> str:
    """A sentence without the value in it."""
    start, end = claim.value.start, claim.value.end
    if claim.value.kind == "name" and claim.said.highlight is not None:
        start, end = claim.said.highlight
    return f"{claim.said.text[:start]} {claim.said.text[end:]}"


def _same_time(a: Said, b: Said, rests: Sequence[str]) -> bool:
    """Tell whether two sentences may speak of the same time: no other year or month is named in one of them."""
    years = [set(_YEAR.findall(rest)) for rest in rests]
    for own, other, published in ((years[0], years[1], b.published), (years[1], years[0], a.published)):
        stands_for = other or ({str(published.year)} if published else set())
        if own and stands_for and not own & stands_for:
            return False
    named = [months(rest) for rest in rests]
    return not (named[0] and named[1] and not named[0] & named[1])


def _rivals(asked: _Asked, claim: _Claimed, other: _Claimed, claims: Sequence[_Claimed]) -> bool:
    """Tell whether a document gives two values, each of which disagrees with another document."""
    if claim.said.document_id != other.said.document_id or agree(claim.value, other.value) is not False:
        return False
    return any(_differ(asked, claim, c) for c in claims)


def _words(claim: _Claimed) -> str:
    """A value as its document writes it: the marked answer if that is short, else the number or date itself."""
    said, kind = claim.said, claim.value.kind
    if said.highlight is not None:
        marked = " ".join(said.text[slice(*said.highlight)].split())
        single = kind == "name" or len(values(marked, kind)) == 1  # "two dead and seven" is more than the answer
        if single and len(marked) <= _LONGEST_VALUE:
            return marked
    return " ".join(claim.value.words.split())
