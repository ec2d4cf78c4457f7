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


def test_a_title_is_no_statement() -> None:
    """It says where an answer is, not what it is; a title that is a sentence, or all there is, may be one."""
    title = "Harbour to close both locks for the winter"
    body = "The council decided so in May. Nobody objected."

    def said(text: str, name: str) -> list[str]:
        hit = Hit(Passage("d", 0, len(text), text, None, ""), 1.0, 1, Signals())
        return [c.text for c in find_candidates([hit], titles={"d": name})]

    assert said(f"{title}\n\n{body}", title) == ["The council decided so in May.", "Nobody objected."]
    assert said(f"{title}\n\n{body}", "Another")[0] == title
    assert said(title, title) == [title]
    assert said(f"{title}. {body}", f"{title}.")[0] == f"{title}."
