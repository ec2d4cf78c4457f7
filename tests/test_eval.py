"""Metrics have the values a person computes by hand, failures are errors and not zeros, and floors can be breached."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from eval import Case, Evidence, Report, Score, Summary, find_breaches, format_report, read_cases, run
from eval.cases import find_quote, find_wrong_evidence
from eval.metrics import Asked, citation_validity, contains_evidence, evidence_recall, score_case
from eval.run import summarise
from index.errors import ConfigError
from index.types import Hit, Passage, Signals
from rag.assistant import Assistant
from rag.types import Answer, Citation, Statement
from tests.conftest import ROOT

TEXT = "Nine berths are open. The crane is broken. It rains."
GOLDEN = ROOT / "eval" / "golden"


def asked(evidence: list[tuple[int, int]], hits: list[tuple[int, int]], cited: list[tuple[int, int]]) -> Asked:
    case = Case("c", "q", (), bool(evidence), (), tuple(Evidence("a.txt", TEXT[a:b], a, b) for a, b in evidence))
    citations = tuple(
        Citation(n, "d", "t", "/x/a.txt", date(2026, 1, 1), None, a, b, TEXT[a:b]) for n, (a, b) in enumerate(cited, 1)
    )
    answer = Answer(
        "q", "q",
        tuple(Statement(c.quote, (c.marker,), 1.0, "supported") for c in citations),
        citations,
        tuple(Hit(Passage("d", a, b, TEXT[a:b], None, ""), 1.0, n, Signals()) for n, (a, b) in enumerate(hits, 1)),
        not cited,
        0.5,
    )  # fmt: skip
    return Asked(case, answer, {"d": "/x/a.txt"}, {"d": TEXT})


@pytest.mark.parametrize(
    ("evidence", "hits", "k", "value"),
    [
        ([(0, 20)], [(0, 20)], 1, 1.0),
        ([(0, 20)], [(22, 40), (0, 20)], 1, 0.0),
        ([(0, 20)], [(22, 40), (0, 20)], 5, 1.0),
        ([(0, 20)], [(0, 10)], 1, 1.0),  # exactly half
        ([(0, 20)], [(0, 9)], 1, 0.0),
        ([(0, 20)], [(0, 6), (4, 9), (0, 9)], 5, 0.0),  # overlapping hits do not count twice
        ([(0, 20)], [(0, 6), (6, 12)], 5, 1.0),  # together they do
        ([(0, 20), (22, 40)], [(22, 40)], 1, 1.0),  # alternatives
        ([(0, 20)], [], 5, 0.0),
        ([], [(0, 20)], 5, None),
    ],
)
def test_evidence_recall_is_as_computed_by_hand(
    evidence: list[tuple[int, int]], hits: list[tuple[int, int]], k: int, value: float | None
) -> None:
    """Half of any one alternative within the first k hits is found; without evidence it does not apply."""
    assert evidence_recall(asked(evidence, hits, []), k)[0] == value


def test_answer_has_evidence_counts_only_what_is_cited() -> None:
    """Hits do not help an answer that cites something else; an abstention on an answerable case is 0."""
    assert contains_evidence(asked([(0, 20)], [(0, 20)], [(22, 40)]))[0] == 0.0
    assert contains_evidence(asked([(0, 20)], [], [(22, 40), (0, 20)]))[0] == 1.0
    assert contains_evidence(asked([(0, 20)], [], [(22, 40), (0, 20)]), 1)[0] == 0.0
    assert contains_evidence(asked([(0, 20)], [(0, 20)], []))[0] == 0.0


def test_citation_with_wrong_offsets_is_invalid() -> None:
    """A quote that is not at its offsets counts, though it stands elsewhere in the document."""
    good = asked([(0, 20)], [], [(0, 20), (22, 40)])
    assert citation_validity(good)[0] == 1.0
    wrong = Asked(good.case, good.answer, good.sources, {"d": " " + TEXT})
    assert citation_validity(wrong)[0] == 0.0
    assert citation_validity(asked([(0, 20)], [], [])) == (None, "n/a")


def test_abstention_is_scored_on_both_sides() -> None:
    """Refusing everything is perfect on one side and nothing on the other: half in all."""
    scores = score_case(asked([(0, 20)], [], [])) + score_case(asked([], [], []))
    summary = {s.metric: s for s in summarise(scores, 0)}
    assert summary["answered_when_answerable"].value == 0.0
    assert summary["abstained_when_not"].value == 1.0
    assert summary["abstention_balanced_accuracy"].value == 0.5
    assert summary["citation_validity"].value is None


def test_case_that_raises_is_an_error_and_never_a_zero(samples: Assistant, tmp_path: Path) -> None:
    """One bad case is counted as such, the rest is scored, and the floors notice."""
    cases = tmp_path / "cases.jsonl"
    good = {"id": "a", "question": "Who won the chess tournament of Zanzibar?", "answerable": False}
    bad = {"id": "b", "question": "x" * 9000, "answerable": False}
    cases.write_text("\n".join(map(json.dumps, (good, bad))))
    report = run(cases, samples, tmp_path / "out")
    assert (report.cases, report.errors) == (2, 1)
    assert report.value("abstained_when_not") == 1.0
    assert "QuestionError" in report.failures[0][1]
    assert "QuestionError" in format_report(report)
    assert find_breaches(report, {}) == ["1 of 2 cases failed."]
    rows = [json.loads(line) for line in (tmp_path / "out" / "outputs.jsonl").read_text().splitlines()]
    assert ["error" in row for row in rows] == [False, True]


def test_floors_are_breached_by_low_and_by_missing_values() -> None:
    """A metric without a value does not pass."""
    report = Report(1, 0, (Summary("recall@5", 0.5, 1, 0), Summary("citation_validity", None, 0, 0)))
    assert find_breaches(report, {"recall@5": 0.5}) == []
    assert len(find_breaches(report, {"recall@5": 0.51, "citation_validity": 0.1, "none": 0.1})) == 3


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "Line 1"),
        ('{"id": "a"}', "question"),
        ('{"id": "a", "question": "q", "answerable": true, "evidence": [{}]}', "source"),
    ],
)
def test_line_that_is_no_case_is_named(tmp_path: Path, line: str, reason: str) -> None:
    """The number of the line and what is wrong with it."""
    (tmp_path / "cases.jsonl").write_text(line)
    with pytest.raises(ConfigError, match=reason):
        read_cases(tmp_path / "cases.jsonl")


def test_case_id_that_comes_twice_is_refused(tmp_path: Path) -> None:
    """Two cases of one name would hide each other."""
    line = '{"id": "a", "question": "q", "answerable": false}'
    (tmp_path / "cases.jsonl").write_text(f"{line}\n{line}\n")
    with pytest.raises(ConfigError, match="'a' comes twice"):
        read_cases(tmp_path / "cases.jsonl")


def test_quote_is_found_whatever_its_white_space_and_only_once() -> None:
    """A quote that stands twice cannot be anchored."""
    assert find_quote("The  crane\nfell. It rained.", "The crane fell.") == (0, 16)
    assert find_quote("It rains. It rains.", "It rains.") is None


def test_golden_set_is_what_its_readme_says(samples: Assistant) -> None:
    """At least 60 cases, single and multi-turn, a third unanswerable; every span says its quote."""
    cases = read_cases(GOLDEN / "samples.jsonl")
    assert len(cases) >= 60
    assert sum(not c.answerable for c in cases) >= len(cases) / 3
    assert sum(bool(c.history) for c in cases) >= 20
    assert all(bool(c.evidence) == c.answerable for c in cases)
    texts = {d.source: samples.library.document(d.id).text for d in samples.library.documents()}
    assert find_wrong_evidence(cases, texts) == []


@pytest.mark.quality
@pytest.mark.timeout(300)
def test_golden_set_stays_above_its_floors(samples: Assistant, tmp_path: Path) -> None:
    """The project's own questions over its own documents; the floors stand in eval/golden/floors.json."""
    report = run(GOLDEN / "samples.jsonl", samples, tmp_path)
    print(format_report(report))
    assert find_breaches(report, json.loads((GOLDEN / "floors.json").read_text())) == []
    assert all(s.value is None or 0 <= s.value <= 1 for s in report.summaries)


def test_score_keeps_failed_and_not_applicable_apart() -> None:
    """A score without a value says why."""
    assert Score("c", "m", None, "n/a") != Score("c", "m", None, "TimeoutError")
