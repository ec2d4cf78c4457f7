"""Numbers, dates, names and denials are read out of texts in a form that can be compared."""

from __future__ import annotations

import pytest

from rag.grounding.facts import months, names, negations, numbers, weekdays


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("It cost 1,200 crowns.", [1200]),
        ("It cost 1.2 million crowns.", [1_200_000]),
        ("Twenty-one ships and three tugs", [21, 3]),
        ("two hundred people", [200]),
        ("3.5% of 40 households", [3.5, 40]),
        ("the second of 4 reports", [2, 4]),
        ("on 2026-03-04", [2026, 4]),
        ("the 1990s", [1990]),
        ("one of them", []),
        ("U2 and B12", []),
    ],
)
def test_numbers_are_read_in_digits_and_words(text: str, values: list[float]) -> None:
    """Digits, words and scales give one value; letters with digits are no numbers."""
    assert [n.value for n in numbers(text)] == values


def test_number_carries_its_unit_in_one_form() -> None:
    """Spellings of one unit are the same unit."""
    assert [n.unit for n in numbers("3 km, 3 kilometres, 3 kilometers, $4, 5 percent, 5%, 7 ships")] == [
        "kilometre",
        "kilometre",
        "kilometre",
        "dollar",
        "percent",
        "percent",
        "",
    ]


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("12 square kilometres", "square kilometre"),
        ("12 km²", "square kilometre"),
        ("3 cubic metres", "cubic metre"),
        ("30 mph", "mile/hour"),
        ("30 miles per hour", "mile/hour"),
        ("5 nautical miles", "nautical-mile"),
        ("5°C", "celsius"),
        ("5 degrees Fahrenheit", "fahrenheit"),
        ("5 percentage points", "percentage-point"),
        ("5 per cent", "percent"),
        ("5 per mille", "per-mille"),
        ("$5 million", "dollar"),
        ("£5", "pound"),
        ("20 metric tons", "tonne"),
        ("300 MW", "megawatt"),
        ("a 5-mile hike", "mile"),
        ("5M people", ""),
        ("3 a day", ""),
    ],
)
def test_units_of_several_words_signs_and_short_forms(text: str, unit: str) -> None:
    """A unit is read whole, whatever its spelling."""
    assert [n.unit for n in numbers(text)] == [unit]


def test_year_is_told_from_other_numbers() -> None:
    """Four digits without a unit are a year."""
    assert [n.year for n in numbers("In 1999 it held 1,999 litres, 1999 litres")] == [True, False, False]


def test_months_and_weekdays_are_found_in_every_form() -> None:
    """Full names, short ones before a number, and ISO dates."""
    assert months("on 4 March, Jan. 5, and 2026-11-02; they may not march") == {"March", "January", "November"}
    assert weekdays("on Tuesday") == {"Tuesday"}


def test_names_leave_out_what_only_opens_a_sentence() -> None:
    """A capital at the start of a sentence says nothing; capitals inside it, and two in a row, do."""
    assert names("Researchers met Anna Berg in Oslo. Peter Smith left. However, NATO agreed.") == [
        "Anna",
        "Berg",
        "Oslo",
        "Peter",
        "Smith",
        "NATO",
    ]


def test_negations_are_counted() -> None:
    """Words and contractions that deny."""
    assert negations("It is not new, and they didn't pay without reason.") == 3
    assert negations("Notable nobles know nothings.") == 0
