"""Documents that give different values for what was asked are set against each other; nothing else is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from index.types import DocumentInfo
from rag import Answer, Assistant
from rag.disagree import Said, conflicting, counted, find_disagreements
from rag.heard import count_sources, sentences_of
from rag.settings import AnswerSettings
from rag.values import Kind, agree, values
from tests.fakes import FakeEncoder

VESSELS = "How many patrol vessels does the Authority have?"


def said(text: str, document: str, marker: int = 1, highlight: str = "", **more: str) -> Said:
    """A statement of a document named like "a3": published in March 2026."""
    at = text.index(highlight) if highlight else 0
    span = (at, at + len(highlight)) if highlight else None
    return Said(text, document, f"Report {document}", date(2026, int(document[1:]), 1), marker, span, **more)


def found(question: str, *texts: tuple[str, str] | tuple[str, str, str]) -> list[str]:
    """The values that disagree, in order."""
    statements = [said(t[0], t[1], n, t[2] if len(t) > 2 else "") for n, t in enumerate(texts, 1)]
    return [claim.value for d in find_disagreements(question, statements) for claim in d.claims]


DISAGREE = [
    (VESSELS, [("The Authority has twelve patrol vessels.", "a3"), ("The Authority has 15 patrol vessels.", "b6")],
     ["15", "twelve"]),
    ("How many people were injured in the crane accident?",
     [("Two dead and seven injured in the crane accident, says the Ministry.", "a5"),
      ("The number of injured in the accident was nine.", "b6"),
      ("After the crane fell, the union spoke of three killed and eleven hurt.", "c4")],
     ["nine", "seven", "eleven"]),
    ("How many people died in the crane accident?",
     [("Two dead and seven injured in the crane accident, says the Ministry.", "a5"),
      ("Three workers lost their lives in the accident.", "b6")],
     ["Three", "Two"]),
    ("How much does the Programme cost?",
     [("The Ministry puts the cost of the Programme at 412 million crowns.", "a3"),
      ("The cost of the Programme is 447 million crowns, says Parliament.", "b4")],
     ["447 million crowns", "412 million crowns"]),
    ("When will the pier be finished?",
     [("The pier is to be finished by 30 November 2026.", "a2"), ("The pier will be finished in May 2027.", "b9")],
     ["May 2027", "30 November 2026"]),
    ("When did the pier open?",
     [("The pier opened on 4 May.", "a6"), ("The pier was opened on 5 May 2026.", "b7")],
     ["5 May 2026", "4 May"]),
    ("Who leads the Authority?",
     [("The Authority is led by Nessa Torvane.", "a2", "Nessa Torvane"),
      ("The Authority is led by Ravina Sool.", "b4", "Ravina Sool")],
     ["Ravina Sool", "Nessa Torvane"]),
    ("What is the speed limit in the strait?",
     [("The speed limit in the strait is 12 knots.", "a2", "12 knots"),
      ("In the strait the speed limit is 10 knots.", "b4", "10 knots")],
     ["10 knots", "12 knots"]),
    ("How long is the Lantern cable?",
     [("The Lantern cable runs for 212 kilometres.", "a2"), ("The Lantern cable is 180 km long.", "b4")],
     ["180 km", "212 kilometres"]),
    ("When did the earthquake strike?",
     [("The 1509 earthquake strike was devastating.", "a2", "1509"), ("The earthquake struck in 1511.", "b4", "1511")],
     ["1511", "1509"]),
]  # fmt: skip


@pytest.mark.parametrize(("question", "texts", "expected"), DISAGREE)
def test_different_values_of_different_documents_are_a_disagreement(
    question: str, texts: list[tuple[str, str]], expected: list[str]
) -> None:
    """Each value in its document's words, the newest document first."""
    assert found(question, *texts) == expected


