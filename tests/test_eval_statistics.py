"""Intervals hold what they promise, tests rarely cry wolf, and what the set could have shown is what it shows."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import stats

from eval.comparison import _centred
from eval.statistics import (
    cluster_sums,
    detectable,
    flips_for,
    holm,
    interval_of,
    interval_of_mean,
    interval_of_parts,
    paired_p,
    sign_flip_p,
)

PAIRS = 1_000
CASES = 100
Differences = Callable[[np.random.Generator], tuple[Any, Any]]
ALONE = np.arange(CASES)


def normal(rng: np.random.Generator) -> tuple[Any, Any]:
    return rng.normal(size=CASES), ALONE


def skewed(rng: np.random.Generator) -> tuple[Any, Any]:
    """Two systems with the same very skewed scores."""
    return rng.lognormal(size=CASES) - rng.lognormal(size=CASES), ALONE


def one_sided(rng: np.random.Generator) -> tuple[Any, Any]:
    """Differences that are themselves skewed, though 0 on the mean."""
    return rng.exponential(size=CASES) - 1, ALONE


def yes_or_no(rng: np.random.Generator) -> tuple[Any, Any]:
    return (rng.random(CASES) < 0.6) * 1.0 - (rng.random(CASES) < 0.6), ALONE


def clustered(rng: np.random.Generator) -> tuple[Any, Any]:
    """25 conversations of four turns that go well or badly together."""
    conversation = np.repeat(np.arange(25), 4)
    return rng.normal(size=25)[conversation] + 0.5 * rng.normal(size=CASES), conversation


def unequal(rng: np.random.Generator) -> Any:
    """Conversations of 1 to 60 turns: a few hold most of the cases."""
    return np.repeat(np.arange(25), np.minimum(1 + (2 * rng.pareto(1.2, size=25)).astype(int), 60))


def no_mean(rng: np.random.Generator) -> tuple[Any, Any]:
    """Unequal conversations, differences so heavy-tailed that they have no mean (Cauchy)."""
    clusters = unequal(rng)
    return rng.standard_cauchy(25)[clusters] + rng.standard_cauchy(len(clusters)), clusters


def two_systems(rng: np.random.Generator) -> tuple[Any, Any]:
    """Unequal conversations, two systems whose scores have the same very skewed distribution."""
    clusters = unequal(rng)
    x, y = (rng.lognormal(0, 1.5, 25)[clusters] * rng.lognormal(size=len(clusters)) for _ in "xy")
    return y - x, clusters


def two_systems_yes_or_no(rng: np.random.Generator) -> tuple[Any, Any]:
    """Unequal conversations that a system answers nearly all right or nearly all wrong, each its own."""
    clusters = unequal(rng)
    x, y = (rng.random(len(clusters)) < rng.beta(0.5, 0.5, 25)[clusters] for _ in "xy")
    return y.astype(float) - x, clusters


def found(make: Differences, shift: float = 0.0, seed: int = 1) -> tuple[float, float]:
    """The share of pairs of runs that differ at 0.05, and the mean difference that would be found."""
    rng = np.random.default_rng(seed)
    differ, least = 0, []
    for pair in range(PAIRS):
        difference, clusters = make(rng)
        sums = cluster_sums((difference + shift) / len(difference), clusters)
        differ += paired_p(sums, flips_for(1), seed=pair) <= 0.05
        weight = np.full(len(difference), 1 / len(difference))
        centred = _centred(cluster_sums(weight * difference, clusters), weight, difference, clusters)
        least.append(detectable(centred, cluster_sums(weight, clusters), 0.05) or math.nan)
    return differ / PAIRS, float(np.mean(least))


@pytest.mark.parametrize("make", [normal, skewed, one_sided, yes_or_no, clustered])
def test_false_alarms_are_at_most_one_in_twenty(make: Differences) -> None:
    """1,000 pairs of runs without a difference: no more than 5% are said to differ."""
    assert found(make)[0] <= 0.05


@pytest.mark.parametrize("make", [no_mean, two_systems, two_systems_yes_or_no])
def test_false_alarms_are_as_rare_with_unequal_and_heavy_tailed_conversations(make: Differences) -> None:
    """Four times 1,000 pairs, so that chance does not decide: a level of 5% would be exceeded in 1 of 2 such tests."""
    rates = [found(make, seed=seed)[0] for seed in range(4)]
    assert np.mean(rates) <= 0.05
    assert max(rates) <= stats.binom.ppf(0.999, PAIRS, 0.05) / PAIRS


@pytest.mark.parametrize("seed", range(6))
def test_sign_flips_are_exact_whatever_the_sizes_of_the_differences(seed: int) -> None:
    """No draw decides here: of all signs that given differences could have, at most α get a p of at most α.

    That is what exact means: if the two systems could as well have changed places in any conversation, then every
    choice of signs is equally likely, however unequal the conversations and however heavy the tails.
    """
    rng, count = np.random.default_rng(seed), 9
    sizes = rng.pareto(0.7, size=count) + (rng.random(count) < 0.3)
    if seed % 2:
        sizes = np.round(sizes)  # with ties and zeros
    signs = 1 - 2 * ((np.arange(2**count)[:, None] >> np.arange(count)) & 1)
    p = np.sort([sign_flip_p(row * sizes, 1) for row in signs])
    assert np.all(p >= np.searchsorted(p, p, side="right") / len(p) - 1e-12)


def test_any_of_several_metrics_is_as_rarely_said_to_differ() -> None:
    """Holm over five metrics that go together: one of them cries wolf in at most 5% of 400 pairs."""
    rng, alarms, pairs = np.random.default_rng(8), 0, 400
    for pair in range(pairs):
        common, clusters = clustered(rng)
        p = [
            paired_p(cluster_sums((common + rng.normal(size=CASES)) / CASES, clusters), flips_for(5), seed=pair)
            for _ in range(5)
        ]
        alarms += min(holm(p)) <= 0.05
    assert alarms / pairs <= 0.05


def few(rng: np.random.Generator) -> tuple[Any, Any]:
    """Eight conversations of four turns: the flips are all tried."""
    conversation = np.repeat(np.arange(8), 4)
    return rng.normal(size=8)[conversation] + 0.5 * rng.normal(size=32), conversation


SIZES = np.minimum(1 + (2 * np.random.default_rng(13).pareto(1.2, size=40)).astype(int), 60)


def of_unequal(rng: np.random.Generator) -> tuple[Any, Any]:
    """40 conversations, most of them of a turn or two and some of many."""
    conversation = np.repeat(np.arange(40), SIZES)
    return rng.normal(size=40)[conversation] + 0.5 * rng.normal(size=len(conversation)), conversation


def of_heavy_tails(rng: np.random.Generator) -> tuple[Any, Any]:
    """The same with tails so heavy that there is a variance and hardly more (Student's t, 3 degrees)."""
    conversation = np.repeat(np.arange(40), SIZES)
    return rng.standard_t(3, 40)[conversation] + rng.standard_t(3, len(conversation)), conversation


@pytest.mark.parametrize("make", [normal, yes_or_no, clustered, few, of_unequal, of_heavy_tails])
def test_power_is_as_printed(make: Differences) -> None:
    """A true difference of the size that is printed as detectable is found in about four of five pairs."""
    _, least = found(make, seed=5)
    assert found(make, least, seed=6)[0] == pytest.approx(0.8, abs=0.06)


def test_no_size_is_printed_where_none_would_be_found() -> None:
    """Four conversations have 16 flips: none is rarer than 1 in 8. One that holds nearly all cases decides alone."""
    rng = np.random.default_rng(0)
    equal = np.full(4, 0.25)
    assert detectable(rng.normal(size=4), equal, 0.05) is None
    assert detectable(rng.normal(size=4), equal, 0.2) is not None
    assert detectable(rng.normal(size=30), np.array([0.8, *[0.2 / 29] * 29]), 0.05) is None
    assert detectable(np.zeros(30), np.full(30, 1 / 30), 0.05) is None
    assert detectable(np.ones(1), np.ones(1), 0.05) is None


def test_ignoring_conversations_would_cry_wolf() -> None:
    """The same clustered runs, taken as independent cases, are said to differ far too often."""
    rng = np.random.default_rng(2)
    alarms = 0
    for pair in range(200):
        difference, _ = clustered(rng)
        alarms += sign_flip_p(difference / CASES, 1_000, pair) <= 0.05
    assert alarms / 200 > 0.15


def test_sign_flips_are_exact_for_few_clusters() -> None:
    """Five differences of one sign: 2 of 32 flips are as extreme. Equals scipy's permutation test."""
    assert sign_flip_p(np.ones(5), 10) == pytest.approx(2 / 32)
    values = np.array([0.3, -0.1, 0.4, 0.2, 0.5, -0.2, 0.1])
    theirs = stats.permutation_test((values,), np.sum, permutation_type="samples", n_resamples=np.inf)
    assert sign_flip_p(values, 10) == pytest.approx(theirs.pvalue)
    assert sign_flip_p(np.zeros(30), 10) == 1.0
    assert paired_p(np.array([]), 10) == 1.0


def test_drawn_p_is_never_below_its_estimate() -> None:
    """With flips drawn, p can not be 0, and it is near the exact one from above."""
    assert sign_flip_p(np.ones(40), 999) > 1 / 1000
    rng = np.random.default_rng(0)
    values = rng.normal(0.4, 1, size=12)
    exact = sign_flip_p(values, 1)
    drawn = sign_flip_p(np.concatenate([values, [1e-9]]), 20_000)
    assert exact <= drawn <= exact + 0.02


def test_holm_is_as_computed_by_hand() -> None:
    """0.01·3, 0.02·2, then no smaller than the one before; at most 1."""
    assert holm([0.04, 0.01, 0.02]) == pytest.approx([0.04, 0.03, 0.04])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


def test_interval_is_not_divided_by_the_root_of_n_again() -> None:
    """The bootstrap's spread is the standard error already: the interval is 3.92 of them wide, not 0.39."""
    values = np.random.default_rng(0).normal(size=100)
    interval = interval_of_mean(values, np.arange(100))
    assert interval is not None
    error = values.std(ddof=1) / 10
    assert interval[1] - interval[0] == pytest.approx(2 * 1.96 * error, rel=0.1)


def test_intervals_cover_the_truth_nineteen_times_in_twenty() -> None:
    """Clustered data: 200 intervals of a mean that is 0."""
    rng, covered = np.random.default_rng(3), 0
    for seed in range(200):
        conversation = np.repeat(np.arange(60), 3)
        values = rng.normal(size=60)[conversation] + rng.normal(size=180)
        interval = interval_of_mean(values, conversation, seed)
        assert interval is not None
        covered += interval[0] <= 0 <= interval[1]
    assert 0.9 <= covered / 200 <= 0.98


def test_interval_needs_two_conversations() -> None:
    """One conversation says nothing about others, and nothing says nothing."""
    assert interval_of_mean(np.array([0.0, 1.0]), np.array([0, 0])) is None
    assert interval_of_mean(np.array([]), np.array([], dtype=int)) is None
    assert interval_of(lambda i: 1.0, np.array([0, 0])) is None
    assert interval_of_mean(np.array([1.0, 1.0]), np.array([0, 1])) == (1.0, 1.0)


def test_parts_are_resampled_together() -> None:
    """Balanced accuracy over two groups stays between its sides, and a group that a draw misses is passed over."""
    interval = interval_of_parts(
        [np.array([1.0, 0.0]), np.array([1.0])], [np.array([0, 1]), np.array([2])], lambda m: (m[0] + m[1]) / 2
    )
    assert interval is not None
    assert 0.5 <= interval[0] <= interval[1] <= 1.0
