"""Fit the checks' calibrated score: `python -m rag.grounding.fit ../shared/data`.

Human judgements kept from training (one in twenty, see `train.examples.held_out`), and statements made of texts kept
from training, are weighed with the shipped network; a logistic model of their features is the score. Writes
`scale.json` beside this file.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from index.sentences import sentence_spans
from rag.grounding.edits import KINDS, edit
from rag.grounding.evidence import FEATURES, weigh
from rag.grounding.pairs import PairModel
from rag.grounding.train.examples import held_out, names_of, read_lines, reworded
from rag.linear import Linear

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

OUT = Path(__file__).with_name("scale.json")
_SEED = 11
_SHARES = {"snli": 0.3}  # captions of photographs say little about documents


def judged(data: Path) -> list[tuple[str, str, int, float]]:
    """Human judgements kept from training: `(statement, evidence, label, weight)`."""
    return [
        (r["hypothesis"], r["premise"], int(r["label"]), _SHARES.get(r["src"], 1.0))
        for r in read_lines(data / "verifier" / "train.jsonl.gz")
        if held_out(r["premise"])
    ]


def made(data: Path, rng: random.Random) -> list[tuple[str, str, int, float]]:
    """Sentences of texts kept from training, reworded a little: as they are, edited, against the rest of the text."""
    contexts = [c for c in read_lines(data / "reader" / "train.contexts.jsonl.gz") if held_out(c["ctx_id"])]
    names = names_of(c["text"] for c in contexts)
    found: list[tuple[str, str, int, float]] = []
    for context in contexts:
        text = context["text"][:6_000]
        spans = [s for s in sentence_spans(text) if 40 < s[1] - s[0] < 300]
        if len(spans) < 2:
            continue
        start, end = rng.choice(spans)
        statement = reworded(text[start:end], rng)
        found.append((statement, text, 1, 0.5))
        kinds = list(KINDS)
        rng.shuffle(kinds)
        changed = next((e for k in kinds if (e := edit(statement, k, names, rng)) is not None), None)
        if changed is not None:
            found.append((changed.text, text, 0, 0.5))
        found.append((statement, text[:start] + text[end:], 0, 0.5))
    return found


def fit(records: list[tuple[str, str, int, float]]) -> tuple[Linear, NDArray[np.float32], NDArray[np.float32]]:
    """Fit the score.

    Args:
        records: `(statement, evidence, label, weight)`.

    Returns:
        The model, and each record's log-odds by a model fitted without it (five folds) with its label, for the
        reliability curve.
    """
    import numpy as np
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_predict

    weighed = weigh(PairModel(), [(s, [e]) for s, e, _, _ in records])
    x = np.array([w.features for w in weighed], dtype=np.float32)
    y, w = np.array([r[2] for r in records]), np.array([r[3] for r in records])
    mean, scale = x.mean(axis=0), x.std(axis=0) + 1e-6
    table = (x - mean) / scale
    model = LogisticRegression(C=1.0, max_iter=1000)
    model.fit(table, y, sample_weight=w)
    apart = cross_val_predict(
        LogisticRegression(C=1.0, max_iter=1000),
        table,
        y,
        cv=5,
        method="decision_function",
        params={"sample_weight": w},
    )
    linear = Linear(
        tuple(map(float, mean)), tuple(map(float, scale)), tuple(map(float, model.coef_[0])), float(model.intercept_[0])
    )
    return linear, np.asarray(apart, np.float32), y.astype(np.float32)


def main() -> int:
    """Run from the command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m rag.grounding.fit", description="Fit the checks' score.")
    parser.add_argument("data", type=Path, help="the data folder, with verifier/ and reader/ in it")
    parser.add_argument("--out", type=Path, default=OUT, help="where the weights go (default: %(default)s)")
    args = parser.parse_args()
    records = [*judged(args.data), *made(args.data, random.Random(_SEED))]  # noqa: S311 - chooses training data
    linear, _, labels = fit(records)
    data: dict[str, Any] = {
        "support": linear.plain(FEATURES),
        "supported": 0.6,
        "weak": 0.35,
        "records": len(records),
        "supported_share": round(float(labels.mean()), 3),
    }
    args.out.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(json.dumps(data, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
