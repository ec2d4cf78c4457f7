"""Intervals and tests that respect that the cases of one conversation are not independent.

Everything takes arrays of one value a case, float64, and the cluster of each case as an integer from 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Values = NDArray[Any]

RESAMPLES = 2_000
LEVEL = 0.95
POWER = 0.8
EXACT_UP_TO = 12
"""Clusters up to which all sign flips are tried instead of a sample."""
_CHUNK = 2_000


def number_clusters(names: Sequence[str]) -> Values:
    """Number clusters from 0 in the order in which they first appear."""
    import numpy as np

    known: dict[str, int] = {}
    return np.array([known.setdefault(name, len(known)) for name in names], dtype=np.int64)


def interval_of_mean(values: Values, clusters: Values, seed: int = 0) -> tuple[float, float] | None:
    """The 95% bootstrap interval of a mean, whole clusters drawn with replacement; see `interval_of`.

    The standard deviation of the resampled means is already the standard error: it is not divided by √n again.
    """
    import numpy as np

    return interval_of_parts([values], [clusters], lambda means: means[0], seed) if np.size(values) else None


def interval_of_parts(
    parts: Sequence[Values], clusters: Sequence[Values], figure: Callable[[list[Values]], Values], seed: int = 0
) -> tuple[float, float] | None:
    """The 95% percentile bootstrap interval of a figure made of means of several groups of cases.

    Clusters are drawn with replacement, all cases of a drawn cluster come along (Field and Welsh, JRSS B 69, 2007;
    percentiles as in Efron and Tibshirani, 1993, ch. 13).

    Args:
        parts: The values of each group.
        clusters: The cluster of each value, numbered alike over the groups.
        figure: Makes the figure of the groups' means, each an array of one mean a resample.
        seed: Of the draws.

    Returns:
        `(low, high)`; `None` if there are fewer than two clusters, which say nothing about others.
    """
    import numpy as np

    count = 1 + max((int(c.max()) for c in clusters if len(c)), default=-1)
    seen = np.unique(np.concatenate([np.asarray(c, dtype=np.int64) for c in clusters])) if clusters else np.array([])
    if len(seen) < 2 or any(len(p) == 0 for p in parts):
        return None
    rng = np.random.default_rng(seed)
    sums = [np.bincount(c, weights=p, minlength=count)[seen] for p, c in zip(parts, clusters, strict=True)]
    sizes = [np.bincount(c, minlength=count)[seen] for c in clusters]
    drawn = rng.multinomial(len(seen), np.full(len(seen), 1 / len(seen)), size=RESAMPLES)
    with np.errstate(invalid="ignore", divide="ignore"):
        figures = figure([(drawn @ s) / (drawn @ n) for s, n in zip(sums, sizes, strict=True)])
    figures = figures[np.isfinite(figures)]  # a draw without any case of a group has no figure
    return _percentiles(figures)


def interval_of(
    figure: Callable[[Values], float], clusters: Values, seed: int = 0, resamples: int = 500
) -> tuple[float, float] | None:
    """The same for any figure; `figure` takes the indices of the cases drawn."""
    import numpy as np

    names = np.unique(clusters)
    if len(names) < 2:
        return None
    members = [np.flatnonzero(clusters == name) for name in names]
    rng = np.random.default_rng(seed)
    figures = [
        figure(np.concatenate([members[i] for i in rng.integers(len(names), size=len(names))]))
        for _ in range(resamples)
    ]
    return _percentiles(np.array([f for f in figures if math.isfinite(f)]))


def _percentiles(figures: Values) -> tuple[float, float] | None:
    import numpy as np

    if not len(figures):
        return None
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(figures, [tail, 1 - tail])
    return float(low), float(high)


def cluster_sums(contributions: Values, clusters: Values) -> Values:
    """Add up contributions within clusters; clusters without any are left out."""
    import numpy as np

    _, numbered = np.unique(clusters, return_inverse=True)
    return np.bincount(numbered, weights=contributions)


def sign_flip_p(sums: Values, flips: int, seed: int = 0) -> float:
    """The two-sided p-value of a paired difference: the signs of the clusters' differences are flipped at random.

    If it makes no difference which system answers, each cluster's difference could as well have had the other sign; p
    is the share of flips whose total is at least as large as the one seen (Fisher 1935; Good, Permutation Tests, 3).
    Then at most α of such pairs get a p of at most α, whatever the sizes of clusters and differences. That two systems
    are equal only on the mean, one of them rarely much better and mostly a little worse, is another thing: no test
    holds its level there for every distribution (Bahadur and Savage, 1956); see `skew_p`. Up to 12
    clusters all flips are tried. Beyond, `flips` are drawn and p is the upper 99% limit of the estimate, with the one
    seen counted among them (Phipson and Smyth, 2010), so that no other seed would turn a difference into none.

    Args:
        sums: The difference of each cluster, added over its cases.
        flips: How many flips are drawn.
        seed: Of the draws.
    """
    import numpy as np

    sums = sums[sums != 0]
    if not len(sums):
        return 1.0
    seen = abs(float(sums.sum())) - 1e-12 * float(np.abs(sums).sum())
    if len(sums) <= EXACT_UP_TO:
        flipped = 1 - 2 * ((np.arange(2 ** len(sums))[:, None] >> np.arange(len(sums))) & 1)
        return float(np.mean(np.abs(flipped @ sums) >= seen))
    rng = np.random.default_rng(seed)
    extreme, left = 0, flips
    while left > 0:
        size = min(left, _CHUNK)
        signs = 1.0 - 2.0 * rng.integers(0, 2, size=(size, len(sums)), dtype=np.int8)
        extreme += int(np.count_nonzero(np.abs(signs @ sums) >= seen))
        left -= size
    p = (extreme + 1) / (flips + 1)
    return min(p + _MARGIN * math.sqrt(p * (1 - p) / flips), 1.0)


def skew_p(sums: Values) -> float:
    """The two-sided p-value of the mean of the clusters' differences, corrected for their skewness.

    Sign flips take differences to be symmetric where there is none; a few large ones on one side break that. Hall's
    transformation of the t statistic (Hall, JRSS B 54, 1992), S = mean / sd, γ = skewness:
    T = S + γS²/3 + γ²S³/27 + γ/(6C), and √C·T is nearly normal.
    """

    deviation = float(sums.std()) if len(sums) else 0.0
    if deviation == 0.0:
        return 1.0 if not len(sums) or float(sums[0]) == 0.0 else 0.0
    skewness = float(((sums - sums.mean()) ** 3).mean()) / deviation**3
    s = float(sums.mean()) / deviation
    t = s + skewness * s**2 / 3 + skewness**2 * s**3 / 27 + skewness / (6 * len(sums))
    return 2 * (1 - NormalDist().cdf(abs(math.sqrt(len(sums)) * t)))


def paired_p(sums: Values, flips: int, seed: int = 0) -> float:
    """The p-value of a paired difference: that of the sign flips, or that corrected for skewness if it is larger.

    Up to 12 clusters, the exact sign flips alone.
    """
    import numpy as np

    p = sign_flip_p(sums, flips, seed)
    return p if np.count_nonzero(sums) <= EXACT_UP_TO else max(p, skew_p(sums))


_MARGIN = NormalDist().inv_cdf(0.99)


def flips_for(metrics: int) -> int:
    """How many flips a test among so many metrics needs: 1,000 for each, as Holm asks for a p so much smaller."""
    return 1_000 * max(metrics, 1)


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust p-values for having tested several metrics at once (Holm, Scand. J. Statist. 6, 1979).

    The k-th smallest of m is multiplied by m − k + 1 and made no smaller than the one before it; at most 1.
    """
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    adjusted, reached = [0.0] * len(p_values), 0.0
    for place, i in enumerate(order):
        reached = max(reached, min((len(p_values) - place) * p_values[i], 1.0))
        adjusted[i] = reached
    return adjusted


