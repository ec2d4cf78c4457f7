"""The metrics: what each is called, what it says, and how it is computed for one case.

A metric gives a value, or says in words why it does not apply. Nothing failed is a 0, and an abstention is neither a
perfect answer nor a bad one: metrics of answers leave it out, and the two sides of abstaining have metrics of their
own. Only `answered_with_evidence…`, `squad_em` and `squad_f1` measure the whole way, where an abstention on an
answerable question counts 0 by their definition.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from eval import answers, grounded
from eval.retrieval import measure_ranking
from eval.spans import hit_spans, met, needs, overlap, rank_needs, within_budget
from eval.types import Case, Output, Score
from rag.types import Answer

Result = float | str
"""A value, or the reason why there is none."""

BUDGET = 1_000
"""Tokens of hits that the budgeted metrics look at: about what five passages hold."""


@dataclass(frozen=True, slots=True)
class Checks:
    """What judges whether texts support a statement: its name, and the support from which it says so."""

    name: str
    supports: grounded.Supports
    mark: float


@dataclass(frozen=True, slots=True)
class Asked:
    """A case and what came back."""

    case: Case
    output: Output
    checks: Checks | None = None


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric: `group` is where tables put it, `about` says it in a line, `judged` whether a verifier takes part."""

    name: str
    group: str
    about: str
    measure: Callable[[Asked], Result]
    revision: int = 1
    judged: bool = False
    lower_is_better: bool = False

    def scorer(self, checks: Checks | None) -> str:
        """Who scores: the metric and its revision, and the verifier where one takes part."""
        return f"{self.name} {self.revision}" + (f", {checks.name}" if self.judged and checks else "")


def score_case(asked: Asked) -> list[Score]:
    """Score one case with every metric; a case that failed gives one error, named `*`."""
    case, output = asked.case, asked.output
    if output.answer is None:
        return [Score(case.id, "*", None, output.error or "no answer", "error", "*")]
    return [score_metric(metric, asked) for metric in METRICS]


def score_metric(metric: Metric, asked: Asked) -> Score:
    """Score one case with one metric; what goes wrong in scoring is an error, and so is a figure that is no number."""
    scorer = metric.scorer(asked.checks)
    try:
        result = metric.measure(asked)
    except Exception as error:  # a scorer that fails is one row of the run
        return Score(asked.case.id, metric.name, None, f"{type(error).__name__}: {error}", "error", scorer)
    if isinstance(result, str):
        return Score(asked.case.id, metric.name, None, result, "n/a", scorer)
    if not math.isfinite(result):
        return Score(asked.case.id, metric.name, None, f"the metric gave {result}", "error", scorer)
    return Score(asked.case.id, metric.name, float(result), "", "value", scorer)


_NO_EVIDENCE = "the case has no evidence"
_ABSTAINED = "abstained"


def ranking(name: str, asked: Asked) -> Result:
    """A measure of the documents found against those the case judges relevant; see `eval.retrieval`.

    A document whose passage a hit stands for as well (`Hit.also`) was found there, too.
    """
    grades = dict(asked.case.relevant)
    if not any(g > 0 for g in grades.values()):
        return "the case judges no documents"
    from eval.cases import is_source

    found = []
    for document in (d for h in _answer(asked).hits for d in h.documents):
        source = asked.output.sources.get(document, document)
        known = source if source in grades else next((g for g in grades if is_source(source, g)), source)
        found.append(known)
    return measure_ranking(found, grades, [name])[name]


def evidence_recall(k: int, asked: Asked) -> Result:
    """Share of the case's needs that the first k hits meet: at least half of one alternative lies in their union."""
    if not asked.case.evidence:
        return _NO_EVIDENCE
    spans, wanted = hit_spans(_answer(asked).hits[:k]), needs(asked.case)
    return sum(met(n, spans, asked.output.sources) for n in wanted) / len(wanted)


def evidence_ranking(name: str, asked: Asked) -> Result:
    """A measure of rankings over the needs, as the first 1,000 tokens of the hits meet them; see `rank_needs`."""
    if not asked.case.evidence:
        return _NO_EVIDENCE
    found = rank_needs(asked.case, within_budget(_answer(asked).hits, BUDGET), asked.output.sources)
    grades = {f"need{n}": 1 for n in range(len(needs(asked.case)))}
    if name == "precision":
        return sum(item in grades for item in found) / len(found) if found else 0.0
    if name == "recall":
        return sum(item in grades for item in set(found)) / len(grades)
    return measure_ranking(found, grades, [name])[name]


def evidence_iou(asked: Asked) -> Result:
    """|hits ∩ evidence| / |hits ∪ evidence| in characters, of the first 1,000 tokens; see `eval.spans.overlap`."""
    if not asked.case.evidence:
        return _NO_EVIDENCE
    return _iou(*overlap(asked.case, within_budget(_answer(asked).hits, BUDGET), asked.output.sources))


