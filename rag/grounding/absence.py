"""Sentences that say what the documents do not hold: "The documents do not mention a price."

They are about the documents, not from them: nothing can be quoted for them, and no head that looks for entailment knows
what to make of them. What can be checked is whether what they call missing stands there after all.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from index.sentences import sentence_spans
from rag.grounding.facts import content

_SOURCE = (
    r"(?:(?:documents?|passages?|texts?|sources?|contexts?|excerpts?|articles?|materials?)\b"
    r"|(?:provided|given|available|retrieved) information\b|information (?:provided|given|available)\b)"
)
_NOT = r"(?:(?:do|does|did|is|are|was|were|has|have|can|could)(?:es)?(?: not|n['’]t)|cannot)"
_HOW = r"(?:\s+(?:explicitly|specifically|directly|clearly|actually|fully|also|seem to|appear to))?"
_SAY = (
    r"(?:say|state|mention|specify|provide|contain|include|give|discuss|describe|address|cover|have|hold|offer|indicate|"
    r"list|name|explain|define|identify|detail|tell|answer|reveal|clarify|show|report|confirm|refer|speak)\b"
)
_SAID = (
    r"(?:said|stated|mentioned|specified|provided|contained|included|given|discussed|described|addressed|covered|found|"
    r"listed|named|explained|defined|identified|detailed|indicated|available|present)\b"
)
_MATTER = r"(?:information|details?|mention|answer|data|description|explanation|reference|instructions?|guidance)\b"
_ANY = r"(?:\s+(?:any|enough|sufficient|specific|explicit|direct|further|more|exact|detailed|relevant|clear|a|an|the))*"
_ABSENT = re.compile(
    rf"\b{_SOURCE}(?:\W+\w+){{0,4}}?\W+{_NOT}{_HOW}\s+{_SAY}"
    rf"|\b(?:is|are|was|were)(?: not|n['’]t){_HOW}\s+{_SAID}(?:\W+\w+){{0,5}}?\W+{_SOURCE}"
    rf"|\bnot in (?:the|these|any)(?: \w+)?\s+{_SOURCE}"
    rf"|\b(?:i|we)\s+(?:(?:do|did)(?: not|n['’]t)\s+(?:currently\s+)?(?:have|find|see|know)|have|found|find|see)"
    rf"(?:\s+no)?{_ANY}\s+{_MATTER}"
    rf"|\b(?:i|we)(?:['’]m| am| are)?\s+(?:cannot|can['’]t|could not|couldn['’]t|unable to|not able to)\s+"
    rf"(?:find|answer|determine|tell|say|confirm)\b"
    rf"|\bthere\s+(?:is|are|was|were)\s+no(?:t any)?{_ANY}\s+{_MATTER}"
    rf"|\bno{_ANY}\s+{_MATTER}(?:\W+\w+){{0,8}}?\s+(?:is|are|was|were)\s+{_SAID}",
    re.IGNORECASE,
)
_AFFIRMED = re.compile(r"\b(?:i|we)\s+(?:have|found|find|see)\b(?!\s+no\b)", re.IGNORECASE)
_TURN = re.compile(r"[,;:.]?\s+(?:but|however|although|though|yet|nevertheless|instead)\b|;", re.IGNORECASE)
_SAYS = 2  # content words from which a piece of a sentence says something
_FRAME = frozenset(
    "document documents passage passages text texts source sources context contexts excerpt excerpts article articles "
    "material materials information details detail mention answer data specific explicit explicitly specifically "
    "provide provided provides given available state mentioned specify specified say says contain contains include "
    "regarding about whether sorry unfortunately according find determine".split()
)


@dataclass(frozen=True, slots=True)
class Absence:
    """A sentence that says what is not in the documents: the `clause` that says so, and the `rest` of the sentence.

    The rest is empty if it says nothing of its own: "Sorry, but the documents do not mention a price."
    """

    clause: str
    rest: str


def find_absence(sentence: str) -> Absence | None:
    """Tell what a sentence says is not in the documents; `None` for a sentence about anything else."""
    at = 0
    while (found := _ABSENT.search(sentence, at)) is not None:
        if _AFFIRMED.match(found.group()) is None:
            before = max((m.end() for m in _TURN.finditer(sentence, 0, found.start())), default=0)
            turn = _TURN.search(sentence, found.end())
            after = turn.start() if turn else len(sentence)
            rest = f"{_TURN.sub('', sentence[:before])} {_TURN.sub('', sentence[after:], count=1)}".strip(" ,;:-")
            own = [w for w in content(rest) if w not in _FRAME]
            return Absence(sentence[before:after].strip(" ,;:"), rest if len(own) >= _SAYS else "")
        at = found.end()
    return None


def stands_there(clause: str, evidence: Sequence[str]) -> str:
    """Find the sentence that speaks of what is said to be missing.

    Args:
        clause: See `Absence`.
        evidence: The texts it is about.

    Returns:
        The sentence that holds all content words of the clause; empty if there is none, or if the clause has fewer than
        two.
    """
    wanted = {w for w in content(clause) if w not in _FRAME}
    if len(wanted) < _SAYS:
        return ""
    for text in evidence:
        for start, end in sentence_spans(text):
            if wanted <= set(content(text[start:end])):
                return text[start:end]
    return ""
