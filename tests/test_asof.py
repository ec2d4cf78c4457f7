"""What "as of" asks for: a date by which documents must have been published, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.where import parse_where
from rag import Assistant, Conversation
from rag.asof import limit_to, parse_as_of
from rag.settings import AnswerSettings
from tests.fakes import FakeEncoder

TODAY = date(2026, 6, 15)

LIMITED = [
    ("As of May 2025, how many vessels are there?", "2025-05-31", "How many vessels are there?"),
    ("as of may 2025 how many vessels are there", "2025-05-31", "How many vessels are there"),
    ("How many vessels are there as of 3 March 2026?", "2026-03-03", "How many vessels are there?"),
    ("How many vessels were there, as of the 3rd of March 2026?", "2026-03-03", "How many vessels were there?"),
    ("How many vessels are there (as of March 3, 2026)?", "2026-03-03", "How many vessels are there?"),
    ("As of 2024, who leads the Authority?", "2024-12-31", "Who leads the Authority?"),
    ("Who leads the Authority as of the end of 2025?", "2025-12-31", "Who leads the Authority?"),
    ("Who leads the Authority as of the beginning of 2025?", "2025-01-01", "Who leads the Authority?"),
    ("Who leads the Authority as of mid-2025?", "2025-06-30", "Who leads the Authority?"),
    ("What is the cost as of Q1 2025?", "2025-03-31", "What is the cost?"),
    ("What is the cost as of the third quarter of 2025?", "2025-09-30", "What is the cost?"),
    ("As of the summer of 2025, what is the cost?", "2025-08-31", "What is the cost?"),
    ("What was the cost as at 30 June 2025?", "2025-06-30", "What was the cost?"),
    ("What was the cost as of 2025-05?", "2025-05-31", "What was the cost?"),
    ("What was the cost as of 2025-05-12, in crowns?", "2025-05-12", "What was the cost, in crowns?"),
    ("What was the cost as of 12.05.2025?", "2025-05-12", "What was the cost?"),
    ("What was the cost as of 12/31/2025?", "2025-12-31", "What was the cost?"),
    ("What was the cost as of Feb. 2024?", "2024-02-29", "What was the cost?"),
    ("What was the cost as of February of 2023?", "2023-02-28", "What was the cost?"),
    ("By June 2025, how many piles had been driven?", "2025-06-30", "How many piles had been driven?"),
    ("Until 2025-05-12, how many were hurt?", "2025-05-12", "How many were hurt?"),
    ("Up to May 2025 how many ships were stopped?", "2025-05-31", "How many ships were stopped?"),
    ("How many ships have been stopped until 2025-05-12?", "2025-05-12", "How many ships have been stopped?"),
    ("How much has been spent up to March 2026?", "2026-03-31", "How much has been spent?"),
    ("According to what was known in May 2025, who was to blame?", "2025-05-31", "Who was to blame?"),
    ("Who was to blame, according to what was known by 12 May 2025?", "2025-05-12", "Who was to blame?"),
    ("From what was known by May 2025, who was to blame?", "2025-05-31", "Who was to blame?"),
    ("Using only documents published by May 2025, who was to blame?", "2025-05-31", "Who was to blame?"),
    ("As of May 2025, when will the pier be finished?", "2025-05-31", "When will the pier be finished?"),
    ("When will the pier be finished, as of May 2025?", "2025-05-31", "When will the pier be finished?"),
    ("As of last year, how many vessels are there?", "2025-12-31", "How many vessels are there?"),
    ("As of last month, how many vessels are there?", "2026-05-31", "How many vessels are there?"),
    ("As of last week, how many vessels are there?", "2026-06-14", "How many vessels are there?"),
    ("As of yesterday, how many vessels are there?", "2026-06-14", "How many vessels are there?"),
    ("As of May, how many vessels are there?", "2026-05-31", "How many vessels are there?"),
    ("As of November, how many vessels are there?", "2025-11-30", "How many vessels are there?"),
    ("As of 5 June, how many vessels are there?", "2026-06-05", "How many vessels are there?"),
    ("What’s the cost as of May 2025?", "2025-05-31", "What’s the cost?"),
    ("And as of May 2025?", "2025-05-31", "And?"),
]

NOT_LIMITED = [
    "By 2030 the ministry plans to build what?",
    "When will it be finished by 2030?",
    "What does the ministry want to reach by 2030?",
    "By 2030, how many vessels will there be?",
    "How many vessels will the Authority have by the end of 2027?",
    "How many vessels had been delivered by June 2025?",
    "Who was the minister until 2024?",
    "Until 2024 the pier was closed; why?",
    "Does the contract run until 31 March 2027?",
    "What is the fine, up to 200,000 crowns?",
    "How much money, up to 2,000 crowns, may be paid?",
    "Which rules are effective as of 1 March 2025?",
    "Which rules came into force as of 1 March 2025?",
    "What will the fee be as of January 2030?",
    "What does “as of May 2025” mean?",
    "As of now, how many vessels are there?",
    "As of today, how many vessels are there?",
    "Is the crane as of old?",
    "What happened in May 2025?",
    "What did the report of May 2025 say?",
    "As of which date is the fact sheet?",
    "As of 31 February 2025, what is known?",
    "What was signed by May, the minister?",
    "",
    "as of",
]


@pytest.mark.parametrize(("question", "limit", "rest"), LIMITED)
def test_as_of_phrase_gives_its_last_day_and_the_rest_of_the_question(question: str, limit: str, rest: str) -> None:
    """A month or year stands for its last day; every other word is kept."""
    found = parse_as_of(question, TODAY)
    assert found is not None
    assert (found.limit.isoformat(), found.question) == (limit, rest)


@pytest.mark.parametrize("question", NOT_LIMITED)
def test_date_that_belongs_to_what_is_asked_is_no_limit(question: str) -> None:
    """Plans, terms of office and the days from which rules hold are asked about, not limits of what is known."""
    found = parse_as_of(question, TODAY)
    assert found is None


PIECES = [*"as of May 2025,?() 31-12", "by ", "until ", "as of ", "2025-05-31 ", "March ", "end of ", "How many"]


@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
def test_any_text_can_be_asked(text: str) -> None:
    """No question makes the parser fail, and the rest never gains words."""
    found = parse_as_of(text, TODAY)
    assert found is None or len(found.question.split()) < len(text.split())


def test_limit_is_added_to_the_callers_filter() -> None:
    """Both hold: the caller's conditions and the date."""
    assert str(limit_to("type=pdf published>=2025-01", date(2025, 5, 31))) == (
        "type=pdf published=2025-01-01.. published=..2025-05-31"
    )
    assert limit_to(None, date(2025, 5, 31)) == parse_where("published<=2025-05-31")


