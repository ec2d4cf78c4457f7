"""Settings of answering. Section `[answer]` of `dossier.toml`, variables `DOSSIER_ANSWER_*`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AnswerSettings:
    """How an answer is made."""

    passages: int = 12
    """Passages read for an answer."""
    each: int = 4
    """How many of the first passages of dense and of lexical search are read in any case."""
    statements: int = 4
    """Statements of an answer at most."""
    abstain_below: float = -1.0
    """Abstain when the documents hold the answer with less than this probability; negative for the fitted value."""
    history_weight: float = 0.5
    """How much of the conversation's mean question vector is added to the question's."""
    carried_weight: float = 0.4
    """Weight, in lexical search, of terms carried over from earlier questions."""
    max_question_chars: int = 4_000
    """Longest question, in characters."""
