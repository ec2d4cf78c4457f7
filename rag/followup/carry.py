"""Which words of a conversation a new question takes along, learned from people's rewrites.

A question that leans on what was said is given the words of earlier turns that a person would have put into it: in the
lexical search, and in front of the standalone question. Each candidate is judged by itself, by a linear model
(`rag/followup/carry.json`) that `python -m rag.followup.train` fits.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING

from rag.followup.switch import FEATURES as OF_QUESTION
from rag.linear import Linear, to_probability
from rag.rarity import SMALL, idf
from rag.words import TALK_WORDS, content_terms

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from index.library import Library
    from rag.followup.history import History

SHARED = ("pronoun", "like_questions", "answered", "shared")
"""Features of the question, as the switch measures them, that say how much it leans on what was said."""
FEATURES = ("rarity", "back", "in_first", "count", "named", "in_answer", "only_in_answer", *SHARED)
MOST = 20
"""How many words are taken along at most."""
SPOKEN, LEAST = 6, 0.2
"""How many of them are said in the standalone question at most, and the chance each must have. At 0.2 nearly as many of
the words that people put in are found as by taking the rarest ones, with half of the words
(`python -m rag.followup.train`)."""
BESIDE = 0.1
"""The chance that a word must have to be said because it stands next to one that is: half of a name says little."""
_IN_ANY_CASE = 2  # of a question that is nothing without the turns before it
_NAME = re.compile(r"(?<![.!?“\"] )(?<!^)\b(?:[A-Z][\w’'-]*\w)\b")


@dataclass(slots=True)
class Candidate:
    """A word of earlier turns: as it was written, the questions that have it (indices), where else it stands."""

    word: str
    turns: list[int] = field(default_factory=list)
    named: bool = False
    in_answer: bool = False

    def features(self, rarity: float, questions: int) -> list[float]:
        """The values of `FEATURES` before `SHARED`; `rarity` from 0 to 1, `questions` is how many came before."""
        return [
            rarity,
            math.log1p(questions - 1 - self.turns[-1]) if self.turns else 0.0,
            float(0 in self.turns),
            math.log1p(len(self.turns)),
            float(self.named),
            float(self.in_answer),
            float(not self.turns),
        ]


@dataclass(frozen=True, slots=True)
class Carried:
    """A word that is taken along, and the chance (0 to 1) that a person would have put it into the question."""

    word: str
    chance: float


def candidates(history: History, own: Mapping[str, str], library: Library) -> dict[str, Candidate]:
    """Collect the words of earlier turns that a question does not have itself.

    Args:
        history: The turns before it.
        own: Its own index terms.
        library: Cuts texts into terms.

    Returns:
        By index term. Of the last answer only names and what answers exactly; the rest of it is nobody's subject.
    """
    found: dict[str, Candidate] = {}

    def add(text: str, turn: int | None, named: bool) -> None:
        for term, word in content_terms(text, library).items():
            if term not in own and word.lower() not in TALK_WORDS:
                candidate = found.setdefault(term, Candidate(word))
                candidate.named |= named
                if turn is not None and turn not in candidate.turns:
                    candidate.turns.append(turn)

    for turn, text in enumerate(history.questions):
        add(text, turn, False)
        for name in _NAME.findall(text):
            add(name, turn, True)
    for name in _NAME.findall(history.answer):
        add(name, None, True)
    add(history.highlight, None, False)
    for term in content_terms(history.answer, library):
        if term in found:
            found[term].in_answer = True
    return found


def carry(
    history: History, own: Mapping[str, str], measured: NDArray[np.float32], library: Library
) -> dict[str, Carried]:
    """Choose the words that a question takes along.

    Args:
        history: The turns before it, at least one.
        own: Its own index terms.
        measured: What `rag.followup.switch.measure` says of it.
        library: Says how rare words are; a word that occurs nowhere in it is not taken along.

    Returns:
        Up to `MOST`, by index term, the likeliest first.
    """
    found = candidates(history, own, library)
    counts = library.lexical.frequencies(found)
    size = library.catalog.count()[1]
    known = {term: c for term, c in found.items() if counts[term]}
    if not known:
        return {}
    rows = [c.features(rareness(counts[t], size), len(history.questions)) for t, c in known.items()]
    scores = load_model().score(with_question(rows, measured))
    carried = {t: Carried(c.word, to_probability(float(s))) for (t, c), s in zip(known.items(), scores, strict=True)}
    return dict(sorted(carried.items(), key=lambda item: -item[1].chance)[:MOST])


def spoken(carried: Mapping[str, Carried], leaning: bool) -> dict[str, str]:
    """Of the words taken along, those that are said in the standalone question; by index term.

    Args:
        carried: The likeliest first.
        leaning: The question is nothing without the turns before it: it has a pronoun, or is no sentence. If no word is
            likely enough, the two likeliest are said.
    """
    first = list(carried.items())[:SPOKEN]
    likely = {term: c.word for term, c in first if c.chance >= LEAST}
    return likely if likely or not leaning else {term: c.word for term, c in first[:_IN_ANY_CASE]}


def rareness(count: int, size: int) -> float:
    """How rare a term is, from 0 to 1: its idf (`rag.rarity.idf`) as a share of the idf of a term that occurs nowhere.

    Args:
        count: Passages that have it.
        size: Passages in all.
    """
    return idf(count, size) / idf(0, max(size, SMALL))


def with_question(rows: list[list[float]], measured: NDArray[np.float32]) -> NDArray[np.float32]:
    """Put what is known of the question beside each candidate's features; shape `(candidates, features)`."""
    import numpy as np

    of_question = measured[[OF_QUESTION.index(name) for name in SHARED]]
    own = np.asarray(rows, dtype=np.float32)
    return np.hstack([own, np.broadcast_to(of_question, (len(own), len(of_question)))])


@lru_cache(maxsize=1)
def load_model() -> Linear:
    """Read the model that ships with the package."""
    return Linear.load(
        json.loads(resources.files("rag.followup").joinpath("carry.json").read_text(encoding="utf-8")), FEATURES
    )
