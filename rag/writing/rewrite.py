"""The standalone question, written by the language model."""

from __future__ import annotations

from collections.abc import Iterator

from rag.llm import Model
from rag.types import Conversation
from rag.writing.clean import clean_output, without_addresses
from rag.writing.prompt import rewrite_messages
from rag.writing.stream import Limits, read_text
from rag.writing.tally import Tally
from rag.writing.thoughts import RESET

_LONGEST = 400  # characters


def write_question(
    model: Model, question: str, conversation: Conversation, limits: Limits, tally: Tally
) -> Iterator[str | None]:
    """Ask the model to write a follow-up so that it stands alone.

    Yields:
        `None` while it writes; at the end the question, or the empty text if what came is no question.

    Raises:
        ModelFailure: The model failed.
    """
    text = ""
    for piece in read_text(model, rewrite_messages(question, conversation), limits, tally):
        text += piece
        if len(text) > 4 * _LONGEST:
            break
        yield None
    yield checked_question(text.rpartition(RESET)[2], question)


def checked_question(text: str, question: str) -> str:
    """What is usable of a model's standalone question: one line of bounded length with words in it, else nothing."""
    lines = [line for line in text.splitlines() if any(c.isalnum() for c in line)]
    if len(lines) != 1:
        return ""
    line = " ".join(without_addresses(clean_output(lines[0]), question).split()).strip('"“”«» ')
    for head in ("Standalone question:", "Last question:", "Question:", "Rewritten question:"):
        if line.lower().startswith(head.lower()):
            line = line[len(head) :].strip('"“”«» ')
    fits = len(line) <= max(_LONGEST, 2 * len(question)) and any(c.isalnum() for c in line)
    return line if fits else ""
