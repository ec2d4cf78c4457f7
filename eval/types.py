"""The nouns of evaluation: what is asked and what is right, what came back, and how good that was.

Frozen, slotted, data only. Spans count code points of a document's text from 0; `end` is exclusive.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from rag.types import Answer, Tokens

State = Literal["value", "n/a", "error"]
Found = Literal["exact", "elsewhere", "missing"]


@dataclass(frozen=True, slots=True)
class Evidence:
    """A place that answers the question: `text[start:end] == quote` in the document with this source.

    `source` is the whole source of the document or the end of its path. Pieces of the same `need` are alternatives: one
    of them is enough. Pieces of different needs are all wanted.
    """

    source: str
    quote: str
    start: int
    end: int
    need: int = 0


@dataclass(frozen=True, slots=True)
class Case:
    """One question with what a right answer rests on.

    `history` is earlier `(question, answer)` pairs, the oldest first; an answer may be empty where only the questions
    are known. `evidence` are the places that answer; an unanswerable case has none. `relevant` are whole documents that
    help, `(source, grade)`, as retrieval collections judge them: a grade of 0 is no help. `conversation` names what the
    case was taken from: cases of one conversation are not independent. `rewrite` is the question as a person would word
    it to be understood alone.
    """

    id: str
    question: str
    history: tuple[tuple[str, str], ...] = ()
    answerable: bool = True
    references: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    tags: tuple[str, ...] = ()
    conversation: str = ""
    rewrite: str = ""
    relevant: tuple[tuple[str, int], ...] = ()

    @property
    def cluster(self) -> str:
        """What the case is not independent of: its conversation, or itself."""
        return self.conversation or self.id

    @property
    def depth(self) -> int:
        """Which turn of a conversation it is, from 1."""
        return len(self.history) + 1


@dataclass(frozen=True, slots=True)
class Prices:
    """What a million tokens cost that a language model reads or writes, in whatever currency."""

    prompt: float
    completion: float

    def cost(self, tokens: Tokens) -> float:
        """The price of some tokens."""
        return (tokens.prompt * self.prompt + tokens.completion * self.completion) / 1e6


@dataclass(frozen=True, slots=True)
class Output:
    """Everything that came back for one case.

    Either `answer`, or `error` with what went wrong. `sources` gives the source of every document that the answer
    mentions, by id; `found` tells for each citation, in order, whether its quote stands at its offsets ("exact"),
    somewhere else in the document ("elsewhere") or nowhere ("missing"). `seconds` is the time it took, `memory_mb`
    the most memory the process had used by then; `tokens` and `cost` are what a language model used, `None` where none
    did or nothing is known.
    """

    case: str
    answer: Answer | None
    seconds: float
    error: str = ""
    sources: dict[str, str] = field(default_factory=dict)
    found: tuple[Found, ...] = ()
    memory_mb: float | None = None
    tokens: Tokens | None = None
    cost: float | None = None


@dataclass(frozen=True, slots=True)
class Score:
    """One metric of one case: a value, or `None` with the reason.

    `state` keeps apart what has a value, where the metric does not apply ("n/a") and what failed ("error").
    `scorer` is the name and revision of what scored: values of different revisions are not compared.
    """

    case: str
    metric: str
    value: float | None
    reason: str = ""
    state: State = "value"
    scorer: str = ""


@dataclass(frozen=True, slots=True)
class Summary:
    """One metric over a run.

    `value` is the mean over the cases it applies to (for a few metrics another figure, which their entry in
    `eval.metrics` names), with its 95% interval `low` to `high`, `None` where there is none. `cases` counts the values,
    `not_applicable` and `errors` the cases without one.
    """

    metric: str
    value: float | None
    cases: int
    errors: int
    low: float | None = None
    high: float | None = None
    not_applicable: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """What came of a run: `cases` were asked for, `asked` have an output, `failures` are `(case, reason)`."""

    cases: int
    errors: int
    summaries: tuple[Summary, ...]
    failures: tuple[tuple[str, str], ...] = ()
    asked: int = 0

    def value(self, metric: str) -> float | None:
        """The figure of a metric; `None` if it has no value in this run."""
        return next((s.value for s in self.summaries if s.metric == metric), None)
