"""The shipped grounding model: it loads, reads, ranks and judges, and its offsets are those of the text."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from index.errors import ModelUnavailableError
from rag.grounding import PairModel, open_grounding
from rag.grounding.windows import best_window, windows
from rag.reader.exact import find_answer
from rag.reader.words import likely_words

PORT = "The port of Dunmarrow was opened in 1990 by mayor Anna Berg. It has twelve cranes."
FISH = "Herring is salted in autumn and sold at the market in the old town."


@pytest.fixture(scope="module")
def model() -> PairModel:
    return PairModel()


def test_passage_that_answers_ranks_above_one_that_does_not(model: PairModel) -> None:
    """The relevance head tells them apart."""
    found = model.relevance("Who opened the port?", [FISH, PORT])
    assert found[1] > found[0] + 1


def test_answer_is_found_at_its_place(model: PairModel) -> None:
    """The span head gives the words, with their offsets in the text."""
    found = find_answer(model, "Who opened the port?", PORT)
    assert PORT[found.start : found.end] == found.text
    assert "Anna Berg" in found.text
    assert found.answered


def test_text_without_the_answer_is_refused(model: PairModel) -> None:
    """The answerability head."""
    assert not find_answer(model, "Who opened the port?", FISH).answered


def test_answer_is_found_deep_in_a_long_text(model: PairModel) -> None:
    """Windows cover a text that the model cannot read at once."""
    text = f"{FISH} " * 60 + PORT + f" {FISH}" * 60
    found = find_answer(model, "Who opened the port?", text)
    assert "Anna Berg" in found.text
    assert text[found.start : found.end] == found.text


def test_empty_text_has_no_answer(model: PairModel) -> None:
    """And no error."""
    found = find_answer(model, "Who opened the port?", " \n ")
    assert (found.text, found.answered, found.confidence) == ("", False, 0.0)


def test_judge_tells_support_from_contradiction(model: PairModel) -> None:
    """Rows are chances."""
    chances = model.support([("Anna Berg opened the port.", PORT), ("Herring is salted in spring.", FISH)])
    assert chances.shape == (2, 3)
    assert chances.sum(axis=1) == pytest.approx([1, 1], abs=1e-5)
    assert chances[0, 0] > 0.5 > chances[1, 0]


def test_pair_reads_the_same_alone_and_in_a_batch(model: PairModel) -> None:
    """Up to what the scales of a batch do to it."""
    alone = model.read("Who opened the port?", [PORT])[0]
    among = model.read("Who opened the port?", [FISH, PORT, PORT * 3])[1]
    assert among.relevance == pytest.approx(alone.relevance, abs=0.5)
    assert [PORT[a:b] for a, b in among.offsets] == [PORT[a:b] for a, b in alone.offsets]
    assert likely_words(among)[1] == likely_words(alone)[1]


def test_odd_text_is_read(model: PairModel) -> None:
    """Lone surrogates, nulls and very long words."""
    reads = model.read("who?", ["\ud800 a\0b", "x" * 9_000, ""])
    assert len(reads) == 3
    assert len(reads[2].offsets) == 0


def test_damaged_folder_is_named(tmp_path: Path) -> None:
    """With what to do."""
    with pytest.raises(ModelUnavailableError, match="missing or damaged"):
        PairModel(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({"name": "x", "model_sha256": "0" * 64, "max_tokens": 512}))
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(ModelUnavailableError):
        PairModel(tmp_path).relevance("a", ["b"])


def test_unknown_cross_encoder_is_named(tmp_path: Path) -> None:
    """A ranker that is not there is an error with its name."""
    with pytest.raises(ModelUnavailableError, match="nowhere"):
        open_grounding(ranker=str(tmp_path / "nowhere"))


def test_windows_overlap_and_cover() -> None:
    """Whole sentences, at most the size, each step further."""
    text = "Aa bb. Cc dd. Ee ff. Gg hh. Ii jj."
    cut = windows(text, 14, 6, len)
    assert [text[a:b] for a, b in cut] == ["Aa bb. Cc dd.", "Cc dd. Ee ff.", "Ee ff. Gg hh.", "Gg hh. Ii jj."]
    assert windows("", 14, 7, len) == []


def test_best_window_takes_the_heaviest_run() -> None:
    """That fits; a single sentence if none does."""
    assert best_window([5, 5, 5, 5], [0, 1, 2, 0], 10) == (1, 3)
    assert best_window([50, 60], [0, 1], 10) == (1, 2)
    assert best_window([5, 5], [0, 0], 10) == (0, 2)
