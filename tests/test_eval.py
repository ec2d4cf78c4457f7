"""Metrics have the values a person computes by hand, failures are errors and not zeros, and floors can be breached."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pytest

from eval import Case, Evidence, Output, RunFolder, Score, System, evaluate, read_cases
from eval.cases import find_quote, find_wrong_evidence
from eval.gate import against_floors, overall, read_floors
from eval.metrics import BY_NAME, METRICS, Asked, Checks, score_case, score_metric
from eval.run import refuse_wrong_evidence, score
from eval.summary import summarise_scores
from eval.systems import assistant_system
from eval.table import format_report
from index.errors import ConfigError
from index.types import Hit, Passage, Signals
from rag.assistant import Assistant
from rag.types import Answer, Citation, Statement
from tests.conftest import ROOT

TEXT = "Nine berths are open. The crane is broken. It rains."
GOLDEN = ROOT / "eval" / "golden"
Spans = Sequence[tuple[int, int]]


def make_answer(hits: Spans, cited: Spans, document: str = "d") -> Answer:
    citations = tuple(
        Citation(n, document, "t", "/x/a.txt", date(2026, 1, 1), None, a, b, TEXT[a:b])
        for n, (a, b) in enumerate(cited, 1)
    )
    return Answer(
        "q", "q",
        tuple(Statement(c.quote, (c.marker,), 1.0, "supported") for c in citations),
        citations,
        tuple(Hit(Passage(document, a, b, TEXT[a:b], None, ""), 1.0, n, Signals()) for n, (a, b) in enumerate(hits, 1)),
        not cited,
        0.5,
    )  # fmt: skip


def asked(evidence: Spans, hits: Spans, cited: Spans, found: str = "exact", needs: Sequence[int] = ()) -> Asked:
    pieces = tuple(Evidence("a.txt", TEXT[a:b], a, b, needs[n] if needs else 0) for n, (a, b) in enumerate(evidence))
    case = Case("c", "q", (), bool(evidence), (), pieces)
    states = (found,) * len(cited)
    return Asked(case, Output("c", make_answer(hits, cited), 0.1, "", {"d": "/x/a.txt"}, states))  # type: ignore[arg-type]


def value(name: str, of: Asked) -> float | str | None:
    """The value of a metric, or its reason for having none."""
    found = score_metric(BY_NAME[name], of)
    return found.reason if found.value is None else found.value


@pytest.mark.parametrize(
    ("evidence", "hits", "k", "right"),
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
        ([], [(0, 20)], 5, "the case has no evidence"),
    ],
)
def test_evidence_recall_is_as_computed_by_hand(evidence: Spans, hits: Spans, k: int, right: float | str) -> None:
    """Half of any one alternative within the first k hits is found; without evidence it does not apply."""
    assert value(f"evidence_recall@{k}", asked(evidence, hits, [])) == right


def test_needs_are_all_wanted_and_alternatives_are_not() -> None:
    """Two needs of which one is met are half; MRR, MAP and precision follow the order in which needs are met."""
    two = asked([(0, 20), (22, 40)], [(43, 51), (0, 20), (0, 20)], [], needs=(0, 1))
    assert value("evidence_recall@5", two) == 0.5
    assert value("evidence_MRR@1000t", two) == 0.5
    assert value("evidence_MAP@1000t", two) == 0.25  # (1/2) / 2
    assert value("evidence_precision@1000t", two) == pytest.approx(1 / 3)  # the copy adds nothing
    assert value("evidence_IoU@1000t", two) == pytest.approx(20 / (38 + 48 - 20))


def test_answered_with_evidence_counts_only_what_is_cited() -> None:
    """Hits do not help an answer that cites something else; an abstention counts 0 only for the whole way."""
    assert value("answered_with_evidence", asked([(0, 20)], [(0, 20)], [(22, 40)])) == 0.0
    assert value("answered_with_evidence", asked([(0, 20)], [], [(22, 40), (0, 20)])) == 1.0
    assert value("answered_with_evidence_first", asked([(0, 20)], [], [(22, 40), (0, 20)])) == 0.0
    refused = asked([(0, 20)], [(0, 20)], [])
    assert value("answered_with_evidence", refused) == 0.0
    assert value("answer_has_evidence", refused) == "abstained"


def test_abstention_is_neither_a_perfect_answer_nor_a_bad_one() -> None:
    """Other tools give an abstention faithfulness 1, or F1 0: here metrics of answers leave it out."""
    checks = Checks("always", lambda statement, texts: 1.0, 0.5)
    base = asked([(0, 20)], [(0, 20)], [])
    refused = Asked(Case("c", "q", references=("Nine",), evidence=base.case.evidence), base.output, checks)
    for name in ("faithfulness", "worst_statement", "citation_recall", "citation_precision", "EM", "token_F1",
                 "ROUGE-L", "contains_reference", "marked_F1", "citation_IoU_evidence"):  # fmt: skip
        assert value(name, refused) == "abstained", name
    assert value("citation_validity", refused) == "nothing is cited"


def test_abstention_is_scored_on_both_sides() -> None:
    """Refusing everything is perfect on one side and nothing on the other: half in all."""
    one, other = asked([(0, 20)], [], []), asked([], [], [])
    scores = score_case(one) + [Score("n", *astuple_tail(s)) for s in score_case(other)]
    report = summarise_scores([one.case, Case("n", "q", answerable=False)], scores)
    assert report.value("answered_when_answerable") == 0.0
    assert report.value("abstained_when_not") == 1.0
    assert report.value("abstention_balanced_accuracy") == 0.5
    assert report.value("abstention_precision") == 0.5
    assert report.value("citation_validity") is None
    assert report.value("AURC") == 0.5  # equal confidences say nothing


def astuple_tail(s: Score) -> tuple[str, float | None, str, str, str]:
    return (s.metric, s.value, s.reason, s.state, s.scorer)


class Broken:
    """A system that answers well, raises on "bad" and hangs on "slow"."""

    def __call__(self, question: str, history: Sequence[tuple[str, str]]) -> str:
        if question == "bad":
            raise ValueError("no such thing")
        if question == "slow":
            time.sleep(3)
        return f"It is {question}."


def test_case_that_raises_or_takes_too_long_is_an_error_and_never_a_zero(tmp_path: Path) -> None:
    """The rest is scored, the report counts them, and the floors notice."""
    cases = [Case(q, q, references=(f"it is {q}",)) for q in ("a", "bad", "slow", "b")]
    report = evaluate(cases, Broken(), tmp_path, jobs=2, seconds=0.5)
    assert (report.cases, report.errors, report.asked) == (4, 2, 4)
    assert dict(report.failures) == {"bad": "ValueError: no such thing", "slow": "TimeoutError: no answer in 0.5 s"}
    assert report.value("EM") == 1.0
    assert next(s for s in report.summaries if s.metric == "EM").errors == 2
    assert "ValueError" in format_report(report)
    assert overall(against_floors(report, {"EM": 0.5})) == "regression"
    rows = [json.loads(line) for line in (tmp_path / "outputs.jsonl").read_text().splitlines()]
    assert {row["case"]: "error" in row for row in rows} == {"a": False, "bad": True, "slow": True, "b": False}


def test_failed_cases_are_asked_again_only_when_wanted(tmp_path: Path) -> None:
    """`retry` asks what failed, and the new answer takes the place of the error."""
    broken: list[bool] = [True]

    def ask(question: str, history: Sequence[tuple[str, str]]) -> str:
        if broken[0] and question == "b":
            raise OSError("down")
        return question

    cases = [Case("a", "a"), Case("b", "b")]
    system = System("s", ask)
    assert evaluate(cases, system, tmp_path).errors == 1
    broken[0] = False
    assert evaluate(cases, system, tmp_path).errors == 1
    assert evaluate(cases, system, tmp_path, retry=True).errors == 0
    assert evaluate(cases, system, tmp_path).errors == 0


def test_other_run_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    """Cases, system and configuration have to be the same to go on."""
    evaluate([Case("a", "a")], System("s", lambda q, h: q), tmp_path)
    with pytest.raises(ConfigError, match="cases_sha256"):
        evaluate([Case("a", "b")], System("s", lambda q, h: q), tmp_path)
    with pytest.raises(ConfigError, match="config differ"):
        evaluate([Case("a", "a")], System("s", lambda q, h: q, None, {"k": 5}), tmp_path)


def test_run_can_be_scored_again_without_asking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A scorer with a new revision adds its scores and the latest count; nothing is done twice."""
    import dataclasses

    evaluate([Case("a", "a", references=("a",))], System("s", lambda q, h: q), tmp_path)
    folder = RunFolder(tmp_path)
    before = (tmp_path / "outputs.jsonl").read_bytes()
    assert score(folder) == 0
    changed = dataclasses.replace(BY_NAME["EM"], measure=lambda a: 0.25, revision=2)
    monkeypatch.setattr("eval.run.METRICS", [changed if m.name == "EM" else m for m in METRICS])
    assert score(folder) == 1
    assert [s.value for s in folder.scores() if s.metric == "EM"] == [0.25]
    assert (tmp_path / "outputs.jsonl").read_bytes() == before


