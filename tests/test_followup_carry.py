"""Of the words of earlier turns, a question takes along those that a person would have repeated."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from index.library import Library
from rag.followup import carry, train
from rag.followup.apart import stands_apart
from rag.followup.history import History
from rag.followup.switch import FEATURES as OF_QUESTION
from rag.linear import Linear
from rag.rarity import SMALL, idf
from rag.settings import AnswerSettings
from rag.standalone import make_query
from rag.types import Conversation
from rag.words import content_terms
from tests.fakes import FakeEncoder

TEXT = (
    "The Lantern cable was laid by the Perrin Dawn. Repairs of the cable cost nine million crowns. Steps were taken to "
    "gather what had been found. The ship was explored, and everything carried. The Perrin Dawn sails under a flag."
)
LEANING = np.array([name in ("pronoun", "answered") for name in OF_QUESTION], dtype=np.float32)


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    """One text that has all the words."""
    (tmp_path / "text.txt").write_text(TEXT, encoding="utf-8")
    with Library.open(tmp_path / "library", encoder=FakeEncoder()) as opened:
        opened.add([tmp_path / "text.txt"])
        yield opened


def test_candidates_are_what_the_question_does_not_say_itself(library: Library) -> None:
    """Where each word stands is known; words of talk, stop words and the question's own are no candidates."""
    history = History(
        ("Who laid the Lantern cable?", "How exactly does the Lantern compare?"),
        "The ship Perrin Dawn laid it.",
        "a ship",
    )
    found = carry.candidates(history, {"laid": "laid"}, library)
    assert {c.word for c in found.values()} == {"Lantern", "cable", "Perrin", "Dawn", "ship"}
    by_word = {c.word: c for c in found.values()}
    assert by_word["Lantern"] == carry.Candidate("Lantern", [0, 1], named=True, in_answer=False)
    assert by_word["cable"] == carry.Candidate("cable", [0], named=False, in_answer=False)
    assert by_word["Perrin"] == carry.Candidate("Perrin", [], named=True, in_answer=True)
    assert by_word["ship"] == carry.Candidate("ship", [], named=False, in_answer=True)


def test_features_of_a_candidate() -> None:
    """One value for each feature that is not the question's."""
    of_last = carry.Candidate("Lantern", [0, 2], named=True).features(0.5, 3)
    assert of_last == [0.5, 0.0, 1.0, math.log1p(2), 1.0, 0.0, 0.0]
    of_answer = carry.Candidate("Perrin", [], named=True, in_answer=True).features(1.0, 3)
    assert of_answer == [1.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0]
    assert carry.with_question([of_last, of_answer], LEANING).shape == (2, len(carry.FEATURES))


def test_names_of_the_subject_come_before_the_words_of_talk_about_it(library: Library) -> None:
    """Rarity alone cannot tell them apart: in this library most of these words occur once."""
    history = History(("Which steps were taken to gather what the Perrin Dawn carried?",))
    carried = carry.carry(history, {}, LEANING, library)
    assert set(list(carried)[:2]) == {"perrin", "dawn"}
    assert all(0 < c.chance < 1 for c in carried.values())
    assert [c.chance for c in carried.values()] == sorted((c.chance for c in carried.values()), reverse=True)


def test_a_word_that_occurs_nowhere_is_not_taken_along(library: Library) -> None:
    """It would find nothing, and the standalone question would speak of what the documents do not know."""
    assert carry.carry(History(("Who owns Zanzibar?",)), {}, LEANING, library) == {}
    assert "cabl" in carry.carry(History(("Who owns the Zanzibar cable?",)), {}, LEANING, library)


def test_few_words_are_spoken_and_many_are_searched() -> None:
    """The first `SPOKEN`, if their chance is `LEAST`; of a question that leans, two in any case."""
    carried = {f"t{i}": carry.Carried(f"W{i}", chance) for i, chance in enumerate((0.9, 0.5, 0.2, 0.19, 0.1))}
    assert carry.spoken(carried, leaning=True) == {"t0": "W0", "t1": "W1", "t2": "W2"}
    assert len(carry.spoken({f"t{i}": carry.Carried(f"W{i}", 0.9) for i in range(20)}, leaning=False)) == carry.SPOKEN
    unlikely = {f"t{i}": carry.Carried(f"W{i}", 0.1) for i in range(3)}
    assert carry.spoken(unlikely, leaning=False) == {}
    assert carry.spoken(unlikely, leaning=True) == {"t0": "W0", "t1": "W1"}