def detectable(sums: Values, weights: Values, alpha: float, metrics: int = 1) -> float | None:
    """The smallest true difference that `compare` would find in four of five such pairs of runs.

    With a true difference δ the clusters contribute S_c + δ·w_c, and the flips of these have the variance
    V = Σ (S_c + δ·w_c)². It is found if the total exceeds z(1 − α′/2)·√V. At the edge of four in five, the total is
    δ − z(0.8)·SE, so that Σ S_c = −z(0.8)·SE, and this δ is wanted: (δ − z(0.8)·SE)² = z(1 − α′/2)² · V with
    V = SE² − 2δ·z(0.8)·SE·κ + δ²·Σ w_c², κ = Σ w_c·S_c² / Σ S_c². SE² = C/(C−1) · Σ (S_c − S̄)² (Cochran, Sampling
    Techniques, ch. 9). α′ is the level at which the test decides for the hardest metric: α/m, less the margin of a
    drawn p-value, or the next lower share that the flips of few clusters can have.

    Args:
        sums: The contribution S_c of each cluster to the difference of the figures, around the mean difference.
        weights: The weight w_c of each cluster in the figure; together 1.
        alpha: The level of the comparison.
        metrics: How many metrics are compared.

    Returns:
        The difference; `None` if no difference would do, as with very few clusters or with one that outweighs the
        others, or if nothing differs, which does not say how much it could have.
    """
    import numpy as np

    count = len(sums)
    if count < 2 or not np.any(sums):
        return None
    error = math.sqrt(count / (count - 1) * float(((sums - sums.mean()) ** 2).sum()))
    level = alpha / max(metrics, 1)
    if count > EXACT_UP_TO:
        level = _level_of_drawn(level, flips_for(metrics))
    else:
        level = math.floor(level * 2 ** (count - 1) + 1e-9) / 2 ** (count - 1)
    if level <= 0:
        return None
    z, power = NormalDist().inv_cdf(1 - level / 2), NormalDist().inv_cdf(POWER)
    kappa = float((weights * sums**2).sum() / (sums**2).sum())
    a = 1 - z**2 * float((weights**2).sum())
    if a <= _OUTWEIGHED:
        return None
    b, c = power * error * (1 - z**2 * kappa), error**2 * (power**2 - z**2)
    return (b + math.sqrt(b**2 - a * c)) / a


_OUTWEIGHED = 0.05
"""Below this the weights of a few clusters alone make the flips so wide that no difference stands out."""


def _level_of_drawn(level: float, flips: int) -> float:
    """The p that with its margin makes `level`, found by halving."""
    low, high = 0.0, level
    for _ in range(50):
        middle = (low + high) / 2
        if middle + _MARGIN * math.sqrt(middle * (1 - middle) / flips) > level:
            high = middle
        else:
            low = middle
    return max(low, 1e-12)
