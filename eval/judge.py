"""Judging the judge: what tells supported answers from others, against the labels of people.

Beside any verifier stand scorers that understand nothing. A judge that does not beat them is not to be believed.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eval.importers.reading import read_lines
from index.errors import ConfigError

if TYPE_CHECKING:
    from eval.run import Told
    from rag.grounding.verify import Verifier

Scorer = Callable[[str, str], float]
"""Takes premise and hypothesis (the whole answer), gives its support from 0 to 1."""
_WORD = re.compile(r"\w+")
_LONG = 400
"""Characters from which the length scorer says 0."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """An answer, what it should rest on, and what people say: `rating` is the mean of ratings if there are any."""

    premise: str
    hypothesis: str
    label: int
    rating: float | None


@dataclass(frozen=True, slots=True)
class Agreement:
    """How one scorer agrees with people; a figure that the data do not allow is `None`.

    `at_half` and `kappa` are at 0.5, `tuned` at a threshold found on other records. `spearman` is with
    the ratings, or with the labels where there are none. `low` and `high` are the 95% interval of `auroc`. `errors`
    counts records that the scorer failed on; the figures are of the others.
    """

    scorer: str
    records: int
    errors: int
    auroc: float | None
    low: float | None
    high: float | None
    at_half: float | None
    tuned: float | None
    kappa: float | None
    spearman: float | None
    calibration_error: float | None
    milliseconds: float


def read_labelled(path: Path, limit: int | None = None) -> list[Labelled]:
    """Read answers with labels, JSON Lines, gzipped or not.

    Raises:
        ConfigError: It is not there, or a record has no premise, hypothesis or label.
    """
    try:
        rows = read_lines(path)
        return [_labelled(row) for row in rows[:limit]]
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror or error}.", remedy="Check the path.") from error
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(
            f"{path} does not hold labelled answers: {type(error).__name__}: {error}.",
            remedy='Write one a line: {"premise": …, "hypothesis": …, "label": 1 or 0}.',
        ) from error


def _labelled(row: dict[str, Any]) -> Labelled:
    label = int(row["label"])
    if label not in (0, 1):
        raise ValueError(f"the label is {label}, not 1 or 0")
    ratings = (row.get("human_scores") or {}).get("faithfulness")
    rating = sum(ratings) / len(ratings) if ratings else None
    return Labelled(str(row["premise"]), str(row["hypothesis"]), label, rating)


def trivial_scorers() -> dict[str, Scorer]:
    """What a judge has to beat: always supported; the shorter the better; the share of words that the source has."""

    def overlap(premise: str, hypothesis: str) -> float:
        words, there = _WORD.findall(hypothesis.lower()), set(_WORD.findall(premise.lower()))
        return sum(w in there for w in words) / len(words) if words else 0.0

    return {
        "always supported": lambda premise, hypothesis: 1.0,
        "length": lambda premise, hypothesis: max(1.0 - len(hypothesis) / _LONG, 0.0),
        "words in common": overlap,
    }


def verifier_scorer(verifier: Verifier) -> Scorer:
    """A verifier on whole answers: the support of their sentences, weighted by their words."""
    return lambda premise, hypothesis: verifier.check(hypothesis, [premise]).score


def judge_scorer(judge: Callable[[str, str, Sequence[str], Sequence[str]], Any]) -> Scorer:
    """A judge of `eval.judged` on whole answers, without a question."""
    return lambda premise, hypothesis: float(judge("", hypothesis, [premise], []).value)


def measure_judge(
    name: str, scorer: Scorer, records: Sequence[Labelled], *, keep: Path | None = None, told: Told | None = None
) -> Agreement:
    """Let a scorer judge all records and hold it against the labels.

    Args:
        name: What it is called.
        scorer: See `Scorer`.
        records: What people labelled.
        keep: File of its scores: what stands there is not judged again, so that a killed run goes on.
        told: Told how far it is.
    """
    rows = _kept(keep, len(records))
    for number, record in enumerate(records):
        if number >= len(rows):
            began = time.perf_counter()
            value: float | None
            try:
                value = float(scorer(record.premise, record.hypothesis))
            except Exception:  # a judge that fails has not judged; it is counted
                value = None
            rows.append((value, time.perf_counter() - began))
            if keep is not None:
                with keep.open("ab") as stream:
                    stream.write((json.dumps(rows[-1]) + "\n").encode())
        if told is not None:
            told("judge", number + 1, len(records))
    return _agreement(name, records, rows)


def kept_name(dataset: str, scorer: str, records: Sequence[Labelled]) -> str:
    """A name for the file that keeps a scorer's judgements: another scorer or other records have another one."""
    whole = json.dumps([scorer, [[r.premise, r.hypothesis] for r in records]], ensure_ascii=True)
    return f"{dataset.split('.')[0]}-{hashlib.sha256(whole.encode()).hexdigest()[:12]}"


def _kept(keep: Path | None, count: int) -> list[tuple[float | None, float]]:
    if keep is None:
        return []
    keep.parent.mkdir(parents=True, exist_ok=True)
    if not keep.exists():
        return []
    whole = keep.read_bytes().rpartition(b"\n")[0]
    keep.write_bytes(whole + b"\n" if whole else b"")
    return [(row[0], row[1]) for row in map(json.loads, whole.splitlines())][:count]


def _agreement(name: str, records: Sequence[Labelled], rows: Sequence[tuple[float | None, float]]) -> Agreement:
    import numpy as np

    from eval import agreement
    from eval.statistics import interval_of

    judged = [(r, v) for r, (v, _) in zip(records, rows, strict=True) if v is not None]
    labels = np.array([r.label for r, _ in judged])
    scores = np.array([v for _, v in judged], dtype=float)
    errors, milliseconds = len(records) - len(judged), 1000 * float(np.median([s for _, s in rows])) if rows else 0.0
    if not len(labels):
        return Agreement(name, len(records), errors, *(None,) * 8, milliseconds)
    rated = all(r.rating is not None for r, _ in judged)
    truth = np.array([r.rating for r, _ in judged], dtype=float) if rated else labels
    # Records of the same text are not independent.
    _, clusters = np.unique([r.premise for r, _ in judged], return_inverse=True)
    low, high = interval_of(lambda i: agreement.auroc(labels[i], scores[i]), clusters) or (None, None)
    half = scores >= 0.5
    return Agreement(
        name, len(records), errors, _number(agreement.auroc(labels, scores)), low, high,
        _number(agreement.balanced_accuracy(labels, half)), _number(agreement.tuned_accuracy(labels, scores)),
        _number(agreement.kappa(labels, half)), _number(agreement.spearman(scores, truth)),
        _number(agreement.calibration_error(labels, scores)), milliseconds,
    )  # fmt: skip


def _number(value: float) -> float | None:
    return value if value == value else None


def markdown_agreement(rows: Sequence[Agreement]) -> str:
    """A Markdown table, which a terminal shows as well."""
    lines = [
        "| scorer | AUROC (95%) | balanced accuracy at 0.5 | at the tuned mark | Cohen's κ | Spearman "
        "| calibration error | ms an answer | errors |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for r in rows:
        span = f" ({r.low:.3f}–{r.high:.3f})" if r.low is not None and r.high is not None else ""
        figures = (r.at_half, r.tuned, r.kappa, r.spearman, r.calibration_error)
        cells = " | ".join("n/a" if f is None else f"{f:.3f}" for f in figures)
        first = "n/a" if r.auroc is None else f"{r.auroc:.3f}{span}"
        lines.append(f"| {r.scorer} | {first} | {cells} | {r.milliseconds:.1f} | {r.errors} |")
    return "\n".join(lines)
