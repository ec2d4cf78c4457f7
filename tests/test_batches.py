"""Which texts a model reads in one call."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from index.batches import CALL, batches

LENGTHS = st.lists(st.integers(1, 300), max_size=40)


def cost(lengths: list[int], found: list[list[int]]) -> int:
    """Padded tokens and calls of a division."""
    return sum(len(batch) * max(lengths[i] for i in batch) + CALL for batch in found)


def test_texts_of_unlike_length_are_read_apart() -> None:
    """A short question is not padded to the long answer that is read with it; like lengths share a call."""
    assert batches([10, 200, 12, 198], 1_000) == [[0, 2], [3, 1]]


def test_nothing_makes_no_batch() -> None:
    """No texts, no calls."""
    assert batches([], 100) == []


def test_a_text_that_is_too_long_is_a_batch_of_its_own() -> None:
    """It is read all the same."""
    assert batches([500, 3], 100) == [[1], [0]]


@given(LENGTHS, st.integers(1, 1_000))
def test_each_text_is_read_once_and_within_the_limit(lengths: list[int], most: int) -> None:
    """Nothing is left out or read twice, and batches are no larger than allowed."""
    found = batches(lengths, most)
    assert sorted(i for batch in found for i in batch) == list(range(len(lengths)))
    assert all(len(batch) * max(lengths[i] for i in batch) <= most or len(batch) == 1 for batch in found)


@given(LENGTHS, st.integers(1, 1_000))
def test_no_filling_up_and_no_reading_one_by_one_costs_less(lengths: list[int], most: int) -> None:
    """The division costs no more than batches filled to the limit in order of length, and than one call a text."""
    order = sorted(range(len(lengths)), key=lambda i: lengths[i])
    filled: list[list[int]] = []
    for i in order:
        if filled and (len(filled[-1]) + 1) * lengths[i] <= most:
            filled[-1].append(i)
        else:
            filled.append([i])
    best = cost(lengths, batches(lengths, most))
    assert best <= cost(lengths, filled)
    assert best <= cost(lengths, [[i] for i in order])
