"""Who was answered and who was refused, and whether the confidence tells them apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Values = NDArray[Any]


def risk_coverage(confidence: Values, wrong: Values) -> tuple[Values, Values]:
    """The risk–coverage curve: of the cases answered first by confidence, the share that should not have been.

    risk(n) = Σ of `wrong` over the n most confident / n, coverage(n) = n / N (El-Yaniv and Wiener, JMLR 11, 2010).
    Cases of equal confidence have no order: each counts the mean of theirs.

    Args:
        confidence: One a case, higher is surer.
        wrong: 1 where answering is wrong, 0 where it is right.

    Returns:
        Coverage and risk, one of each for n = 1 … N.
    """
    import numpy as np

    order = np.argsort(-confidence, kind="stable")
    _, group = np.unique(-confidence[order], return_inverse=True)
    sizes = np.bincount(group)
    levelled = (np.bincount(group, weights=wrong[order]) / sizes)[group]
    n = np.arange(1, len(order) + 1)
    return n / len(order), np.cumsum(levelled) / n


def aurc(confidence: Values, wrong: Values) -> float:
    """Area under the risk–coverage curve: the mean risk over all coverages (Geifman et al., ICLR 2019).

    From 0 to 1, lower is better; a confidence that says nothing gives the share of wrong ones.
    """
    return float(risk_coverage(confidence, wrong)[1].mean())
