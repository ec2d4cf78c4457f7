"""Citations and statements against what is cited.

What can be seen without a model (whether a quote stands in its document) and what a verifier has to judge (whether what
is cited supports the statement). A citation that leads nowhere is a wrong one, not a missing one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from eval.types import Output
from rag.types import Answer, Citation, Statement

Supports = Callable[[str, Sequence[str]], float]
"""Takes a statement and the texts it cites; gives its support from 0 to 1."""


def valid_share(output: Output, state: str) -> float | None:
    """Share of the citations whose quote is "exact" at its offsets, found "elsewhere" in the document or "missing".

    A marker of a statement that no citation has is missing, too. `None` without citations and markers.
    """
    assert output.answer is not None
    dangling = sum(_dangling(s, output.answer) for s in output.answer.statements)
    total = len(output.found) + dangling
    if not total:
        return None
    return (output.found.count(state) + (dangling if state == "missing" else 0)) / total


def citation_recall(output: Output, supports: Supports, mark: float) -> float | None:
    """ALCE citation recall: the share of statements that all their citations together support.

    (1/|S|) Σ 1[φ(C_i, s_i) ≥ mark] (Gao et al., EMNLP 2023, section 4.3). A statement without a citation that leads
    somewhere is not supported. `None` without statements.
    """
    answer = output.answer
    assert answer is not None
    if not answer.statements:
        return None
    return sum(_supported(s, output, supports, mark) for s in answer.statements) / len(answer.statements)


def citation_precision(output: Output, supports: Supports, mark: float) -> float | None:
    """ALCE citation precision: the share of citations that are needed or would do alone.

    A citation of s_i counts if all of C_i support s_i, and it does so alone or the others do not without it (Gao et
    al., EMNLP 2023, section 4.3). One that leads nowhere is wrong. `None` if nothing is cited.
    """
    answer = output.answer
    assert answer is not None
    right = total = 0
    for statement in answer.statements:
        cited = _cited(statement, output)
        total += len(cited) + _lost(statement, output)
        if not cited or not _supported(statement, output, supports, mark):
            continue
        for citation in cited:
            others = [c.quote for c in cited if c is not citation]
            alone = supports(statement.text, [citation.quote]) >= mark
            right += alone or not others or supports(statement.text, others) < mark
    return right / total if total else None


def statement_support(output: Output, supports: Supports) -> list[float]:
    """The support of each statement by all that the answer rests on, 0 to 1: its quotes and the passages found.

    Faithfulness is the share of the supported ones (Es et al., RAGAS, EACL 2024), whatever they cite. Quotes that are
    not in their document support nothing; where there is no text at all, the support is 0.
    """
    answer = output.answer
    assert answer is not None
    quotes = [c.quote for s in answer.statements for c in _cited(s, output)]
    texts = list(dict.fromkeys([*quotes, *(h.passage.text for h in answer.hits)]))
    return [supports(s.text, texts) if texts else 0.0 for s in answer.statements]


def _supported(statement: Statement, output: Output, supports: Supports, mark: float) -> bool:
    quotes = [c.quote for c in _cited(statement, output)]
    return bool(quotes) and supports(statement.text, quotes) >= mark


def _cited(statement: Statement, output: Output) -> list[Citation]:
    """The citations of a statement that lead to words which are in the document, each once."""
    assert output.answer is not None
    invented = {c.marker for c, state in zip(output.answer.citations, output.found, strict=False) if state == "missing"}
    by_marker = {c.marker: c for c in output.answer.citations if c.marker not in invented}
    return [by_marker[n] for n in dict.fromkeys(statement.citations) if n in by_marker]


def _lost(statement: Statement, output: Output) -> int:
    """How many markers of a statement lead nowhere: to no citation, or to words that are not in the document."""
    return len(dict.fromkeys(statement.citations)) - len(_cited(statement, output))


def _dangling(statement: Statement, answer: Answer) -> int:
    markers = {c.marker for c in answer.citations}
    return sum(n not in markers for n in dict.fromkeys(statement.citations))
