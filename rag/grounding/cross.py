"""Any sentence-transformers `CrossEncoder` in the place of a head of the grounding model. A door of that library."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from index.errors import ModelUnavailableError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_ENTAILED = ("entail", "support", "consistent")
_CONTRADICTED = ("contradict", "refute")


def _open(model: str, device: str) -> Any:
    from sentence_transformers import CrossEncoder

    try:
        return CrossEncoder(model, device=device)
    except Exception as error:  # the hub client, torch and the file system each raise their own
        reason = (str(error).splitlines() or ["no reason given"])[0][:300]
        raise ModelUnavailableError(
            f"The cross-encoder {model!r} cannot be loaded: {reason}",
            remedy="Give the folder of a sentence-transformers CrossEncoder, or leave the setting empty.",
        ) from error


class CrossEncoderRanker:
    """A `Ranker`, and by the same scores a judge of answerability.

    Args:
        model: A folder, or a name of the model hub that is already on this machine or may be fetched.
        device: `cpu`, `cuda`, `mps`.

    Raises:
        ModelUnavailableError: The model is not there, or gives more than one score.
    """

    def __init__(self, model: str, device: str = "cpu") -> None:
        self._model = _open(model, device)
        self.name = model
        labels = int(self._model.num_labels)
        if labels != 1:
            raise ModelUnavailableError(
                f"The cross-encoder {model!r} gives {labels} scores a pair; to rank, one is needed.",
                remedy="Choose a reranker, such as one trained on MS MARCO.",
            )

    def relevance(self, question: str, passages: Sequence[str]) -> NDArray[np.float32]:
        """See `Ranker.relevance`."""
        import numpy as np
        import torch

        if not passages:
            return np.zeros(0, dtype=np.float32)
        pairs = [(question, p) for p in passages]
        found = self._model.predict(pairs, activation_fn=torch.nn.Identity(), show_progress_bar=False)
        return np.asarray(found, dtype=np.float32).reshape(len(passages))


class CrossEncoderJudge:
    """A `Judge`: a model of natural language inference, or one that scores consistency.

    Args:
        model: A folder, or a name of the model hub. With one score, its logistic is the chance of support; with more,
            its labels must name entailment and, if it has that, contradiction.
        device: `cpu`, `cuda`, `mps`.

    Raises:
        ModelUnavailableError: The model is not there, or its labels say nothing of entailment.
    """

    def __init__(self, model: str, device: str = "cpu") -> None:
        self._model = _open(model, device)
        self.name = model
        labels = {int(i): str(n).lower() for i, n in self._model.config.id2label.items()}
        self._single = int(self._model.num_labels) == 1
        self._entailed = [i for i, n in labels.items() if n.startswith(_ENTAILED)]
        self._contradicted = [i for i, n in labels.items() if n.startswith(_CONTRADICTED)]
        if not self._single and not self._entailed:
            raise ModelUnavailableError(
                f"The cross-encoder {model!r} has the labels {', '.join(labels.values())}; none means entailment.",
                remedy="Choose a model of natural language inference.",
            )

    def support(self, pairs: Sequence[tuple[str, str]]) -> NDArray[np.float32]:
        """See `Judge.support`. The model is given evidence first, then the statement, as is the custom."""
        import numpy as np
        import torch

        chances = np.zeros((len(pairs), 3), dtype=np.float32)
        if not pairs:
            return chances
        turned = [(evidence, statement) for statement, evidence in pairs]
        found = self._model.predict(turned, activation_fn=torch.nn.Identity(), show_progress_bar=False)
        logits = np.asarray(found, dtype=np.float32).reshape(len(pairs), -1)
        if self._single:
            chances[:, 0] = 1.0 / (1.0 + np.exp(-logits[:, 0]))
        else:
            shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
            shifted /= shifted.sum(axis=1, keepdims=True)
            chances[:, 0] = shifted[:, self._entailed].sum(axis=1)
            chances[:, 2] = shifted[:, self._contradicted].sum(axis=1)
        chances[:, 1] = 1.0 - chances[:, 0] - chances[:, 2]
        return chances