@pytest.fixture
def reports(tmp_path: Path) -> Iterator[Assistant]:
    """Two dated reports and one without a date, which say different things."""
    for name, head, count in (
        ("march", "---\ntitle: March report\ndate: 2026-03-02\n---\n\n", "twelve"),
        ("june", "---\ntitle: June report\ndate: 2026-06-11\n---\n\n", "fifteen"),
        ("memo", "---\ntitle: Memo\n---\n\n", "ninety"),
    ):
        (tmp_path / f"{name}.md").write_text(f"{head}The Authority has {count} patrol vessels in the strait.\n")
    settings = AnswerSettings(abstain_below=0.0)
    with Assistant.open(tmp_path / "library", encoder=FakeEncoder(), settings=settings) as assistant:
        assistant.add(sorted(tmp_path.glob("*.md")))
        yield assistant


def test_as_of_question_uses_only_documents_published_by_then(reports: Assistant) -> None:
    """Later documents and those without a date are neither searched nor counted."""
    answer = reports.ask("As of May 2026, how many patrol vessels does the Authority have?")
    assert {c.title for c in answer.citations} == {"March report"}
    assert (answer.as_of, answer.searched, answer.undated) == (date(2026, 5, 31), 1, 1)
    assert "published by 31 May 2026" in answer.text
    assert "1 document without a date was left out" in answer.text
    assert answer.question == answer.standalone_question


def test_question_without_a_limit_uses_all(reports: Assistant) -> None:
    """Nothing is left out unless it is asked for."""
    answer = reports.ask("How many patrol vessels does the Authority have?")
    assert len({hit.passage.document_id for hit in answer.hits}) == 3
    assert (answer.as_of, answer.undated, answer.searched) == (None, 0, 3)


def test_as_of_before_every_document_abstains_and_says_so(reports: Assistant) -> None:
    """The library is not empty; nothing in it is old enough."""
    answer = reports.ask("As of 2020, how many patrol vessels does the Authority have?")
    assert answer.abstained
    assert (answer.as_of, answer.searched) == (date(2020, 12, 31), 0)
    assert "no document in the library was published by 31 December 2020" in answer.text
    assert "empty" not in answer.text


def test_callers_filter_holds_as_well(reports: Assistant) -> None:
    """An as-of question does not widen a filter."""
    answer = reports.ask("As of July 2026, how many patrol vessels does the Authority have?", where="title=june")
    assert {c.title for c in answer.citations} == {"June report"}
    assert answer.undated == 0


def test_follow_up_of_nothing_but_a_date_asks_the_question_before_again(reports: Assistant) -> None:
    """And as of May 2026? It is the earlier question with a limit."""
    conversation = Conversation().add(reports.ask("How many patrol vessels does the Authority have?"))
    answer = reports.ask("And as of May 2026?", conversation)
    assert {c.title for c in answer.citations} == {"March report"}
    assert answer.question == "And as of May 2026?"
    assert answer.standalone_question.startswith("How many patrol vessels does the Authority have?")