def test_scorer_that_fails_or_gives_no_number_is_an_error() -> None:
    """NaN is not a value and not left out silently; an exception is one row, not the end."""
    import dataclasses

    one = asked([(0, 20)], [], [])
    nan = score_metric(dataclasses.replace(BY_NAME["EM"], measure=lambda a: float("nan")), one)
    assert (nan.value, nan.state, nan.reason) == (None, "error", "the metric gave nan")
    broken = score_metric(dataclasses.replace(BY_NAME["EM"], measure=lambda a: 1 / 0), one)
    assert (broken.value, broken.state) == (None, "error")
    assert summarise_scores([one.case], [nan]).errors == 1


def test_floors_are_breached_by_low_and_by_missing_values() -> None:
    """A metric without a value is no pass, and a ceiling holds from above."""
    report = summarise_scores(
        [Case("c", "q")],
        [Score("c", "EM", 0.5), Score("c", "token_F1", None, "n/a", "n/a"), Score("c", "citation_missing", 0.2)],
    )
    assert overall(against_floors(report, {"EM": 0.5})) == "pass"
    assert overall(against_floors(report, {"EM": 0.51})) == "regression"
    assert overall(against_floors(report, {"EM": 0.5, "token_F1": 0.1})) == "cannot tell"
    assert overall(against_floors(report, {"nothing": 0.1})) == "cannot tell"
    assert overall(against_floors(report, {"citation_missing": 0.1})) == "regression"
    assert overall([]) == "cannot tell"


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


def test_wrong_evidence_is_refused() -> None:
    """A span that says something else, and a document that is not there."""
    case = Case("c", "q", evidence=(Evidence("a.txt", "Nine", 0, 4),))
    refuse_wrong_evidence([case], {"/x/a.txt": lambda: TEXT})
    with pytest.raises(ConfigError, match="does not say"):
        refuse_wrong_evidence([case], {"/x/a.txt": lambda: " " + TEXT})
    with pytest.raises(ConfigError, match="no document"):
        refuse_wrong_evidence([case], {"/x/aa.txt": lambda: TEXT})


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
@pytest.mark.timeout(900)
def test_golden_set_stays_above_its_floors(samples: Assistant, tmp_path: Path) -> None:
    """The project's own questions over its own documents; the floors stand in eval/golden/floors.json."""
    report = evaluate(GOLDEN / "samples.jsonl", assistant_system(samples), tmp_path)
    print(format_report(report))
    checks = against_floors(report, read_floors(GOLDEN / "floors.json"))
    assert [c.message for c in checks if c.outcome != "pass"] == []
    assert all(s.value is None or 0 <= s.value <= 1 for s in report.summaries)
