"""Corrections: "no, the other one", "I meant Corvane-2", "not the Ministry's"."""

from __future__ import annotations

import re
from dataclasses import dataclass

from index.types import Place
from rag.words import STOP_WORDS

_NO = (
    r"(?:no+|nope|nah|wrong|incorrect|not (?:that|this|those|these|it)(?: one)?|not quite|not really|not at all|sorry|"
    r"actually|(?:no\W+)?(?:that|this|it)(?:'s| is| was|s)? ?(?:not|n't|isn't|wasn't|wrong|incorrect)"
    r"(?: (?:right|correct|true|it|(?:what|the one) (?:i|we) (?:meant|mean|asked(?: for| about)?|wanted(?: to know)?|"
    r"was (?:asking|looking)(?: for| about)?)))?|you (?:misunderstood|got (?:me|that|it) wrong)(?: me)?|"
    r"(?:(?:that|this) )?(?:isn't|is not|wasn't) (?:it|(?:what|the one) (?:i|we) (?:meant|mean|asked|wanted)))"
)
_MEANT = (
    r"(?:(?:i|we) (?:actually |really |rather )?(?:mean|meant|was asking (?:about|for)|asked (?:about|for)|wanted"
    r"(?: to know)?(?: about)?|was talking about|am (?:talking|asking) about)|i'm asking about|rather|instead|"
    r"what about|how about|but(?: rather)?|make (?:that|it)|try)"
)
_FIRST = re.compile(rf"^\W*{_NO}(?:\W*[,.;:!–—-]\s*|\s+(?=(?:i|we)\b)|\W*$)", re.IGNORECASE)
_SECOND = re.compile(rf"^\W*{_MEANT}\b\W*", re.IGNORECASE)
_PLAINLY = re.compile(r"^\W*(?:i|we) (?:actually |really |rather )?(?:mean|meant)\b\W*", re.IGNORECASE)
_NOT = re.compile(
    r"^\W*not (?P<what>(?:the |from |by |in |about )?[^.,;:!?–—]+)[.,;:!–—]+\s*(?P<rest>.*)$", re.I | re.S
)
_INSTEAD = re.compile(r"\b(?:the )?(?:other|another|next|second|different)\b(?: (?:one|ones))?", re.IGNORECASE)
_NAME = re.compile(r"\b[A-Z][\w’'-]*(?:[ ](?:[A-Z][\w’'-]*|\d+))*\b|\b[A-Za-z]+-\d+\b")
_LEADING = re.compile(r"^(?:(?:the|a|an|from|by|in|about|of)\s+)+", re.IGNORECASE)
_WORD = re.compile(r"[^\W_]+(?:[-'’][^\W_]+)*")


@dataclass(frozen=True, slots=True)
class Correction:
    """What a correction leaves to ask.

    `rest` are the words that say what was meant, empty if there are none; `other` says that it is whatever the answer
    was not about; `unwanted` are words that were named as not meant.
    """

    rest: str
    other: bool
    unwanted: str = ""


@dataclass(frozen=True, slots=True)
class NotMeant:
    """What a correction says was not meant.

    `spans` are what the answer before led with, `name` is what it was about, and `unless` the words of what was meant:
    a sentence that has one of them may name both. `elsewhere` says that it is no more than that ("the other one"), so
    that what was meant is sought in other passages.
    """

    spans: tuple[Place, ...] = ()
    name: str = ""
    unless: frozenset[str] = frozenset()
    elsewhere: bool = False

    def given(self, document_id: str, start: int, end: int) -> bool:
        """Tell whether a stretch of a document, the end exclusive, holds some of what the answer before led with."""
        return any(document_id == name and start < b and a < end for name, a, b in self.spans)

    def holds(self, document_id: str, start: int, end: int, text: str) -> bool:
        """Tell whether a sentence, `start` to `end` of a document, was given already or is about what was not meant."""
        if self.given(document_id, start, end):
            return True
        if not self.name or re.search(rf"(?<!\w){re.escape(self.name)}(?!\w)", text, re.IGNORECASE) is None:
            return False
        return self.unless.isdisjoint(_content(text))


