"""The nouns of evaluation: what is asked and what is right, what came of it, and how good that was."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Evidence:
    """A place that answers the question on its own: `text[start:end] == quote` in the document whose source ends so."""

    source: str
    quote: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Case:
    """One question with what a right answer rests on.

    `history` is earlier `(question, answer)` pairs, the oldest first. `evidence` are alternatives: any one of them is
    enough. An unanswerable case has none.
    """

    id: str
    question: str
    history: tuple[tuple[str, str], ...]
    answerable: bool
    references: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Score:
    """One metric of one case: a value, or `None` with the reason: `n/a` where it does not apply, else an error."""

    case: str
    metric: str
    value: float | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Summary:
    """One metric over all cases: the mean of its values, how many there were, and how many cases failed."""

    metric: str
    value: float | None
    cases: int
    errors: int


@dataclass(frozen=True, slots=True)
class Report:
    """What came of a run."""

    cases: int
    errors: int
    summaries: tuple[Summary, ...]
    failures: tuple[tuple[str, str], ...] = field(default=())

    def value(self, metric: str) -> float | None:
        """The mean of a metric; `None` if it has no value in this run."""
        return next((s.value for s in self.summaries if s.metric == metric), None)
