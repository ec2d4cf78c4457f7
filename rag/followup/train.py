"""Fit the switch and the words carried along: `python -m rag.followup.train ../shared/data/followup`.

Each example is a question in a conversation with the question as a person rewrote it to stand alone. The switch is
fitted (Adam on the mean cosine) so that question + a · mean(earlier questions) + b · last answer comes close to the
rewrite. So that it also learns when to keep history out, every rewrite is set after the likest of 15 other
conversations: there the question itself is what the mixture should be close to.

Which words are carried along is a logistic regression over the words of earlier turns: whether the rewrite has them.
It is compared with the rarest words of the last three questions (six) and of the last answer's names (three).

Held-out conversations (one in five by the CRC-32 of their name) and `dev_cast2021` are reported beside constants.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
import tempfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.embed import Encoder, open_encoder
from index.library import Library
from rag.followup import carry
from rag.followup.history import History
from rag.followup.switch import FEATURES, MOST_ANSWER, MOST_QUESTIONS, measure
from rag.linear import Linear, to_probability
from rag.words import content_terms

Array = NDArray[np.float64]
_TITLES = 2  # CANARD's history begins with an article's title and heading, which no conversation here has
_STEPS, _RATE, _DECAY, _SHARE = 1_500, 0.03, 1e-3, 0.5
CONSTANTS = ((0.0, 0.0), (0.33, 0.0), (0.5, 0.0), (0.7, 0.0), (0.5, 0.3), (0.7, 0.4))


@dataclass(frozen=True, slots=True)
class Example:
    """A question, what came before it, and the question that stands alone."""

    conversation: str
    question: str
    earlier: tuple[str, ...]
    answer: str
    target: str


@dataclass(frozen=True, slots=True)
class Table:
    """Examples as numbers: features, the dot products that give the cosine for any mixture, and weights."""

    features: Array
    products: Array
    weights: Array
    switched: NDArray[np.bool_]

    def cosine(self, questions: Array | float, answer: Array | float) -> Array:
        """Cosine of each mixture to its target, shape `(examples,)`."""
        qm, qa, mm, aa, ma, tq, tm, ta = self.products.T
        b = answer * self.features[:, FEATURES.index("answered")]
        a = questions
        norm = np.sqrt(1 + a * a * mm + b * b * aa + 2 * a * qm + 2 * b * qa + 2 * a * b * ma)
        return np.asarray((tq + a * tm + b * ta) / norm)


def read_examples(path: Path) -> list[Example]:
    """Read the questions that have earlier ones."""
    examples = []
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            r: dict[str, Any] = json.loads(line)
            history, answered = r["history"], not r["src"].startswith(("cast2019", "cast2020"))
            if r["src"].startswith("canard"):
                history = history[_TITLES:]
            earlier = history[0::2] if answered else history
            answers = history[1::2] if answered else []
            if earlier:
                answer = answers[-1] if answers else ""
                name = f"{r['src']}:{r['conv']}"
                examples.append(Example(name, r["question"], tuple(earlier), answer, r["rewrite"]))
    return examples


def encode(encoder: Encoder, examples: list[Example]) -> dict[str, NDArray[np.float32]]:
    """Encode every text once, the short ones together."""
    texts = sorted({t for e in examples for t in (e.question, e.target, e.answer, *e.earlier) if t}, key=len)
    vectors: dict[str, NDArray[np.float32]] = {}
    for start in range(0, len(texts), 256):
        batch = texts[start : start + 256]
        vectors.update(zip(batch, encoder.encode(batch), strict=True))
    return vectors


def tabulate(examples: list[Example], vectors: dict[str, NDArray[np.float32]], seed: int = 1) -> Table:
    """Make the table of examples, each as it is, without its answer, and after another conversation."""
    rng = np.random.default_rng(seed)
    rows: list[tuple[NDArray[np.float32], list[float], float, bool]] = []
    for e in examples:
        rows.append((*_row(e, vectors), 1.0, False))
        if e.answer:
            rows.append((*_row(Example(e.conversation, e.question, e.earlier, "", e.target), vectors), 1.0, False))
        others = [examples[i] for i in rng.integers(len(examples), size=15)]
        others = [o for o in others if o.conversation != e.conversation]
        other = max(others, key=lambda o: float(vectors[o.earlier[-1]] @ vectors[e.target]))
        moved = Example(e.conversation, e.target, other.earlier, other.answer, e.target)
        rows.append((*_row(moved, vectors), _SHARE, True))
    features, products, weights, switched = zip(*rows, strict=True)
    return Table(np.array(features, float), np.array(products, float), np.array(weights), np.array(switched))


def _row(e: Example, vectors: dict[str, NDArray[np.float32]]) -> tuple[NDArray[np.float32], list[float]]:
    q, t, earlier = vectors[e.question], vectors[e.target], np.stack([vectors[x] for x in e.earlier])
    m = earlier.mean(axis=0)
    answer = vectors[e.answer] if e.answer else None
    a = answer if answer is not None else np.zeros_like(q)
    products = [float(x @ y) for x, y in ((q, m), (q, a), (m, m), (a, a), (m, a), (t, q), (t, m), (t, a))]
    return measure(e.question, e.earlier, q, earlier, answer), products


def outlets(theta: Array, features: Array) -> tuple[Array, Array]:
    """The two weights for standardised features with a leading 1, shape `(examples,)` each."""
    a, b = 1 / (1 + np.exp(-features @ theta.T)).T
    return MOST_QUESTIONS * a, MOST_ANSWER * b


def fit(table: Table) -> tuple[Array, Array, Array]:
    """Fit the switch; returns its weights `(2, 1 + features)`, and mean and scale of the features."""
    mean, scale = table.features.mean(axis=0), table.features.std(axis=0) + 1e-6
    x = np.hstack([np.ones((len(table.features), 1)), (table.features - mean) / scale])
    theta = np.zeros((2, x.shape[1]))
    theta[:, 0] = -1.0
    first, second, h = np.zeros_like(theta), np.zeros_like(theta), 1e-4
    for step in range(1, _STEPS + 1):
        a, b = outlets(theta, x)
        slope_a = (table.cosine(a + h, b) - table.cosine(a - h, b)) / (2 * h) * a * (1 - a / MOST_QUESTIONS)
        slope_b = (table.cosine(a, b + h) - table.cosine(a, b - h)) / (2 * h) * b * (1 - b / MOST_ANSWER)
        gradient = np.stack([(table.weights * s)[:, None] * x for s in (slope_a, slope_b)]).mean(axis=1)
        gradient -= _DECAY * theta
        first, second = 0.9 * first + 0.1 * gradient, 0.999 * second + 0.001 * gradient**2
        theta += _RATE * first / (1 - 0.9**step) / (np.sqrt(second / (1 - 0.999**step)) + 1e-8)
    return theta, mean, scale


def compare(name: str, table: Table, theta: Array, mean: Array, scale: Array) -> None:
    """Print the mean cosine to the target of the learned mixture and of constants."""
    x = np.hstack([np.ones((len(table.features), 1)), (table.features - mean) / scale])
    for label, chosen in (("follow-ups", ~table.switched), ("after another subject", table.switched)):
        values = [f"learned {table.cosine(*outlets(theta, x))[chosen].mean():.4f}"]
        values += [f"{a}, {b}: {table.cosine(a, b)[chosen].mean():.4f}" for a, b in CONSTANTS]
        sys.stdout.write(f"{name}, {label} ({chosen.sum()}): {' · '.join(values)}\n")


@dataclass(frozen=True, slots=True)
class Words:
    """The candidate words of one example: their features, shape `(words, features)`, whether the rewrite has them, and
    whether one of the last three questions does; `wanted` counts the terms that the rewrite adds."""

    features: NDArray[np.float32]
    right: list[bool]
    asked: list[bool]
    wanted: int


def tabulate_words(
    examples: Sequence[Example], vectors: dict[str, NDArray[np.float32]], library: Library, texts: Sequence[str]
) -> Iterator[Words]:
    """Make the candidate words of each example; `texts` stand for the library that says how rare words are."""
    counts = Counter(term for text in texts for term in content_terms(text, library))
    for e in examples:
        own = content_terms(e.question, library)
        found = carry.candidates(History(e.earlier, e.answer[:600]), own, library)
        if not found:
            continue
        target = content_terms(e.target, library)
        measured = _row(e, vectors)[0]
        rows = [c.features(carry.rareness(counts[t], len(texts)), len(e.earlier)) for t, c in found.items()]
        recent = range(len(e.earlier) - 3, len(e.earlier))
        asked = [any(turn in recent for turn in c.turns) for c in found.values()]
        right = [t in target for t in found]
        features = carry.with_question(rows, measured)
        yield Words(features, right, asked, len(target.keys() - own.keys()))


def fit_words(examples: Sequence[Words]) -> Linear:
    """Fit the model of which words are carried along."""
    from sklearn.linear_model import LogisticRegression

    x = np.vstack([e.features for e in examples]).astype(float)
    mean, scale = x.mean(axis=0), x.std(axis=0) + 1e-6
    model = LogisticRegression(max_iter=1_000).fit((x - mean) / scale, [r for e in examples for r in e.right])
    return Linear(tuple(mean), tuple(scale), tuple(model.coef_[0]), float(model.intercept_[0]))


def chosen_by(model: Linear, least: float) -> Callable[[Words], list[int]]:
    """Choose as `rag.followup.carry.spoken` does."""

    def choose(e: Words) -> list[int]:
        scores = model.score(e.features)
        best = [int(i) for i in np.argsort(-scores, kind="stable")[: carry.SPOKEN]]
        return [i for i in best if to_probability(float(scores[i])) >= least]

    return choose


def rarest(e: Words) -> list[int]:
    """Choose the rarest words of the last three questions, six, and of the last answer, three."""
    rarity, answered = (e.features[:, carry.FEATURES.index(name)] for name in ("rarity", "only_in_answer"))
    order = [int(i) for i in np.argsort(-rarity, kind="stable")]
    return [i for i in order if e.asked[i]][:6] + [i for i in order if answered[i]][:3]


def compare_words(name: str, examples: Sequence[Words], model: Linear) -> None:
    """Print how many of the chosen words the rewrites have, and how many of the words they add are chosen."""
    ways = [("rarest", rarest), *((f"learned, {p}", chosen_by(model, p)) for p in (0.15, 0.2, 0.3, 0.4))]
    for label, choose in ways:
        picked = [[e.right[i] for i in choose(e)] for e in examples]
        right, count = sum(map(sum, picked)), sum(map(len, picked))
        wanted = sum(e.wanted for e in examples)
        share = f"{right / max(count, 1):.2f} of them wanted, {right / wanted:.2f} of the wanted"
        sys.stdout.write(f"{name}, {label}: {count / len(examples):.1f} words a question, {share}\n")


def main() -> int:
    """Fit, compare and write the weights."""
    parser = argparse.ArgumentParser(
        description="Fit how much of a conversation, and which words, a query takes along."
    )
    parser.add_argument("data", type=Path, help="folder with train.jsonl.gz and dev_cast2021.jsonl.gz")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="folder (default: %(default)s)")
    options = parser.parse_args()
    examples = read_examples(options.data / "train.jsonl.gz")
    dev = read_examples(options.data / "dev_cast2021.jsonl.gz")
    vectors = encode(open_encoder(None, "cpu"), examples + dev)
    held = [zlib.crc32(e.conversation.encode()) % 5 == 0 for e in examples]
    seen = [e for e, h in zip(examples, held, strict=True) if not h]
    unseen = [e for e, h in zip(examples, held, strict=True) if h]
    theta, mean, scale = fit(tabulate(seen, vectors))
    compare("held out", tabulate(unseen, vectors), theta, mean, scale)
    compare("CAsT 2021", tabulate(dev, vectors), theta, mean, scale)
    models = {
        name: Linear(tuple(mean), tuple(scale), tuple(row[1:]), float(row[0])).plain(FEATURES)
        for name, row in zip(("questions", "answer"), theta, strict=True)
    }
    (options.out / "switch.json").write_text(json.dumps(models, indent=1) + "\n", encoding="utf-8")
    unanswered = [replace(e, answer="") for e in seen if e.answer]
    texts = sorted({t for e in examples + dev for t in (e.question, e.answer, *e.earlier) if t})
    with tempfile.TemporaryDirectory() as folder, Library.open(Path(folder)) as library:
        words = fit_words(list(tabulate_words(seen + unanswered, vectors, library, texts)))
        for name, part in (("held out", unseen), ("CAsT 2021", dev)):
            compare_words(name, list(tabulate_words(part, vectors, library, texts)), words)
    plain = json.dumps(words.plain(carry.FEATURES), indent=1)
    (options.out / "carry.json").write_text(plain + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
