"""Sentences that say what the documents do not hold, and statements of several sentences."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from rag.grounding.absence import Absence, find_absence, stands_there
from rag.grounding.verify import Verifier, load_scale

SOURCE = "The port has 12 cranes. It was opened in 1990 by the mayor. Boats from Malta call there twice a week."


class WordJudge:
    """Entails what it is told to, and nothing else."""

    def __init__(self, *entailed: str) -> None:
        self.entailed = entailed

    def support(self, pairs: Sequence[tuple[str, str]]) -> NDArray[np.float32]:
        sure = [any(text in statement for text in self.entailed) for statement, _ in pairs]
        return np.array([(0.98, 0.01, 0.01) if s else (0.01, 0.98, 0.01) for s in sure], np.float32)


@pytest.mark.parametrize(
    "sentence",
    [
        "The documents do not mention a price.",
        "The provided passages don't explicitly say who paid.",
        "None of that helps: the text does not contain any figures.",
        "I do not have specific information about the rival of The Office.",
        "Sorry, but I have no information regarding when it was developed.",
        "According to the provided documents, there is no explicit information about fees.",
        "The exact details are not specified in the documents.",
        "I could not find an answer.",
        "No information about opening hours is given.",
    ],
)
def test_absence_is_seen(sentence: str) -> None:
    """In the words that language models use for it."""
    found = find_absence(sentence)
    assert found is not None
    assert found.clause in sentence
    assert found.rest == ""


@pytest.mark.parametrize(
    "sentence",
    [
        "The port does not mention its owner on the gate.",
        "There is no evidence that the bridge was ever built.",
        "The law does not apply to passengers of ships.",
        "I have the details of the contract here.",
        "Passengers must show a document that does not expire within a month.",
        "The minister said that she had not read the report.",
    ],
)
def test_statement_about_the_world_is_no_absence(sentence: str) -> None:
    """Denials are claims like any other, and are checked."""
    assert find_absence(sentence) is None


@pytest.mark.parametrize(
    ("sentence", "clause", "rest"),
    [
        (
            "The documents do not specify a sentence, but you can ask the court for a new order.",
            "The documents do not specify a sentence",
            "you can ask the court for a new order.",
        ),
        (
            "The port has 12 cranes; however, the passages do not say who built them.",
            "the passages do not say who built them.",
            "The port has 12 cranes",
        ),
    ],
)
def test_what_is_said_besides_is_kept_apart(sentence: str, clause: str, rest: str) -> None:
    """It is a claim, and needs its own evidence."""
    assert find_absence(sentence) == Absence(clause, rest)


def test_what_is_called_missing_is_found_if_it_stands_there() -> None:
    """All its words in one sentence of the evidence."""
    clause = "The documents do not say how many cranes the port has."
    assert stands_there(clause, [SOURCE]) == "The port has 12 cranes."
    assert stands_there("The documents do not say how many cranes Malta has.", [SOURCE]) == ""
    assert stands_there("The documents do not say.", [SOURCE]) == ""


def test_absence_is_weak_with_a_reason() -> None:
    """It is neither shown to be right nor called unsupported."""
    verifier = Verifier(WordJudge())
    honest = verifier.check("The documents do not mention the price of a berth.", [SOURCE])
    assert (honest.verdict, honest.reason) == ("weak", "what is missing cannot be quoted")
    wrong = verifier.check("The documents do not mention how many cranes the port has.", [SOURCE])
    assert (wrong.verdict, wrong.reason) == ("weak", "the source may say it: “The port has 12 cranes.”")
    assert wrong.score < honest.score


def test_claim_beside_an_absence_is_checked() -> None:
    """A true half does not carry a made-up one."""
    verifier = Verifier(WordJudge("12 cranes"))
    good = verifier.check("The passages do not mention prices, but the port has 12 cranes of its own.", [SOURCE])
    bad = verifier.check("The passages do not mention prices, but fish is sold there every day.", [SOURCE])
    assert (good.verdict, bad.verdict) == ("supported", "unsupported")


def test_several_sentences_are_checked_one_by_one() -> None:
    """One that nothing supports is named, and the whole is not called supported."""
    verifier = Verifier(WordJudge("cranes at the port", "mayor opened it"))
    scale = load_scale()
    whole = verifier.check("There are 12 cranes at the port. The mayor opened it in 1990.", [SOURCE])
    assert whole.verdict == "supported"
    mixed = verifier.check(
        "There are 12 cranes at the port. The mayor opened it in 1990. Fish is sold daily by divers.", [SOURCE]
    )
    assert mixed.verdict == "weak"
    assert mixed.reason == "“Fish is sold daily by divers.”: the source does not say this"
    assert scale.weak <= mixed.score < whole.score


def test_support_of_an_answer_is_weighted_by_its_words() -> None:
    """A long sentence that is made up weighs more than a short one."""
    verifier = Verifier(WordJudge("12 cranes"))
    short = verifier.check("The port has 12 cranes in all. Fish is sold.", [SOURCE]).score
    long = verifier.check("The port has 12 cranes in all. Fish is sold daily by divers from distant islands.", [SOURCE])
    assert long.score < short


def test_lead_does_not_count_beside_what_it_leads_to() -> None:
    """ "These are the facts:" claims nothing."""
    verifier = Verifier(WordJudge("12 cranes"))
    assert verifier.check("Here is what we know so far:\n\nThe port has 12 cranes in all.", [SOURCE]).verdict == (
        "supported"
    )


def test_words_verbatim_across_sentences_are_one_quote() -> None:
    """Two sentences that stand together are cited together."""
    quote = "The port has 12 cranes. It was opened in 1990 by the mayor."
    found = Verifier(WordJudge()).check(quote, [SOURCE])
    assert (found.score, found.verdict, found.span) == (1.0, "supported", (0, len(quote)))
