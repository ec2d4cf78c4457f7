"""Rankings against relevance judgements: the door of ir-measures, which computes as trec_eval does.

Two mistakes of other tools are kept out here. A document counts once, at its first place: counted twice it makes nDCG
greater than 1. A query without hits counts 0: ir-measures and trec_eval leave it out of the mean.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

# Spelled as ir-measures does, but for the long names of this project.
_SPELLED = {"recall": "R", "precision": "P", "MRR": "RR", "nDCG": "nDCG", "MAP": "AP"}


def measure_ranking(ranking: Sequence[str], grades: Mapping[str, int], names: Sequence[str]) -> dict[str, float]:
    """Measure one ranking.

    recall@k = relevant in the first k / all relevant. precision@k = relevant in the first k / k. MRR = 1 / rank of the
    first relevant. MAP = mean over the relevant of the precision at the rank of each. nDCG@k = DCG@k / that of the best
    order, DCG = Σ grade / log2(rank + 1). Source: trec_eval; Järvelin and Kekäläinen, TOIS 20, 2002 (nDCG).

    Args:
        ranking: Names of what was found, best first; what comes again is passed over.
        grades: Grade of each judged name: above 0 is relevant.
        names: The measures, such as `recall@5`, `nDCG@10`, `MRR`, `MAP`.

    Returns:
        Each measure, from 0 to 1. All are 0 if nothing was found.
    """
    unique = list(dict.fromkeys(ranking))
    if not unique or not any(grade > 0 for grade in grades.values()):
        return dict.fromkeys(names, 0.0)
    import ir_measures

    measures = {ir_measures.parse_measure(_spelled(name)): name for name in names}
    # trec_eval orders by score, so the scores here are only the ranks.
    run = {"q": {name: float(len(unique) - place) for place, name in enumerate(unique)}}
    found = ir_measures.iter_calc(list(measures), {"q": dict(grades)}, run)
    return {measures[metric.measure]: float(metric.value) for metric in found}


def _spelled(name: str) -> str:
    kind, _, depth = name.partition("@")
    return f"{_SPELLED[kind]}@{depth}" if depth else _SPELLED[kind]
