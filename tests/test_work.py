"""The page's background work: documents are found by their words first, and the page says how far the rest is."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from index.errors import ModelUnavailableError
from index.library import Library
from index.types import AddReport, Failure, Step
from rag.assistant import Assistant
from rag.settings import AnswerSettings
from tests.fakes import FakeEncoder
from ui.web.render_status import render_filter_note, render_status
from ui.web.work import State, Work


class GatedEncoder(FakeEncoder):
    """A fake that makes no vectors of documents until it may, or cannot at all."""

    def __init__(self) -> None:
        super().__init__()
        self.may = threading.Event()
        self.broken = False

    def encode(self, texts: Sequence[str], *, progress: Callable[[int], None] | None = None) -> NDArray[np.float32]:
        if threading.current_thread().name.startswith("dossier-embedder"):
            assert self.may.wait(60)
            if self.broken:
                raise ModelUnavailableError("The model broke.", remedy="Mend it.")
        return super().encode(texts, progress=progress)


@pytest.fixture
def encoder() -> GatedEncoder:
    return GatedEncoder()


@pytest.fixture
def assistant(tmp_path: Path, encoder: GatedEncoder) -> Iterator[Assistant]:
    with Library.open(tmp_path / "library", encoder=encoder) as library:
        yield Assistant(library, AnswerSettings())


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    folder = tmp_path / "docs"
    folder.mkdir()
    for number in range(5):
        (folder / f"{number}.txt").write_text(f"Berth {number} was dredged in the year {1990 + number}.")
    (folder / "broken.pdf").write_bytes(b"%PDF-1.4 nothing more")
    return folder


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def status(assistant: Assistant, work: Work) -> str:
    catalog = assistant.library.catalog
    return render_status(work.state(), catalog.count_pending(), catalog.count()[1], assistant.library.last_report())


def test_words_are_searchable_while_vectors_are_made(assistant: Assistant, docs: Path, encoder: GatedEncoder) -> None:
    """A cited answer over the last file is there before any vector is, and the page says what is missing."""
    told: list[AddReport] = []
    work = Work(assistant, told.append)
    work.add_folder(docs)
    wait_for(lambda: bool(told))
    answer = assistant.ask("When was berth 4 dredged?")
    assert "1994" in answer.text
    assert answer.citations
    wait_for(lambda: "0 of 5 passages" in status(assistant, work))
    assert "found by their words already" in status(assistant, work)
    encoder.may.set()
    wait_for(lambda: not work.state().busy)
    assert "passages" not in status(assistant, work)
    assert "Last report · 1 failed" in status(assistant, work)
    assert assistant.library.catalog.count_pending() == 0
    work.end()


def test_failure_is_shown_and_tried_again(assistant: Assistant, docs: Path, encoder: GatedEncoder) -> None:
    """An error of the background work stays visible with its remedy until the next attempt succeeds."""
    work = Work(assistant)
    encoder.broken = True
    encoder.may.set()
    work.add_folder(docs)
    wait_for(lambda: work.state().problem is not None)
    assert "The model broke." in status(assistant, work)
    assert "Mend it." in status(assistant, work)
    encoder.broken = False
    work.go_on()
    wait_for(lambda: not work.state().busy)
    assert "The model broke." not in status(assistant, work)
    assert assistant.library.catalog.count_pending() == 0
    work.end()


def test_work_that_is_ended_stops_and_keeps_what_is_recorded(
    assistant: Assistant, docs: Path, encoder: GatedEncoder
) -> None:
    """The server goes down in the middle: the documents are there, their vectors are made the next time."""
    told: list[AddReport] = []
    work = Work(assistant, told.append)
    work.add_folder(docs)
    wait_for(lambda: bool(told))
    threading.Timer(0.2, encoder.may.set).start()
    work.end()
    assert len(assistant.library) == 5
    assistant.library.embed()
    assert assistant.library.catalog.count_pending() == 0


def test_status_escapes_what_documents_and_errors_say() -> None:
    """File names and messages are text, never markup."""
    bad = "<img src=x onerror=alert(1)>"
    report = AddReport(failed=(Failure(f"/docs/{bad}", "Error", bad, bad),), added=("x",))
    drawn = render_status(State(True, Step("read", 1, 2, bad), (bad, bad), report, 1), 3, 4, report)
    drawn += render_filter_note(0, 0, (bad, bad))
    assert "<img" not in drawn
    assert drawn.count("&lt;img") >= 6


def test_filter_note_counts_documents() -> None:
    """While a filter is active the page says how many documents questions are asked of."""
    assert "Asking only 3 of 12 documents." in render_filter_note(3, 12)
    assert render_filter_note(12, -1) == ""
