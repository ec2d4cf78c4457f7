"""Ranking: the model reads the passages that the search ranks first, and its word counts beside the search's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from index.ingest import SourceText
from index.library import Library
from index.types import Hit
from rag.ranking import READ, ROOM, rerank
from rag.settings import AnswerSettings
from rag.standalone import Query, make_query
from tests.fakes import FakeEncoder

COUNT = 28


class Marked:
    """A ranker that finds one word relevant and remembers what it read."""

    def __init__(self, word: str) -> None:
        self.word = word
        self.seen: list[str] = []

    def relevance(self, question: str, passages: Sequence[str]) -> NDArray[np.float32]:
        self.seen.extend(passages)
        return np.array([6.0 if self.word in p else -4.0 for p in passages], np.float32)


@pytest.fixture
def found(tmp_path: Path) -> tuple[Query, list[Hit], Library]:
    """A question and more hits than are read: each document says a little less of it."""
    words = "harbour crane dredger pilot mooring tide beacon".split()
    texts = [
        SourceText(
            f"d{n}", f"The {' '.join(words[: 1 + (COUNT - n) // 4])} of quay{n} was mended. " + "Nothing else. " * 40
        )
        for n in range(COUNT)
    ]
    library = Library.open(tmp_path / "library", encoder=FakeEncoder())
    library.add_texts(texts)
    query = make_query("Which harbour crane dredger pilot mooring tide beacon?", None, library, AnswerSettings())
    return query, library.search_vector(query.vector, query.terms, COUNT), library


def test_only_the_first_of_the_search_are_read(found: tuple[Query, list[Hit], Library]) -> None:
    """All are ranked; those that were not read come without the model's word, behind those that were."""
    query, hits, library = found
    assert len(hits) == COUNT > READ
    ranker = Marked("nowhere")
    ranked = rerank(query, hits, {}, ranker, library)
    assert {h.passage.id for h in ranked} == {h.passage.id for h in hits}
    assert [h.rank for h in ranked] == list(range(1, COUNT + 1))
    assert len(ranker.seen) == READ
    assert sum(h.signals.reranker is not None for h in ranked) == READ
    assert all(h.signals.reranker is not None for h in ranked[:5])


def test_what_is_read_fits_the_room(found: tuple[Query, list[Hit], Library]) -> None:
    """Long passages are read at the sentences that say something of the question."""
    query, hits, library = found
    ranker = Marked("nowhere")
    rerank(query, hits, {}, ranker, library)
    assert all("mended" in text for text in ranker.seen)
    assert sum(len(text) for text in ranker.seen) <= ROOM * 4.3 * 1.5


def test_words_count_less_where_some_are_carried_over(found: tuple[Query, list[Hit], Library]) -> None:
    """A passage that only BM25 puts high stands lower once words of an earlier turn are searched for, too.

    Not if the question has no more than a word of its own: then the carried ones say what is meant.
    """
    query, hits, library = found
    last = replace(hits[-1], signals=replace(hits[-1].signals, lexical=100.0))
    follow_up = replace(query, terms={**query.terms, "lighthous": 0.3})
    bare = replace(follow_up, own_terms=dict(list(query.own_terms.items())[:1]))
    alone, carried, kept = (
        {h.passage.id: h for h in rerank(q, [*hits[:-1], last], {}, Marked("nowhere"), library)}[last.passage.id]
        for q in (query, follow_up, bare)
    )
    assert carried.score < alone.score == kept.score
    assert carried.rank > alone.rank == kept.rank


def test_words_count_more_for_a_topic(found: tuple[Query, list[Hit], Library]) -> None:
    """A passage that only BM25 puts high stands higher if nothing is asked."""
    query, hits, library = found
    last = replace(hits[-1], signals=replace(hits[-1].signals, lexical=100.0))
    asked, named = (
        {h.passage.id: h.score for h in rerank(q, [*hits[:-1], last], {}, Marked("nowhere"), library)}[last.passage.id]
        for q in (query, replace(query, question="harbour crane"))
    )
    assert named > asked


