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
    "entailed",  # log-odds that the evidence entails the statement: the better of the two stretches judged
    "words",  # share of the statement's content words that stand in the evidence
    "together",  # share of its pairs of neighbouring content words that stand together in the evidence
    "breadth",  # 0 for evidence of up to 75 words, rising with the logarithm of their number to 1 for 190 and more
    "wrong",  # 1 if a fact surely is not there, or differs
)
_WINDOW_WORDS = 75  # about 100 tokens
_BROAD_WORDS = 190
_STEP = 0.5
_GATHERED, _GATHERED_WORDS = 4, 80  # sentences brought together, and words of them in all


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


@dataclass(frozen=True, slots=True)
class _Cut:
    """Texts cut into windows and, where there are several, into sentences, each with its content words."""

    windows: list[tuple[Window, list[str]]]
    sentences: list[tuple[Window, frozenset[str]]]
    breadth: float

    @classmethod
    def of(cls, evidence: Sequence[str]) -> _Cut:
        size = sum(len(text.split()) for text in evidence)
        breadth = math.log(max(size, 1) / _WINDOW_WORDS) / math.log(_BROAD_WORDS / _WINDOW_WORDS)
        windows = [(w, content(w.text)) for w in cut_windows(evidence)]
        spans = [(n, text, a, b) for n, text in enumerate(evidence) for a, b in sentence_spans(text)]
        sentences = [(Window(n, a, b, text[a:b]), frozenset(content(text[a:b]))) for n, text, a, b in spans]
        return cls(windows, sentences if len(windows) > 1 else [], min(max(breadth, 0.0), 1.0))


def weigh(
    judge: Judge, statements: Sequence[tuple[str, Sequence[str]]], contexts: Sequence[str] | None = None
) -> list[Weighed]:
    """Measure statements against their evidence; all are judged in one go.

    Evidence longer than a window is judged twice: the window nearest in words, and the sentences that hold the
    statement's words brought together from wherever they stand. On MTRAG's ratings that tells more than the three
    nearest windows (AUROC .857 and .844, means of sentences), and reads less.

    Args:
        judge: Gives the chances of support.
        statements: Each with the texts it cites.
        contexts: For each, what else may be taken as known (titles, dates).

    Returns:
        One result for each statement.
    """
    jobs: list[tuple[int, Window, str]] = []
    breadths: list[float] = []
    overlaps: list[tuple[float, float]] = []
    cuts: dict[tuple[str, ...], _Cut] = {}
    for i, (statement, evidence) in enumerate(statements):
        key = tuple(evidence)
        cut = cuts[key] if key in cuts else cuts.setdefault(key, _Cut.of(evidence))
        own = content(statement)
        overlaps.append(_overlap(own, [words for _, words in cut.windows]))
        breadths.append(cut.breadth)
        if not cut.windows:
            continue
        nearest = max(cut.windows, key=lambda w: _held(own, w[1]))[0]
        jobs.append((i, nearest, nearest.text))
        gathered = gather(own, cut.sentences)
        joined = " ".join(w.text for w in gathered)
        if joined and joined != nearest.text:
            jobs.append((i, max(gathered, key=lambda w: _held(own, content(w.text))), joined))
    chances = judge.support([(statements[i][0], text) for i, _, text in jobs])
    results = []
    for i, (statement, evidence) in enumerate(statements):
        mine = [(window, chances[n]) for n, (k, window, _) in enumerate(jobs) if k == i]
        found = mismatches(statement, evidence, contexts[i] if contexts else "")
        results.append(_result(mine, overlaps[i], breadths[i], found))
    return results


def gather(own: Sequence[str], sentences: Sequence[tuple[Window, frozenset[str]]]) -> list[Window]:
    """Bring together the sentences that hold a statement's words, wherever they stand.

    Args:
        own: Content words of the statement.
        sentences: Of the evidence, each with its content words.

    Returns:
        Up to four, in the order they stand: always the one that adds most words, the shorter of equals, until no word
        is added or 80 words are full. Empty if no sentence holds a word.
    """
    left = set(own)
    sizes = [len(window.text.split()) for window, _ in sentences]
    pool = [i for i, (_, words) in enumerate(sentences) if left & words]
    chosen: list[int] = []
    held = 0
    while pool and len(chosen) < _GATHERED and held < _GATHERED_WORDS:
        best = max(pool, key=lambda i: (len(left & sentences[i][1]), -sizes[i]))
        if not left & sentences[best][1]:
            break
        pool.remove(best)
        if not chosen or held + sizes[best] <= _GATHERED_WORDS:
            chosen.append(best)
            held += sizes[best]
            left -= sentences[best][1]
    return [sentences[i][0] for i in sorted(chosen)]


def _result(
    judged: Sequence[tuple[Window, NDArray[np.float32]]],
    overlap: tuple[float, float],
    breadth: float,
    found: Sequence[Mismatch],
) -> Weighed:
    rest = (*overlap, breadth, float(any(m.sure for m in found)))
    if not judged:
        return Weighed((-8.0, *rest), tuple(found), None, (0.0, 1.0, 0.0))
    window, best = max(judged, key=lambda w: float(w[1][0]))
    entailed, neither, contradicted = map(float, best)
    return Weighed((_log_odds(entailed), *rest), tuple(found), window, (entailed, neither, contradicted))


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
