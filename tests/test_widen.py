"""A topic is searched for with the words of what it finds, a question is not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from index.ingest import SourceText
from index.library import Library
from rag.ranking import find
from rag.settings import AnswerSettings
from rag.standalone import make_query
from rag.types import Conversation
from rag.widen import is_topic, widened
from tests.fakes import FakeEncoder

ABOUT = {
    "scurvy one": "Scurvy comes of too little ascorbate, which limes hold.",
    "scurvy two": "Sailors with scurvy were given ascorbate of limes and oranges.",
    "other words": "Limes were carried for their ascorbate on every ship.",
}


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    """Two texts of scurvy, one of its cure that never says the word, and many of something else."""
    texts = [SourceText(name, text) for name, text in ABOUT.items()]
    texts += [SourceText(f"d{n}", f"The quay number {n} was mended with oak and iron in spring.") for n in range(30)]
    with Library.open(tmp_path / "library", encoder=FakeEncoder()) as library:
        library.add_texts(texts)
        yield library


@pytest.mark.parametrize("text", ["scurvy", "Scurvy on long voyages", "scurvy: cause and cure", "the island was taken"])
def test_topics(library: Library, text: str) -> None:
    """They ask nothing."""
    assert is_topic(make_query(text, None, library, AnswerSettings()))


@pytest.mark.parametrize(
    "text",
    [
        "Scurvy?",
        "what causes scurvy",
        "Is scurvy common",
        "List the causes of scurvy",
        "cases in which scurvy kills",
        "it",
    ],
)
def test_questions_and_orders_are_none(library: Library, text: str) -> None:
    """Nor is what has no words of its own."""
    assert not is_topic(make_query(text, None, library, AnswerSettings()))


def test_turn_that_leans_on_others_is_none(library: Library) -> None:
    """Its words are not all of what is meant."""
    conversation = Conversation.from_pairs([("What causes scurvy?", "Too little ascorbate.")])
    assert not is_topic(make_query("and its cure", conversation, library, AnswerSettings()))


def test_topic_finds_what_says_it_otherwise(library: Library) -> None:
    """The words that the first passages have in common bring in a text that has none of the topic's own."""
    topic = make_query("scurvy", None, library, AnswerSettings())
    plain = library.search_vector(topic.vector, topic.terms, 3, each=0)
    found = find(topic, library, None, candidates=33, each=0)
    sources = {info.id: info.source for info in library.documents()}
    lexical = {sources[h.passage.document_id]: h.signals.lexical or 0.0 for h in found}
    assert lexical["other words"] > 0.0
    assert max(v for name, v in lexical.items() if name not in ABOUT) < lexical["other words"] < lexical["scurvy one"]
    assert {sources[h.passage.document_id] for h in plain if h.signals.lexical} == {"scurvy one", "scurvy two"}


def test_question_is_searched_for_as_it_is(library: Library) -> None:
    """Only by its own words."""
    question = make_query("What is scurvy?", None, library, AnswerSettings())
    found = find(question, library, None, candidates=33, each=0)
    sources = {info.id: info.source for info in library.documents()}
    assert {sources[h.passage.document_id] for h in found if h.signals.lexical} <= {"scurvy one", "scurvy two"}


def test_weights(library: Library) -> None:
    """Half of the weight is the topic's, numbers and short words add nothing, and without hits nothing is added."""
    topic = make_query("scurvy", None, library, AnswerSettings())
    hits = library.search_vector(topic.vector, topic.terms, 2, each=0)
    weights = widened(topic, hits, library)
    assert sum(weights.values()) == pytest.approx(1.0)
    assert weights["scurvi"] >= 0.5
    assert all(len(term) > 2 for term in weights)
    assert widened(topic, [], library) == topic.terms
    bare = [replace(h, passage=replace(h.passage, text="12 a 5")) for h in hits]
    assert widened(topic, bare, library) == topic.terms