NO_DISAGREEMENT = [
    ("the same number in other words", VESSELS,
     ["The Authority has twelve patrol vessels.", "The Authority has 12 patrol vessels."]),
    ("a rounded number", "How many ships passed the strait?",
     ["Some 31,000 ships passed the strait.", "31,246 ships passed the strait."]),
    ("a number in another scale", "How much does the Programme cost?",
     ["The Programme costs 1.2 million crowns.", "The cost of the Programme is 1,200,000 crowns."]),
    ("at least", VESSELS,
     ["The Authority has at least ten patrol vessels.", "The Authority has 12 patrol vessels."]),
    ("about", VESSELS, ["The Authority has about 100 patrol vessels.", "The Authority has 104 patrol vessels."]),
    ("other vessels", VESSELS,
     ["The Authority has twelve patrol vessels.", "The Authority ordered four more patrol vessels."]),
    ("some of them", VESSELS,
     ["The Authority has twelve patrol vessels.", "The Authority has two of the patrol vessels in dock."]),
    ("known ones", VESSELS,
     ["The Authority has twelve patrol vessels.", "The Authority has sold the three patrol vessels."]),
    ("a plan", VESSELS,
     ["The Authority has twelve patrol vessels.", "The Authority will have 18 patrol vessels."]),
    ("another year", VESSELS,
     ["In 2024 the Authority had ten patrol vessels.", "In 2026 the Authority has twelve patrol vessels."]),
    ("a year long past", VESSELS,
     ["In 1999 the Authority had ten patrol vessels.", "The Authority has twelve patrol vessels."]),
    ("another month", VESSELS,
     ["In March 2026 the Authority had ten patrol vessels.", "In May 2026 the Authority had 12 patrol vessels."]),
    ("a range", VESSELS,
     ["The Authority has ten to fourteen patrol vessels.", "The Authority has 15 patrol vessels."]),
    ("another thing", VESSELS,
     ["The Authority has twelve patrol vessels.", "The Authority has 40 officers on patrol."]),
    ("another subject", VESSELS,
     ["The Authority has twelve patrol vessels.", "Ilmere bought 15 tugs and patrol boats."]),
    ("another unit", "How long is the Lantern cable?",
     ["The Lantern cable runs for 212 kilometres.", "The Lantern cable lasts 25 years."]),
    ("the same length in another unit", "How long is the Lantern cable?",
     ["The Lantern cable runs for 212 kilometres.", "The Lantern cable runs for 132 miles."]),
    ("another cable", "How long is the Lantern cable?",
     ["The Lantern cable runs for 212 kilometres.", "The Corvane cable runs for 90 kilometres."]),
    ("a price each", "How much do the vessels cost?",
     ["The vessels cost 96 million crowns.", "The vessels cost 18 million crowns each."]),
    ("more than planned", "How much does the pier cost?",
     ["The pier costs 251 million crowns.", "The pier costs 37 million crowns more than planned."]),
    ("a coarser date", "When did the pier open?",
     ["The pier opened in March 2026.", "The pier opened on 4 March 2026."]),
    ("a date without its year", "When did the pier open?",
     ["The pier opened on 4 March.", "The pier opened on 4 March 2026."]),
    ("a season", "When did the pier open?",
     ["The pier opened in the spring of 2026.", "The pier opened on 4 March 2026."]),
    ("the date of something else", "When did the pier open?",
     ["The pier opened on 4 March 2026.", "The pier closed on 9 June 2026."]),
    ("a denial", VESSELS,
     ["The Authority has twelve patrol vessels.", "The Authority never had 15 patrol vessels."]),
    ("a question", VESSELS,
     ["The Authority has twelve patrol vessels.", "Has the Authority 15 patrol vessels?"]),
    ("no value is asked for", "Why does the Authority have patrol vessels?",
     ["The Authority has twelve patrol vessels.", "The Authority has 15 patrol vessels."]),
]  # fmt: skip


@pytest.mark.parametrize(("why", "question", "texts"), NO_DISAGREEMENT)
def test_values_that_may_both_be_true_are_no_disagreement(why: str, question: str, texts: list[str]) -> None:
    """Rounding, other things, other times, plans and parts: no alarm, whichever document is newer."""
    assert found(question, (texts[0], "a3"), (texts[1], "b6")) == [], why
    assert found(question, (texts[0], "b6"), (texts[1], "a3")) == [], why


NAMES = [("Nessa Torvane", "Commodore Nessa Torvane"), ("Nessa Torvane", "Torvane"), ("N. Torvane", "Nessa Torvane")]


@pytest.mark.parametrize(("one", "other"), NAMES)
def test_name_within_another_is_the_same_name(one: str, other: str) -> None:
    """A title or a missing first name makes nobody else."""
    texts = [(f"The Authority is led by {name}.", doc, name) for name, doc in ((one, "a2"), (other, "b3"))]
    assert found("Who leads the Authority?", *texts) == []


def test_question_with_many_answers_has_no_disagreement() -> None:
    """Two people can have spoken."""
    texts = [
        (f"{name} spoke at the meeting.", doc, name) for name, doc in (("Nessa Torvane", "a2"), ("Ulf Bray", "b3"))
    ]
    assert found("Who spoke at the meeting?", *texts) == []


def test_one_document_does_not_disagree_with_itself() -> None:
    """It may speak of different things; a reader sees both."""
    texts = [(f"The Authority has {n} patrol vessels.", "a3") for n in (12, 15)]
    assert found(VESSELS, *texts) == []


