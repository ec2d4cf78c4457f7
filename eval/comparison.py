"""Two runs on the same cases: which metrics differ, by more than chance, and which cases changed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eval.store import RunFolder
from eval.summary import BALANCED, Usage, is_lower_better, usage
from eval.types import Score
from index.errors import ConfigError

ALPHA = 0.05


@dataclass(frozen=True, slots=True)
class Difference:
    """One metric of two runs, over the cases where both have a value.

    `difference` is `b` − `a` with its 95% interval. `p` is that of the paired test, `adjusted` after Holm over all
    metrics of the comparison. `detectable` is the smallest true difference that four of five such comparisons would
    have found. `pairs` counts the cases, `unpaired` those where only one run has a value.
    """

    metric: str
    a: float
    b: float
    difference: float
    low: float | None
    high: float | None
    p: float
    adjusted: float
    detectable: float | None
    pairs: int
    unpaired: int

    @property
    def better(self) -> bool | None:
        """Whether `b` is better than `a`; `None` if they are equal."""
        if self.difference == 0:
            return None
        return (self.difference > 0) != is_lower_better(self.metric)

    def differs(self, alpha: float = ALPHA) -> bool:
        """Whether chance alone would hardly make such a difference."""
        return self.adjusted <= alpha


@dataclass(frozen=True, slots=True)
class Change:
    """A case whose score changed: `before` in the first run, `after` in the second."""

    case: str
    metric: str
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class Side:
    """One of the runs: its folder, the system, whether it was asked "question" or the human "rewrite", what it took."""

    path: str
    system: str
    asked: str
    usage: Usage


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two runs side by side: the differences, the cases that changed, and cases that only one has or that failed.

    If one was asked the human rewrites and the other the questions as typed, `rewritten` says which, "a" or "b": then
    the differences are the gap to the human rewrite. Else it is empty.
    """

    differences: tuple[Difference, ...]
    changes: tuple[Change, ...]
    only_a: tuple[str, ...]
    only_b: tuple[str, ...]
    failed: tuple[str, ...]
    same_cases: bool
    clusters: int
    a: Side
    b: Side

    @property
    def rewritten(self) -> str:
        """Which run alone was asked the human rewrites."""
        if self.a.asked == self.b.asked:
            return ""
        return "a" if self.a.asked == "rewrite" else "b"


def compare(
    a: RunFolder, b: RunFolder, *, metrics: Sequence[str] | None = None, alpha: float = ALPHA, seed: int = 0,
    keep: Iterable[str] | None = None,
) -> Comparison:  # fmt: skip
    """Compare two runs case by case.

    Args:
        a: The first run.
        b: The second.
        metrics: Only these; all that both have if `None`, but for `confidence`, which is no quality.
        alpha: Level for the detectable difference.
        seed: Of flips and intervals.
        keep: Only these cases; all if `None`.

    Raises:
        ConfigError: They have no case in common, or a metric is in neither; the scores are of different revisions.
    """
    about_a, about_b = a.about(), b.about()
    kept = set(keep) if keep is not None else None
    ids_a, ids_b = (
        [c["id"] for c in about["cases"] if kept is None or c["id"] in kept] for about in (about_a, about_b)
    )
    both = [i for i in ids_a if i in set(ids_b)]
    if not both:
        raise ConfigError(f"{a.path} and {b.path} have no case in common.", remedy="Compare runs of the same cases.")
    clusters = {c.id: c.cluster for c in a.cards()}
    scores_a, scores_b = _by_metric(a.scores()), _by_metric(b.scores())
    failed = {s.case for found in (scores_a, scores_b) for s in found.pop("*", {}).values() if s.state == "error"}
    answerable = {c.id: c.answerable for c in a.cards()}
    usable = [i for i in both if i not in failed]
    pairs = _pairs(scores_a, scores_b, usable, metrics, (a.path, b.path), answerable)
    return Comparison(
        tuple(_differences(pairs, clusters, alpha, seed)),
        tuple(_changes(scores_a, scores_b, usable, list(pairs))),
        tuple(i for i in ids_a if i not in set(ids_b)),
        tuple(i for i in ids_b if i not in set(ids_a)),
        tuple(sorted(failed & set(both))),
        about_a.get("cases_sha256") == about_b.get("cases_sha256"),
        len({clusters[i] for i in usable}),
        _side(a, about_a),
        _side(b, about_b),
    )


def _side(run: RunFolder, about: Mapping[str, Any]) -> Side:
    asked = (about.get("config") or {}).get("asked", "question")
    return Side(str(run.path), str(about.get("system", "")), str(asked), usage(run))


Pair = tuple[str, float, float, float]
"""Case, value in a, value in b, weight in the figure."""


