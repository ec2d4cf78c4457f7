"""Check statements against what they cite, whoever wrote them: the ladder.

1. Verbatim: the statement's words, in their order, stand in the evidence. Supported with certainty.
2. Facts: a number, date, name, unit or denial that the evidence does not have. Never `supported`.
3. The support head over the windows of the evidence nearest in words, mixed with word overlap and what rung 2 found,
   and brought to a scale from 0 to 1. How far that is from a share of true statements: docs/quality.md.
4. Optionally a language model's judgement (an `LlmJudge`), for what rung 3 leaves undecided.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

from rag.grounding.evidence import FEATURES, Weighed, Window, weigh
from rag.grounding.guards import Mismatch
from rag.grounding.pairs import Judge
from rag.linear import Linear, to_probability
from rag.types import Verdict

LlmJudge = Callable[[str, str], float]
"""Takes a statement and its evidence, gives the chance (0 to 1) that it is supported."""


@dataclass(frozen=True, slots=True)
class Support:
    """What the checks say of one statement.

    `score` runs from 0 (nothing supports it) to 1 (the evidence says it); `verdict` is the same in a word; `reason`
    says in words what is missing, empty for a supported statement. `text` and `span` are the piece of evidence that
    supports it best: its index among the texts given, and `(start, end)` in it; `None` if there is none.
    """

    score: float
    verdict: Verdict
    reason: str
    text: int | None = None
    span: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Scale:
    """The fitted score and its two marks: from `supported` up a statement is supported, from `weak` up it is weak."""

    linear: Linear
    supported: float
    weak: float


class Verifier:
    """Checks statements.

    Args:
        judge: The support head, or what takes its place.
        llm: Asked about statements that are neither clearly supported nor clearly not; nothing if `None`.
        scale: Weights other than the ones shipped, for fitting.
    """

    def __init__(self, judge: Judge, llm: LlmJudge | None = None, scale: Scale | None = None) -> None:
        self._judge, self._llm, self._scale = judge, llm, scale

    def check(self, statement: str, evidence: Sequence[str], context: str = "") -> Support:
        """Check one statement; see `check_all`."""
        return self.check_all([(statement, evidence)], [context])[0]

    def check_all(
        self, statements: Sequence[tuple[str, Sequence[str]]], contexts: Sequence[str] | None = None
    ) -> list[Support]:
        """Check statements.

        Args:
            statements: One sentence each, without markers, with the texts it cites.
            contexts: For each, what may be taken as known besides: titles and dates of its documents.

        Returns:
            One result for each, in order.
        """
        results: list[Support | None] = [_verbatim(s, evidence) for s, evidence in statements]
        left = [i for i, r in enumerate(results) if r is None]
        scale = self._scale or load_scale()
        known = [contexts[i] for i in left] if contexts else None
        for i, weighed in zip(left, weigh(self._judge, [statements[i] for i in left], known), strict=True):
            results[i] = self._graded(statements[i], weighed, scale)
        return [r for r in results if r is not None]

    def _graded(self, statement: tuple[str, Sequence[str]], weighed: Weighed, scale: Scale) -> Support:
        import numpy as np

        features = np.asarray([weighed.features], dtype=np.float32)
        score = to_probability(float(scale.linear.score(features)[0]))
        if self._llm is not None and scale.weak <= score < scale.supported:
            score = min(max(self._llm(statement[0], "\n\n".join(statement[1])), 0.0), 1.0)
        if any(m.sure for m in weighed.mismatches):  # a fact that is not there is never supported, whatever else fits
            score = min(score, scale.supported - 0.01)
        verdict = grade(score, scale)
        window = weighed.window
        return Support(
            score,
            verdict,
            "" if verdict == "supported" else _reason(weighed),
            window.number if window else None,
            (window.start, window.end) if window else None,
        )


def grade(score: float, scale: Scale) -> Verdict:
    """The verdict for a score."""
    if score >= scale.supported:
        return "supported"
    return "weak" if score >= scale.weak else "unsupported"


def normalise(text: str) -> str:
    """Make runs of white space single spaces; nothing else is changed."""
    return " ".join(text.split())


def _verbatim(statement: str, evidence: Sequence[str]) -> Support | None:
    words = normalise(statement)
    if not words:
        return Support(0.0, "unsupported", "the statement is empty")
    for number, text in enumerate(evidence):
        at = text.find(words)
        if at >= 0:
            return Support(1.0, "supported", "", number, (at, at + len(words)))
        if words in normalise(text):
            return Support(1.0, "supported", "", number, (0, len(text)))
    return None if any(e.strip() for e in evidence) else Support(0.0, "unsupported", "nothing is cited")


_ORDER = ("number", "unit", "date", "negation", "opposite", "name")


def _reason(weighed: Weighed) -> str:
    if weighed.mismatches:
        first: Mismatch = min(weighed.mismatches, key=lambda m: _ORDER.index(m.kind))
        return first.reason
    _, neither, contradicted = weighed.chances
    if contradicted > max(neither, 0.5):
        return "the source says otherwise"
    return "the source does not say this"


@lru_cache(maxsize=1)
def load_scale() -> Scale:
    """Read the fitted score that ships with the package; `python -m rag.grounding.fit` makes it."""
    data = json.loads(resources.files("rag.grounding").joinpath("scale.json").read_text(encoding="utf-8"))
    return Scale(Linear.load(data["support"], FEATURES), data["supported"], data["weak"])


__all__ = ["LlmJudge", "Scale", "Support", "Verifier", "Window", "grade", "load_scale", "normalise"]