def find_correction(question: str) -> Correction | None:
    """Find out whether a turn takes back how the one before it was understood.

    Args:
        question: As typed, after at least one answered turn.

    Returns:
        What was meant instead; `None` if it corrects nothing.
    """
    first = _FIRST.match(question)
    plain = _PLAINLY.match(question)
    if first is None and plain is None:
        unwanted = _NOT.match(question)
        return _cut("", unwanted) if unwanted is not None and unwanted["rest"].strip() else None
    rest = question[first.end() :] if first is not None else question
    unwanted = _NOT.match(rest)
    if unwanted is not None:
        return _cut(rest, unwanted)
    second = _SECOND.match(rest)
    if second is not None:
        rest = rest[second.end() :]
    elif first is not None and _asks_yes_or_no(question):
        return None
    return Correction(rest.strip(), _INSTEAD.search(rest) is not None or not rest.strip(" .!?"))


def _cut(rest: str, match: re.Match[str]) -> Correction:
    left = match["rest"].strip()
    second = _SECOND.match(left)
    left = left[second.end() :] if second is not None else left
    return Correction(left, _INSTEAD.search(left) is not None or not left.strip(" .!?"), match["what"].strip())


def _asks_yes_or_no(question: str) -> bool:
    """ "No ships at all?" is a question and no correction."""
    return re.match(r"^\W*(?:no|not) \w", question, re.IGNORECASE) is not None and "," not in question[:6]


def reword(earlier: str, correction: Correction) -> str:
    """Put what was meant into the earlier question.

    A full question stands as it is. "The other cable" takes the place of the one name in the earlier question; anything
    else is set behind it.
    """
    rest = correction.rest.strip().rstrip(".!")
    asked = earlier.strip().rstrip("?.! ")
    if not rest:
        return f"{asked}, in another place?"
    if (rest.endswith("?") and len(_content(rest)) >= 2) or re.match(
        r"(?:who|what|when|where|why|how|which)\b.*\w+ \w+", rest, re.I
    ):
        return rest
    rest = rest.rstrip("?")
    swapped = swap_name(earlier, rest) if correction.other or _NAME.fullmatch(_bare(rest)) else None
    return swapped or f"{asked}, {_lowered(rest)}?"


def not_meant(earlier: str, correction: Correction, spans: tuple[Place, ...]) -> NotMeant:
    """Find what a correction says was not meant.

    Args:
        earlier: The question that was misunderstood.
        correction: What takes it back. "The other cable" is any but the one that the question named.
        spans: What the answer led with.
    """
    if correction.unwanted:
        name = re.sub(r"['’]s?$", "", _LEADING.sub("", correction.unwanted))
        unless = frozenset(_content(correction.rest))
        return NotMeant(spans, name if _content(name) else "", unless, correction.other)
    named = _only_name(earlier) if correction.other else None
    return NotMeant(spans, named.group() if named is not None else "", elsewhere=correction.other)


def _content(text: str) -> set[str]:
    words = (m.group().lower() for m in _WORD.finditer(text))
    return {word for word in words if word not in STOP_WORDS}


def _only_name(question: str) -> re.Match[str] | None:
    names = [m for m in _NAME.finditer(question) if m.start() > 0]
    return names[0] if len(names) == 1 else None


def swap_name(earlier: str, fragment: str) -> str | None:
    """Put a fragment in the place of the only name in a question; `None` if it has none, or several."""
    named = _only_name(earlier)
    if named is None:
        return None
    start, end = named.span()
    bare = _bare(fragment)
    last = bare.split()[-1].lower() if bare else ""
    following = re.match(r"\s+(\w+)", earlier[end:])
    if following is not None and following[1].lower().rstrip("s") == last.rstrip("s"):
        end += following.end()  # "the Lantern cable" → "the other cable"
    if re.match(r"(?:the|a|an)\b", fragment, re.IGNORECASE) and earlier[:start].lower().endswith(
        ("the ", " a ", " an ")
    ):
        fragment = bare
    return earlier[:start] + _lowered(fragment) + earlier[end:]


def _bare(text: str) -> str:
    return re.sub(r"^(?:the|a|an)\s+", "", text.strip(), flags=re.IGNORECASE)


def _lowered(text: str) -> str:
    """A fragment as it stands inside a sentence: its first letter small if it is an article or the like."""
    first = text.split(" ", 1)[0]
    return text[:1].lower() + text[1:] if first.lower() in STOP_WORDS else text
