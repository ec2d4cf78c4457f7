"""A likely sentence is read outside its passage, after the end of the one before it."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np

from index.types import Hit, Passage, Signals
from rag.grounding.pairs import Read
from rag.reader.candidates import BEFORE, find_candidates
from rag.reader.read import CLOSER, Reader
from tests.fakes import FakeModel

LONG = "The mayor of the town, who had come in the night with all of his men, " * 6 + "spoke first."
TEXT = f"There were 5 ships. They carried 7 men. {LONG} He left. Nobody was hurt."


class Noting(FakeModel):
    """Remembers what it was given to read."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def read(self, question: str, passages: Sequence[str]) -> list[Read]:
        self.texts += passages
        return super().read(question, passages)


def test_a_sentence_is_read_after_the_one_before_it() -> None:
    """The best ones only; of a long sentence the end, before the first nothing; places count from the sentence."""
    hit = Hit(Passage("d", 100, 100 + len(TEXT), TEXT, None, ""), 1.0, 1, Signals())
    candidates = find_candidates([hit])
    model = Noting()
    reading: Any = SimpleNamespace(candidates=candidates, query=SimpleNamespace(standalone_question="How many?"))
    found = Reader(model).look_closer(reading, np.array([3.0, 2.0, 0.0, 1.0, 0.0], dtype=np.float32))
    assert list(found) == [0, 1, 3]
    assert len(found) == CLOSER
    assert model.texts == [
        "There were 5 ships.",
        "There were 5 ships. They carried 7 men.",
        f"{LONG} He left."[-BEFORE - len("He left.") :],
    ]
    assert found[1].offsets[0] == (0, len("They"))
    assert len(found[1].offsets) == len(found[1].starts) == 5
