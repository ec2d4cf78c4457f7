"""Each metric equals its reference, edge cases included, and the mistakes that other tools make are not made here."""

from __future__ import annotations

import dataclasses
import math
import random

import ir_measures
import numpy as np
import pytest
import sklearn.metrics
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from eval import agreement, answers, grounded
from eval.abstention import aurc, risk_coverage
from eval.metrics import BY_NAME, Asked, score_metric
from eval.retrieval import measure_ranking
from eval.run import ask_case
from eval.summary import percentile, summarise_scores
from eval.systems import System
from eval.types import Case, Output
from index.types import Hit, Passage, Signals
from rag.types import Answer, Citation, Statement

NAMES = ["recall@5", "recall@10", "precision@5", "MRR", "nDCG@5", "nDCG@10", "MAP"]
SPELLED = {"recall@5": "R@5", "recall@10": "R@10", "precision@5": "P@5", "MRR": "RR", "nDCG@5": "nDCG@5",
           "nDCG@10": "nDCG@10", "MAP": "AP"}  # fmt: skip


def by_hand(ranking: list[str], grades: dict[str, int]) -> dict[str, float]:
    """The formulas of the docstring, written out."""
    total = sum(g > 0 for g in grades.values())
    gain = [grades.get(d, 0) for d in ranking]
    ideal = sorted((g for g in grades.values() if g > 0), reverse=True)

    def dcg(gains: list[int], k: int) -> float:
        return sum(max(g, 0) / math.log2(n + 2) for n, g in enumerate(gains[:k]))

    places = [n for n, g in enumerate(gain, 1) if g > 0]
    return {
        **{f"recall@{k}": sum(g > 0 for g in gain[:k]) / total for k in (5, 10)},
        "precision@5": sum(g > 0 for g in gain[:5]) / 5,
        "MRR": 1 / places[0] if places else 0.0,
        **{f"nDCG@{k}": dcg(gain, k) / dcg(ideal, k) for k in (5, 10)},
        "MAP": sum(n / p for n, p in enumerate(places, 1)) / total,
    }


@given(st.lists(st.sampled_from("abcdefghijklmnop"), max_size=14, unique=True),
       st.dictionaries(st.sampled_from("abcdefghijklmnop"), st.integers(0, 3), min_size=1))  # fmt: skip
def test_rankings_equal_the_formulas(ranking: list[str], grades: dict[str, int]) -> None:
    """More relevant ones than k, nothing found, grades of 0: all as written out by hand."""
    if any(grades.values()):
        assert measure_ranking(ranking, grades, NAMES) == pytest.approx(by_hand(ranking, grades))


def test_rankings_equal_ir_measures_over_many_queries() -> None:
    """The mean over queries is that of ir-measures where every query has hits."""
    rng = random.Random(3)
    qrels = {
        f"q{n}": {f"d{rng.randrange(30)}": rng.randrange(1, 4) for _ in range(rng.randrange(1, 15))} for n in range(40)
    }
    found = {q: rng.sample([f"d{i}" for i in range(30)], 12) for q in qrels}
    run = {q: {d: float(-n) for n, d in enumerate(ds)} for q, ds in found.items()}
    measures = {name: ir_measures.parse_measure(SPELLED[name]) for name in NAMES}
    theirs = ir_measures.calc_aggregate(list(measures.values()), qrels, run)
    for name, measure in measures.items():
        ours = np.mean([measure_ranking(found[q], qrels[q], [name])[name] for q in qrels])
        assert ours == pytest.approx(theirs[measure])


def hits_case(found: list[str], relevant: dict[str, int], name: str = "c") -> Asked:
    hits = tuple(Hit(Passage(d, 0, 1, "x", None, ""), 1.0, n, Signals()) for n, d in enumerate(found, 1))
    answer = Answer("q", "q", (), (), hits, True, 0.0)
    return Asked(
        Case(name, "q", relevant=tuple(relevant.items())), Output(name, answer, 0.0, "", {d: d for d in found})
    )


def test_duplicates_do_not_make_ndcg_greater_than_one() -> None:
    """Passages of one document are one document: counted at each place, nDCG would be 1.63 and recall 2."""
    twice = score_metric(BY_NAME["nDCG@5"], hits_case(["a", "a", "b"], {"a": 1}))
    assert twice.value == 1.0
    naive = (1 + 1 / math.log2(3)) / 1
    assert naive > 1.6
    assert score_metric(BY_NAME["recall@5"], hits_case(["a", "a"], {"a": 1})).value == 1.0
    # The second document moves up to the second place.
    assert score_metric(BY_NAME["MAP"], hits_case(["a", "a", "b"], {"a": 1, "b": 1})).value == 1.0