def _by_metric(scores: Sequence[Score]) -> dict[str, dict[str, Score]]:
    found: dict[str, dict[str, Score]] = {}
    for s in scores:
        found.setdefault(s.metric, {})[s.case] = s
    return found


def _pairs(
    a: dict[str, dict[str, Score]], b: dict[str, dict[str, Score]], cases: Sequence[str],
    metrics: Sequence[str] | None, paths: tuple[Any, Any], answerable: dict[str, bool],
) -> dict[str, tuple[list[Pair], int]]:  # fmt: skip
    """For each metric the cases where both runs have a value, weighted so that the weighted sum is the figure."""
    names = list(metrics) if metrics else [m for m in a if m in b and m != "confidence"]
    found: dict[str, tuple[list[Pair], int]] = {}
    for name in names:
        if name == BALANCED:
            continue
        if name not in a or name not in b:
            missing = paths[0] if name not in a else paths[1]
            raise ConfigError(
                f"{missing} has no metric {name!r}.", remedy="dossier eval show lists the metrics of a run."
            )
        rows = [(i, a[name].get(i), b[name].get(i)) for i in cases]
        _refuse_other_revision(name, rows)
        values = [(i, x.value, y.value) for i, x, y in rows if x and y and x.value is not None and y.value is not None]
        single = sum(
            (x is not None and x.value is not None) != (y is not None and y.value is not None) for _, x, y in rows
        )
        if values:
            found[name] = ([(i, x, y, 1 / len(values)) for i, x, y in values], single)
    sides = [found.get(name) for name in ("answered_when_answerable", "abstained_when_not")]
    if all(sides) and (metrics is None or BALANCED in metrics):
        found[BALANCED] = ([(i, x, y, w / 2) for side in sides if side for i, x, y, w in side[0]], 0)
    return found


def _refuse_other_revision(name: str, rows: Sequence[tuple[str, Score | None, Score | None]]) -> None:
    for case, x, y in rows:
        if x and y and x.scorer != y.scorer:
            raise ConfigError(
                f"{name} of case {case!r} was scored by {x.scorer!r} in one run and {y.scorer!r} in the other.",
                remedy="Score both again: dossier eval score DIR",
            )


def _differences(
    pairs: dict[str, tuple[list[Pair], int]], clusters: dict[str, str], alpha: float, seed: int
) -> list[Difference]:
    import numpy as np

    from eval.statistics import cluster_sums, detectable, flips_for, holm, number_clusters, paired_p

    flips = flips_for(len(pairs))
    rows = []
    for name, (cases, unpaired) in pairs.items():
        numbered = number_clusters([clusters[i] for i, *_ in cases])
        x, y, weight = (np.array([case[k] for case in cases], dtype=float) for k in (1, 2, 3))
        sums = cluster_sums(weight * (y - x), numbered)
        interval = _interval(weight, y - x, numbered, seed) or (None, None)
        centred = _centred(sums, weight, y - x, numbered)
        least = detectable(centred, cluster_sums(weight, numbered), alpha, len(pairs))
        figures = math.fsum(weight * x), math.fsum(weight * y)
        rows.append((name, *figures, interval, paired_p(sums, flips, seed), least, len(cases), unpaired))
    adjusted = holm([row[4] for row in rows])
    return [
        Difference(name, a, b, b - a, low, high, p, q, least, n, unpaired)
        for (name, a, b, (low, high), p, least, n, unpaired), q in zip(rows, adjusted, strict=True)
    ]


def _centred(sums: Any, weight: Any, difference: Any, clusters: Any) -> Any:
    """Contributions around the mean difference, so that clusters of different size do not count as spread."""
    from eval.statistics import cluster_sums

    mean = float(weight @ difference) / float(weight.sum())
    return sums - mean * cluster_sums(weight, clusters)


def _interval(weight: Any, difference: Any, clusters: Any, seed: int) -> tuple[float, float] | None:
    """The 95% interval of a difference: groups of equal weight are resampled together, by cluster."""
    import numpy as np

    from eval.statistics import interval_of_parts

    kinds = np.unique(weight)
    parts = [difference[weight == kind] for kind in kinds]
    shares = [float(weight[weight == kind].sum()) for kind in kinds]
    return interval_of_parts(
        parts,
        [clusters[weight == kind] for kind in kinds],
        lambda means: np.tensordot(np.array(shares), np.array(means), axes=1),
        seed,
    )


def _changes(
    a: dict[str, dict[str, Score]], b: dict[str, dict[str, Score]], cases: Sequence[str], names: Sequence[str]
) -> list[Change]:
    found = []
    for name in names:
        for case in cases:
            x, y = a.get(name, {}).get(case), b.get(name, {}).get(case)
            if x and y and x.value is not None and y.value is not None and x.value != y.value:
                found.append(Change(case, name, x.value, y.value))
    return sorted(found, key=lambda c: -abs(c.after - c.before))
