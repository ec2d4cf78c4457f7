"""Facts of a statement that its evidence does not have are found and said in words."""

from __future__ import annotations

import random

import pytest

from rag.grounding.edits import KINDS, edit, edit_question
from rag.grounding.guards import mismatches

SOURCE = (
    "The Harbour Authority in Dunmarrow bought 1,200 tonnes of steel from Anna Berg on 4 March 2026. "
    "The bridge is 3.5 kilometres long and was not finished in time. Sales increased by 12% to $4 million."
)


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("It bought 12,000 tonnes of steel.", "12,000 is not in the source; it says 1,200"),
        ("The steel was bought on 4 April 2026.", "April is not in the source; it says March"),
        ("The steel was bought in 2025.", "2025 is not in the source; it says 2026"),
        ("The steel was bought from Carl Berg.", "Carl is not in the source"),
        ("The bridge is 3.5 miles long.", "3.5 miles is not in the source; it says 3.5 kilometres"),
        ("The bridge is 3.5 kilometres long and was finished in time.", "denial"),
        ("Sales decreased by 12% to $4 million.", "“decreased” where the source says “increased”"),
    ],
)
def test_changed_fact_is_named(statement: str, reason: str) -> None:
    """The reason holds the statement's word and what the source has in its place."""
    found = mismatches(statement, [SOURCE])
    assert any(reason in m.reason for m in found), [m.reason for m in found]


@pytest.mark.parametrize(
    "statement",
    [
        "In March 2026 the Authority bought steel.",
        "About 1,250 tonnes of steel were bought.",
        "Twelve percent more was sold, four million dollars in all.",
        "The Dunmarrow authority's bridge is 3.5 km long.",
        "They didn't finish the bridge in time.",
        "On 2026-03-04 steel was bought from Berg.",
    ],
)
def test_paraphrase_raises_no_alarm(statement: str) -> None:
    """Other words for the same facts, and rounding that is said to be rounding, are no mismatch."""
    assert mismatches(statement, [SOURCE]) == []


@pytest.mark.parametrize(
    ("source", "statement"),
    [
        ("The reserve covers 340 square kilometres.", "The reserve covers 340 square miles."),
        ("The train reached 120 km/h.", "The train reached 120 mph."),
        ("It costs $5 million.", "It costs €5 million."),
        ("Turnout rose by 5 percentage points.", "Turnout rose by 5 percent."),
        ("It weighs 20 pounds, and 20 people carry it.", "It weighs 20 kilograms."),
        ("The water was 30°C.", "The water was 30 degrees Fahrenheit."),
        ("The plant makes 300 MW.", "The plant makes 300 kW."),
        ("Salt is 35 per cent of it.", "Salt is 35 per mille of it."),
    ],
)
def test_unit_in_place_of_another_is_seen(source: str, statement: str) -> None:
    """Whatever its form, and although the same number stands there without a unit, too."""
    found = mismatches(statement, [source])
    assert found[0].kind == "unit"
    assert found[0].said in statement
    assert found[0].instead in source


def test_title_counts_as_known() -> None:
    """A name that only the title has is in the source."""
    assert mismatches("The Courier says that steel was bought.", [SOURCE], "The Courier, 2026-03-05") == []


@pytest.mark.parametrize("kind", KINDS)
def test_edits_change_one_thing_and_are_seen(kind: str) -> None:
    """Each kind of edit differs from its sentence in the words it names, and the guards see it."""
    rng = random.Random(3)
    sentence = {
        "number": "The Harbour Authority in Dunmarrow bought 1,200 tonnes of steel.",
        "date": "It bought steel from Anna Berg on 4 March 2026.",
        "name": "The Harbour Authority in Dunmarrow bought steel.",
        "negation": "The bridge was not finished in time.",
        "unit": "The bridge is 3.5 kilometres long.",
    }[kind]
    for _ in range(20):
        made = edit(sentence, kind, ["Vienna", "Peter Smith"], rng)
        assert made is not None
        assert made.text != sentence
        assert made.text.replace(made.new, made.old, 1) == sentence or kind == "negation"
        assert mismatches(made.text, [SOURCE]), made


def test_edit_of_a_kind_that_is_not_there_is_none() -> None:
    """Nothing is made up where there is nothing to change."""
    assert edit("They slept.", "number", ["Vienna"], random.Random(1)) is None
    for seed in range(20):  # of nothing every multiple is nothing
        made = edit("The error was 0.0 metres.", "number", [], random.Random(seed))
        assert made is not None
        assert made.new != "0.0"
    assert edit("They slept.", "name", ["Vienna"], random.Random(1)) is None


def test_question_is_changed_to_ask_something_else() -> None:
    """An opposite, a date, a number, a name or a negation."""
    rng = random.Random(2)
    assert edit_question("Which was the largest ship?", [], rng) == "Which was the smallest ship?"
    assert edit_question("Why is it so?", [], rng) == "Why is not it so?"
