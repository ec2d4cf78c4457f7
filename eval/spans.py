"""Spans of evidence, hits and citations against each other.

A span is `(document, start, end)`: code points of the document's text, end exclusive.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from eval.cases import is_source
from eval.types import Case, Evidence
from index.types import Hit, Place

ENOUGH = 0.5
"""Share of a piece of evidence that has to be there for it to be found."""
_TOKEN = re.compile(r"\w+|[^\w\s]")


def held(evidence: Evidence, spans: Iterable[Place], sources: Mapping[str, str]) -> float:
    """Share (0 to 1) of a piece of evidence that lies in the union of some spans."""
    return _covered(evidence, spans, sources) / max(evidence.end - evidence.start, 1)


def needs(case: Case) -> list[list[Evidence]]:
    """The evidence by need: each list holds alternatives."""
    grouped: dict[int, list[Evidence]] = {}
    for piece in case.evidence:
        grouped.setdefault(piece.need, []).append(piece)
    return list(grouped.values())


def met(alternatives: Sequence[Evidence], spans: Sequence[Place], sources: Mapping[str, str]) -> bool:
    """Whether the spans hold at least half of one of the alternatives."""
    return any(held(piece, spans, sources) >= ENOUGH for piece in alternatives)


def hit_spans(hits: Iterable[Hit]) -> list[Place]:
    """Where hits stand."""
    return [(h.passage.document_id, h.passage.start, h.passage.end) for h in hits]


def within_budget(hits: Iterable[Hit], tokens: int) -> list[Place]:
    """The spans of the first hits that make so many tokens together; the last one is cut off there.

    A token is a word or a single other sign that is not blank. A budget makes passages of different lengths comparable.
    """
    spans: list[Place] = []
    left = tokens
    for hit in hits:
        if left <= 0:
            break
        ends = [m.end() for m in _TOKEN.finditer(hit.passage.text)][:left]
        left -= len(ends)
        if ends:
            spans.append((hit.passage.document_id, hit.passage.start, hit.passage.start + ends[-1]))
    return spans


def rank_needs(case: Case, spans: Sequence[Place], sources: Mapping[str, str]) -> list[str]:
    """Turn a ranking of spans into one of needs, for measures of rankings.

    Args:
        case: Has the evidence.
        spans: Best first.
        sources: Source of each document, by id.

    Returns:
        For each span the needs that are met with it and were not before, as `need0`, `need1`, …; for a span that adds
        nothing, a name that no need has.
    """
    wanted = dict(enumerate(needs(case)))
    ranking: list[str] = []
    for place in range(len(spans)):
        new = [n for n, alternatives in wanted.items() if met(alternatives, spans[: place + 1], sources)]
        ranking += [f"need{n}" for n in new] or [f"span{place}"]
        for n in new:
            del wanted[n]
    return ranking


def overlap(case: Case, spans: Sequence[Place], sources: Mapping[str, str]) -> tuple[int, int, int]:
    """Characters that spans and evidence share, those of the evidence, and those of the spans.

    Of alternatives the one that is held best counts. The union of the spans is shared; all of their characters count in
    the last figure, so that what is given twice costs twice (Smith and Troynikov, Evaluating Chunking, Chroma, 2024).
    """
    shared = wanted = 0
    for alternatives in needs(case):
        best = max(alternatives, key=lambda piece: held(piece, spans, sources))
        shared += _covered(best, spans, sources)
        wanted += best.end - best.start
    return shared, wanted, sum(end - start for _, start, end in spans)


def _covered(evidence: Evidence, spans: Iterable[Place], sources: Mapping[str, str]) -> int:
    pieces = sorted(
        (max(start, evidence.start), min(end, evidence.end))
        for document, start, end in spans
        if is_source(sources.get(document, document), evidence.source)
    )
    covered, reached = 0, evidence.start
    for start, end in pieces:
        covered += max(end - max(start, reached), 0)
        reached = max(reached, end)
    return covered
