"""Answers hold their invariants, whatever the documents and whatever is asked."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.errors import QuestionError
from rag import Answer, Assistant, Conversation, Done, Hits, Searching, Sentence
from rag.records import (
    answer_from_record,
    answer_record,
    conversation_from_json,
    conversation_to_json,
    conversation_to_markdown,
)
from rag.settings import AnswerSettings
from rag.types import Turn
from tests.fakes import FakeEncoder
from tests.invariants import assert_cited

PHRASES = (
    """berth|crane|opens|June|12|million|vessels|“quoted”|Corvane.|However,|it|moved!|Why?|東京。|it’s|…|Dr.|No."""
)
WORDS = st.sampled_from([*PHRASES.split("|"), "- list\n\n# Head\n"])
DOCUMENTS = st.lists(st.lists(WORDS, min_size=1, max_size=80).map(" ".join), min_size=1, max_size=4)


def assert_invariants(answer: Answer, assistant: Assistant) -> None:
    assert_cited(answer, assistant)
    markers = [c.marker for c in answer.citations]
    if answer.abstained:
        assert not answer.citations
    else:
        assert [int(n) for n in re.findall(r"\[(\d+)\](?= |$|\[)", answer.text)][-1] == markers[-1]
    for statement in answer.statements:
        assert (statement.support, statement.verdict) == (1.0, "supported")
    assert 0.0 <= answer.confidence <= 1.0
    spans = sorted((c.document_id, c.start, c.end) for c in answer.citations)
    assert all(a[0] != b[0] or a[2] <= b[1] for a, b in zip(spans, spans[1:], strict=False)), "citations overlap"


@given(DOCUMENTS, st.lists(WORDS, min_size=1, max_size=8).map(" ".join), st.booleans())
@settings(max_examples=25, deadline=None)
def test_answers_over_generated_documents_hold_the_invariants(texts: list[str], question: str, never: bool) -> None:
    """Quotes are exact, markers and citations one to one, an abstention cites nothing."""
    with tempfile.TemporaryDirectory() as folder:
        for number, text in enumerate(texts):
            (Path(folder) / f"{number}.md").write_text(text, encoding="utf-8")
        choice = AnswerSettings(abstain_below=1.1 if never else 0.0)
        with Assistant.open(Path(folder) / "library", encoder=FakeEncoder(), settings=choice) as assistant:
            assistant.add(sorted(Path(folder).glob("*.md")))
            try:
                answer = assistant.ask(question)
            except QuestionError:
                return  # nothing but punctuation was drawn
            assert_invariants(answer, assistant)
            assert not (never and answer.statements)


QUESTIONS = [
    "How much does the programme cost?",
    "How many patrol vessels are there?",
    "Who died in the crane accident?",
    "When will the pier be finished?",
    "Why did the cable break?",
    "What did the inspector find wrong with the welding?",
    "Who owns the Lantern cable?",
    "What is the price of tea in Lisbon?",
]


@pytest.mark.parametrize("question", QUESTIONS)
def test_answers_over_the_samples_hold_the_invariants(samples: Assistant, question: str) -> None:
    """The same on real documents of every format."""
    assert_invariants(samples.ask(question), samples)


def test_pdf_citation_names_the_page_it_stands_on(samples: Assistant) -> None:
    """The page of a citation is the one whose text holds the quote's beginning."""
    seen = 0
    for question in (
        "What did the inspection of the pier find?",
        "What load may the crane lift?",
        "Who inspected the pier?",
    ):
        for citation in samples.ask(question).citations:
            if citation.page is not None:
                page = samples.library.document(citation.document_id).pages[citation.page - 1]
                assert page.start <= citation.start < page.end
                seen += 1
    assert seen