def citation_overlap(kind: str, asked: Asked) -> Result:
    """Citations against evidence in characters: IoU, or F1 = 2·shared / (cited + evidence)."""
    if not asked.case.evidence:
        return _NO_EVIDENCE
    if _answer(asked).abstained:
        return _ABSTAINED
    spans = list(dict.fromkeys((c.document_id, c.start, c.end) for c in _answer(asked).citations))
    shared, wanted, cited = overlap(asked.case, spans, asked.output.sources)
    return _iou(shared, wanted, cited) if kind == "iou" else 2 * shared / (wanted + cited)


def has_evidence(statements: int | None, whole_way: bool, asked: Asked) -> Result:
    """1 if the citations of the first `statements` (all if `None`) meet one of the case's needs, else 0.

    With `whole_way` an abstention on an answerable case counts 0; without, it is left out.
    """
    if not asked.case.evidence:
        return _NO_EVIDENCE
    answer = _answer(asked)
    if answer.abstained and not whole_way:
        return _ABSTAINED
    markers = {m for s in answer.statements[:statements] for m in s.citations}
    spans = [(c.document_id, c.start, c.end) for c in answer.citations if c.marker in markers]
    return float(any(met(n, spans, asked.output.sources) for n in needs(asked.case)))


def validity(state: str, asked: Asked) -> Result:
    """See `eval.grounded.valid_share`."""
    answer = _answer(asked)
    if len(asked.output.found) != len(answer.citations):
        return "the documents are not at hand"
    share = grounded.valid_share(asked.output, state)
    return "nothing is cited" if share is None else share


def judged(measure: Callable[[Output, Checks], float | None], asked: Asked) -> Result:
    """A metric of the verifier; left out where the system abstained or nothing can be judged."""
    if asked.checks is None:
        return "no verifier"
    if _answer(asked).abstained:
        return _ABSTAINED
    value = measure(asked.output, asked.checks)
    return "nothing to judge" if value is None else value


def _faithful(output: Output, checks: Checks) -> float | None:
    found = grounded.statement_support(output, checks.supports)
    return sum(s >= checks.mark for s in found) / len(found) if found else None


def _worst(output: Output, checks: Checks) -> float | None:
    return min(grounded.statement_support(output, checks.supports), default=None)


def against_references(compare: Callable[[str, str], float], marked: bool, asked: Asked) -> Result:
    """The answer, or only the words marked in it as exact, against the references; see `eval.answers`."""
    if not asked.case.references:
        return "the case has no reference"
    if _answer(asked).abstained:
        return _ABSTAINED
    said = exact_words(asked.output) if marked else plain_text(asked.output)
    return "no words are marked" if said is None else answers.best(compare, said, asked.case.references)


def squad(compare: Callable[[str, str], float], asked: Asked) -> Result:
    """As the SQuAD 2.0 script: 1 for refusing what has no answer, 0 for refusing what has one, else the comparison.

    Rajpurkar et al., ACL 2018. The words marked as exact are compared, the whole answer where none are.
    """
    if not asked.case.answerable:
        return float(_answer(asked).abstained)
    if not asked.case.references:
        return "the case has no reference"
    if _answer(asked).abstained:
        return 0.0
    said = exact_words(asked.output)
    return answers.best(compare, plain_text(asked.output) if said is None else said, asked.case.references)


def answered(asked: Asked) -> Result:
    """1 if an answerable case was answered, 0 if it was refused."""
    return float(not _answer(asked).abstained) if asked.case.answerable else "not answerable"


def abstained(asked: Asked) -> Result:
    """1 if a case without an answer was refused, 0 if it was answered: the recall of abstaining."""
    return "answerable" if asked.case.answerable else float(_answer(asked).abstained)


def abstention_precision(asked: Asked) -> Result:
    """1 if a refused case has no answer, 0 if it has one."""
    return float(not asked.case.answerable) if _answer(asked).abstained else "answered"


def confidence(asked: Asked) -> Result:
    """The system's own probability that the documents hold the answer; AURC is made of it."""
    return _answer(asked).confidence


def plain_text(output: Output) -> str:
    """An answer's words without its markers."""
    assert output.answer is not None
    return " ".join(s.text for s in output.answer.statements)


def exact_words(output: Output) -> str | None:
    """The words marked as the exact answer in the first statement that has some."""
    assert output.answer is not None
    for s in output.answer.statements:
        if s.highlight is not None:
            return s.text[s.highlight[0] : s.highlight[1]]
    return None


def _answer(asked: Asked) -> Answer:
    assert asked.output.answer is not None
    return asked.output.answer


