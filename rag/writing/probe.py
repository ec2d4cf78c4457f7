"""Whether a language model answers, and how fast."""

from __future__ import annotations

import time
from dataclasses import dataclass

from index.errors import ModelUnavailableError
from rag.llm import Message, Model, list_windows
from rag.writing.failure import ModelFailure
from rag.writing.stream import Limits, read_text

_ASKED = "Write the numbers from one to thirty in words, separated by commas, and nothing else."


@dataclass(frozen=True, slots=True)
class Probe:
    """What one short chat showed: seconds to the first word, tokens a second after it, the window in tokens.

    `served` is the window that the server states, `None` if it states none; `rate` is `None` if all came at once.
    """

    label: str
    first: float
    rate: float | None
    window: int
    served: int | None

    @property
    def line(self) -> str:
        """The result in one line."""
        rate = f"{self.rate:,.0f} tokens/s" if self.rate is not None else "then all at once"
        text = f"{self.label} answers: first word after {self.first:.2f} s, {rate}, window {self.window:,} tokens"
        if self.served is not None and self.served < self.window:
            text += f"; the server's is only {self.served:,}: set llm_window = {self.served} under [answer]"
        return f"{text}."


def probe(model: Model, limits: Limits) -> Probe:
    """Ask a model something short.

    Raises:
        ModelUnavailableError: It does not answer; the message says why, the remedy what to look at.
    """
    served = list_windows(model).get(model.name)  # before the clock starts: the client's libraries are loaded by it
    begun = time.monotonic()
    first, last, text = 0.0, 0.0, ""
    try:
        for piece in read_text(model, [Message("user", _ASKED)], limits):
            if piece:
                last = time.monotonic()
                first = first or last
                text += piece
        if not text.strip():
            raise ModelFailure("it wrote nothing")
    except ModelFailure as failure:
        raise ModelUnavailableError(
            f"The language model {model.label} does not answer: {failure}.", remedy=_remedy(failure, model)
        ) from failure
    took = last - first
    return Probe(
        model.label,
        first - begun,
        model.count(text) / took if took > 0.05 else None,
        model.window,
        served,
    )


def _remedy(failure: ModelFailure, model: Model) -> str:
    if failure.status in (401, 403):
        return "Set DOSSIER_LLM_KEY (or OPENAI_API_KEY, ANTHROPIC_API_KEY) to a valid key."
    if failure.status == 404:
        names = list(list_windows(model))
        if names and model.name not in names:
            return f"Set llm_model to one it has: {', '.join(names[:8])}."
        return "Check llm_model and llm_url; the address of most servers ends in /v1."
    if failure.status == 400:
        return "Check llm_model, llm_max_tokens and llm_temperature: some models refuse values that others take."
    if failure.status == 429:
        return "Wait, or raise the limit of your account."
    return "Check that the server runs and that llm_url under [answer] is its address."
