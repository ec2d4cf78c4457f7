"""What is measured of a statement and its evidence, for the score of the checks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from index.sentences import sentence_spans
from rag.grounding.facts import content
from rag.grounding.guards import Mismatch, mismatches

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from rag.grounding.pairs import Judge

FEATURES = (
    "entailed",  # log-odds that the best window entails the statement
    "contradicted",  # log-odds that the window nearest in words contradicts it
    "words",  # share of the statement's content words that stand in the evidence
    "together",  # share of its pairs of neighbouring content words that stand together in the evidence
    "numbers",  # 1 if a number, date or unit is not there
    "names",  # share of its names that are not there
    "denied",  # 1 if a denial or an opposite differs from the nearest sentence
    "length",  # logarithm of its number of content words
)
_WINDOW_WORDS = 75  # about 100 tokens
_STEP = 0.5
_JUDGED = 3  # windows judged a statement


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of the evidence: text `number`, `start` to `end` in code points."""

    number: int
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Weighed:
    """One statement with its evidence: features in the order of `FEATURES`, what differs, and the best window."""

    features: tuple[float, ...]
    mismatches: tuple[Mismatch, ...]
    window: Window | None
    chances: tuple[float, float, float]


def weigh(
    judge: Judge, statements: Sequence[tuple[str, Sequence[str]]], contexts: Sequence[str] | None = None
) -> list[Weighed]:
    """Measure statements against their evidence; all are judged in one go.

    Args:
        judge: Gives the chances of support.
        statements: Each with the texts it cites.
        contexts: For each, what else may be taken as known (titles, dates).

    Returns:
        One result for each statement.
    """
    jobs: list[tuple[int, Window]] = []
    overlaps: list[tuple[float, float]] = []
    cut: dict[tuple[str, ...], list[tuple[Window, list[str]]]] = {}
    for i, (statement, evidence) in enumerate(statements):
        key = tuple(evidence)
        if key not in cut:
            cut[key] = [(w, content(w.text)) for w in cut_windows(evidence)]
        own = content(statement)
        overlaps.append(_overlap(own, [words for _, words in cut[key]]))
        ranked = sorted(cut[key], key=lambda w: -_held(own, w[1]))
        jobs.extend((i, window) for window, _ in ranked[:_JUDGED])
    chances = judge.support([(statements[i][0], window.text) for i, window in jobs])
    results = []
    for i, (statement, evidence) in enumerate(statements):
        mine = [(window, chances[n]) for n, (k, window) in enumerate(jobs) if k == i]
        found = mismatches(statement, evidence, contexts[i] if contexts else "")
        results.append(_result(statement, mine, overlaps[i], found))
    return results


def _result(
    statement: str,
    judged: Sequence[tuple[Window, NDArray[np.float32]]],
    overlap: tuple[float, float],
    found: Sequence[Mismatch],
) -> Weighed:
    from rag.grounding.facts import names

    if not judged:
        return Weighed((-8.0, 0.0, *overlap, 0.0, 0.0, 0.0, 0.0), tuple(found), None, (0.0, 1.0, 0.0))
    window, best = max(judged, key=lambda w: float(w[1][0]))
    kinds = [m.kind for m in found]
    named = len(dict.fromkeys(names(statement)))
    return Weighed(
        (
            _log_odds(float(best[0])),
            _log_odds(float(judged[0][1][2])),
            *overlap,
            float(any(k in ("number", "date", "unit") for k in kinds)),
            kinds.count("name") / named if named else 0.0,
            float(any(k in ("negation", "opposite") for k in kinds)),
            math.log1p(len(content(statement))),
        ),
        tuple(found),
        window,
        (float(best[0]), float(best[1]), float(best[2])),
    )


def _log_odds(chance: float) -> float:
    kept = min(max(chance, 3e-4), 1 - 3e-4)
    return math.log(kept / (1 - kept))


def _held(own: Sequence[str], words: Sequence[str]) -> float:
    there = set(words)
    return sum(w in there for w in own) / len(own) if own else 0.0


def _overlap(own: Sequence[str], windows: Sequence[Sequence[str]]) -> tuple[float, float]:
    there = {w for words in windows for w in words}
    pairs = {p for words in windows for p in zip(words, words[1:], strict=False)}
    mine = list(zip(own, own[1:], strict=False))
    single = sum(w in there for w in own) / len(own) if own else 0.0
    return single, sum(p in pairs for p in mine) / len(mine) if mine else single


def cut_windows(evidence: Sequence[str]) -> list[Window]:
    """Cut texts into overlapping windows of whole sentences, of about `_WINDOW_WORDS` words."""
    found: list[Window] = []
    for number, text in enumerate(evidence):
        spans = sentence_spans(text)
        sizes = [len(text[a:b].split()) for a, b in spans]
        first = 0
        while first < len(spans):
            last, held = first, sizes[first]
            while last + 1 < len(spans) and held + sizes[last + 1] <= _WINDOW_WORDS:
                last += 1
                held += sizes[last]
            start, end = spans[first][0], spans[last][1]
            found.append(Window(number, start, end, text[start:end]))
            if last + 1 >= len(spans):
                break
            passed = 0.0
            while first <= last and passed < held * _STEP:
                passed += sizes[first]
                first += 1
    return found
