"""How much of a conversation is mixed into a query: a switch with two outlets, learned from people's rewrites.

The query's vector is question + a · mean(earlier questions) + b · last answer. Here a (0 to 2) and b (0 to 1) are read
off the question and its closeness to what was said before; `python -m rag.followup.train` fits the weights so that the
mixture comes close to the vector of the question as a person rewrote it to stand alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING

from rag.followup.kinds import LEAD, PRONOUN
from rag.linear import Linear, to_probability
from rag.words import STOP_WORDS, WORD

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FEATURES = (
    "pronoun", "content", "lead", "named", "like_questions", "like_last_question", "like_answer", "answered",
    "turns", "shared", "empty",
)  # fmt: skip
MOST_QUESTIONS, MOST_ANSWER = 2.0, 1.0
_NAMED = re.compile(r"(?<=\s)[A-Z][\w-]+|\d")


@dataclass(frozen=True, slots=True)
class Mixture:
    """Weights of what is added to a question's vector: the mean of the earlier questions, and the last answer."""

    questions: float
    answer: float


@dataclass(frozen=True, slots=True)
class Switch:
    """The learned models of the two outlets."""

    questions: Linear
    answer: Linear

    def mixture(self, features: NDArray[np.float32]) -> Mixture:
        """Decide for one question; `features` has shape `(features,)`, as `measure` gives them."""
        row = features.reshape(1, -1)
        answered = features[FEATURES.index("answered")] > 0
        answer = MOST_ANSWER * to_probability(float(self.answer.score(row)[0])) if answered else 0.0
        return Mixture(MOST_QUESTIONS * to_probability(float(self.questions.score(row)[0])), answer)


@lru_cache(maxsize=1)
def load_switch() -> Switch:
    """Read the switch that ships with the package."""
    data = json.loads(resources.files("rag.followup").joinpath("switch.json").read_text(encoding="utf-8"))
    return Switch(Linear.load(data["questions"], FEATURES), Linear.load(data["answer"], FEATURES))


def measure(
    question: str,
    earlier: Sequence[str],
    vector: NDArray[np.float32],
    vectors: NDArray[np.float32],
    answer: NDArray[np.float32] | None,
) -> NDArray[np.float32]:
    """Measure what the switch decides by.

    Args:
        question: The question at hand.
        earlier: The questions before it, oldest first; at least one.
        vector: The question's vector, shape `(dimension,)`, L2-normalised.
        vectors: Those of the earlier questions, shape `(questions, dimension)`, L2-normalised.
        answer: That of the last answer; `None` without one.

    Returns:
        One value for each of `FEATURES`, shape `(features,)`.
    """
    import numpy as np

    mean = vectors.mean(axis=0)
    own = _content(question)
    before = {word for text in earlier for word in _content(text)}
    return np.array(
        [
            PRONOUN.search(question) is not None,
            min(len(own), 8) / 4,
            LEAD.match(question) is not None,
            _NAMED.search(question) is not None,
            float(vector @ mean) / max(float(np.linalg.norm(mean)), 1e-9),
            float(vector @ vectors[-1]),
            float(vector @ answer) if answer is not None else 0.0,
            answer is not None,
            np.log(len(earlier)),
            sum(word in before for word in own) / max(len(own), 1),
            not own,
        ],
        dtype=np.float32,
    )


def _content(text: str) -> list[str]:
    return [word for match in WORD.finditer(text) if (word := match.group().lower()) not in STOP_WORDS]