def test_relevant_passage_rises(found: tuple[Query, list[Hit], Library]) -> None:
    """The model's word moves a passage up, and a passage it did not read is not held to be relevant."""
    query, hits, library = found
    plain = [h.passage.text for h in rerank(query, hits, {}, Marked("nowhere"), library)]
    place = READ - 4
    word = plain[place].split(" of ")[1].split()[0]
    risen = [h.passage.text for h in rerank(query, hits, {}, Marked(f"{word} "), library)]
    assert risen.index(plain[place]) < place
    unread = plain[-1].split(" of ")[1].split()[0]
    assert [h.passage.text for h in rerank(query, hits, {}, Marked(f"{unread} "), library)][-1] == plain[-1]


def test_nothing_found_is_nothing_ranked(found: tuple[Query, list[Hit], Library]) -> None:
    """And nothing is read."""
    query, _, library = found
    ranker = Marked("x")
    assert rerank(query, [], {}, ranker, library) == []
    assert ranker.seen == []


def test_heading_is_read_with_what_follows_it(tmp_path: Path) -> None:
    """Even if that is one sentence longer than there is room for: a heading alone says nothing of what is below it."""
    sentence = f"A gate of iron and oak keeps the water at one height {'notwithstanding thunderstorms ' * 6}all year."
    texts = [SourceText(f"d{n}", f"Harbour lock {n}\n\n{sentence}", "Locks") for n in range(READ)]
    with Library.open(tmp_path / "library", encoder=FakeEncoder()) as library:
        library.add_texts(texts)
        query = make_query("What does a harbour lock do?", None, library, AnswerSettings())
        hits = library.search_vector(query.vector, query.terms, READ)
        ranker = Marked("nowhere")
        rerank(query, hits, {h.passage.document_id: "Locks" for h in hits}, ranker, library)
    assert len(ranker.seen) == READ
    for text in ranker.seen:
        assert text.startswith("Locks. Harbour lock")
        assert "keeps the water" in text
        assert len(text) <= len("Locks. ") + ROOM / READ * 4.3 * 1.5


def test_web_addresses_are_not_read(tmp_path: Path) -> None:
    """They would take the room of words."""
    text = "See [the lock](https://example.org/docs/harbour?topic=lock-keeping) of the harbour."
    with Library.open(tmp_path / "library", encoder=FakeEncoder()) as library:
        library.add_texts([SourceText("d", text)])
        query = make_query("What does a harbour lock do?", None, library, AnswerSettings())
        hits = library.search_vector(query.vector, query.terms, READ)
        ranker = Marked("nowhere")
        rerank(query, hits, {}, ranker, library)
    assert ranker.seen == ["See [the lock] of the harbour."]
    assert hits[0].passage.text == text


def test_a_passage_whose_vector_is_not_made_yet_ranks_by_its_meaning(tmp_path: Path) -> None:
    """As it will when it is: not behind all that have one."""
    (tmp_path / "tide.txt").write_text("The harbour pilot knows the tide of the quay.")
    library = Library.open(tmp_path / "library", encoder=FakeEncoder())
    library.add_texts([SourceText(f"d{n}", f"Number {n} of the parcels was lost. " * 9) for n in range(6)])
    library.add([tmp_path / "tide.txt"], embed=False)
    assert library.catalog.count_pending() == 1
    query = make_query("Which harbour pilot knows the tide?", None, library, AnswerSettings())
    first, *others = rerank(
        query, library.search_vector(query.vector, query.terms, COUNT), {}, Marked("nowhere"), library
    )
    assert first.passage.text.startswith("The harbour pilot")
    assert first.signals.dense is not None
    assert first.signals.dense > max(h.signals.dense or 0.0 for h in others) + 0.2
