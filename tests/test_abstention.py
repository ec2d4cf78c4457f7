"""An abstention says what was searched, and what was not."""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from rag import Answer, Assistant
from rag.reader.fit import choose_threshold
from rag.reader.read import UNSAID, Reader
from rag.settings import AnswerSettings
from rag.standalone import make_query
from rag.types import abstention_facts, abstention_lead
from tests.conftest import SAMPLES
from tests.fakes import FakeEncoder


def abstention(**fields: object) -> Answer:
    return Answer("Why?", "Why?", (), (), (), abstained=True, confidence=0.1, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (abstention(), "Not in these documents: the library is empty. Add documents first."),
        (
            abstention(searched=1),
            "Not in these documents: 1 document was searched and none holds an answer to this.",
        ),
        (
            abstention(searched=1234, unknown_terms=("Zanzibar", "chess", "tea")),
            "Not in these documents: 1,234 documents were searched and none holds an answer to this. "
            "“Zanzibar”, “chess” and “tea” occur nowhere in them.",
        ),
        (
            abstention(searched=2, as_of=date(2025, 5, 31), undated=3),
            "Not in these documents: 2 documents published by 31 May 2025 were searched and none holds an answer to "
            "this. 3 documents without a date were left out.",
        ),
        (
            abstention(as_of=date(2025, 5, 3)),
            "Not in these documents: no document in the library was published by 3 May 2025.",
        ),
        (
            abstention(searched=2, unread=("a.pdf", "b.pdf", "c.pdf"), unread_count=1005),
            "Not in these documents: 2 documents were searched and none holds an answer to this. "
            "1,005 files could not be read: a.pdf, b.pdf, c.pdf and 1,002 more.",
        ),
        (
            abstention(searched=2, unread=("a.pdf",), unread_count=1),
            "Not in these documents: 2 documents were searched and none holds an answer to this. "
            "1 file could not be read: a.pdf.",
        ),
    ],
)
def test_abstention_tells_what_was_searched_and_what_was_not(answer: Answer, text: str) -> None:
    """Counts, terms that occur nowhere, the date limit and unread files, in sentences."""
    assert answer.text == text
    assert text == " ".join([abstention_lead(answer), *abstention_facts(answer)])


@pytest.fixture
def broken(tmp_path: Path) -> Iterator[Assistant]:
    """A library that refuses every question, and to which four files could not be added."""
    (tmp_path / "good.md").write_text("The berth opens in June.\n")
    for name in "abcd":
        (tmp_path / f"{name}.pdf").write_bytes(b"%PDF-1.4 nothing of the kind")
    settings = AnswerSettings(abstain_below=1.1)
    with Assistant.open(tmp_path / "library", encoder=FakeEncoder(), settings=settings) as assistant:
        yield assistant


def test_abstention_names_some_of_the_files_that_could_not_be_read(broken: Assistant, tmp_path: Path) -> None:
    """The first three by name, and how many more; a file that failed twice counts once."""
    broken.add(sorted(tmp_path.glob("*.[mp]d*")))
    broken.add([tmp_path / "b.pdf"])
    answer = broken.ask("When does the berth open?")
    assert answer.abstained
    assert (answer.unread, answer.unread_count) == (("a.pdf", "b.pdf", "c.pdf"), 4)
    assert "4 files could not be read: a.pdf, b.pdf, c.pdf and 1 more." in answer.text


def test_empty_library_tells_of_the_files_that_could_not_be_read(broken: Assistant, tmp_path: Path) -> None:
    """That may be why it is empty."""
    broken.add([tmp_path / "a.pdf"])
    answer = broken.ask("When does the berth open?")
    assert "the library is empty" in answer.text
    assert answer.unread == ("a.pdf",)


def test_file_that_was_mended_is_not_named_any_more(broken: Assistant, tmp_path: Path) -> None:
    """What was read since is no longer missing."""
    broken.add([tmp_path / "a.pdf", tmp_path / "good.md"])
    (tmp_path / "a.pdf").unlink()
    broken.add([tmp_path / "good.md"])
    shutil.copy(SAMPLES / "2026-06-15-authority-fact-sheet.pdf", tmp_path / "a.pdf")
    broken.add([tmp_path / "a.pdf"])
    answer = broken.ask("When does the berth open?")
    assert (answer.unread, answer.unread_count) == ((), 0)


def test_follow_up_is_granted_what_it_leaves_unsaid(samples: Assistant) -> None:
    """The same question with the same passages: as a follow-up, its log-odds are higher by just that."""
    query = make_query("What did the breakwater of Port Ansel cost?", None, samples.library, samples.settings)
    hits = samples.library.search_vector(query.vector, query.terms, 5)
    reader = Reader(samples.grounding.spans)
    odds = {}
    for kind in ("question", "topic-switch", "follow-up", "comparison"):
        asked = replace(query, kind=kind)  # type: ignore[arg-type]
        chance = reader.read(asked, hits, {}, samples.library, limit=4, threshold=0.0).confidence
        odds[kind] = math.log(chance / (1 - chance))
    assert odds["question"] == odds["topic-switch"]
    assert odds["follow-up"] == odds["comparison"] == pytest.approx(odds["question"] + UNSAID)


def test_threshold_is_in_the_middle_of_the_flat_optimum() -> None:
    """Whichever of equals a chance makes the best; of an even number the lower middle."""

    def chosen(*accuracies: float) -> float:
        return choose_threshold([{"threshold": i / 10, "balanced_accuracy": a} for i, a in enumerate(accuracies)])

    assert chosen(0.6, 0.79, 0.8, 0.79, 0.7) == 0.2
    assert chosen(0.6, 0.8, 0.79, 0.79, 0.7) == 0.2
    assert chosen(0.6, 0.79, 0.79, 0.79, 0.8, 0.7) == 0.2
    assert chosen(0.5, 0.9, 0.5) == 0.1
