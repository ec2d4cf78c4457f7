"""The grounding model on labelled pairs: `python bench/grounding.py ../shared/data`.

Reader, the right passage given: exact match and F1 as SQuAD counts them. Verifier: people's judgements, and statements
edited by a program. Every figure comes from the shipped files through the code that answers use.
"""

from __future__ import annotations

import argparse
import collections
import gzip
import json
import random
import re
import string
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eval.agreement import auroc, balanced_accuracy, calibration_error
from index.embed import open_encoder
from index.sentences import sentence_spans
from rag.grounding import PairModel, Verifier
from rag.grounding.edits import KINDS, edit
from rag.grounding.facts import is_name
from rag.grounding.train.wording import names_of, reworded
from rag.grounding.verify import load_scale
from rag.reader.exact import ExactAnswer, find_answer

Say = Callable[[str], None]
JUDGED = ("dev_mtrag_human", "dev_begin_wow_test", "dev_wice_claim")


def read_lines(path: Path) -> list[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as stream:
        return [json.loads(line) for line in stream]


def squad_words(text: str) -> list[str]:
    """Normalised as in the SQuAD evaluation script: lower-case, no punctuation, no articles."""
    bare = "".join(c for c in text.lower() if c not in string.punctuation)
    return re.sub(r"\b(a|an|the)\b", " ", bare).split()


def f1(found: str, gold: str) -> float:
    a, b = squad_words(found), squad_words(gold)
    if not a or not b:
        return float(a == b)
    same = sum((collections.Counter(a) & collections.Counter(b)).values())
    return 2 * same / (len(a) + len(b))


def reader(data: Path, model: PairModel, say: Say, most: int = 10_000) -> None:
    encoder = open_encoder()
    say("\n| reader, right passage given | questions | answerable F1 | exact match | SQuAD 2.0 F1 |")
    say("| --- | --- | --- | --- | --- |")
    for name in ("dev_squad2", "dev_qed", "dev_doc2dial"):
        folder = data / "reader"
        if not (folder / f"{name}.questions.jsonl.gz").is_file():
            continue
        texts = {c["ctx_id"]: c["text"] for c in read_lines(folder / f"{name}.contexts.jsonl.gz")}
        rows: list[tuple[bool, float, float, ExactAnswer]] = []
        asked = read_lines(folder / f"{name}.questions.jsonl.gz")
        for question in asked[:: -(-len(asked) // most)]:
            # Oldest first, as the turns themselves show.
            history = [h.partition(":")[2] or h for h in question.get("history", []) if not h.startswith("agent")]
            found = find_answer(model, question["question"], texts[question["ctx_id"]], history, encoder)
            golds = [a["text"] for a in question["answers"]] or [""]
            score = max(f1(found.text, g) for g in golds)
            exact = max(float(squad_words(found.text) == squad_words(g)) for g in golds)
            rows.append((bool(question["impossible"]), score, exact, found))
        there = [r for r in rows if not r[0]]
        mean, exact = (100 * np.mean([r[i] for r in there]) for i in (1, 2))
        total = ""
        if len(there) < len(rows):  # refusing is right where there is no answer, and wrong where there is one
            kept = [(float(not a.answered) if gone else score * a.answered) for gone, score, _, a in rows]
            total = f"{100 * np.mean(kept):.1f}"
        say(f"| {name} | {len(rows)} | {mean:.1f} | {exact:.1f} | {total} |")


@cache
def judged(data: Path, model: PairModel, name: str) -> tuple[list[dict[str, Any]], NDArray[Any], NDArray[Any]]:
    """The records of a set, people's labels, and the support of each answer, shape `(records,)`; empty without it."""
    path = data / "verifier" / f"{name}.jsonl.gz"
    records = read_lines(path) if path.is_file() else []
    found = Verifier(model).check_all([(r["hypothesis"], [r["premise"]]) for r in records])
    return records, np.array([r["label"] for r in records]), np.array([s.score for s in found])


def verifier(data: Path, model: PairModel, say: Say) -> None:
    from scipy.stats import spearmanr

    scale = load_scale()
    say("\n| verifier | records | AUROC | balanced accuracy | calibration error | Spearman with the ratings |")
    say("| --- | --- | --- | --- | --- | --- |")
    for name in JUDGED:
        records, labels, scores = judged(data, model, name)
        if not records:
            continue
        rated = [r.get("human_scores", {}).get("faithfulness") for r in records]
        spearman = f"{spearmanr([np.mean(h) for h in rated], scores)[0]:.3f}" if all(rated) else ""
        figures = (
            auroc(labels, scores),
            balanced_accuracy(labels, scores >= scale.supported),
            calibration_error(labels, scores),
        )
        say(f"| {name} | {len(records)} | {' | '.join(f'{f:.3f}' for f in figures)} | {spearman} |")


def reliability(data: Path, model: PairModel, say: Say) -> None:
    """Of the answers with a support in each tenth, the share that people call supported, of each set."""
    say("\nAnswers with that support, their mean support, and the share of them that people call supported:")
    say(f"\n| support | {' | '.join(JUDGED)} |")
    say("| --- |" + " --- |" * len(JUDGED))
    for tenth in range(10):
        cells = []
        for name in JUDGED:
            _, labels, scores = judged(data, model, name)
            mine = np.minimum((scores * 10).astype(int), 9) == tenth
            some = f"{mine.sum()}: {scores[mine].mean():.2f}, {labels[mine].mean():.2f}" if mine.any() else ""
            cells.append(some)
        say(f"| {tenth / 10:.1f} to {(tenth + 1) / 10:.1f} | {' | '.join(cells)} |")


def edited(data: Path, model: PairModel, say: Say, count: int = 500) -> None:
    """Statements edited by a program, against the passage of the true one; texts of the development sets."""
    rng = random.Random(17)
    contexts = [
        c["text"] for n in ("dev_squad2", "dev_qed") for c in read_lines(data / "reader" / f"{n}.contexts.jsonl.gz")
    ]
    contexts += [r["text"] for r in read_lines(data / "mtrag" / "clapnq.passages.jsonl.gz")]  # for more units
    names = [n for n in names_of(contexts) if is_name(n)]
    changed: dict[str, list[tuple[str, list[str]]]] = {k: [] for k in KINDS}
    originals, paraphrases = [], []
    pool = [(text, text[a:b]) for text in contexts for a, b in sentence_spans(text) if 40 < b - a < 300]
    rng.shuffle(pool)
    for text, sentence in pool:
        for kind in sorted(KINDS, key=lambda k: k != "unit"):  # the rarest first
            made = edit(sentence, kind, names, rng) if len(changed[kind]) < count // len(KINDS) else None
            if made is not None:
                changed[kind].append((made.text, [text]))
                originals.append((sentence, [text]))
                again = reworded(sentence, rng)
                if again != sentence:
                    paraphrases.append((again, [text]))
                break
    checks = Verifier(model)
    say("\n| edited statements | count | not “supported” |\n| --- | --- | --- |")
    rows = {
        **changed,
        "all edits": [c for k in KINDS for c in changed[k]],
        "originals": originals,
        "reworded": paraphrases,
    }
    for name, cases in rows.items():
        found = checks.check_all(cases)
        share = np.mean([r.verdict != "supported" for r in found]) if found else float("nan")
        say(f"| {name} | {len(cases)} | {100 * share:.1f}% |")


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure the grounding model.")
    parser.add_argument("data", type=Path)
    parser.add_argument("--parts", nargs="*", default=["reader", "verifier", "reliability", "edited"])
    parser.add_argument("--most", type=int, default=10_000, help="questions of a set for the reader, spread over it")
    args = parser.parse_args()
    model = PairModel()
    say: Say = lambda line: print(line, flush=True)  # noqa: E731
    parts = {"reader": reader, "verifier": verifier, "reliability": reliability, "edited": edited}
    for name, part in parts.items():
        if name in args.parts:
            part(args.data, model, say, *([args.most] if part is reader else []))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
