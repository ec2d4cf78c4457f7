"""Turns of a conversation are understood by their words, the turns before them, and the library's documents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from index.library import Library
from rag.assistant import Assistant
from rag.followup.correct import Correction, find_correction, not_meant, reword
from rag.followup.history import History
from rag.followup.kinds import asks_who, compares, switch_lead
from rag.followup.meta import meta_kind
from rag.followup.named import ask_source, favour
from rag.followup.narrow import find_narrowing
from rag.followup.understand import understand
from rag.followup.wording import complete, with_subject
from rag.grounding import Grounding
from rag.grounding.verify import Verifier
from rag.ranking import find
from rag.records import answer_from_record, answer_record
from rag.settings import AnswerSettings
from rag.standalone import make_query
from rag.types import Answer, Citation, Conversation, Statement
from tests.fakes import FakeEncoder, FakeModel

DOCUMENTS = {
    "export-policy.md": "# Export policy\n\n*2025-03-01*\n\nThe export policy applies to all goods. It ends in 2027.",
    "travel-policy.md": "# Travel policy\n\n*2026-02-01*\n\nThe travel policy allows trains. It ends in 2028.",
    "leave-policy.txt": "Leave policy\n\nThe leave policy grants thirty days. It ends in 2029.",
    "ministry-report.html": "<html><head><title>Harbour plan</title><meta name='author' content='Ministry of Ports'>"
    "<meta name='date' content='2024-05-01'></head><body><p>The harbour costs nine million crowns.</p></body></html>",
}


@contextmanager
def over(documents: Mapping[str, str], folder: Path, settings: AnswerSettings) -> Iterator[Assistant]:
    """An assistant over documents by their file names, on the fake encoder and a fake grounding model."""
    docs = folder / "docs"
    docs.mkdir()
    for name, text in documents.items():
        (docs / name).write_text(text, encoding="utf-8")
    model = FakeModel()
    grounding = Grounding(model, model, Verifier(model))
    with Assistant.open(folder / "library", encoder=FakeEncoder(), settings=settings, grounding=grounding) as opened:
        assert not opened.add(docs).failed
        yield opened


@pytest.fixture
def assistant(tmp_path: Path) -> Iterator[Assistant]:
    """Three policies and a plan."""
    with over(DOCUMENTS, tmp_path, AnswerSettings(abstain_below=0.0)) as opened:
        yield opened


def talk(assistant: Assistant, *questions: str) -> tuple[Answer, Conversation]:
    """Ask one question after the other; gives the last answer and the conversation before it."""
    conversation = Conversation()
    answer = assistant.ask(questions[0], conversation)
    for question in questions[1:]:
        conversation = conversation.add(answer)
        answer = assistant.ask(question, conversation)
    return answer, conversation


@pytest.mark.parametrize(
    ("question", "rest"),
    [
        ("Different subject: how wide is it?", "how wide is it?"),
        ("By the way, who pays?", "who pays?"),
        ("Let's talk about the crane instead. Who owned it?", "the crane instead. Who owned it?"),
        ("Completely different thing: who chairs it?", "who chairs it?"),
        ("Okay, new question. Which hospital?", "Which hospital?"),
        ("Something else happened there, what?", "Something else happened there, what?"),
        ("Is it by the way?", "Is it by the way?"),
        ("New questions arose. Which?", "New questions arose. Which?"),
    ],
)
def test_words_that_announce_another_subject_are_seen(question: str, rest: str) -> None:
    """At the beginning only, and only where they say so."""
    assert question[switch_lead(question) :] == rest


@pytest.mark.parametrize(
    ("question", "full"),
    [
        ("Who is Brida Sunnack?", True),
        ("What is the Ministry of Ports?", True),
        ("Who was Jan van der Meer?", True),
        ("What is Corvane 2?", True),
        ("Who is Brida?", False),
        ("Who is the inspector?", False),
        ("What is the Port doing?", False),
        ("Who is Brida Sunnack's deputy?", False),
    ],
)
def test_a_full_name_is_seen(question: str, full: bool) -> None:
    """Where it is all that is asked about."""
    assert asks_who(question) is full


def test_who_somebody_is_takes_no_words_along(assistant: Assistant) -> None:
    """Words of the question before would only be in the way; half a name may need them."""
    before = Conversation.from_pairs([("Who may take trains under the travel policy?", "Everybody.")])
    for name, alone in {"Brida Sunnack": True, "she": False}.items():
        query = make_query(f"Who is {name}?", before, assistant.library, assistant.settings)
        assert (query.standalone_question == f"Who is {name}?") is alone


@pytest.mark.parametrize(
    ("question", "rest", "other"),
    [
        ("No, the other one.", "the other one.", True),
        ("No, I meant Corvane-2.", "Corvane-2.", False),
        ("That's not what I asked. I meant the ground.", "the ground.", False),
        ("I mean the ship, why was it slow?", "the ship, why was it slow?", False),
        ("Not the Ministry, the union.", "the union.", False),
        ("Wrong!", "", True),
    ],
)
def test_corrections_are_cut_to_what_was_meant(question: str, rest: str, other: bool) -> None:
    """Without the words that take the earlier understanding back."""
    found = find_correction(question)
    assert found is not None
    assert (found.rest, found.other) == (rest, other)


@pytest.mark.parametrize("question", ["No ships at all?", "Nothing new?", "Who noted that?", "Is that not right?"])
def test_questions_with_a_no_are_no_corrections(question: str) -> None:
    """A "no" that belongs to what is asked takes nothing back."""
    assert find_correction(question) is None


def test_correction_is_put_into_the_question_it_corrects() -> None:
    """In the place of the one name, else behind it; a whole question stands as it is."""
    earlier = "When was the Lantern cable back in service?"
    for said, asked in {
        "No, the other cable.": "When was the other cable back in service?",
        "No, I meant Corvane-2.": "When was the Corvane-2 cable back in service?",
        "No, I meant the estimate of the owner.": (
            "When was the Lantern cable back in service, the estimate of the owner?"
        ),
        "No, not that. What does the Commodore think?": "What does the Commodore think?",
    }.items():
        correction = find_correction(said)
        assert correction is not None
        assert reword(earlier, correction) == asked


@pytest.mark.parametrize(
    ("fragment", "earlier", "whole"),
    [
        ("And in June?", "How many ships had it in March?", "How many ships had it in June?"),
        ("What about 2025?", "What did it cost in 2024?", "What did it cost in 2025?"),
        (
            "And Corvane-2?",
            "When did the Lantern cable go into service?",
            "When did the Corvane-2 cable go into service?",
        ),
        ("And in Tokyo?", "How high are rents in Paris?", "How high are rents in Tokyo?"),
        ("And why?", "What did it cost in 2024?", None),
        ("And in June?", "Did March bring more than April?", None),
        ("Who came in June?", "Who came in March?", None),
        ("What about Sarrow, is it less there?", "What tax does Ilmere pay?", "What tax does Sarrow pay?"),
    ],
)
def test_fragments_take_the_place_of_their_like(fragment: str, earlier: str, whole: str | None) -> None:
    """Only where there is exactly one; anything else is no fragment."""
    assert complete(fragment, earlier) == whole


def test_standalone_question_reads_like_one() -> None:
    """What it is about stands in front, neighbouring words together, nothing twice."""
    said = with_subject("What was she carrying?", ["Lantern", "cable", "Perrin", "Dawn"],
                        ["Perrin Dawn", "Which ship broke the Lantern cable?"])  # fmt: skip
    assert said == "About Perrin Dawn, Lantern cable: what was she carrying?"
    assert with_subject("Why?", [], ["anything"]) == "Why?"


def test_half_of_a_name_is_made_whole() -> None:
    """Likely enough neighbours of what is said come along, three words together at most; by themselves they do not."""
    sources = ["Who owns the big Lantern data cable line?", "Which cable is it?"]
    said = with_subject("What did it cost?", ["Lantern"], sources, ["big", "cable", "data", "line", "owns"])
    assert said == "About Lantern data cable: what did it cost?"
    assert with_subject("Who?", ["cable"], sources, ["Lantern", "data"]) == "About Lantern data cable: who?"
    assert (
        with_subject("Who?", ["line", "Lantern"], sources, ["data", "cable"]) == "About Lantern data cable, line: who?"
    )
    assert with_subject("Why?", ["ship"], sources, ["Lantern", "cable"]) == "Why?"


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("Summarise what you told me.", "recap"),
        ("what have we covered so far?", "recap"),
        ("Can you recap that in short?", "recap"),
        ("Where did you get that?", "sources"),
        ("Which documents is all this from?", "sources"),
        ("What makes you say that?", "sources"),
        ("How sure are you about that?", "sure"),
        ("Are you certain?", "sure"),
        ("Summarise the export policy", None),
        ("How sure are the researchers of the date?", None),
        ("What is the source of the river?", None),
        ("Where does it say that trains are allowed?", None),
        ("Which documents mention the crane?", None),
    ],
)
def test_questions_about_the_conversation_are_told_from_those_about_documents(question: str, kind: str | None) -> None:
    """One that names anything else is a question to the documents."""
    found = meta_kind(question)
    assert (found[0] if found is not None else None) == kind


@pytest.mark.parametrize(
    "question", ["How does that differ from 2024?", "Is it higher or lower?", "Compared with May?"]
)
def test_comparisons_are_seen(question: str) -> None:
    """By the words that compare."""
    assert compares(question)


@pytest.mark.parametrize(
    ("question", "rest", "titles"),
    [
        ("Only from the Ministry.", "", {"Harbour plan"}),
        ("only the html documents, please", "", {"Harbour plan"}),
        ("Just 2025", "", {"Export policy"}),
        ("Only from before 2026", "", {"Export policy", "Harbour plan"}),
        ("Only from the travel policy: when does it end?", "when does it end?", {"Travel policy"}),
        ("When does it end, only in the leave policy?", "When does it end", {"Leave policy"}),
        ("According to the travel policy?", "", {"Travel policy"}),
    ],
)
def test_narrowing_finds_the_documents_that_are_meant(
    question: str, rest: str, titles: set[str], assistant: Assistant
) -> None:
    """By title, author, type and date."""
    found = find_narrowing(question, assistant.library, follows=True)
    assert found is not None
    assert (found.rest, set(found.titles)) == (rest, titles)
    assert {i.title for i in assistant.library.documents(where=found.where)} == titles


@pytest.mark.parametrize(
    "question",
    [
        "And in March?",
        "And in the harbour?",
        "In 2019, what happened?",
        "Who came from the north?",
        "What is only in Rome?",
    ],
)
def test_what_names_no_document_narrows_nothing(question: str, assistant: Assistant) -> None:
    """A place or year of what is asked stays part of it."""
    assert find_narrowing(question, assistant.library, follows=True) is None


@pytest.mark.parametrize(
    ("question", "titles"),
    [
        ("What does the harbour cost according to the Ministry?", {"Harbour plan"}),
        ("And the Ministry's view?", {"Harbour plan"}),
        ("What does the travel policy say of trains?", {"Travel policy"}),
        ("Is it the same in the leave policy of the company?", {"Leave policy"}),
        ("How does that compare with May?", {"Harbour plan"}),
        ("How does that compare with 2026?", {"Travel policy"}),
        ("What does the harbour cost?", set()),
        ("What was said in May?", set()),
        ("What did the report say?", set()),
        ("According to the plumber?", set()),
    ],
)
def test_documents_that_a_question_points_to_are_favoured(
    question: str, titles: set[str], assistant: Assistant
) -> None:
    """By words of their names where a source is spoken of, by their month or year where things are compared."""
    found = favour(question, assistant.library, History(), comparing=compares(question))
    assert {i.title for i in assistant.library.documents(list(found))} == titles if found else not titles


@pytest.mark.parametrize(
    ("question", "asked"),
    [
        ("And according to the Ministry?", "What does the pier cost, according to the Ministry?"),
        ("And the Ministry's view?", "What does the pier cost, according to the Ministry?"),
        ("What did the Ministry write at the time?", "What does the pier cost, according to the Ministry?"),
        (
            "How does that compare with what the travel policy says?",
            "What does the pier cost, according to the travel policy?",
        ),
        ("And compared with May?", "What does the pier cost, compared with May?"),
        ("What does the Ministry say about crowns?", None),
        ("And according to the plumber?", None),
        ("And in May?", None),
    ],
)
def test_source_with_nothing_else_asked_gets_the_question_before(
    question: str, asked: str | None, assistant: Assistant
) -> None:
    """In place of the source that was named there; what has words of its own is no such turn."""
    history = History(questions=("What does the pier cost according to the leave policy?", "And why?"))
    assert ask_source(question, history, assistant.library) == asked


def test_favoured_document_comes_first_and_is_found_in_any_case(assistant: Assistant) -> None:
    """Others stay among the hits; a document that was cited for the answer before counts a little."""
    query = make_query("When does it end according to the leave policy?", None, assistant.library, assistant.settings)
    (meant,) = query.favoured
    hits = find(query, assistant.library, None, candidates=1, each=0)
    assert meant in {h.passage.document_id for h in hits}
    answer = assistant.ask("When does it end according to the leave policy?")
    assert answer.hits[0].passage.document_id == meant
    assert len({h.passage.document_id for h in answer.hits}) > 1
    follows = make_query("And why is that?", Conversation().add(answer), assistant.library, assistant.settings)
    assert 0 < follows.favoured[answer.citations[0].document_id] < 1


def test_narrowed_turn_asks_the_question_before_of_those_documents(assistant: Assistant) -> None:
    """The answer comes from them alone, and says so."""
    answer, _ = talk(assistant, "When does it end?", "Only from the travel policy.")
    assert (answer.kind, answer.limited_to) == ("narrowing", ("Travel policy",))
    assert {c.title for c in answer.citations} == {"Travel policy"}
    assert answer.standalone_question == "When does it end?"
    assert "Only “Travel policy” was searched." in answer.text
    back = answer_from_record(answer_record(answer))
    assert replace(back, timings=(), confidence=0.0) == replace(answer, hits=(), timings=(), confidence=0.0)


def test_vague_question_gets_one_question_back_and_the_choice_is_understood(assistant: Assistant) -> None:
    """The candidates are data; a number or a telling word chooses; nothing is abstained or cited."""
    answer, _ = talk(assistant, "What about the policy?")
    assert (answer.kind, answer.abstained, answer.citations, answer.statements) == ("clarification", False, (), ())
    assert {o.text for o in answer.clarify} == {"Export policy", "Travel policy", "Leave policy"}
    assert answer.reply.startswith("Which one do you mean: (1) “")
    conversation = Conversation().add(answer)
    second = assistant.ask("the second", conversation)
    assert second.limited_to == (answer.clarify[1].text,)
    export = assistant.ask("The export one. When does it end?", conversation)
    assert (export.kind, export.limited_to, export.standalone_question) == (
        "choice",
        ("Export policy",),
        "When does it end?",
    )
    assert {c.title for c in export.citations} == {"Export policy"}
    assert assistant.ask("What about the policy?", conversation).kind != "clarification"
    assert answer_from_record(answer_record(answer)).clarify == answer.clarify


@pytest.mark.parametrize(
    "question", ["When does the policy end?", "What about the export policy?", "What about the sea?"]
)
def test_plain_questions_get_no_question_back(question: str, assistant: Assistant) -> None:
    """What names one document, or asks for something, is searched."""
    assert assistant.ask(question).kind == "question"


def test_meta_answers_tell_the_conversation_again_with_its_citations(assistant: Assistant) -> None:
    """Statements and quotes are those given before, byte for byte, numbered anew; nothing is searched."""
    _, conversation = talk(assistant, "How many days does the leave policy grant?", "What does the harbour cost?")
    second = assistant.ask("What does the harbour cost?", conversation)
    conversation = conversation.add(second)
    recap = assistant.ask("Summarise what you told me.", conversation)
    assert recap.kind == "meta"
    assert recap.hits == ()
    assert [c.marker for c in recap.citations] == list(range(1, len(recap.citations) + 1))
    assert {m for s in recap.statements for m in s.citations} == {c.marker for c in recap.citations}
    for c in recap.citations:
        assert assistant.library.document(c.document_id).text[c.start : c.end] == c.quote
    given = {(c.document_id, c.start, c.end) for t in conversation.turns if t.answer for c in t.answer.citations}
    assert {(c.document_id, c.start, c.end) for c in recap.citations} <= given
    assert "thirty days" in recap.text
    assert "nine million" in recap.text
    source = assistant.ask("Where did you get that?", conversation.add(recap))
    assert [s.text for s in source.statements] == [s.text for s in second.statements]
    sure = assistant.ask("How sure are you?", conversation)
    assert f"{second.confidence:.0%}" in sure.reply


def test_meta_answer_leaves_out_what_is_no_longer_in_the_library(assistant: Assistant) -> None:
    """A citation that leads nowhere is not shown again."""
    answer, conversation = talk(assistant, "What does the harbour cost?")
    conversation = conversation.add(answer)
    assistant.library.remove([c.document_id for c in answer.citations])
    again = assistant.ask("Where did you get that?", conversation)
    assert (again.citations, again.statements, again.abstained) == ((), (), False)
    assert "no longer in the library" in again.reply


def test_greetings_do_not_search_and_do_not_count_as_history(assistant: Assistant) -> None:
    """Neither the reply nor the greeting reaches a later query."""
    answer, conversation = talk(assistant, "What does the harbour cost?", "Thanks!", "Why so much?")
    [_, thanks] = conversation.turns
    assert thanks.answer is not None
    assert (thanks.answer.kind, thanks.answer.hits, thanks.answer.abstained) == ("small talk", (), False)
    assert "harbour" in answer.standalone_question
    assert "Thanks" not in answer.standalone_question


def test_words_that_say_nothing_are_no_name_of_what_was_not_meant() -> None:
    """Else nearly every sentence would be about it."""
    assert not_meant("What is due?", Correction("the fee", False, "the other"), ()).name == ""
    assert not_meant("What is due?", Correction("the fee", False, "the Ministry's"), ()).name == "Ministry"


def test_another_subject_takes_nothing_along(assistant: Assistant) -> None:
    """Neither vectors nor terms nor the standalone question hold a word of the history; nor do later turns."""
    settings, library = AnswerSettings(), assistant.library
    conversation = Conversation.from_pairs([("What does the harbour cost?", "Nine million crowns.")])
    turned = make_query("Different subject: when does the travel policy end?", conversation, library, settings)
    alone = make_query("when does the travel policy end?", None, library, settings)
    assert np.array_equal(turned.vector, alone.vector)
    assert (turned.terms, turned.carried_terms, turned.standalone_question) == (
        alone.terms,
        {},
        alone.standalone_question,
    )
    assert turned.kind == "topic-switch"
    answer, _ = talk(
        assistant, "What does the harbour cost?", "New question: what is allowed?", "And when does it end?"
    )
    assert "harbour" not in answer.standalone_question


def test_correction_puts_what_was_said_first_last(assistant: Assistant) -> None:
    """ "The other one" is not what the answer before led with; it is sought where that is not."""
    first, conversation = talk(assistant, "When does the policy end?")
    second = assistant.ask("No, the other one.", conversation.add(first))
    assert second.kind == "correction"
    led = next(c.document_id for c in first.citations if c.marker in first.statements[0].citations)
    assert second.hits[-1].passage.document_id == led != second.hits[0].passage.document_id
    assert [h.rank for h in second.hits] == list(range(1, len(second.hits) + 1))
    assert second.statements
    assert led not in {c.document_id for c in second.citations}


def test_correction_that_says_what_was_meant_finds_it_beside_what_was_not(tmp_path: Path) -> None:
    """In the same passage; only the sentence that was given is not given again, however well it fits."""
    sentences = ["The crane fell in calm weather without wind.", "The crane fell on soft ground near the pier."]
    documents = {"crane.md": f"# Crane\n\n{' '.join(sentences)}"}
    with over(documents, tmp_path, AnswerSettings(abstain_below=0.0, statements=1)) as opened:
        question = "On what ground near the pier fell the crane?"
        first, conversation = talk(opened, question)
        asked_again = opened.ask(question, conversation.add(first))
        second = opened.ask(f"I meant: {question}", conversation.add(first))
    assert [s.text for s in first.statements] == [s.text for s in asked_again.statements] == sentences[1:]
    assert (second.kind, [s.text for s in second.statements]) == ("correction", sentences[:1])


def test_correction_without_another_answer_is_refused(tmp_path: Path) -> None:
    """What was called wrong is not said again; it stays among the passages found."""
    documents = {
        "one.md": "# Export policy\n\nThe export policy ends in 2027.",
        "two.md": "# Bees\n\nA colony holds many bees.",
    }
    with over(documents, tmp_path, AnswerSettings(abstain_below=0.2)) as opened:
        first, conversation = talk(opened, "When does the export policy end?")
        second = opened.ask("No, not that one.", conversation.add(first))
    assert not first.abstained
    assert (second.kind, second.abstained) == ("correction", True)
    assert second.hits[-1].passage.document_id == first.citations[0].document_id


@pytest.mark.parametrize(
    ("earlier", "turn", "name", "given", "left_out"),
    [
        ("When was Lantern back in service?", "No, the other cable.", "Lantern", "Corvane-2 was restored in March.",
         "The Lantern cable has been back since January."),
        ("What broke Corvane-2?", "No, not the Ministry's. What does the Commodore think?", "Ministry",
         "The Commodore thinks, other than the Ministry, of the current.", "The Ministry speaks of an anchor."),
        ("What does it cost?", "Not in 2024, in 2025.", "2024", "It cost 3 million in 2024 and 4 in 2025.",
         "In 2024 it cost 3 million."),
    ],
)  # fmt: skip
def test_what_was_not_meant_is_not_given(earlier: str, turn: str, name: str, given: str, left_out: str) -> None:
    """A sentence about it is left out, but not one that is about what was meant, too."""
    correction = find_correction(turn)
    assert correction is not None
    avoid = not_meant(earlier, correction, (("a", 10, 20),))
    assert avoid.name == name
    assert not avoid.holds("a", 20, 60, given)
    assert avoid.holds("a", 20, 60, left_out)
    assert avoid.holds("a", 0, 11, given)  # it was given before
    assert not avoid.holds("b", 0, 11, given)


def test_edited_standalone_question_is_used_as_it_is(assistant: Assistant) -> None:
    """Without history, whatever it looks like; the question stays what was typed."""
    conversation = Conversation.from_pairs([("What does the harbour cost?", "Nine million crowns.")])
    answer = assistant.ask("Why?", conversation, standalone="When does the travel policy end?")
    assert (answer.question, answer.standalone_question) == ("Why?", "When does the travel policy end?")
    assert answer.kind == "question"


def test_limit_of_date_is_inherited_by_follow_ups_only(assistant: Assistant) -> None:
    """A follow-up asks of the same documents; another subject, and "now", do not."""
    first = assistant.ask("As of December 2025, when does the policy end?")
    conversation = Conversation().add(first)
    assert first.as_of is not None
    assert assistant.ask("And what does it apply to?", conversation).as_of == first.as_of
    assert assistant.ask("And what is it now?", conversation).as_of is None
    assert assistant.ask("New question: what are trains?", conversation).as_of is None
    plain = Conversation.from_pairs([("As of December 2025, when does the policy end?", "In 2027.")])
    assert assistant.ask("And what does it apply to?", plain).as_of == first.as_of


def test_filter_that_no_document_matches_is_named(assistant: Assistant) -> None:
    """It is not said that the library is empty."""
    answer = assistant.ask("When does it end?", where="type=xlsx")
    assert answer.abstained
    assert "no document in the library matches the filter type=xlsx" in answer.text
    assert "empty" not in answer.text


def test_records_of_older_versions_still_load() -> None:
    """What they lack keeps its default."""
    statement = Statement("It ends.", (1,), 1.0, "supported")
    citation = Citation(1, "0" * 16, "T", "t.md", None, None, 0, 8, "It ends.")
    record = answer_record(Answer("q", "q", (statement,), (citation,), (), False, 0.9))
    for name in ("kind", "reply", "clarify", "limited_to", "where"):
        del record[name]
    answer = answer_from_record(record)
    assert (answer.kind, answer.reply, answer.clarify, answer.limited_to, answer.where) == ("question", "", (), (), "")


def test_history_weight_of_the_settings_takes_the_switchs_place(library: Library) -> None:
    """A constant, where somebody wants one."""
    conversation = Conversation.from_pairs([("berth", "")])
    none = make_query("and crane costs", conversation, library, AnswerSettings(history_weight=0.0))
    some = make_query("and crane costs", conversation, library, AnswerSettings(history_weight=1.0))
    alone = make_query("and crane costs", None, library, AnswerSettings())
    assert np.allclose(none.vector, alone.vector)
    assert not np.allclose(some.vector, alone.vector)
    assert understand("and crane costs", conversation, library).history.questions == ("berth",)
