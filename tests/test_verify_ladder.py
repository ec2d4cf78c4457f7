"""The ladder of checks: verbatim, facts, the judge's chances, a language model where the rest is undecided."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from rag.grounding.evidence import Window, cut_windows, gather
from rag.grounding.facts import content
from rag.grounding.verify import Scale, Verifier, grade, load_scale

SOURCE = "The port has 12 cranes. It was opened in 1990 by the mayor."


class FixedJudge:
    """Gives every pair the same chances, and remembers what it was asked."""

    def __init__(self, entailed: float, contradicted: float = 0.0) -> None:
        self.chances = (entailed, 1.0 - entailed - contradicted, contradicted)
        self.asked: list[tuple[str, str]] = []

    def support(self, pairs: Sequence[tuple[str, str]]) -> NDArray[np.float32]:
        self.asked.extend(pairs)
        return np.tile(np.asarray(self.chances, np.float32), (len(pairs), 1))


def test_verbatim_statement_is_supported_without_asking_the_judge() -> None:
    """White space aside, the very words are proof; their place is given."""
    judge = FixedJudge(0.0)
    found = Verifier(judge).check("It was opened\nin 1990 by the mayor.", ["Other.", SOURCE])
    assert (found.score, found.verdict, found.reason, found.text) == (1.0, "supported", "", 1)
    assert found.span is not None
    assert SOURCE[slice(*found.span)] == "It was opened in 1990 by the mayor."
    assert judge.asked == []


def test_wrong_number_is_never_supported_and_said() -> None:
    """However sure the judge is."""
    found = Verifier(FixedJudge(0.999)).check("The port has 15 cranes.", [SOURCE])
    assert found.verdict != "supported"
    assert found.reason == "15 is not in the source; it says 12"


def test_entailed_paraphrase_is_supported() -> None:
    """Facts that fit and a judge that agrees."""
    found = Verifier(FixedJudge(0.99)).check("The mayor opened the port in 1990.", [SOURCE])
    assert (found.verdict, found.reason) == ("supported", "")


@pytest.mark.parametrize(
    ("judge", "reason"),
    [(FixedJudge(0.01), "the source does not say this"), (FixedJudge(0.01, 0.98), "the source says otherwise")],
)
def test_unsupported_statement_says_why(judge: FixedJudge, reason: str) -> None:
    """Nothing of the kind, or the contrary."""
    found = Verifier(judge).check("Fish is sold there daily.", [SOURCE])
    assert (found.verdict, found.reason) == ("unsupported", reason)


@pytest.mark.parametrize("evidence", [[], [""], ["  \n"]])
def test_statement_without_evidence_is_unsupported(evidence: list[str]) -> None:
    """Nothing cited supports nothing."""
    found = Verifier(FixedJudge(1.0)).check("The port has 12 cranes.", evidence)
    assert (found.score, found.verdict, found.reason) == (0.0, "unsupported", "nothing is cited")


def test_language_model_is_asked_only_where_the_rest_is_undecided() -> None:
    """Between the marks its word counts; outside it is not asked."""
    asked = []

    def llm(statement: str, evidence: str) -> float:
        asked.append(statement)
        return 1.0

    scale = load_scale()
    sure = Scale(scale.linear, supported=0.0001, weak=0.00005)
    Verifier(FixedJudge(0.9), llm, sure).check("The mayor opened the port in 1990.", [SOURCE])
    assert asked == []
    open_minded = Scale(scale.linear, supported=1.0, weak=0.0)
    found = Verifier(FixedJudge(0.5), llm, open_minded).check("The mayor opened the port in 1990.", [SOURCE])
    assert asked == ["The mayor opened the port in 1990."]
    assert found.score == 1.0


def test_verdict_follows_the_marks() -> None:
    """At a mark the better word counts."""
    scale = load_scale()
    assert 0 < scale.weak < scale.supported < 1
    assert [grade(s, scale) for s in (1.0, scale.supported, scale.weak, 0.0)] == [
        "supported",
        "supported",
        "weak",
        "unsupported",
    ]


@given(st.text(alphabet="ab. \n", max_size=600))
def test_windows_cover_every_sentence(text: str) -> None:
    """No evidence escapes the judge's windows: each non-blank character is in one, and each is the text it says."""
    found = cut_windows([text])
    assert all(w.text == text[w.start : w.end] for w in found)
    covered = {i for w in found for i in range(w.start, w.end)}
    assert all(i in covered for i, c in enumerate(text) if c.isalpha())


FILLER = "The weather was fine and nothing of note took place on the quay that day. " * 6
APART = f"The dredger Amalia was built in Gdansk. {FILLER}Her sister ship sank near Rhodes. {FILLER}"


def test_facts_that_stand_apart_are_judged_together() -> None:
    """Long evidence is judged by its nearest window and by the sentences that hold the statement's words."""
    judge = FixedJudge(0.5)
    found = Verifier(judge).check("Amalia was built in Gdansk and her sister ship sank near Rhodes.", [APART])
    nearest, gathered = (text for _, text in judge.asked)
    assert gathered == "The dredger Amalia was built in Gdansk. Her sister ship sank near Rhodes."
    assert nearest in APART
    assert found.span is not None
    assert APART[slice(*found.span)].startswith(("The dredger Amalia", "Her sister", "The weather"))


def test_short_evidence_is_judged_once() -> None:
    """What fits a window is read as it stands."""
    judge = FixedJudge(0.5)
    Verifier(judge).check("The mayor opened the port.", [SOURCE])
    assert judge.asked == [("The mayor opened the port.", SOURCE)]


@given(
    st.lists(st.text(alphabet="abcde ", min_size=1, max_size=40), max_size=12), st.text(alphabet="abcde ", max_size=30)
)
def test_gathered_sentences_each_add_a_word(texts: list[str], statement: str) -> None:
    """They keep their order, and none is there for nothing."""
    sentences = [(Window(0, i, i + 1, t), frozenset(t.split())) for i, t in enumerate(texts)]
    own = statement.split()
    found = gather(own, sentences)
    assert [w.start for w in found] == sorted(w.start for w in found)
    held = [set(w.text.split()) & set(own) for w in found]
    assert all(held)
    assert len(set().union(*held)) >= len(found)
    assert bool(found) == any(set(t.split()) & set(own) for t in texts)


def test_gathered_sentences_fill_a_window_at_most() -> None:
    """The head was trained on short texts."""
    texts = [f"{word} " + "x " * 50 for word in ("one", "two", "three")]
    sentences = [(Window(0, i, i + 1, t), frozenset(content(t))) for i, t in enumerate(texts)]
    assert len(gather(["two", "three"], sentences)) == 1
