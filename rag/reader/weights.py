"""The fitted weights of the reader: two logistic models, one for sentences and one for the question as a whole."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

from rag.linear import Linear
from rag.reader.features import QUESTION_FEATURES, SENTENCE_FEATURES


@dataclass(frozen=True, slots=True)
class Weights:
    """Both models, and the probability of an answer below which the reader abstains."""

    sentence: Linear
    question: Linear
    threshold: float


@lru_cache(maxsize=1)
def load_weights() -> Weights:
    """Read the weights that ship with the package; `python -m rag.reader.fit` makes them."""
    data = json.loads(resources.files("rag.reader").joinpath("weights.json").read_text(encoding="utf-8"))
    return Weights(
        Linear.load(data["sentence"], SENTENCE_FEATURES),
        Linear.load(data["question"], QUESTION_FEATURES),
        data["threshold"],
    )
