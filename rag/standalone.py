"""From a question in a conversation to a query that stands alone, without a language model.

Dense search: the mean vector of the earlier questions and that of the last answer are added to the question's own, as
much as a learned switch finds fit. Lexical search: the words of earlier turns that a person would
have put into it are carried over with a small weight. Putting the earlier question's words into the query text was
measured to be much worse. A question that turns to another subject takes nothing along.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rag.followup.apart import stands_apart
from rag.followup.carry import BESIDE, Carried, carry, spoken
from rag.followup.history import History
from rag.followup.kinds import Kind, leans
from rag.followup.named import favour
from rag.followup.switch import Mixture, load_switch, measure
from rag.followup.understand import Understood, understand
from rag.followup.wording import with_subject
from rag.rarity import Rarity, measure_rarity
from rag.words import content_terms

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from index.library import Library
    from rag.settings import AnswerSettings
    from rag.types import Conversation

_APART = 0.15
"""Below this weight of the earlier questions a question that does not lean on them is about another subject: 71% of the
rewrites set after other conversations, 3% of the questions that people had to rewrite (held-out conversations)."""


@dataclass(frozen=True, slots=True)
class Query:
    """A question made ready for the index.

    The grounding model is asked the `standalone_question`. `vector` has shape `(dimension,)`, L2-normalised, with the
    conversation mixed in. `terms` are index terms with weights; `own_terms` those of the question itself, stop words
    left out, each with the word it came from; `carried_terms` those of earlier turns that the standalone question says.
    `rarity` says how telling both are. `kind` is what turn of a conversation it is. `favoured` are the documents that
    it points to, each with how surely it is meant (0 to 1).
    """

    question: str
    standalone_question: str
    vector: NDArray[np.float32]
    terms: dict[str, float]
    own_terms: dict[str, str]
    carried_terms: dict[str, str]
    rarity: Rarity
    kind: Kind = "question"
    favoured: Mapping[str, float] = field(default_factory=dict)


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
    return query_for(understand(question, conversation, library), library, settings)


def query_for(turn: Understood, library: Library, settings: AnswerSettings) -> Query:
    """Make the query of a turn that has been understood; see `make_query`."""
    question, history = turn.asked, turn.history
    earlier = list(history.questions)
    texts = [question, *earlier, *([history.answer] if history.answer and earlier else [])]
    vectors = library.encoder.encode(texts)
    own_terms = content_terms(question, library)
    terms = dict.fromkeys(library.lexical.terms(question), 1.0)
    measured = _measured(question, history, vectors) if earlier else None
    mixture = Mixture(0.0, 0.0) if measured is None else _mixture(measured, settings)
    carried, said = dict[str, Carried](), dict[str, str]()
    loose = turn.kind == "follow-up" and not turn.whole
    free = loose and mixture.questions < _APART and not leans(question)
    if measured is not None and not free:
        unwanted = set(library.lexical.terms(turn.avoid.name))
        carried = {t: w for t, w in carry(history, own_terms, measured, library).items() if t not in unwanted}
        said = spoken(carried, leans(question))
        free = loose and stands_apart(question, own_terms, said, library)
    kind: Kind = "topic-switch" if free else turn.kind
    if measured is None or free:
        rarity = measure_rarity(list(own_terms), library)
        favoured = favour(question, library, History(), comparing=False)
        return Query(question, question, vectors[0], terms, own_terms, {}, rarity, kind, favoured)
    for term, word in carried.items():
        terms.setdefault(term, settings.carried_weight * math.sqrt(word.chance))
    beside = [w.word for w in carried.values() if w.chance >= BESIDE]
    sources = [history.highlight, *reversed(earlier), history.answer]
    return Query(
        question,
        question if turn.whole else with_subject(question, said.values(), sources, beside),
        mix(vectors[: len(earlier) + 1], mixture, vectors[-1] if history.answer else None),
        terms,
        own_terms,
        said,
        measure_rarity([*own_terms, *said], library),
        kind,
        favour(question, library, history, comparing=turn.kind == "comparison"),
    )


def _measured(question: str, history: History, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """What the switch decides by; rows of `vectors`: the question, earlier ones, last answer if there is one."""
    count = len(history.questions)
    answer = vectors[-1] if history.answer else None
    return measure(question, history.questions, vectors[0], vectors[1 : count + 1], answer)


def _mixture(measured: NDArray[np.float32], settings: AnswerSettings) -> Mixture:
    """How much of the conversation belongs to a question."""
    if settings.history_weight >= 0:
        return Mixture(settings.history_weight, 0.0)
    return load_switch().mixture(measured)


def mix(
    vectors: NDArray[np.float32], mixture: Mixture, answer: NDArray[np.float32] | None = None
) -> NDArray[np.float32]:
    """Add the conversation to a question's vector.

    Args:
        vectors: Shape `(questions, dimension)`, L2-normalised; row 0 is the question at hand, the rest came before.
        mixture: How much is added of the mean of the earlier questions, and of the answer.
        answer: Vector of the last answer, shape `(dimension,)`, L2-normalised; `None` without one.

    Returns:
        Shape `(dimension,)`, float32, L2-normalised.
    """
    import numpy as np

    mixed = vectors[0] + mixture.questions * vectors[1:].mean(axis=0)
    if answer is not None:
        mixed = mixed + mixture.answer * answer
    return np.asarray(mixed / max(float(np.linalg.norm(mixed)), 1e-12), dtype=np.float32)