def test_list_of_values_takes_no_part() -> None:
    """A document with three values, such as a weekly log, is a series."""
    texts = [(f"The Authority has {n} patrol vessels.", "a3") for n in (12, 14, 15)]
    assert found(VESSELS, *texts, ("The Authority has 18 patrol vessels.", "b4")) == []


def test_conflicting_adds_the_newest_sentence_for_each_value_that_the_answer_lacks() -> None:
    """Equal values, other subjects and the answer's own sentences are not added."""
    chosen = [said("The Authority has twelve patrol vessels.", "a3")]
    candidates = [
        said("The Authority has 12 patrol vessels.", "b4"),
        said("The Authority has fifteen patrol vessels in all.", "c5"),
        said("The Authority has 15 patrol vessels.", "d6"),
        said("The Authority has eleven patrol vessels left.", "e7"),
        said("The Authority has ten patrol vessels left.", "f8"),
        said("Ilmere has 30 patrol vessels.", "g9"),
    ]
    added = conflicting(VESSELS, chosen, candidates)
    assert [s.text for s in added] == [
        "The Authority has 15 patrol vessels.",
        "The Authority has eleven patrol vessels left.",
    ]
    assert conflicting(VESSELS, chosen, candidates[:1]) == []
    assert conflicting("Why are there vessels?", chosen, candidates) == []


VALUES: list[tuple[str, Kind, list[str]]] = [
    ("Crane No. 2 fell at 11:20; two dead and seven injured.", "number", ["two", "seven"]),
    ("On 4 May 2026, 12 ships passed Corvane-1 and pier 3.", "number", ["12"]),
    ("The third of 1,200 crowns in 2025 was 3.5%.", "number", ["1,200 crowns", "3.5%"]),
    ("From 12 to 18 vessels, between five and seven crowns.", "number", []),
    ("Opened 2026-03-04, not on 5 May or in June 2025.", "date", ["2026-03-04", "5 May", "June 2025"]),
    ("In 1974, in the autumn of 2025 and by March 3, 2027.", "date", ["1974", "autumn of 2025", "March 3, 2027"]),
    ("It may open in May; 2000 tonnes.", "date", ["May"]),
    ("On 31 February 2026.", "date", []),
]  # fmt: skip


@pytest.mark.parametrize(("text", "kind", "words"), VALUES)
def test_values_are_found_with_their_places(text: str, kind: Kind, words: list[str]) -> None:
    """Numbers of things and dates, not times, numbers of cranes, or ends of a range."""
    made = values(text, kind)
    assert [v.words for v in made] == words
    assert [text[v.start : v.end] for v in made] == words


def test_values_that_measure_different_things_cannot_be_compared() -> None:
    """Neither agreement nor disagreement."""
    metres, years = (values(text, "number")[0] for text in ("212 metres", "25 years"))
    assert agree(metres, years) is None
    assert agree(metres, values("212 m", "number")[0]) is True


@pytest.fixture
def reports(tmp_path: Path) -> Iterator[Assistant]:
    """Reports that disagree, one of which was published twice."""
    filler = " ".join(f"Paragraph {n} tells of the weather, the tides and the fish of the strait." for n in range(12))
    for name, day, sentence in (
        ("march", "2026-03-02", "The Authority has twelve patrol vessels in the strait."),
        ("register", "2026-03-20", "The Authority has twelve patrol vessels in the strait."),
        ("june", "2026-06-11", "The Authority has fifteen patrol vessels in the strait."),
    ):
        extra = filler if name != "register" else "This register of the ships is kept by the Institute in Ostermund."
        head = f"---\ntitle: {name.title()} report\ndate: {day}\n---\n\n"
        (tmp_path / f"{name}.md").write_text(f"{head}{sentence} {extra}\n")
    settings = AnswerSettings(abstain_below=0.0)
    with Assistant.open(tmp_path / "library", encoder=FakeEncoder(max_tokens=256), settings=settings) as assistant:
        assistant.add(sorted(tmp_path.glob("*.md")))
        yield assistant


def assert_shown(answer: Answer) -> None:
    by_marker = {c.marker: c for c in answer.citations}
    for claim in answer.disagreements[0].claims:
        assert claim.value in by_marker[claim.marker].quote
    assert {m for s in answer.statements for m in s.citations} == set(by_marker)


def test_answer_shows_each_value_with_its_own_source(reports: Assistant) -> None:
    """The value the reader passed over is added as a statement of its own, and the text says who says what."""
    answer = reports.ask(VESSELS)
    assert_shown(answer)
    assert [c.value for c in answer.disagreements[0].claims] == ["fifteen", "twelve"]
    assert re.search(
        r"The sources disagree: “fifteen” \(June report, 2026-06-11\) \[\d\]; "
        r"“twelve” \(Register report, 2026-03-20\) \[\d\]\.$",
        answer.text,
    )


