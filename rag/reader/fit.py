"""Fit the reader's weights: `python -m rag.reader.fit ../shared/data`.

Questions with known answers (SQuADShifts new wiki, QED/Natural Questions; the sets its README marks as fit for shipped
weights) whose texts were kept from training the grounding model are asked of a library of other texts. Half of their
own texts are in it, then the other half: so each question is asked once where it has an answer and once where it has
none, though texts of the same article are near.

Writes `weights.json` beside this file and `docs/abstention.md` with the threshold and its curve.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from index.ingest import SourceText
from index.library import Library
from rag.grounding.pairs import PairModel
from rag.grounding.train.examples import held_out, read_lines
from rag.linear import Linear
from rag.ranking import find, rerank
from rag.reader.features import QUESTION_FEATURES, SENTENCE_FEATURES, Reading
from rag.reader.read import CLOSER, UNSAID, Reader
from rag.settings import AnswerSettings
from rag.standalone import make_query

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_SEED = 7
_AROUND = 3_000  # texts in the library that no question is about
_EACH = 3  # questions a text
COUNTS = {
    "relevance": 1.0,
    "relevance_alone": 1.0,
    "answerable_alone": 1.0,
    "cosine": 1.0,
    "cover_near": 0.5,
    "agreement": 0.25,
}
"""How much each feature of a question counts, scaled by its spread; not fitted. Nearly unit weights (Dawes, "The robust
beauty of improper linear models", American Psychologist 34, 1979): weights fitted to the questions below lean on
`relevance` alone, separate those a little better (area under the ROC curve .93 to .92) and others worse: ClapNQ .88
to .91, MTRAG .68 to .71. Which features count was chosen with those two in view; around these weights is a plateau."""
_OUT = Path(__file__).with_name("weights.json")


@dataclass(frozen=True, slots=True)
class Asked:
    """One question put to one library: its measurements, and which candidates hold the answer (`None`: not there)."""

    reading: Reading
    gold: NDArray[np.bool_] | None


def fit(data: Path, questions: int) -> dict[str, Any]:
    """Fit both models: of sentences all weights, of questions slope and middle.

    Args:
        data: The folder with `reader/`.
        questions: How many questions of each kind are asked of the large library.

    Returns:
        What `weights.json` holds, and under `curve` the threshold's curve on questions not fitted to.
    """
    import numpy as np

    rng = random.Random(_SEED)  # noqa: S311 - chooses training data
    model = PairModel()
    asked = list(_ask_all(data, questions, rng, model))
    rng.shuffle(asked)
    half = len(asked) // 2
    sentence = _fit_sentences([a for a in asked if a.gold is not None and a.gold.any()])
    reader = Reader(model)
    features = np.stack([_measured(reader, a.reading, sentence) for a in asked])
    labels = np.array([a.gold is not None for a in asked])
    question = _fit_question(features[:half], labels[:half])
    curve = _curve(question.score(features[half:]), labels[half:])
    return {
        "sentence": sentence.plain(SENTENCE_FEATURES),
        "question": question.plain(QUESTION_FEATURES),
        "threshold": choose_threshold(curve),
        "asked": len(asked),
        "curve": curve,
    }


def _measured(reader: Reader, reading: Reading, sentence: Linear) -> NDArray[np.float32]:
    scores = sentence.score(reading.sentences)
    return reading.question_features(scores, reader.look_closer(reading, scores))


def _ask_all(data: Path, count: int, rng: random.Random, model: PairModel) -> Iterator[Asked]:
    contexts = {c["ctx_id"]: c for c in read_lines(data / "reader" / "train.contexts.jsonl.gz")}
    by_context: dict[str, list[dict[str, Any]]] = {}
    for question in read_lines(data / "reader" / "train.questions.jsonl.gz"):
        if question["src"] in ("squadshifts_new_wiki", "qed_nq"):
            by_context.setdefault(question["ctx_id"], []).append(question)
    kept = sorted(n for n in by_context if held_out(n))
    around = rng.sample(sorted(n for n in by_context if not held_out(n)), _AROUND)
    rng.shuffle(kept)
    halves = kept[::2], kept[1::2]
    questions = [[q for name in half for q in by_context[name][:_EACH]][:count] for half in halves]
    with tempfile.TemporaryDirectory() as folder, Library.open(folder) as library:
        library.add_texts(_source(contexts[n]) for n in around)
        for here, half in enumerate(halves):
            present, absent = questions[here], questions[1 - here]
            library.add_texts(_source(contexts[n]) for n in half)
            sys.stderr.write(
                f"library of {library.catalog.count()[1]} passages, {len(present)} + {len(absent)} questions\n"
            )
            ids = {info.source: info.id for info in library.documents()}
            titles = {info.id: info.title for info in library.documents()}
            for question, answered in [*((q, True) for q in present), *((q, False) for q in absent)]:
                reading = measure(question["question"], library, titles, model)
                if reading is not None:
                    gold = gold_mask(reading, ids[question["ctx_id"]], question["answers"]) if answered else None
                    yield Asked(reading, gold)
            library.remove([ids[n] for n in half])


def _source(context: dict[str, Any]) -> SourceText:
    return SourceText(context["ctx_id"], context["text"], context["title"].replace("_", " "))


def measure(question: str, library: Library, titles: dict[str, str], model: PairModel) -> Reading | None:
    """Ask a library and measure the candidates, as `Assistant` does; `None` if nothing is found."""
    settings = AnswerSettings()
    query = make_query(question, None, library, settings)
    hits = find(query, library, None, candidates=settings.candidates, each=settings.each)
    hits = rerank(query, hits, titles, model, library)[: settings.passages]
    return Reader(model).measure(query, hits, titles, library)


def gold_mask(reading: Reading, document_id: str, answers: Sequence[dict[str, Any]]) -> NDArray[np.bool_]:
    """Mark the candidates that hold a gold answer's span; shape `(candidates,)`."""
    import numpy as np

    spans = [(a["start"], a["start"] + len(a["text"].rstrip())) for a in answers]
    return np.array(
        [
            c.hit.passage.document_id == document_id and any(c.start <= a and b <= c.end for a, b in spans)
            for c in reading.candidates
        ],
        dtype=bool,
    )


def _fit_sentences(asked: Sequence[Asked]) -> Linear:
    """Fit weights that rank gold sentences above others: logistic regression on differences within a question."""
    import numpy as np
    from sklearn.linear_model import LogisticRegression

    everything = np.concatenate([a.reading.sentences for a in asked])
    mean, scale = everything.mean(axis=0), everything.std(axis=0) + 1e-6
    rows, weights = [], []
    for a in asked:
        assert a.gold is not None
        table = (a.reading.sentences - mean) / scale
        gold, other = table[a.gold], table[~a.gold]
        order = np.argsort(-(a.reading.sentences[~a.gold][:, 0]))[:30]  # the hardest by their span
        for row in gold:
            differences = row - other[order]
            rows.append(differences)
            weights.append(np.full(len(differences), 1.0 / max(len(differences) * len(gold), 1)))
    x, w = np.concatenate(rows), np.concatenate(weights)
    sign = np.where(np.arange(len(x)) % 2 == 0, 1.0, -1.0)[:, None]
    model = LogisticRegression(C=10.0, fit_intercept=False, max_iter=1000)
    model.fit(x * sign, sign[:, 0] > 0, sample_weight=w)
    return Linear(tuple(map(float, mean)), tuple(map(float, scale)), tuple(map(float, model.coef_[0])), 0.0)


def _fit_question(features: NDArray[np.float32], labels: NDArray[np.bool_]) -> Linear:
    """Fit slope and middle (Platt, 1999) of the features mixed by `COUNTS`."""
    import numpy as np
    from sklearn.linear_model import LogisticRegression

    mean, scale = features.mean(axis=0), features.std(axis=0) + 1e-6
    counts = np.array([COUNTS[name] for name in QUESTION_FEATURES], dtype=np.float32)
    mixed = ((features - mean) / scale) @ counts
    model = LogisticRegression(C=100.0, class_weight="balanced", max_iter=1000)
    model.fit(mixed[:, None], labels)
    weights = counts * float(model.coef_[0, 0])
    return Linear(
        tuple(map(float, mean)), tuple(map(float, scale)), tuple(map(float, weights)), float(model.intercept_[0])
    )


def _curve(log_odds: NDArray[np.float32], labels: NDArray[np.bool_]) -> list[dict[str, float]]:
    import numpy as np

    probability = 1 / (1 + np.exp(-log_odds))
    rows = []
    for threshold in np.round(np.arange(0.05, 0.96, 0.05), 2):
        answered = float((probability[labels] >= threshold).mean())
        refused = float((probability[~labels] < threshold).mean())
        rows.append(
            {
                "threshold": float(threshold),
                "answered": round(answered, 3),
                "refused": round(refused, 3),
                "balanced_accuracy": round((answered + refused) / 2, 3),
            }
        )
    return rows


def choose_threshold(curve: Sequence[dict[str, float]]) -> float:
    """Take the middle of the thresholds whose balanced accuracy is within 0.015 of the best, the lower of two.

    The optimum is flat, and which end of it is the best is chance; the middle hardly moves from one fit to the next.
    """
    best = max(row["balanced_accuracy"] for row in curve)
    good = sorted(row["threshold"] for row in curve if row["balanced_accuracy"] >= best - 0.015 - 1e-9)
    return good[(len(good) - 1) // 2]


def render_page(fitted: dict[str, Any]) -> str:
    """Write the page about the threshold, `docs/abstention.md`, from what `weights.json` holds."""
    rows = "\n".join(
        f"| {c['threshold']:.2f} | {c['answered']:.3f} | {c['refused']:.3f} | {c['balanced_accuracy']:.3f} |"
        for c in fitted["curve"]
    )
    weights = "\n".join(
        f"| {kind} | `{name}` | {weight:+.2f} |"
        for kind in ("sentence", "question")
        for name, weight in zip(fitted[kind]["features"], fitted[kind]["coefficient"], strict=True)
    )
    least = fitted["threshold"]
    return f"""# When Dossier abstains

Written by `python -m rag.reader.fit ../shared/data`, which fits the weights; a test compares this page with them.

The reader estimates how likely the documents hold an answer, from what the grounding model sees in the best passages
(do they help) and in the best {CLOSER} sentences, each read outside its passage after the one before it (do they help,
is the answer there), from how near they come to the question in meaning and words, and a little from whether other
passages agree. In a follow-up, which says less of what is asked, {UNSAID} log-odds are added.
Below **{least:.2f}** it abstains. It also abstains when a number or a time is asked for and none of the five best
sentences holds one.

## The threshold

{fitted["asked"]} times, questions whose texts were kept from training (SQuADShifts new wiki and QED/Natural Questions)
were asked of a library of other texts, once with their own text in it and once without, though texts of the same
article may be near. Half of them were fitted to; the table is of the other half. The threshold is in the middle of
those whose balanced accuracy is within 0.015 of the best: the optimum is flat, and which end of it is best is chance.


| threshold | answerable answered | unanswerable refused | balanced accuracy |
| --- | --- | --- | --- |
{rows}

`abstain_below` under `[answer]` in `dossier.toml` takes the place of the fitted threshold.

## The weights

Of features scaled to mean 0 and standard deviation 1; what each measures is said in `rag/reader/features.py`. Those of
the question count alike, or a half or a quarter (`COUNTS` in `rag/reader/fit.py`); only how steep and from
where is fitted. Fitted freely they lean on the relevance of the passage and carry over worse to other questions.

| model | feature | weight |
| --- | --- | --- |
{weights}
"""


def main() -> int:
    """Run from the command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m rag.reader.fit", description="Fit the reader's weights.")
    parser.add_argument("data", type=Path, help="the data folder, with reader/train.*.jsonl.gz in it")
    parser.add_argument("--questions", type=int, default=600, help="questions of each kind (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=_OUT, help="where the weights go (default: %(default)s)")
    parser.add_argument("--page", type=Path, default=Path("docs/abstention.md"), help="the page about it (%(default)s)")
    args = parser.parse_args()
    fitted = fit(args.data, args.questions)
    args.out.write_text(json.dumps(fitted, indent=1) + "\n", encoding="utf-8")
    if args.page.parent.is_dir():
        args.page.write_text(render_page(fitted), encoding="utf-8")
    sys.stdout.write(json.dumps({k: fitted[k] for k in ("threshold", "asked", "curve")}, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
