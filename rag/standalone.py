"""From a question in a conversation to a query that stands alone, without a language model.

Dense search: half the mean vector of the conversation's questions is added to the question's own (DESIGN: measured on
MTRAG, it equals rewrites by a language model). Lexical search: a few telling terms of earlier questions are carried
over with a small weight. Putting the earlier question's words into the query text was measured to be much worse.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag.rarity import Rarity, measure_rarity
from rag.words import STOP_WORDS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from index.library import Library
    from rag.settings import AnswerSettings
    from rag.types import Conversation

_WORD = re.compile(r"[^\W_]+(?:[-'’.][^\W_]+)*")
_MAX_CARRIED = 6
_TURNS_BACK = 3


@dataclass(frozen=True, slots=True)
class Query:
    """A question made ready for the index.

    The grounding model is asked the `standalone_question`. `vector` has shape `(dimension,)`, L2-normalised, with the
    conversation mixed in. `terms` are index terms with weights; `own_terms` those of the question itself, stop words
    left out, each with the word it came from; `carried_terms` those of earlier questions. `rarity` says how telling
    they are.
    """

    question: str
    standalone_question: str
    vector: NDArray[np.float32]
    terms: dict[str, float]
    own_terms: dict[str, str]
    carried_terms: dict[str, str]
    rarity: Rarity


def make_query(question: str, conversation: Conversation | None, library: Library, settings: AnswerSettings) -> Query:
    """Make a query of a question and the conversation before it.

    Args:
        question: What the person asked, as typed.
        conversation: The turns before it, if any.
        library: Gives the encoder and the index terms.
        settings: How much of the conversation to mix in.

    Returns:
        The query. Without earlier turns it holds nothing but the question.
    """
    earlier = [turn.question for turn in conversation.turns] if conversation is not None else []
    vectors = library.encoder.encode([question, *earlier])
    own_terms = content_terms(question, library)
    carried = _carried(earlier, own_terms, library)
    terms = dict.fromkeys(library.lexical.terms(question), 1.0)
    terms.update({term: settings.carried_weight for term in carried if term not in terms})
    return Query(
        question,
        _wording(question, carried),
        mix(vectors, settings.history_weight) if earlier else vectors[0],
        terms,
        own_terms,
        carried,
        measure_rarity([*own_terms, *carried], library),
    )


def mix(vectors: NDArray[np.float32], weight: float) -> NDArray[np.float32]:
    """Add the conversation to a question's vector.

    Args:
        vectors: Shape `(questions, dimension)`, L2-normalised; row 0 is the question at hand, the rest came before.
        weight: How much of the mean of all rows is added, 0 and up.

    Returns:
        Shape `(dimension,)`, float32, L2-normalised.
    """
    import numpy as np

    mixed = vectors[0] + weight * vectors.mean(axis=0)
    return np.asarray(mixed / max(float(np.linalg.norm(mixed)), 1e-12), dtype=np.float32)


def content_terms(text: str, library: Library) -> dict[str, str]:
    """Cut a text into index terms without stop words, each with the first word it came from."""
    found: dict[str, str] = {}
    for match in _WORD.finditer(text):
        word = match.group()
        if word.lower().replace("’", "'") in STOP_WORDS:
            continue
        for term in library.lexical.terms(word):
            if term not in STOP_WORDS:
                found.setdefault(term, word)
    return found


def _carried(earlier: Sequence[str], own: dict[str, str], library: Library) -> dict[str, str]:
    """Choose the rarest terms of the last few questions that the library knows and the question does not repeat."""
    candidates: dict[str, str] = {}
    for text in reversed(earlier[-_TURNS_BACK:]):
        for term, word in content_terms(text, library).items():
            if term not in own:
                candidates.setdefault(term, word)
    counts = library.lexical.frequencies(candidates)
    known = sorted((count, term) for term, count in counts.items() if count)
    chosen = {term for _, term in known[:_MAX_CARRIED]}
    return {term: word for term, word in candidates.items() if term in chosen}


def _wording(question: str, carried: dict[str, str]) -> str:
    """Say in words what is searched for: the question, and what was carried over."""
    if not carried:
        return question
    return f"{question} ({', '.join(dict.fromkeys(carried.values()))})"
