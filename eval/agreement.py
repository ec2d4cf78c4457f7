"""How well scores agree with the labels of people.

Scores run from 0 to 1 where a threshold or a probability is meant; labels are 1 (supported) or 0.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Values = NDArray[Any]


def ranks(values: Values) -> Values:
    """Ranks from 1, equal values sharing the mean of theirs."""
    import numpy as np

    _, group, sizes = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(sizes)
    return (ends - (sizes - 1) / 2)[group]


def auroc(labels: Values, scores: Values) -> float:
    """The chance that a positive scores above a negative, ties half (Mann and Whitney, 1947): 0.5 says nothing.

    NaN if there are only positives or only negatives.
    """
    positive = labels.astype(bool)
    n, m = int(positive.sum()), int((~positive).sum())
    if not n or not m:
        return math.nan
    return float((ranks(scores)[positive].sum() - n * (n + 1) / 2) / (n * m))


def balanced_accuracy(labels: Values, predicted: Values) -> float:
    """The mean of the shares of positives and of negatives that were predicted so; NaN if one of them is empty."""
    positive, said = labels.astype(bool), predicted.astype(bool)
    if positive.all() or not positive.any():
        return math.nan
    return float((said[positive].mean() + (~said[~positive]).mean()) / 2)


def best_threshold(labels: Values, scores: Values) -> float:
    """The threshold from which up a score means supported that gives the best balanced accuracy; the lowest of several.

    It lies in the middle between two scores that occur.
    """
    import numpy as np

    known = np.unique(scores)
    places = [float(known[0]), *((known[1:] + known[:-1]) / 2).tolist(), float(known[-1]) + 1e-9]
    positive = labels.astype(bool)
    up, down = np.sort(scores[positive]), np.sort(scores[~positive])
    if not len(up) or not len(down):
        return 0.5
    at = np.array(places)
    kept = 1 - np.searchsorted(up, at, side="left") / len(up)
    refused = np.searchsorted(down, at, side="left") / len(down)
    return float(at[int(np.argmax(kept + refused))])


def tuned_accuracy(labels: Values, scores: Values, seed: int = 0, folds: int = 5) -> float:
    """Balanced accuracy at a threshold tuned on the other records (5 folds), not on its own test."""
    import numpy as np

    order = np.random.default_rng(seed).permutation(len(labels))
    predicted = np.zeros(len(labels), dtype=bool)
    for fold in range(folds):
        mine = order[fold::folds]
        others = np.setdiff1d(order, mine, assume_unique=True)
        if len(mine) and len(others):
            predicted[mine] = scores[mine] >= best_threshold(labels[others], scores[others])
    return balanced_accuracy(labels, predicted)


def kappa(labels: Values, predicted: Values) -> float:
    """Cohen's κ = (p_o − p_e) / (1 − p_e): agreement beyond chance (Educ. Psychol. Meas. 20, 1960).

    0 if both give only one and the same answer, where there is nothing beyond chance to agree on.
    """
    said, right = predicted.astype(float), labels.astype(float)
    observed = float((said == right).mean())
    expected = float(said.mean() * right.mean() + (1 - said.mean()) * (1 - right.mean()))
    return (observed - expected) / (1 - expected) if expected < 1 else 0.0


def spearman(a: Values, b: Values) -> float:
    """Spearman's ρ: the correlation of the ranks (1904). NaN if one of them does not vary."""
    import numpy as np

    x, y = ranks(a), ranks(b)
    x, y = x - x.mean(), y - y.mean()
    spread = math.sqrt(float((x**2).sum()) * float((y**2).sum()))
    return float(np.dot(x, y)) / spread if spread else math.nan


def calibration_error(labels: Values, scores: Values, bins: int = 10) -> float:
    """Expected calibration error: mean |score − share of positives| over equal-width bins, weighted by their size.

    Naeini, Cooper and Hauskrecht, AAAI 2015.
    """
    import numpy as np

    place = np.clip((scores * bins).astype(int), 0, bins - 1)
    gaps = [
        abs(float(scores[place == b].mean() - labels[place == b].mean())) * float((place == b).mean())
        for b in range(bins)
        if (place == b).any()
    ]
    return float(sum(gaps))
