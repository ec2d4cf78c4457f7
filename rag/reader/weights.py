"""The fitted weights of the reader: two logistic models, one for sentences and one for the question as a whole."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from rag.reader.features import QUESTION_FEATURES, SENTENCE_FEATURES

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Linear:
    """score = intercept + Σ coefficient · (feature - mean) / scale."""

    mean: tuple[float, ...]
    scale: tuple[float, ...]
    coefficient: tuple[float, ...]
    intercept: float

    def score(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Score rows of features, shape `(n, features)`; returns shape `(n,)`, in log-odds."""
        import numpy as np

        scaled = (features - np.asarray(self.mean, np.float32)) / np.asarray(self.scale, np.float32)
        return np.asarray(scaled @ np.asarray(self.coefficient, np.float32) + self.intercept, dtype=np.float32)


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
        _linear(data["sentence"], SENTENCE_FEATURES), _linear(data["question"], QUESTION_FEATURES), data["threshold"]
    )


def _linear(data: dict[str, Any], names: tuple[str, ...]) -> Linear:
    assert tuple(data["features"]) == names, "weights.json was fitted on other features: run python -m rag.reader.fit"
    return Linear(tuple(data["mean"]), tuple(data["scale"]), tuple(data["coefficient"]), data["intercept"])


def to_probability(log_odds: float) -> float:
    """The logistic function, safe for any argument."""
    import math

    return 1.0 / (1.0 + math.exp(-min(max(log_odds, -60.0), 60.0)))
