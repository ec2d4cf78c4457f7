"""Metrics of one case. Each gives a `Score`: a value from 0 to 1, or none with a reason. Nothing failed is a 0.

Spans are code points of the document's text, end exclusive.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from eval.types import Case, Evidence, Score
from rag.types import Answer

TOP_KS = (1, 5, 10)
_ENOUGH = 0.5


@dataclass(frozen=True, slots=True)
class Asked:
    """A case and what came back: the answer, and source and text of every document it mentions, by id."""

    case: Case
    answer: Answer
    sources: Mapping[str, str]
    texts: Mapping[str, str]


def score_case(asked: Asked) -> list[Score]:
    """Score one answered case with every metric."""
    scores = [Score(asked.case.id, f"recall@{k}", *evidence_recall(asked, k)) for k in TOP_KS]
    others: tuple[tuple[str, Callable[[Asked], tuple[float | None, str]]], ...] = (
        ("first_statement_has_evidence", lambda a: contains_evidence(a, 1)),
        ("answer_has_evidence", contains_evidence),
        ("citation_validity", citation_validity),
        ("answered_when_answerable", answered),
        ("abstained_when_not", abstained),
    )
    return scores + [Score(asked.case.id, name, *metric(asked)) for name, metric in others]


def evidence_recall(asked: Asked, k: int) -> tuple[float | None, str]:
    """recall@k on evidence: 1 if the first k hits hold at least half of one piece of evidence, else 0.

    The pieces of a case are alternatives, so one found is all that is needed. n/a for an unanswerable case.
    """
    if not asked.case.evidence:
        return None, "n/a"
    spans = [(h.passage.document_id, h.passage.start, h.passage.end) for h in asked.answer.hits[:k]]
    return float(any(_held(e, spans, asked.sources) >= _ENOUGH for e in asked.case.evidence)), ""


def contains_evidence(asked: Asked, statements: int | None = None) -> tuple[float | None, str]:
    """1 if the citations of the first `statements` (all if `None`) hold at least half of one piece of evidence.

    An abstention on an answerable case counts 0. n/a for an unanswerable case.
    """
    if not asked.case.evidence:
        return None, "n/a"
    answer = asked.answer
    markers = {m for s in answer.statements[:statements] for m in s.citations}
    spans = [(c.document_id, c.start, c.end) for c in answer.citations if c.marker in markers]
    return float(any(_held(e, spans, asked.sources) >= _ENOUGH for e in asked.case.evidence)), ""


def citation_validity(asked: Asked) -> tuple[float | None, str]:
    """Share of citations whose quote stands in the document exactly at its offsets. n/a without citations."""
    citations = asked.answer.citations
    if not citations:
        return None, "n/a"
    return sum(asked.texts[c.document_id][c.start : c.end] == c.quote for c in citations) / len(citations), ""


def answered(asked: Asked) -> tuple[float | None, str]:
    """1 if an answerable case was answered, 0 if not; n/a for an unanswerable one."""
    return (float(not asked.answer.abstained), "") if asked.case.answerable else (None, "n/a")


def abstained(asked: Asked) -> tuple[float | None, str]:
    """1 if an unanswerable case was refused, 0 if it was answered; n/a for an answerable one."""
    return (None, "n/a") if asked.case.answerable else (float(asked.answer.abstained), "")


def _held(evidence: Evidence, spans: Iterable[tuple[str, int, int]], sources: Mapping[str, str]) -> float:
    """Share (0 to 1) of a piece of evidence that lies in the union of some spans."""
    pieces = sorted(
        (max(start, evidence.start), min(end, evidence.end))
        for document, start, end in spans
        if sources[document].endswith(evidence.source)
    )
    covered, reached = 0, evidence.start
    for start, end in pieces:
        covered += max(end - max(start, reached), 0)
        reached = max(reached, end)
    return covered / max(evidence.end - evidence.start, 1)
