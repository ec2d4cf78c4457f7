"""Fitted linear models: small enough to be read, written as JSON beside the code that uses them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

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

    @classmethod
    def load(cls, data: dict[str, Any], names: Sequence[str]) -> Linear:
        """Read a model from JSON.

        Raises:
            ValueError: It was fitted on other features.
        """
        if tuple(data["features"]) != tuple(names):
            raise ValueError(f"fitted on {data['features']}, not on {list(names)}: fit it again")
        return cls(tuple(data["mean"]), tuple(data["scale"]), tuple(data["coefficient"]), data["intercept"])

    def plain(self, names: Sequence[str]) -> dict[str, Any]:
        """What `load` reads."""
        return {
            "features": list(names),
            "mean": [round(v, 5) for v in self.mean],
            "scale": [round(v, 5) for v in self.scale],
            "coefficient": [round(v, 4) for v in self.coefficient],
            "intercept": round(self.intercept, 4),
        }


def standard(values: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Bring values to mean 0 and standard deviation 1; all 0 where they do not differ. Any shape."""
    import numpy as np

    return np.asarray((values - values.mean()) / (values.std() + 1e-6), dtype=np.float64)


def to_probability(log_odds: float) -> float:
    """The logistic function, safe for any argument."""
    return 1.0 / (1.0 + math.exp(-min(max(log_odds, -60.0), 60.0)))
