"""Words that carry no content of their own in a question, and those that do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from index.library import Library

WORD = re.compile(r"[^\W_]+(?:[-'’.][^\W_]+)*")
"""A word; hyphens, apostrophes and points within belong to it."""

QUESTION_WORD = re.compile(r"\b(?:who|whom|whose|which|what|when|where|why|how)\b", re.IGNORECASE)

STOP_WORDS = frozenset(
    "a an the this that these those such some any each every either neither no not nor only own same so than too very "
    "i me my mine we us our ours you your yours he him his she her hers it its they them their theirs one ones "
    "myself yourself himself herself itself themselves who whom whose which what when where why how whether "
    "and or but if then else because as until while of at by for with about against between into through during "
    "before after above below to from up down in out on off over under again further once here there all both few "
    "more most other another much many am is are was were be been being have has had having do does did doing done "
    "can could will would shall should may might must ought let s t d ll m re ve isn aren wasn weren don doesn didn "
    "isn't aren't wasn't weren't don't doesn't didn't hasn't haven't hadn't won't wouldn't can't couldn't shouldn't "
    "what's who's where's when's how's it's that's there's i'm you're we're they're i've we've please tell give show "
    "explain describe say says said know want like also just now per via etc ok okay yes yeah well actually really "
    "kind type sort way thing things something anything lot bit get got go going make made use used".split()
)
"""Function words, and the small change of questions ("tell me", "what kind of")."""

TALK_WORDS = frozenset(
    "according compare compared compares comparison differ differs differed difference different happen happens "
    "happened come comes came put puts find finds found think thinks mean means meant agree agrees agreed concern "
    "exactly together altogether whole entire total still already later earlier first last next new old long high "
    "low big small good bad sure far part full often ever yet even else instead answer question word words higher "
    "lower more less fewer greater smaller larger bigger better worse cheaper dearer same such".split()
)
"""Words by which people speak of what they speak of: they say nothing of it, and are not carried on."""


def content_terms(text: str, library: Library) -> dict[str, str]:
    """Cut a text into index terms without stop words, each with the first word it came from."""
    found: dict[str, str] = {}
    for match in WORD.finditer(text):
        word = match.group()
        if word.lower().replace("’", "'") in STOP_WORDS:
            continue
        for term in library.lexical.terms(word):
            if term not in STOP_WORDS:
                found.setdefault(term, word)
    return found
