"""An answer on its way, kept with its conversation, so that nothing that was said is lost if the process ends.

It stands in the conversation's JSON beside the turns and is no turn: what was not finished is not part of what
follow-up questions are understood from.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from rag.records import citation_from_record, citation_record, statement_from_record, statement_record
from rag.types import Citation, Statement


@dataclass(frozen=True, slots=True)
class Draft:
    """A question and what of its answer was said so far."""

    question: str
    statements: tuple[Statement, ...] = ()
    citations: tuple[Citation, ...] = ()


def with_draft(conversation: str, draft: Draft) -> str:
    """Put a draft into a conversation's JSON."""
    data = json.loads(conversation)
    data["unfinished"] = {
        "question": draft.question,
        "statements": [statement_record(s) for s in draft.statements],
        "citations": [citation_record(c) for c in draft.citations],
    }
    return json.dumps(data, ensure_ascii=False)


def draft_in(conversation: str) -> Draft | None:
    """Read the draft in a conversation's JSON; `None` if all its answers were finished."""
    data = json.loads(conversation).get("unfinished")
    if data is None:
        return None
    return Draft(
        data["question"],
        tuple(statement_from_record(s) for s in data["statements"]),
        tuple(citation_from_record(c) for c in data["citations"]),
    )