def _iou(shared: int, wanted: int, given: int) -> float:
    return shared / (wanted + given - shared) if wanted + given - shared else 0.0


def _metrics() -> tuple[Metric, ...]:
    rank = [
        ("recall@5", "relevant documents among the first 5"),
        ("recall@10", "relevant documents among the first 10"),
        ("precision@5", "share of the first 5 documents that is relevant"),
        ("MRR", "1 / rank of the first relevant document"),
        ("nDCG@5", "graded gain of the first 5 documents"),
        ("nDCG@10", "graded gain of the first 10 documents"),
        ("MAP", "mean precision at the relevant documents"),
    ]
    found = [Metric(n, "documents found", about, partial(ranking, n)) for n, about in rank]
    found += [
        Metric(f"evidence_recall@{k}", "evidence found", f"needs met by the first {hits}", partial(evidence_recall, k))
        for k, hits in ((1, "hit"), (5, "5 hits"), (10, "10 hits"))
    ]
    budgeted = [("recall", "needs met"), ("precision", "hits that meet a need"),
                ("MRR", "1 / rank of the first need met"),
                ("nDCG", "gain of the needs in order"), ("MAP", "mean precision at the needs")]  # fmt: skip
    found += [
        Metric(
            f"evidence_{n}@{BUDGET}t",
            "evidence found",
            f"{about}, in {BUDGET} tokens of hits",
            partial(evidence_ranking, n),
        )
        for n, about in budgeted
    ]
    found += [
        Metric(f"evidence_IoU@{BUDGET}t", "evidence found", f"characters in common, in {BUDGET} tokens of hits",
               evidence_iou),
        Metric("answered_with_evidence_first", "answers", "answerable cases whose first statement cites evidence",
               partial(has_evidence, 1, True)),
        Metric("answered_with_evidence", "answers", "answerable cases answered with cited evidence",
               partial(has_evidence, None, True)),
        Metric("answer_has_evidence", "answers", "answers given that cite evidence",
               partial(has_evidence, None, False)),
        Metric("EM", "answers", "answers equal to a reference",
               partial(against_references, answers.exact_match, False)),
        Metric("token_F1", "answers", "words shared with a reference",
               partial(against_references, answers.token_f1, False)),
        Metric("ROUGE-L", "answers", "longest common run of words",
               partial(against_references, answers.rouge_l, False)),
        Metric("contains_reference", "answers", "answers that hold a reference word for word",
               partial(against_references, answers.contains_reference, False)),
        Metric("marked_EM", "answers", "marked words equal to a reference",
               partial(against_references, answers.exact_match, True)),
        Metric("marked_F1", "answers", "marked words shared with a reference",
               partial(against_references, answers.token_f1, True)),
        Metric("squad_EM", "answers", "SQuAD 2.0 exact match, refusals included", partial(squad, answers.exact_match)),
        Metric("squad_F1", "answers", "SQuAD 2.0 F1, refusals included", partial(squad, answers.token_f1)),
        Metric("citation_validity", "citations", "quotes that stand exactly where they say",
               partial(validity, "exact")),
        Metric("citation_elsewhere", "citations", "quotes that stand elsewhere in the document",
               partial(validity, "elsewhere"), lower_is_better=True),
        Metric("citation_missing", "citations", "quotes that are not in the document, and markers without one",
               partial(validity, "missing"), lower_is_better=True),
        Metric("citation_recall", "citations", "statements that their citations support (ALCE)",
               partial(judged, lambda o, c: grounded.citation_recall(o, c.supports, c.mark)), judged=True),
        Metric("citation_precision", "citations", "citations that are needed or would do alone (ALCE)",
               partial(judged, lambda o, c: grounded.citation_precision(o, c.supports, c.mark)), judged=True),
        Metric("citation_F1_evidence", "citations", "cited characters against the evidence, F1",
               partial(citation_overlap, "f1")),
        Metric("citation_IoU_evidence", "citations", "cited characters against the evidence, IoU",
               partial(citation_overlap, "iou")),
        Metric("faithfulness", "faithfulness", "statements that the verifier calls supported",
               partial(judged, _faithful), judged=True),
        Metric("worst_statement", "faithfulness", "support of the worst statement of an answer",
               partial(judged, _worst), judged=True),
        Metric("answered_when_answerable", "abstention", "answerable cases that were answered", answered),
        Metric("abstained_when_not", "abstention", "cases without an answer that were refused (recall)", abstained),
        Metric("abstention_precision", "abstention", "refused cases that have no answer", abstention_precision),
        Metric("confidence", "abstention", "the system's own probability of having the answer", confidence),
    ]  # fmt: skip
    return tuple(found)


METRICS = _metrics()
BY_NAME = {metric.name: metric for metric in METRICS}