def test_stream_gives_each_step_and_ends_with_the_same_answer(samples: Assistant) -> None:
    """Searching, hits, sentences, done; the sentences are the answer's statements."""
    events = list(samples.stream(QUESTIONS[0]))
    assert [type(e) for e in events[:2]] == [Searching, Hits]
    assert isinstance(events[-1], Done)
    answer = events[-1].answer
    sentences = [e for e in events if isinstance(e, Sentence)]
    assert tuple(s.statement for s in sentences) == answer.statements
    assert tuple(c for s in sentences for c in s.citations) == answer.citations


def test_question_far_from_the_documents_is_refused_with_what_was_searched(samples: Assistant) -> None:
    """An abstention says how much was searched, which words occur nowhere, and gives the nearest passages."""
    answer = samples.ask("Who won the Zanzibar chess tournament?")
    assert answer.abstained
    assert "12 documents" in answer.text
    assert "Zanzibar" in answer.unknown_terms
    assert answer.hits


def test_follow_up_is_searched_with_its_conversation(samples: Assistant) -> None:
    """A question that says nothing on its own finds what the one before it was about."""
    conversation = Conversation().add(samples.ask("What happened to the Lantern cable?"))
    alone = samples.ask("And when was it repaired?")
    followed = samples.ask("And when was it repaired?", conversation)
    assert followed.standalone_question != alone.standalone_question
    assert any("Lantern" in h.passage.text for h in followed.hits[:3])
    assert_invariants(followed, samples)


def test_conversation_of_plain_text_is_enough_for_a_follow_up(samples: Assistant) -> None:
    """`from_pairs` makes a conversation of questions and answers from anywhere."""
    conversation = Conversation.from_pairs([("What happened to the Lantern cable?", "It broke.")])
    assert "Lantern" in samples.ask("When was it repaired?", conversation).standalone_question


@pytest.mark.parametrize("question", ["", "   \n", "?!…", "\0"])
def test_empty_question_is_explained(samples: Assistant, question: str) -> None:
    """No words, no search."""
    with pytest.raises(QuestionError, match="empty"):
        samples.ask(question)


def test_question_of_a_hundred_thousand_characters_is_explained(samples: Assistant) -> None:
    """Length and limit are named."""
    with pytest.raises(QuestionError, match="100,000 characters long; the limit is 4,000"):
        samples.ask("a" * 100_000)


def test_empty_library_abstains_and_says_why(tmp_path: Path) -> None:
    """An empty library is not an error."""
    with Assistant.open(tmp_path / "library", encoder=FakeEncoder()) as assistant:
        answer = assistant.ask("Anything there?")
    assert answer.abstained
    assert "empty" in answer.text


def test_question_may_hold_any_character(samples: Assistant) -> None:
    """Query syntax, lone surrogates and markup are only text."""
    for question in ('pier AND (cost OR "x', "co*st: [1 TO 2]", "<script>alert(1)</script> pier", "pier \ud800 cost"):
        assert_invariants(samples.ask(question), samples)


def test_records_round_trip(samples: Assistant) -> None:
    """An answer and a conversation come back from JSON as they were, without their hits."""
    answer = samples.ask(QUESTIONS[0])
    back = answer_from_record(answer_record(answer))
    assert (back.statements, back.citations, back.text) == (answer.statements, answer.citations, answer.text)
    conversation = Conversation().add(answer).add(Turn("And?", "No."))
    again = conversation_from_json(conversation_to_json(conversation))
    assert (again.id, again.title, len(again.turns)) == (conversation.id, conversation.title, 2)
    assert again.turns[0].answer is not None


def test_markdown_export_has_a_footnote_for_each_citation(samples: Assistant) -> None:
    """Footnotes are numbered through the whole conversation."""
    conversation = Conversation()
    for question in QUESTIONS[:2]:
        conversation = conversation.add(samples.ask(question))
    text = conversation_to_markdown(conversation)
    count = sum(len(t.answer.citations) for t in conversation.turns if t.answer)
    assert re.findall(r"^\[\^(\d+)\]:", text, re.MULTILINE) == [str(n) for n in range(1, count + 1)]
