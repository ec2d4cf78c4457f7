"""One prompt, one reply, with the limits of every other request: for judges and drafts of cases."""

from __future__ import annotations

from rag.llm import Message, Model
from rag.writing.failure import ModelFailure
from rag.writing.stream import Limits, read_text
from rag.writing.tally import Tally
from rag.writing.thoughts import RESET


def complete(model: Model, prompt: str, limits: Limits, tally: Tally | None = None) -> str:
    """Send a prompt and give the whole reply, without the model's thoughts.

    Args:
        model: The model; its temperature is that of its settings.
        prompt: The prompt.
        limits: How long to wait.
        tally: Counts the tokens.

    Raises:
        ModelFailure: The model failed, or wrote nothing.
    """
    text = "".join(read_text(model, [Message("user", prompt)], limits, tally)).rpartition(RESET)[2].strip()
    if not text:
        raise ModelFailure("it wrote nothing")
    return text
