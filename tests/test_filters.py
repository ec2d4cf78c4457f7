"""A search with a filter finds what the filter lets through, in both indexes, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from index.errors import ConfigError
from index.ingest import SourceText
from index.library import Library
from index.limits import compile_filter
from index.where import parse_where
from rag.assistant import Assistant
from rag.settings import AnswerSettings
from tests.fakes import FakeEncoder

TEXTS = [
    SourceText(
        "/news/a.html",
        "The crane was tested in March.",
        "Crane test",
        date(2025, 3, 4),
        None,
        "text/html",
        "en",
        ("port",),
    ),
    SourceText(
        "/news/b.html",
        "The crane fell in June.",
        "Crane falls",
        date(2025, 6, 30),
        None,
        "text/html",
        "en-GB",
        ("port", "nk"),
    ),
    SourceText(
        "/old/c.txt", "The crane of old was made of oak.", "History", date(1999, 1, 1), None, "text/plain", "de", ()
    ),
    SourceText("/old/d.txt", "A crane is a bird as well.", "Birds", None, None, "text/plain", None, ("nature",)),
    SourceText(
        "/law/e.pdf",
        "No crane may turn over the street.",
        "The crane act",
        date(2025, 7, 1),
        None,
        "application/pdf",
        "en",
        (),
    ),
]
FILTERS = {
    "type=html": "ab",
    "type!=html": "cde",
    "type=pdf,txt": "cde",
    "published>=2025-04": "be",
    "published<2000": "c",
    "published=2025-06..2025-07": "be",
    "published=none": "d",
    "published!=2025": "cd",
    "published!=none": "abce",
    "published=2025-03,none": "ad",
    "published>=2025-06 published<=2025-06": "b",
    "language=en": "abe",
    "language=en-GB": "b",
    "language!=en": "cd",
    "tag=port": "ab",
    "tag=nk type=html": "b",
    "tag!=port": "cde",
    "source=/old/*": "cd",
    "source!=/old/*": "abe",
    "title=crane": "abe",
    'title="crane f*"': "b",
    "tag=nk type=pdf": "",
    "published<1990": "",
    "language=fr": "",
    "type=html published>=2025-05 language=en tag=port": "b",
}


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    with Library.open(tmp_path_factory.mktemp("filters") / "library", encoder=FakeEncoder()) as library:
        library.add_texts(TEXTS)
        yield library


def letter(source: str) -> str:
    return Path(source).stem


@pytest.mark.parametrize("where", FILTERS)
def test_search_finds_just_what_the_filter_lets_through(filled: Library, where: str) -> None:
    """All five documents match the query, so the filter alone decides; the list of documents agrees."""
    expected = FILTERS[where]
    found = [filled.document(hit.passage.document_id).source for hit in filled.search("crane", 10, where=where)]
    assert "".join(sorted(map(letter, found))) == expected
    assert "".join(sorted(letter(info.source) for info in filled.documents(where=where))) == expected


def test_filter_that_lets_all_through_changes_no_ranking(filled: Library) -> None:
    """With a filter, the second dense search is made among what the first found: in a small library, among all."""
    assert filled.settings.feedback_weight > 0
    for query in ("crane", "Who tested the crane in March?", "a bird of oak"):
        free = [(hit.passage.id, hit.signals.dense_rank) for hit in filled.search(query)]
        among = [(hit.passage.id, hit.signals.dense_rank) for hit in filled.search(query, where="type=html,txt,pdf")]
        assert len(free) == len(TEXTS)
        assert among == free


@pytest.mark.parametrize("where", FILTERS)
def test_each_index_applies_the_filter_itself(filled: Library, where: str) -> None:
    """Neither index gives a passage that another step has to take out again."""
    compiled = compile_filter(filled.catalog, parse_where(where))
    if compiled is None:
        assert FILTERS[where] == ""
        return
    among, limits = compiled
    sources = {info.id: letter(info.source) for info in filled.documents()}
    dense = filled.vectors.search(filled.encoder.encode(["crane"])[0], 10, among)
    lexical = filled.lexical.search({"crane": 1.0}, 10, limits)
    for found in (dense, lexical):
        assert "".join(sorted(sources[name.split(":")[0]] for name, _ in found)) == FILTERS[where]


def test_filter_changes_no_score(filled: Library) -> None:
    """What is left is ranked as it would be without a filter."""
    plain = dict(filled.lexical.search({"crane": 1.0}, 10))
    compiled = compile_filter(filled.catalog, parse_where("type=html,pdf language=en"))
    assert compiled is not None
    for name, score in filled.lexical.search({"crane": 1.0}, 10, compiled[1]):
        assert score == pytest.approx(plain[name])


def test_answer_rests_only_on_what_the_filter_lets_through(filled: Library) -> None:
    """The reader gets no other passage, and the answer says how many documents were searched."""
    assistant = Assistant(filled, AnswerSettings())
    answer = assistant.ask("When was the crane tested?", where="published<2000")
    assert answer.searched == 1
    assert {filled.document(h.passage.document_id).source for h in answer.hits} == {"/old/c.txt"}
    nothing = assistant.ask("When was the crane tested?", where="language=fr")
    assert nothing.abstained
    assert nothing.hits == ()


def test_wrong_filter_is_explained(filled: Library) -> None:
    """An unknown key names the nearest one."""
    with pytest.raises(ConfigError, match="Did you mean 'language'"):
        filled.search("crane", where="langage=en")
