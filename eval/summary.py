"""The figures of a run: means with their intervals, by turn or tag, and what it cost."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from eval.metrics import BY_NAME, METRICS
from eval.store import RunFolder
from eval.types import Case, Report, Score, Summary
from rag.types import Tokens

BALANCED = "abstention_balanced_accuracy"
AURC = "AURC"
COMPOSED = {
    BALANCED: "mean of answered_when_answerable and abstained_when_not",
    AURC: "area under the risk–coverage curve, lower is better",
}
_SIDES = ("answered_when_answerable", "abstained_when_not")


@dataclass(frozen=True, slots=True)
class Usage:
    """What a run cost: seconds a case at three percentiles, the most memory, tokens and money; `None` if not known."""

    p50: float | None
    p95: float | None
    p99: float | None
    memory_mb: float | None
    tokens: Tokens | None
    cost: float | None


def summarise(folder: RunFolder, keep: Iterable[str] | None = None) -> Report:
    """Sum up a run from its scores.

    Args:
        folder: The run.
        keep: Only these cases; all if `None`.
    """
    about = folder.about()
    kept = set(keep) if keep is not None else None
    cards = [c for c in folder.cards() if kept is None or c.id in kept]
    asked = len({row["case"] for row in folder.output_rows()} & {c.id for c in cards})
    return summarise_scores(cards, folder.scores(), int(about.get("seed", 0)), asked)


def summarise_scores(cases: Sequence[Case], scores: Sequence[Score], seed: int = 0, asked: int | None = None) -> Report:
    """Sum up scores: for each metric the mean over the cases that have a value, and its interval by conversation."""
    from eval.statistics import interval_of_mean

    ids, clusters, numbers = _clusters(cases)
    mine = [s for s in scores if s.case in ids]
    failures = tuple((s.case, s.reason) for s in mine if s.metric == "*" and s.state == "error")
    by_metric: dict[str, list[Score]] = {}
    failed = {case for case, _ in failures}
    for s in mine:
        if s.metric != "*" and s.case not in failed:
            by_metric.setdefault(s.metric, []).append(s)
    summaries = []
    for name in sorted(by_metric, key=_place):
        rows = by_metric[name]
        values = [(s.value, numbers[clusters[s.case]]) for s in rows if s.value is not None]
        low, high = interval_of_mean(*_arrays(values), seed) or (None, None)
        broken = len(failures) + sum(s.state == "error" for s in rows)
        mean = fmean(v for v, _ in values) if values else None
        not_there = sum(s.state == "n/a" for s in rows)
        summaries.append(Summary(name, mean, len(values), broken, low, high, not_there))
    summaries += _composed(by_metric, clusters, numbers, len(failures), seed)
    broken = sum(s.state == "error" for s in mine if s.metric != "*" and s.case not in failed)
    reasons = {s.case: f"{s.metric}: {s.reason}" for s in mine if s.state == "error" and s.case not in failed}
    failures += tuple(reasons.items())
    there = len({s.case for s in mine}) if asked is None else asked
    return Report(len(cases), len(failed) + len(reasons), tuple(summaries), failures, there)


def _composed(
    by_metric: dict[str, list[Score]], clusters: dict[str, str], numbers: dict[str, int], errors: int, seed: int
) -> list[Summary]:
    """The figures that are no mean over cases."""
    from eval.abstention import aurc
    from eval.statistics import interval_of, interval_of_parts

    made = []
    sides = [
        [(s.value, numbers[clusters[s.case]]) for s in by_metric.get(side, ()) if s.value is not None]
        for side in _SIDES
    ]
    if all(sides):
        arrays = [_arrays(side) for side in sides]
        low, high = interval_of_parts(
            [a for a, _ in arrays], [b for _, b in arrays], lambda means: (means[0] + means[1]) / 2, seed
        ) or (None, None)
        value = fmean(fmean(v for v, _ in side) for side in sides)
        made.append(Summary(BALANCED, value, sum(map(len, sides)), errors, low, high))
    right = {s.case: 0.0 for s in by_metric.get(_SIDES[0], ()) if s.value is not None}
    wrong = right | {s.case: 1.0 for s in by_metric.get(_SIDES[1], ()) if s.value is not None}
    sure = [(s.value, s.case) for s in by_metric.get("confidence", ()) if s.value is not None and s.case in wrong]
    if sure and len(right) and len(wrong) > len(right):
        confidence, places = _arrays([(v, numbers[clusters[case]]) for v, case in sure])
        labels, _ = _arrays([(wrong[case], 0) for _, case in sure])
        low, high = interval_of(lambda i: aurc(confidence[i], labels[i]), places, seed) or (None, None)
        made.append(Summary(AURC, aurc(confidence, labels), len(sure), errors, low, high))
    return made


def _clusters(cases: Sequence[Case]) -> tuple[set[str], dict[str, str], dict[str, int]]:
    clusters = {c.id: c.cluster for c in cases}
    return set(clusters), clusters, {name: n for n, name in enumerate(dict.fromkeys(clusters.values()))}


def _arrays(values: Sequence[tuple[Any, int]]) -> tuple[Any, Any]:
    import numpy as np

    return np.array([v for v, _ in values], dtype=float), np.array([c for _, c in values], dtype=np.int64)


_ORDER = {metric.name: place for place, metric in enumerate(METRICS)}


def _place(name: str) -> tuple[int, str]:
    return _ORDER.get(name, len(_ORDER)), name


def group_of(metric: str) -> str:
    """The group a metric stands under in tables."""
    if metric in COMPOSED:
        return "abstention"
    return BY_NAME[metric].group if metric in BY_NAME else "judged by a language model"


def about_metric(metric: str) -> str:
    """What a metric says, in a line."""
    return COMPOSED.get(metric) or (BY_NAME[metric].about if metric in BY_NAME else "see docs/evaluation.md")


def is_lower_better(metric: str) -> bool:
    """Whether less is better."""
    return metric == AURC or (metric in BY_NAME and BY_NAME[metric].lower_is_better)


def slices(cases: Sequence[Case], by: str) -> dict[str, list[str]]:
    """Group case ids by `depth` (turn 1, 2, 3, 4 and later), `tag` or `answerable`."""
    found: dict[str, list[str]] = {}
    for case in cases:
        if by == "depth":
            names = [f"turn {case.depth}" if case.depth < 4 else "turn 4 and later"]
        elif by == "answerable":
            names = ["answerable" if case.answerable else "not answerable"]
        else:
            names = list(case.tags) or ["no tag"]
        for name in names:
            found.setdefault(name, []).append(case.id)
    return dict(sorted(found.items()))


def usage(folder: RunFolder) -> Usage:
    """What a run cost, from its outputs; seconds are those of cases that were answered."""
    rows = folder.output_rows()
    seconds = sorted(row["seconds"] for row in rows if not row.get("error"))
    tokens = [Tokens(**row["tokens"]) for row in rows if row.get("tokens")]
    costs = [row["cost"] for row in rows if row.get("cost") is not None]
    memory = [row["memory_mb"] for row in rows if row.get("memory_mb") is not None]
    p50, p95, p99 = (percentile(seconds, share) for share in (0.5, 0.95, 0.99))
    spent = Tokens(
        sum(t.prompt for t in tokens), sum(t.completion for t in tokens), all(t.exact for t in tokens)
    )  # fmt: skip
    return Usage(
        p50, p95, p99, max(memory, default=None), spent if tokens else None, sum(costs) if costs else None
    )  # fmt: skip


def percentile(ordered: Sequence[float], share: float) -> float | None:
    """The smallest value that at least this share of the ordered values does not exceed; `None` of nothing.

    The nearest rank, ⌈share · n⌉ from 1 (Hyndman and Fan, 1996, type 1).
    """
    import math

    return ordered[max(math.ceil(share * len(ordered) - 1e-9), 1) - 1] if ordered else None
