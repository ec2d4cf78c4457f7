"""One assistant answers many threads at once as it answers one after the other, and does not grow."""

from __future__ import annotations

import gc
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from rag.assistant import Assistant
from rag.grounding import Grounding
from rag.grounding.verify import Verifier
from rag.records import answer_record
from rag.settings import AnswerSettings
from rag.types import Conversation
from tests.fakes import FakeEncoder, FakeModel

THREADS, QUESTIONS = 8, 50


def record(assistant: Assistant, question: str, conversation: Conversation | None) -> dict[str, Any]:
    """All that an answer says but its timings, with what was found."""
    answer = assistant.ask(question, conversation)
    hits = [(h.passage.id, round(h.score, 4)) for h in answer.hits]
    return {**answer_record(answer), "timings": None, "hits": hits}


def plans() -> list[tuple[str, Conversation | None]]:
    """Fifty questions: alone, as follow-ups, and of the kinds that need no search."""
    before = Conversation.from_pairs([("When does berth 3 open?", "Berth 3 opens in June.")])
    asked: list[tuple[str, Conversation | None]] = [("Thanks!", before), ("As of 2025, what is berth 4?", None)]
    asked += [(f"And berth {n}?", before) for n in range(16)]
    asked += [(f"When does berth {n} open?", None) for n in range(16)]
    return asked + [(f"New question: who owns crane {n}?", before) for n in range(QUESTIONS - len(asked))]


@pytest.fixture
def assistant(tmp_path: Path) -> Any:
    """Twenty small documents on the fake encoder and a fake grounding model."""
    docs = tmp_path / "docs"
    docs.mkdir()
    for n in range(20):
        text = f"Berth {n}\n\nBerth {n} opens in June {2020 + n}. Crane {n} belongs to owner {n * n}. It is {n} metres."
        (docs / f"{n}.txt").write_text(text, encoding="utf-8")
    model = FakeModel()
    grounding = Grounding(model, model, Verifier(model))
    settings = AnswerSettings(abstain_below=0.0)
    with Assistant.open(tmp_path / "library", encoder=FakeEncoder(), settings=settings, grounding=grounding) as opened:
        opened.add(docs)
        yield opened


@pytest.mark.timeout(300)
def test_eight_threads_get_the_answers_of_one_and_memory_stays(assistant: Assistant) -> None:
    """8 threads × 50 questions: the same answers as in sequence, no error, nothing kept from round to round."""
    asked = plans()
    assert len(asked) == QUESTIONS
    alone = [record(assistant, *plan) for plan in asked]

    def run(shift: int) -> list[dict[str, Any]]:
        order = [(i + shift * 7) % QUESTIONS for i in range(QUESTIONS)]  # so that threads ask different things at once
        found = {i: record(assistant, *asked[i]) for i in order}
        return [found[i] for i in range(QUESTIONS)]

    with ThreadPoolExecutor(THREADS) as pool:
        rounds = list(pool.map(run, range(THREADS)))  # what is made once per thread or process is made here
        assert all(answers == alone for answers in rounds)
        del rounds
        tracemalloc.start()
        sizes = []
        for _ in range(3):
            for answers in pool.map(run, (0, 3)):
                assert answers == alone
            del answers
            gc.collect()
            sizes.append(tracemalloc.get_traced_memory()[0])
        tracemalloc.stop()
    assert sizes[2] - sizes[1] < 100_000, f"bytes held after each further round of 100 questions: {sizes}"


@pytest.mark.timeout(300)
def test_shipped_models_answer_threads_alike(samples: Assistant) -> None:
    """The real encoder and grounding model, four threads at once: the answers of a sequence."""
    before = Conversation.from_pairs([("When did the Lantern cable break?", "On 14 January.")])
    asked = [("And when was it repaired?", before), ("Who owned the crane?", None), ("How high is the levy?", before)]
    alone = [record(samples, *plan) for plan in asked]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda i: (i % 3, record(samples, *asked[i % 3])), range(12)))
    assert all(answer == alone[i] for i, answer in found)
