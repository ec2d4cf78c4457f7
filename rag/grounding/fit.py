"""Fit the checks' score: `python -m rag.grounding.fit ../shared/data`.

What it is made of is not fitted: the entailment head's log-odds and the two shares of common words count alike, each
scaled by its spread (unit weights: Dawes, "The robust beauty of improper linear models", American Psychologist 34,
1979). Weights fitted to the training judgements, which are of short texts, lean on the head alone and carry over worse
to long answers over long documents: on MTRAG's ratings, AUROC .80 where unit weights reach .85. Only the slope and the
middle are fitted (Platt, 1999), on human judgements kept from training (one in twenty, see `train.examples.held_out`).
Writes `scale.json` beside this file.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from rag.grounding.evidence import FEATURES, weigh
from rag.grounding.pairs import PairModel
from rag.grounding.train.examples import held_out, read_lines
from rag.linear import Linear

OUT = Path(__file__).with_name("scale.json")
SUPPORTED, WEAK = 0.54, 0.35
"""Marks of the verdicts. The first was chosen between the best of WiCE and of BEGIN, whose people judge differently."""
_ALIKE = ("entailed", "words", "together")


def judged(data: Path) -> list[tuple[str, str, int]]:
    """Human judgements kept from training: `(statement, evidence, label)`.

    Without those on captions of photographs, which say little about documents.
    """
    return [
        (r["hypothesis"], r["premise"], int(r["label"]))
        for r in read_lines(data / "verifier" / "train.jsonl.gz")
        if held_out(r["premise"]) and r["src"] != "snli"
    ]


def fit(records: list[tuple[str, str, int]]) -> Linear:
    """Fit the score to `(statement, evidence, label)`."""
    import numpy as np
    from sklearn.linear_model import LogisticRegression

    weighed = weigh(PairModel(), [(s, [e]) for s, e, _ in records])
    x = np.array([w.features for w in weighed], dtype=np.float32)
    y = np.array([label for _, _, label in records])
    mean, scale = x.mean(axis=0), x.std(axis=0) + 1e-6
    unit = np.array([1.0 / len(_ALIKE) if name in _ALIKE else 0.0 for name in FEATURES], dtype=np.float32)
    model = LogisticRegression(C=100.0, max_iter=1000)
    model.fit((((x - mean) / scale) @ unit)[:, None], y)
    slope = float(model.coef_[0, 0])
    weights = tuple(float(u) * slope for u in unit)
    return Linear(tuple(map(float, mean)), tuple(map(float, scale)), weights, float(model.intercept_[0]))


def main() -> int:
    """Run from the command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m rag.grounding.fit", description="Fit the checks' score.")
    parser.add_argument("data", type=Path, help="the data folder, with verifier/ and reader/ in it")
    parser.add_argument("--out", type=Path, default=OUT, help="where the weights go (default: %(default)s)")
    args = parser.parse_args()
    records = judged(args.data)
    data: dict[str, Any] = {
        "support": fit(records).plain(FEATURES),
        "supported": SUPPORTED,
        "weak": WEAK,
        "records": len(records),
    }
    args.out.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(json.dumps(data, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
