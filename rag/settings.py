"""Settings of answering. Section `[answer]` of `dossier.toml`, variables `DOSSIER_ANSWER_*`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AnswerSettings:
    """How an answer is made."""

    candidates: int = 30
    """Passages that the search gives, to be ranked by the grounding model."""
    passages: int = 5
    """Passages read for an answer, the best ranked."""
    each: int = 4
    """How many of the first passages of dense and of lexical search are ranked in any case."""
    statements: int = 4
    """Statements of an answer at most."""
    abstain_below: float = -1.0
    """Abstain when the documents hold the answer with less than this probability; negative for the fitted value."""
    history_weight: float = -1.0
    """How much of the earlier questions' mean vector is added to the question's; negative to let the switch decide."""
    carried_weight: float = 0.4
    """Weight, in lexical search, of terms carried over from earlier questions."""
    ranker: str = ""
    """A sentence-transformers CrossEncoder, by name or folder, that ranks passages in place of the shipped model."""
    answerability: str = ""
    """A CrossEncoder that judges whether a passage holds the answer, in place of the shipped model."""
    judge: str = ""
    """A CrossEncoder for natural language inference that checks statements, in place of the shipped model."""
    device: str = "cpu"
    """Where such cross-encoders run: cpu, cuda, mps."""
    max_question_chars: int = 4_000
    """Longest question, in characters."""
