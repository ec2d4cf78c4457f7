"""Which words of a text are taken for the answer."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from rag.grounding.pairs import Read
from rag.reader.exact import find_answer, wants_sentence
from rag.reader.words import LONGEST, likely_words, with_sentence


def read_of(starts: list[float], ends: list[float], answerable: float = 0.0) -> Read:
    """A reading of tokens of two letters and a space."""
    offsets = [(3 * i, 3 * i + 2) for i in range(len(starts))]
    return Read(0.0, answerable, np.array(starts, dtype=np.float32), np.array(ends, dtype=np.float32), offsets)


def test_a_clear_span_is_chosen() -> None:
    """With one likely start and end there is nothing to weigh; the score is that of the logits."""
    score, place = likely_words(read_of([-9, 5, -9, -9], [-9, -9, 6, -9]))
    assert place == (3, 8)
    assert score == pytest.approx(11)


def test_the_span_that_shares_most_with_the_likely_ones_is_chosen() -> None:
    """Three open starts within a word or two of each other outweigh the likeliest span, which lies elsewhere."""
    starts = [2.1, -9, -9, -9, -9, 2.0, 2.0, 2.0, -9]
    ends = [2.0, -9, -9, -9, -9, -9, -9, -9, 2.0]
    score, place = likely_words(read_of(starts, ends))
    assert place[0] in (15, 18, 21)
    assert place[1] == 26
    assert score == pytest.approx(4.1)


def test_only_the_tokens_allowed_are_looked_at() -> None:
    """A sentence's answer lies in the sentence; no tokens, no answer."""
    read = read_of([9, 0, 1, 0], [9, 0, 0, 1])
    assert likely_words(read, 1, 4)[1] == (6, 11)
    assert likely_words(read, 2, 2) == (-1e9, (0, 0))


@given(st.lists(st.tuples(st.floats(-20, 20), st.floats(-20, 20)), min_size=1, max_size=80))
def test_words_are_a_run_of_tokens(logits: list[tuple[float, float]]) -> None:
    """They start with a token, end with one that is not before it, and are not too long."""
    read = read_of([a for a, _ in logits], [b for _, b in logits])
    score, (start, end) = likely_words(read)
    assert start % 3 == 0
    assert end % 3 == 2
    assert 0 <= start < end <= 3 * len(logits)
    assert (end - start) <= 3 * LONGEST
    assert np.isfinite(score)


def test_a_sentence_read_by_itself_moves_the_words() -> None:
    """What the closer look sees counts more; outside of its sentence nothing is likely."""
    whole = read_of([3, 0, 0, 0, 2.5, 0], [3, 0, 0, 0, 0, 2.5])
    alone = read_of([0, 4, 0], [0, 0, 4])
    mixed = with_sentence(whole, alone, 9)
    assert mixed.starts[0] < 0
    assert likely_words(mixed)[1] == (12, 17)
    assert (mixed.relevance, mixed.offsets) == (whole.relevance, whole.offsets)


class _Doubter:
    """Sees the answer in a passage, and not in its sentence."""

    def read(self, question: str, passages: Sequence[str]) -> list[Read]:
        found = []
        for passage in passages:
            offsets = [(i, i + 1) for i in range(len(passage))]
            logits = np.where(np.array([c == "7" for c in passage]), 8.0, -8.0).astype(np.float32)
            found.append(Read(1.0, 5.0 if len(passage) > 40 else -5.0, logits, logits, offsets))
        return found


def test_whether_there_is_an_answer_is_decided_on_the_sentence() -> None:
    """A passage may be about the matter while its sentence does not answer."""
    found = find_answer(_Doubter(), "How many?", "There are many. There were 7. There will be more.")
    assert found.text == "7"
    assert not found.answered
    assert found.confidence < 0.01


class _Sceptic(_Doubter):
    """Finds two sentences of a passage alike, and sees outside of it, each after the one before, which one answers."""

    def read(self, question: str, passages: Sequence[str]) -> list[Read]:
        found = []
        for passage in passages:
            offsets = [(i, i + 1) for i in range(len(passage))]
            likely = np.array([c.isdigit() for c in passage])
            logits = np.where(likely, 5.0, -8.0).astype(np.float32)
            if "5" in passage:
                logits[passage.index("5")] = 5.3
            sure = {"It was calm. There were 5 ships.": -4.0, "There were 5 ships. They carried 7 men.": 4.0}
            found.append(Read(1.0, sure.get(passage, 1.0), logits, logits, offsets))
        return found


def test_of_likely_sentences_the_one_is_chosen_that_answers_by_itself() -> None:
    """In the passage the first looks a little likelier. What "they" are is seen by the sentence before."""
    text = "It was calm. There were 5 ships. They carried 7 men. Nobody was hurt in all that time."
    found = find_answer(_Sceptic(), "How many men?", text)
    assert (found.text, found.start, found.answered) == ("7", text.index("7"), True)


class _Indifferent:
    """Sees the answer in each sentence alike, at its first word."""

    def read(self, question: str, passages: Sequence[str]) -> list[Read]:
        found = []
        for passage in passages:
            offsets = [(m.start(), m.end()) for m in re.finditer(r"\w+", passage)]
            first = [passage[:a].rstrip(" *")[-1:] in ("", ".", "\n") for a, _ in offsets]
            logits = np.where(first, 0.0, -20.0).astype(np.float32)
            found.append(Read(0.0, 1.0, logits, logits, offsets))
        return found


class _Fees:
    """An encoder to which everything that says "fee" means the same, and all else something else."""

    name, dimension, max_tokens, special_tokens = "fees", 2, 256, 2

    def token_offsets(self, text: str) -> list[tuple[int, int]]:
        return []

    def count_tokens(self, text: str) -> int:
        return 0

    def encode(self, texts: Sequence[str], *, progress: object = None) -> NDArray[np.float32]:
        return np.array([(1.0, 0.0) if "fee" in t.lower() else (0.0, 1.0) for t in texts], dtype=np.float32)


PERMITS = """You need a permit before you moor a boat in the harbour, and one more for each guest who stays overnight.

Fees

Boats up to eight metres pay nothing in the first week of their stay. After that it is four a night in the summer.

Anchors may not be dropped near the cable that leads to the island, neither by day nor by night.
"""


def test_a_heading_that_is_near_is_answered_with_what_follows() -> None:
    """The meaning of the question is that of the heading; its section is the answer, and what comes after is not."""
    found = find_answer(_Indifferent(), "How do I find out the fees?", PERMITS, encoder=_Fees())
    assert found.text == PERMITS[found.start : found.end]
    assert found.text.startswith("Fees")
    assert found.text.endswith("in the summer.")


def test_the_last_sentence_answers_even_if_it_is_short() -> None:
    """Nothing follows it; signs that are no words are in nobody's way."""
    text = "There is a permit for boats and one for guests who stay overnight in the harbour. *** The fee is four."
    found = find_answer(_Indifferent(), "And the fee?", text, earlier=["Do I need a permit?"], encoder=_Fees())
    assert found.text.endswith("The fee is four.")
    assert "guests" not in found.text


@pytest.mark.parametrize(
    ("question", "wanted"),
    [
        ("How do I renew my licence?", True),
        ("Can we appeal?", True),
        ("who sang will i see you in september", False),
        ("when did we go off the gold standard", False),
        ("What is a permit?", False),
    ],
)
def test_own_cases_want_a_sentence(question: str, wanted: bool) -> None:
    """Unless a name, a number or a time is asked for."""
    assert wants_sentence(question) is wanted