def test_copy_that_a_hit_stands_for_is_found_right_after_it() -> None:
    """A set that judges both texts of the same words counts both; the search shows one and names the other."""
    passage = Passage("a", 0, 1, "x", None, "")
    hits = (
        Hit(passage, 1.0, 1, Signals(), also=("b",)),
        Hit(dataclasses.replace(passage, document_id="c"), 0.5, 2, Signals()),
    )

    def look_up(name: str) -> tuple[str, str]:
        return f"news/{name}.txt", "x"

    system = System("s", lambda question, _: Answer(question, question, (), (), hits, True, 0.0), look_up)
    case = Case("c", "q", relevant=(("b.txt", 1), ("c.txt", 1)))
    asked = Asked(case, ask_case(case, system))
    assert score_metric(BY_NAME["recall@5"], asked).value == 1.0
    assert score_metric(BY_NAME["MAP"], asked).value == pytest.approx((1 / 2 + 2 / 3) / 2)


def test_query_without_hits_counts_zero_and_is_not_dropped() -> None:
    """ir-measures says 1.0 of a run that answers one query of two; here it is 0.5."""
    measure = ir_measures.parse_measure("nDCG@10")
    qrels = {"a": {"d": 1}, "b": {"d": 1}}
    run = [ir_measures.ScoredDoc("a", "d", 1.0)]
    theirs = [m.value for m in ir_measures.iter_calc([measure], [ir_measures.Qrel(q, "d", 1) for q in qrels], run)]
    asked = [hits_case(["d"], {"d": 1}, "a"), hits_case([], {"d": 1}, "b")]
    scores = [score_metric(BY_NAME["nDCG@10"], a) for a in asked]
    assert [s.value for s in scores] == [1.0, 0.0]
    assert summarise_scores([a.case for a in asked], scores).value("nDCG@10") == 0.5
    assert theirs == [1.0] or sum(theirs) / 2 == 0.5  # whichever their version does


@pytest.mark.parametrize(
    ("said", "right", "em", "f1"),
    [
        ("The Eiffel Tower!", "eiffel tower", 1.0, 1.0),
        ("a tower", "the eiffel tower", 0.0, 2 / 3),
        ("", "tower", 0.0, 0.0),
        ("the", "a", 1.0, 1.0),  # nothing is left of either
        ("", "", 1.0, 1.0),
        ("tower tower", "tower", 0.0, 2 / 3),  # with multiplicity
        ("“Tower”", "tower", 1.0, 1.0),
    ],
)
def test_words_are_compared_as_the_squad_script_does(said: str, right: str, em: float, f1: float) -> None:
    """Articles, case and punctuation do not count; empty answers are no crash."""
    assert answers.exact_match(said, right) == em
    assert answers.token_f1(said, right) == pytest.approx(f1)


def test_yes_is_not_in_yesterday() -> None:
    """A reference is contained as whole words only; one without words is contained nowhere."""
    assert answers.contains_reference("It happened yesterday.", "yes") == 0.0
    assert answers.contains_reference("Yes, it did.", "yes") == 1.0
    assert answers.contains_reference("There were 110.", "10") == 0.0
    assert answers.contains_reference("at 71 metres deep", "71 metres.") == 1.0
    assert answers.contains_reference("71 deep metres", "71 metres") == 0.0
    assert answers.contains_reference("anything", "the") == 0.0


def test_rouge_l_is_as_computed_by_hand() -> None:
    """Lin's example: the longest common run, in order, not only set words."""
    assert answers.rouge_l("police kill the gunman", "police killed the gunman") == pytest.approx(0.75)
    assert answers.rouge_l("the gunman kill police", "police killed the gunman") == pytest.approx(0.5)
    assert answers.rouge_l("", "police") == 0.0


def cited(quotes: list[str], statements: list[tuple[str, tuple[int, ...]]], found: list[str]) -> Output:
    citations = tuple(Citation(n, "d", "t", "s", None, None, 0, len(q), q) for n, q in enumerate(quotes, 1))
    made = tuple(Statement(text, markers, 1.0, "supported") for text, markers in statements)
    return Output("c", Answer("q", "q", made, citations, (), False, 1.0), 0.0, "", {}, tuple(found))  # type: ignore[arg-type]


def says(statement: str, texts: list[str]) -> float:
    """Supported if every word stands in one of the texts."""
    return float(all(any(w in t.split() for t in texts) for w in statement.split()))


