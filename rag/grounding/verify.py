"""Check statements against what they cite, whoever wrote them: the ladder.

1. Verbatim: the statement's words, in their order, stand in the evidence. Supported with certainty.
2. Facts: a number, date, name, unit or denial that the evidence does not have. Never `supported`.
3. The support head over the window of the evidence nearest in words and over the sentences that hold the statement's
   words, mixed with word overlap, and brought to a scale from 0 to 1: the share of such statements that people call
   supported. How near it comes: docs/quality.md.
4. Optionally a language model's judgement (an `LlmJudge`), for what rung 3 leaves undecided.

A statement of several sentences is checked sentence by sentence. What it says is missing ("the documents do not mention
a price") cannot be quoted: `weak`, unless the evidence itself says so.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

from index.sentences import sentence_spans
from rag.grounding.absence import find_absence, stands_there
from rag.grounding.evidence import FEATURES, Weighed, Window, weigh
from rag.grounding.facts import content
from rag.grounding.guards import Mismatch
from rag.grounding.pairs import Judge
from rag.linear import Linear, to_probability
from rag.types import Verdict

LlmJudge = Callable[[str, str], float]
"""Takes a statement and its evidence, gives the chance (0 to 1) that it is supported."""


@dataclass(frozen=True, slots=True)
class Support:
    """What the checks say of one statement.

    `score` runs from 0 (nothing supports it) to 1 (the evidence says it); `verdict` is the same in a word; `reason`
    says in words what is missing, empty for a supported statement. `text` and `span` are the piece of evidence that
    supports it best: its index among the texts given, and `(start, end)` in it; `None` if there is none. Of several
    sentences `score` is made of their mean, weighted by content words, the piece is that of the longest, and the
    whole is `supported` only if all of them are.
    """

    score: float
    verdict: Verdict
    reason: str
    text: int | None = None
    span: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Scale:
    """The fitted score and its two marks: from `supported` up a statement is supported, from `weak` up it is weak."""

    linear: Linear
    supported: float
    weak: float


class Verifier:
    """Checks statements.

    Args:
        judge: The support head, or what takes its place.
        llm: Asked about statements that are neither clearly supported nor clearly not; nothing if `None`.
        scale: Weights other than the ones shipped, for fitting.
    """

    def __init__(self, judge: Judge, llm: LlmJudge | None = None, scale: Scale | None = None) -> None:
        self._judge, self._llm, self._scale = judge, llm, scale

    def check(self, statement: str, evidence: Sequence[str], context: str = "") -> Support:
        """Check one statement; see `check_all`."""
        return self.check_all([(statement, evidence)], [context])[0]

    def check_all(
        self, statements: Sequence[tuple[str, Sequence[str]]], contexts: Sequence[str] | None = None
    ) -> list[Support]:
        """Check statements.

        Args:
            statements: Each without markers, with the texts it cites: a sentence, or a whole answer.
            contexts: For each, what may be taken as known besides: titles and dates of its documents.

        Returns:
            One result for each, in order.
        """
        scale = self._scale or load_scale()
        parts: list[_Part] = []
        found: list[Support | None] = []
        for i, (statement, evidence) in enumerate(statements):
            whole = _verbatim(statement, evidence)
            mine = [_Part(i, statement)] if whole is not None else list(_parts(i, statement))
            parts += mine
            found += [whole if p.text == statement else _verbatim(p.text, evidence) for p in mine]
        pieces = [(p.text, statements[p.statement][1]) for p in parts]
        left = [n for n, result in enumerate(found) if result is None]
        known = [contexts[parts[n].statement] for n in left] if contexts else None
        for n, weighed in zip(left, weigh(self._judge, [pieces[n] for n in left], known), strict=True):
            result = self._graded(pieces[n], weighed, scale)
            found[n] = _missing(pieces[n], result, scale) if parts[n].missing else result
        results: list[list[tuple[_Part, Support]]] = [[] for _ in statements]
        for part, judged in zip(parts, found, strict=True):
            if judged is not None:
                results[part.statement].append((part, judged))
        return [_joined(each, scale) for each in results]

    def _graded(self, statement: tuple[str, Sequence[str]], weighed: Weighed, scale: Scale) -> Support:
        import numpy as np

        features = np.asarray([weighed.features], dtype=np.float32)
        score = to_probability(float(scale.linear.score(features)[0]))
        if self._llm is not None and scale.weak <= score < scale.supported:
            score = min(max(self._llm(statement[0], "\n\n".join(statement[1])), 0.0), 1.0)
        if any(m.sure for m in weighed.mismatches):  # a fact that is not there is never supported, whatever else fits
            score = min(score, scale.supported - 0.01)
        verdict = grade(score, scale)
        window = weighed.window
        return Support(
            score,
            verdict,
            "" if verdict == "supported" else _reason(weighed),
            window.number if window else None,
            (window.start, window.end) if window else None,
        )


def grade(score: float, scale: Scale) -> Verdict:
    """The verdict for a score."""
    if score >= scale.supported:
        return "supported"
    return "weak" if score >= scale.weak else "unsupported"


def normalise(text: str) -> str:
    """Make runs of white space single spaces; nothing else is changed."""
    return " ".join(text.split())


SHARPER, FORGIVEN = 0.2, 0.7
"""How much more the mean over several sentences tells than one score, and how much of it people forgive, by the
logarithm of their number. Chosen with the ratings of MTRAG in view; there is no other set of whole answers."""


def of_several(mean: float, count: int) -> float:
    """The score of a statement of `count` sentences with this mean score; that of one sentence is its own."""
    if count < 2 or not 0.0 < mean < 1.0:
        return mean
    scale = math.log(count)
    return to_probability((1.0 + SHARPER * scale) * math.log(mean / (1.0 - mean)) + FORGIVEN * scale)


@dataclass(frozen=True, slots=True)
class _Part:
    """What is checked by itself: a sentence, or a clause of one; `statement` is the index of what it belongs to.

    `leads` says that it ends in a colon and only leads to what follows, `missing` that it says what is not there.
    """

    statement: int
    text: str
    leads: bool = False
    missing: bool = False


def _parts(number: int, statement: str) -> Iterator[_Part]:
    spans = sentence_spans(statement)
    for sentence in [statement[a:b] for a, b in spans] if len(spans) > 1 else [statement]:
        absence = find_absence(sentence)
        if absence is None:
            yield _Part(number, sentence, leads=sentence.rstrip().endswith(":"))
            continue
        yield _Part(number, absence.clause, missing=True)
        if absence.rest:
            yield _Part(number, absence.rest)


def _missing(piece: tuple[str, Sequence[str]], result: Support, scale: Scale) -> Support:
    """What the checks say of a clause that calls something missing, if the evidence does not say so itself."""
    if result.verdict == "supported":
        return result
    there = stands_there(*piece)
    score = scale.weak if there else (scale.weak + scale.supported) / 2
    reason = f"the source may say it: “{normalise(there)}”" if there else "what is missing cannot be quoted"
    return Support(score, "weak", reason)


def _joined(judged: Sequence[tuple[_Part, Support]], scale: Scale) -> Support:
    """The support of a statement: the share of its words that is supported, so to speak.

    Parts count by their content words. Leads and what is called missing count only where there is nothing else.
    """
    if len(judged) == 1:
        return judged[0][1]
    told = [(p, s) for p, s in judged if not p.leads and not p.missing] or judged
    weights = [1 + len(content(part.text)) for part, _ in told]
    mean = sum(w * s.score for w, (_, s) in zip(weights, told, strict=True)) / sum(weights)
    score = of_several(mean, len(told))
    part, least = min(told, key=lambda t: t[1].score)
    verdict = grade(score, scale)
    if verdict == "supported" and least.verdict != "supported":
        verdict = "weak"
    _, most = max(zip(weights, told, strict=True), key=lambda t: t[0])[1]
    reason = "" if verdict == "supported" else f"“{normalise(part.text)}”: {least.reason}" if least.reason else ""
    return Support(score, verdict, reason, most.text, most.span)


def _verbatim(statement: str, evidence: Sequence[str]) -> Support | None:
    words = normalise(statement)
    if not words:
        return Support(0.0, "unsupported", "the statement is empty")
    for number, text in enumerate(evidence):
        at = text.find(words)
        if at >= 0:
            return Support(1.0, "supported", "", number, (at, at + len(words)))
        if words in normalise(text):
            return Support(1.0, "supported", "", number, (0, len(text)))
    return None if any(e.strip() for e in evidence) else Support(0.0, "unsupported", "nothing is cited")


_ORDER = ("number", "unit", "date", "negation", "opposite", "name")


def _reason(weighed: Weighed) -> str:
    if weighed.mismatches:
        first: Mismatch = min(weighed.mismatches, key=lambda m: _ORDER.index(m.kind))
        return first.reason
    _, neither, contradicted = weighed.chances
    if contradicted > max(neither, 0.5):
        return "the source says otherwise"
    return "the source does not say this"


@lru_cache(maxsize=1)
def load_scale() -> Scale:
    """Read the fitted score that ships with the package; `python -m rag.grounding.fit` makes it."""
    data = json.loads(resources.files("rag.grounding").joinpath("scale.json").read_text(encoding="utf-8"))
    return Scale(Linear.load(data["support"], FEATURES), data["supported"], data["weak"])


__all__ = ["LlmJudge", "Scale", "Support", "Verifier", "Window", "grade", "load_scale", "normalise"]
