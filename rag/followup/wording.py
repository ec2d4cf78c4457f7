"""The standalone question in words that a person can read and change."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from rag.followup.correct import swap_name
from rag.followup.kinds import ABOUT
from rag.grounding.edits import MONTHS
from rag.words import STOP_WORDS, WORD

_MONTH = "|".join(MONTHS)
_FRAGMENT = re.compile(
    r"^\W*(?:and|but|so|what about|how about|then)?\s*(?P<part>(?:(?:in|on|for|at|by|of|from|the|"
    r"as of|during|to|with)\s+)*"
    r"[^?.!]{1,60}?)\s*\?*\s*$",
    re.IGNORECASE,
)
_VERBS = re.compile(
    r"\b(?:is|are|was|were|be|been|has|have|had|do|does|did|can|could|will|would|shall|should|"
    r"may(?! \d)|might|must|who|what|"
    r"when|where|why|how|which|whose|if|get|got|come|came|go|went|need|needs|make|made|say|said)\b",
    re.IGNORECASE,
)
_SLOTS = (
    re.compile(rf"\b(?:{_MONTH})\s+(?:19|20)\d\d\b"),
    re.compile(rf"\b\d{{1,2}} (?:{_MONTH})\b"),
    re.compile(rf"\b(?:{_MONTH})\b"),
    re.compile(r"\b(?:19|20)\d\d\b"),
)
_ASIDE = re.compile(  # "What about Sarrow, is it less there?": what is asked of it was asked before
    r"(?<=\w),\s*(?:is|are|was|were|does|do|did|has|have) (?:it|that|this|they|there|the same)\b[^?.!,]*(?=\W*$)",
    re.IGNORECASE,
)
_PHRASES, _LONGEST = 4, 3


def complete(question: str, earlier: str) -> str | None:
    """Put a fragment ("And in June?", "And Corvane-2?") in the place of its like in the earlier question.

    Returns:
        The earlier question with the other month, year, day or name; `None` if the question is no such fragment.
    """
    match = _FRAGMENT.match(_ASIDE.sub("", question))
    if match is None or _VERBS.search(match["part"]) or len(match["part"].split()) > 6:
        return None
    part = match["part"].strip()
    for slot in _SLOTS:
        new, old = slot.findall(part), list(slot.finditer(earlier))
        if len(new) == 1 and len(old) == 1:
            return f"{earlier[: old[0].start()]}{new[0]}{earlier[old[0].end() :]}"
        if new:
            return None
    bare = re.sub(r"^(?:(?:and|in|on|for|at|by|of|from|to|with)\s+)+", "", part, flags=re.IGNORECASE)
    if re.fullmatch(r"(?:the )?[A-Z][\w’'-]*(?: [A-Z\d][\w’'-]*)*", bare):
        return swap_name(earlier, bare)
    return None


def with_subject(question: str, words: Collection[str], sources: Sequence[str], beside: Collection[str] = ()) -> str:
    """Say in front of a question what it is about.

    Args:
        question: The question.
        words: Words carried over from the conversation.
        sources: The texts they come from, the most telling first; neighbours there stay together.
        beside: Further words, said where they stand next to one of `words`: half of a name says little.

    Returns:
        "About the Lantern cable, Perrin Dawn: what was she carrying?"; the question itself without words.
    """
    left, further = {word.lower() for word in words}, {word.lower() for word in beside}
    phrases: list[str] = []
    for text in sources:
        for run in _runs(text, left | further):
            start = 0
            while wanted := [n for n in range(start, len(run)) if run[n].group().lower() in left]:
                first = last = wanted[0]
                while last - first + 1 < _LONGEST and (last + 1 < len(run) or first > start):
                    first, last = (first, last + 1) if last + 1 < len(run) else (first - 1, last)
                phrases.append(text[run[first].start() : run[last].end()])
                said = {match.group().lower() for match in run[first : last + 1]}
                left, further, start = left - said, further - said, last + 1
    if not phrases:
        return question
    named = sorted(phrases, key=lambda phrase: not any(c.isupper() or c.isdigit() for c in phrase))
    return f"{ABOUT}{', '.join(named[:_PHRASES])}: {_inside(question)}"


def _runs(text: str, words: Collection[str]) -> list[list[re.Match[str]]]:
    """The stretches of a text that consist of certain words with single spaces between them."""
    runs: list[list[re.Match[str]]] = []
    end = -1
    for match in WORD.finditer(text):
        if match.group().lower() not in words:
            continue
        if runs and text[end : match.start()] == " ":
            runs[-1].append(match)
        else:
            runs.append([match])
        end = match.end()
    return runs


def _inside(question: str) -> str:
    first = question.split(" ", 1)[0].strip(",?!")
    return question[:1].lower() + question[1:] if first.lower() in STOP_WORDS and first != "I" else question