def test_alce_citation_recall_and_precision_are_as_computed_by_hand() -> None:
    """Union supports; a citation that adds nothing is imprecise; dangling is wrong."""
    both = cited(["a b", "c", "z"], [("a b c", (1, 2, 3)), ("q", (1,))], ["exact"] * 3)
    assert grounded.citation_recall(both, says, 0.5) == 0.5
    # Of the first: 1 and 2 are needed, 3 neither supports alone nor is missed. The second is not supported.
    assert grounded.citation_precision(both, says, 0.5) == pytest.approx(2 / 4)
    dangling = cited(["a"], [("a", (1, 7)), ("b", (9,))], ["exact"])
    assert grounded.citation_recall(dangling, says, 0.5) == 0.5
    assert grounded.citation_precision(dangling, says, 0.5) == pytest.approx(1 / 3)
    assert grounded.valid_share(dangling, "missing") == pytest.approx(2 / 3)
    invented = cited(["a"], [("a", (1,))], ["missing"])
    assert grounded.citation_recall(invented, says, 0.5) == 0.0
    assert grounded.citation_precision(invented, says, 0.5) == 0.0
    bare = cited([], [("a", ())], [])
    assert grounded.citation_recall(bare, says, 0.5) == 0.0
    assert grounded.citation_precision(bare, says, 0.5) is None


def test_validity_tells_exact_elsewhere_and_missing_apart() -> None:
    """The three shares make one."""
    output = cited(["a", "b", "c", "d"], [("a", (1, 2, 3, 4))], ["exact", "exact", "elsewhere", "missing"])
    assert [grounded.valid_share(output, s) for s in ("exact", "elsewhere", "missing")] == [0.5, 0.25, 0.25]


def test_risk_coverage_is_as_computed_by_hand() -> None:
    """Most confident first; equal confidences have no order, so the order of the file does not matter."""
    confidence, wrong = np.array([0.9, 0.8, 0.7, 0.6]), np.array([0.0, 1.0, 0.0, 1.0])
    coverage, risk = risk_coverage(confidence, wrong)
    assert coverage.tolist() == [0.25, 0.5, 0.75, 1.0]
    assert risk.tolist() == pytest.approx([0.0, 0.5, 1 / 3, 0.5])
    assert aurc(confidence, wrong) == pytest.approx((0 + 0.5 + 1 / 3 + 0.5) / 4)
    same = np.full(4, 0.5)
    assert aurc(same, wrong) == aurc(same, wrong[::-1]) == pytest.approx(0.5)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 10)), min_size=4, max_size=40))
def test_agreement_equals_scikit_learn_and_scipy(rows: list[tuple[bool, int]]) -> None:
    """AUROC, balanced accuracy, κ and Spearman on any data, ties included."""
    labels, scores = np.array([int(a) for a, _ in rows]), np.array([b / 10 for _, b in rows])
    if 0 < labels.sum() < len(labels):
        assert agreement.auroc(labels, scores) == pytest.approx(sklearn.metrics.roc_auc_score(labels, scores))
        said = scores >= 0.5
        assert agreement.balanced_accuracy(labels, said) == pytest.approx(
            sklearn.metrics.balanced_accuracy_score(labels, said)
        )
        assert agreement.kappa(labels, said) == pytest.approx(
            sklearn.metrics.cohen_kappa_score(labels, said.astype(int))
        )
        at = agreement.best_threshold(labels, scores)
        best = max(agreement.balanced_accuracy(labels, scores >= t) for t in [*np.unique(scores), 2.0])
        assert agreement.balanced_accuracy(labels, scores >= at) == pytest.approx(best)
        if len(set(scores)) > 1:
            assert agreement.spearman(scores, labels) == pytest.approx(stats.spearmanr(scores, labels)[0])


def test_agreement_that_cannot_be_told_is_nan() -> None:
    """One class, or scores that do not vary, give no figure rather than 0 or 1."""
    ones = np.ones(3)
    assert math.isnan(agreement.auroc(ones, np.array([0.1, 0.2, 0.3])))
    assert math.isnan(agreement.balanced_accuracy(ones, ones))
    assert math.isnan(agreement.spearman(ones, np.array([1.0, 2.0, 3.0])))
    assert agreement.kappa(ones, ones) == 0.0


def test_calibration_error_is_as_computed_by_hand() -> None:
    """Two bins: |0.85 − 0.5| over two records, |0.15 − 0| over one."""
    labels, scores = np.array([1, 0, 0]), np.array([0.8, 0.85, 0.15])
    assert agreement.calibration_error(labels, np.array([0.85, 0.85, 0.15])) == pytest.approx((2 * 0.35 + 0.15) / 3)
    assert agreement.calibration_error(labels, scores) > 0
    assert agreement.calibration_error(np.array([1]), np.array([1.0])) == 0.0


def test_percentile_is_the_nearest_rank() -> None:
    """The median of four is the second; of one, the one; of none, none."""
    assert percentile([1, 2, 3, 4], 0.5) == 2
    assert percentile([1, 2, 3, 4], 0.95) == 4
    assert percentile([7], 0.5) == 7
    assert percentile([], 0.5) is None
    assert percentile(list(range(1, 101)), 0.95) == 95
