"""The project's verifier as what judges whether texts support a statement."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from eval.metrics import Checks

if TYPE_CHECKING:
    from rag.grounding.verify import Verifier


def shipped_checks(verifier: Verifier | None = None) -> Checks:
    """Checks by the shipped verifier, or another `Verifier` with the same scale; loaded when first used.

    Judgements are remembered, as recall and precision ask for the same ones.
    """
    from rag.grounding.verify import load_scale

    mark = load_scale().supported
    known: dict[tuple[str, tuple[str, ...]], float] = {}
    chosen = [] if verifier is None else [verifier]

    def supports(statement: str, texts: Sequence[str]) -> float:
        key = (statement, tuple(texts))
        if key not in known:
            if not chosen:
                from rag.grounding import open_grounding

                chosen.append(open_grounding().verifier)
            found = chosen[0].check(statement, texts)
            # Of several sentences one may not hold although the score of all is high.
            known[key] = found.score if found.verdict == "supported" else min(found.score, mark - 0.01)
        return known[key]

    return Checks(_name(), supports, mark)


def _name() -> str:
    """The shipped model's name with the digest of the fitted scale."""
    import hashlib
    from importlib import resources

    from rag.grounding import PairModel

    scale = resources.files("rag.grounding").joinpath("scale.json").read_bytes()
    return f"verifier {PairModel().name} {hashlib.sha256(scale).hexdigest()[:8]}"
