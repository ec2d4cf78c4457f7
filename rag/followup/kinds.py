"""The kinds of turns, told apart by how they are worded."""

from __future__ import annotations

import re
from typing import Literal

Kind = Literal[
    "question", "follow-up", "topic-switch", "comparison", "correction", "narrowing", "choice",
    "clarification", "meta", "small talk",
]  # fmt: skip
"""What a turn is. `question` stands alone; after `clarification`, `meta` and `small talk` nothing was searched."""

ABOUT = "About "
"""How a standalone question begins that is the question as typed with words of the conversation in front of it."""

UNSEARCHED: tuple[Kind, ...] = ("clarification", "meta", "small talk")
_ALONE: tuple[Kind, ...] = ("question", "topic-switch")

PRONOUN = re.compile(
    r"\b(?:it|its|itself|herself|himself|themselves|they|them|their|theirs|he|him|his|she|her|hers|this|that|these|those|one|ones|there|here|"
    r"both|others?|same|such|former|latter|then|so)\b",
    re.IGNORECASE,
)
LEAD = re.compile(
    r"^\W*(?:and|but|so|or|what about|how about|why|then|also|anything|anyone|any other|any more|what else|who else|"
    r"else|really|since when|until when|how come)\b",
    re.IGNORECASE,
)
_SWITCH = re.compile(
    r"^\W*(?:ok(?:ay)?|right|well|now|so|and|but|thanks|thank you|great)?\W*(?:"
    r"(?:(?:a |an )?(?:completely |totally |entirely |quite |very )?(?:different|new|other|another|unrelated|separate) "
    r"(?:subject|topic|question|thing|matter|issue|point|note)\b|on (?:a|another) (?:completely |very )?(?:different )?"
    r"(?:note|subject|topic|matter)|(?:something|anything) (?:completely |totally |entirely )?(?:else|different)\b"
    r"(?! (?:did|does|do|was|is|were|are|has|have|about|that|in|to|happen))|"
    r"chang(?:e|ing) (?:of |the )?(?:subject|topic)|switch(?:ing)? (?:the )?(?:subject|topic|topics)|"
    r"by the way|btw|unrelated|forget (?:that|about that|it)|never ?mind(?: that)?|leaving that aside|"
    r"(?:let'?s|let us) (?:talk|turn|go|move|switch)(?: (?:on|over|back))?(?: (?:about|to))?|"
    r"(?:moving|turning) (?:on|back|now)?(?: to)?|(?:now|next|over|back) to)"
    r"(?: instead)?)\W+",
    re.IGNORECASE,
)
_COMPARISON = re.compile(
    r"\b(?:differ(?:s|ed|ence|ent)?(?: from)?|compar(?:e|es|ed|ing|ison)|versus|vs|as opposed to|in contrast|"
    r"(?:higher|lower|more|less|better|worse|bigger|smaller|larger|cheaper|faster|longer|shorter|earlier|later)"
    r" (?:or|than)|same (?:as|in|for|for)|agree(?:s|d)? with|the one (?:before|after)|or is it (?:less|more))\b",
    re.IGNORECASE,
)

_ASKS_WHO = re.compile(
    r"\W*[Ww](?:ho|hat) (?:is|was|are|were) (?:the )?[A-Z][\w’.-]*"
    r"(?: (?:(?:of|for|the|and|de|der|van|von|al|bin) )*[A-Z\d][\w’.-]*)+\W*"
)


def asks_who(question: str) -> bool:
    """Tell whether a question asks who or what somebody or something is, by a name of two words or more."""
    return _ASKS_WHO.fullmatch(question) is not None


def switch_lead(question: str) -> int:
    """Where a question begins after words that announce another subject; 0 without them, or if nothing follows."""
    match = _SWITCH.match(question)
    return match.end() if match is not None and any(c.isalnum() for c in question[match.end() :]) else 0


def compares(question: str) -> bool:
    """Tell whether a question sets something against something else."""
    return _COMPARISON.search(question) is not None


def follows(kind: Kind) -> bool:
    """Tell whether a turn that is searched for leans on those before it: it then says less than it means."""
    return kind not in _ALONE


def leans(question: str) -> bool:
    """Tell whether a question's own words point to something said before."""
    return PRONOUN.search(question) is not None or LEAD.match(question) is not None
