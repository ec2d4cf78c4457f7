"""Answers that need no search, and what a correction puts last."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from rag.followup.clarify import question_back
from rag.followup.meta import retell
from rag.followup.small_talk import small_talk
from rag.types import Answer, Conversation, Done, Event, Option, Sentence

if TYPE_CHECKING:
    from index.library import Library
    from index.types import Hit
    from rag.followup.correct import NotMeant


def reply_without_search(question: str, conversation: Conversation | None, library: Library) -> Answer | None:
    """Answer small talk, and questions about the conversation from its own statements.

    Args:
        question: As typed.
        conversation: The turns before it.
        library: Where the conversation's citations lead.

    Returns:
        The answer; `None` if the documents have to be searched.
    """
    said = small_talk(question)
    if said is not None:
        return Answer(question, question, (), (), (), False, 1.0, kind="small talk", reply=said, model="none")
    retold = retell(question, conversation, library)
    if retold is None:
        return None
    return Answer(
        question, question, retold.statements, retold.citations, (), False, 1.0, kind="meta", reply=retold.reply,
        model="this conversation",
    )  # fmt: skip


def ask_back(question: str, options: Sequence[Option], searched: int) -> Answer:
    """Make the answer that asks which of the options is meant."""
    return Answer(
        question, question, (), (), (), False, 0.0, searched=searched, kind="clarification",
        reply=question_back(options), clarify=tuple(options), model="none",
    )  # fmt: skip


def told(answer: Answer) -> Iterator[Event]:
    """Give the events of an answer that needed no search: a `Sentence` for each statement, and `Done`."""
    sent: set[int] = set()
    for statement in answer.statements:
        new = tuple(c for c in answer.citations if c.marker in statement.citations and c.marker not in sent)
        sent.update(c.marker for c in new)
        yield Sentence(statement, new)
    yield Done(answer)


def put_last(hits: Sequence[Hit], avoid: NotMeant) -> list[Hit]:
    """Put hits that hold what was not meant behind all others, where it is sought elsewhere."""
    if not avoid.elsewhere:
        return list(hits)
    ordered = sorted(hits, key=lambda hit: _holds(hit, avoid))  # stable: False before True
    return [replace(hit, rank=rank) for rank, hit in enumerate(ordered, 1)]


def leave_out(hits: Sequence[Hit], avoid: NotMeant) -> list[Hit]:
    """Leave out the hits that `put_last` puts last."""
    return [hit for hit in hits if not (avoid.elsewhere and _holds(hit, avoid))]


def _holds(hit: Hit, avoid: NotMeant) -> bool:
    return avoid.given(hit.passage.document_id, hit.passage.start, hit.passage.end)