def test_carried_words_weigh_as_much_as_they_are_likely(library: Library) -> None:
    """√ of the chance, times the setting; the question's own words have 1."""
    conversation = Conversation.from_pairs([("Who laid the Lantern cable?", "")])
    query = make_query("How much do its repairs cost?", conversation, library, AnswerSettings())
    half = make_query("How much do its repairs cost?", conversation, library, AnswerSettings(carried_weight=0.5))
    assert query.own_terms.keys() == {"repair", "cost"}
    assert {query.terms[t] for t in query.own_terms} == {1.0}
    for term in ("lantern", "cabl"):
        assert 0 < query.terms[term] < 1
        assert half.terms[term] == pytest.approx(query.terms[term] / 2)
    assert query.standalone_question == "About Lantern cable: how much do its repairs cost?"


def test_rareness_is_a_share_of_what_occurs_nowhere() -> None:
    """1 where nothing has it, 0 where everything does, and steady in a small library."""
    assert carry.rareness(0, 5_000) == 1.0
    assert 0 <= carry.rareness(5_000, 5_000) < 0.001 < carry.rareness(50, 5_000) < carry.rareness(5, 5_000) < 1
    assert idf(1, 10) == idf(SMALL // 10, SMALL)
    assert carry.rareness(0, 0) == 1.0


def test_the_fitted_model_chooses_what_it_was_shown(library: Library) -> None:
    """Names are wanted in these made-up rewrites, other words are not."""
    examples = [
        train.Example(f"c{i}", "Why was it so?", (f"Which {verb} did the {name} see?",), "", f"Why was {name} so?")
        for i, (verb, name) in enumerate((v, n) for v in ("ports", "walls", "roads") for n in ("Lantern", "Perrin"))
    ]
    vectors = {t: np.eye(1, 8, i % 8, dtype=np.float32)[0] for i, t in enumerate(_texts(examples))}
    words = list(train.tabulate_words(examples, vectors, library, _texts(examples)))
    assert [w.wanted for w in words] == [1] * len(examples)
    model = train.fit_words(words)
    assert isinstance(model, Linear)
    choose = train.chosen_by(model, 0.5)
    assert all([w.right[i] for i in choose(w)] == [True] for w in words)


def test_the_rarest_words_are_the_rule_it_is_compared_with() -> None:
    """Six of the last three questions, three of the answer."""
    count = 8
    features = np.zeros((count + 4, len(carry.FEATURES)), dtype=np.float32)
    asked = [True] * count + [False] * 4
    features[:, carry.FEATURES.index("rarity")] = [i / 20 for i in range(count + 4)]
    features[count:, carry.FEATURES.index("only_in_answer")] = 1.0
    words = train.Words(features, [False] * (count + 4), asked, 0)
    assert train.rarest(words) == [7, 6, 5, 4, 3, 2, 11, 10, 9]


def _texts(examples: list[train.Example]) -> list[str]:
    return sorted({t for e in examples for t in (e.question, e.target, *e.earlier)})


def test_a_question_that_stands_where_nothing_of_the_conversation_does_is_another_subject(
    library: Library, tmp_path: Path
) -> None:
    """Where a passage says as much of both, or the question is short or points back, it is none."""
    (tmp_path / "manual.txt").write_text("The field Standards-Version says which edition of the manual was followed.")
    library.add([tmp_path / "manual.txt"])

    def apart(question: str, *carried: str) -> bool:
        return stands_apart(question, content_terms(question, library), carried, library)

    assert apart("Which manual edition does the Standards-Version field say?", "lantern", "cabl")
    assert not apart("Which manual edition does the Standards-Version field say?", "lantern", "edit")
    assert not apart("Which manual edition does the Standards-Version field say?")
    assert not apart("And which manual edition does the Standards-Version field say?", "lantern")
    assert not apart("Which repairs of the Lantern cost nine million?", "perrin")  # said where the conversation is, too
    assert not apart("Which manual edition was there?", "lantern")  # too short
    assert not apart("Which glass manual edition has silver bells in winter?", "lantern")  # most of it is said nowhere
    assert apart("Why does the manual edition have a Standards-Version?", "lantern")
    assert not apart("Which edition of the manual does it say in Standards-Version?", "lantern")  # what is "it"?
    conversation = Conversation.from_pairs([("Who laid the Lantern cable?", "The Perrin Dawn laid it.")])
    for question, kind in (
        ("What is the Standards-Version field for?", "topic-switch"),
        ("What is its Standards-Version for?", "follow-up"),
    ):
        query = make_query(question, conversation, library, AnswerSettings())
        assert query.kind == kind
        assert bool(query.carried_terms) == (kind == "follow-up")
        assert query.standalone_question.startswith("About ") == (kind == "follow-up")
