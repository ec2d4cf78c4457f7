"""What of a conversation a new question may lean on."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag.followup.kinds import ABOUT, UNSEARCHED, switch_lead

if TYPE_CHECKING:
    from rag.types import Conversation, Turn

_MARKERS = re.compile(r"\s*(?:\[\d+\])+")
_STATEMENTS = 1  # statements of the last answer that count: what else it found is farther from what was asked
_LONGEST = 600  # characters of an answer without statements


@dataclass(frozen=True, slots=True)
class History:
    """The turns since the subject was last changed.

    `questions` are the earlier questions as they were understood, oldest first; `answer` is what the last one was
    answered, empty if it was not; `highlight` the exact answer in it. `turns` are the same turns.
    """

    questions: tuple[str, ...] = ()
    answer: str = ""
    highlight: str = ""
    turns: tuple[Turn, ...] = ()


def gather(conversation: Conversation | None) -> History:
    """Collect what a new question may lean on; turns without a search, and those before another subject, do not count.

    Args:
        conversation: The turns before the question, if any.

    Returns:
        The history; without earlier turns an empty one.
    """
    turns: list[Turn] = []
    for turn in conversation.turns if conversation is not None else ():
        kind = turn.answer.kind if turn.answer is not None else "question"
        if kind in UNSEARCHED:
            continue
        if kind == "topic-switch" or switch_lead(turn.question):
            turns.clear()
        turns.append(turn)
    if not turns:
        return History()
    answer, highlight = _answered(turns[-1])
    return History(tuple(_asked(turn) for turn in turns), answer, highlight, tuple(turns))


def _asked(turn: Turn) -> str:
    """A question as it is remembered: as it was put to the library, if that is more than words put in front of it."""
    whole = turn.answer is not None and turn.answer.kind in (
        "correction",
        "narrowing",
        "choice",
        "comparison",
        "follow-up",
    )
    written = turn.standalone_question if whole else ""
    asked = written if written and not written.startswith(ABOUT) else turn.question
    return asked[switch_lead(asked) :]


def _answered(turn: Turn) -> tuple[str, str]:
    if turn.answer is None:
        return _MARKERS.sub("", turn.text).strip()[:_LONGEST], ""
    said = turn.answer.statements[:_STATEMENTS]
    exact = said[0].highlight if said else None
    return " ".join(s.text for s in said), said[0].text[exact[0] : exact[1]] if exact else ""