def test_newest_document_is_cited_for_the_same_words(reports: Assistant) -> None:
    """Of two documents that say the same, the later one is quoted, and both are counted."""
    answer = reports.ask(VESSELS)
    twelve = next(s for s in answer.statements if "twelve" in s.text)
    cited = next(c for c in answer.citations if c.marker in twelve.citations)
    assert cited.title == "Register report"
    assert reports.library.document(cited.document_id).text[cited.start : cited.end] == cited.quote
    assert twelve.sources == 2


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("How many people were injured in the crane accident?", {"nine", "seven", "eleven"}),
        ("How many people died in the crane accident?", {"two", "three"}),
    ],
)
def test_samples_disagree_about_the_accident(samples: Assistant, question: str, expected: set[str]) -> None:
    """The ministries, the union and the hospital counted differently."""
    answer = samples.ask(question)
    assert_shown(answer)
    assert {c.value.lower() for c in answer.disagreements[0].claims} == expected


TOLL = "The ministries spoke of two dead and seven injured."
HELD = "The agency keeps 12 vessels, and 40 people work there."


@pytest.mark.parametrize(
    ("question", "text", "marked", "wanted"),
    [
        ("How many people died?", TOLL, "seven", "two"),
        ("How many people died?", TOLL, "two dead and seven", "two"),
        ("How many people were injured?", TOLL, "seven", "seven"),
        ("How many people were injured?", TOLL, "two dead and seven", "seven"),
        ("How many were rescued?", TOLL, "seven", "seven"),
        ("How many vessels are there?", HELD, "40", "12"),
        ("What is the toll?", TOLL, "seven", "seven"),
        ("How many people died?", TOLL, None, None),
    ],
)
def test_the_number_that_counts_what_is_asked_is_marked(
    question: str, text: str, marked: str | None, wanted: str | None
) -> None:
    """Where the sentence holds one such number and the reader marked another, or both; else its mark stays."""

    def place(words: str | None) -> tuple[int, int] | None:
        return None if words is None else (text.index(words), text.index(words) + len(words))

    assert counted(question, text, place(marked)) == place(wanted)


@pytest.mark.parametrize(
    ("item", "disagrees"),
    [
        ("3. Give the Authority 12 patrol vessels until then.", False),
        ("3. Under the agreement the Authority has 12 patrol vessels.", True),
        ("The Authority has 12 patrol vessels.", True),
    ],
)
def test_what_is_to_be_done_does_not_contradict_what_is(item: str, disagrees: bool) -> None:
    """A numbered task says how it should be."""
    assert bool(found(VESSELS, ("The Authority has 20 patrol vessels.", "a3"), (item, "b4"))) is disagrees


@pytest.mark.parametrize(
    "question",
    [
        "How much did the repair of the Lantern cable cost?",
        "How many people will work at the Cable Monitoring Centre?",
        "Who is the Director-General of the Authority?",
        "Who owns the Lantern cable?",
        "What load may the crane lift?",
        "Why did the cable break?",
        "When did the Lantern cable go into service?",
        "How wide is the strait?",
    ],
)
def test_samples_agree_about_other_things(samples: Assistant, question: str) -> None:
    """Different cables, cranes and dates are no disagreement."""
    assert samples.ask(question).disagreements == ()


def test_near_duplicates_count_as_one_source(samples: Assistant) -> None:
    """Independent documents count, and each only once."""
    hits = samples.library.search("crane accident injured", 12)
    infos: dict[str, DocumentInfo] = {i.id: i for i in samples.library.documents([h.passage.document_id for h in hits])}
    heard = sentences_of(hits, infos)
    first = heard[0].said
    other = next(h.said.document_id for h in heard if h.said.document_id != first.document_id)
    copies = [h for h in heard if h.said.document_id != other] + [
        type(heard[0])(said(first.text, "a1"), heard[0].hit, 0, 1),
        type(heard[0])(said(first.text.upper(), "a1"), heard[0].hit, 0, 1),
    ]
    assert count_sources(first.text, first.document_id, heard, {}) == 1
    assert count_sources(first.text, first.document_id, copies, {}) == 2
    assert count_sources(first.text, first.document_id, copies, {"a1": {first.document_id: 0.9}}) == 1


def test_sentence_with_another_number_is_no_further_source(reports: Assistant) -> None:
    """Most words in common are not enough: the values must be the same."""
    answer = reports.ask(VESSELS)
    assert next(s for s in answer.statements if "fifteen" in s.text).sources == 1
