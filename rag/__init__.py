"""Questions to checked, cited answers.

    from rag import Assistant

    with Assistant.open("my-library") as assistant:
        assistant.add("reports/")
        answer = assistant.ask("When does the new berth open?")
        print(answer.text)
        for citation in answer.citations:
            print(citation.marker, citation.title, citation.quote)

The names below are the public surface; heavy libraries are loaded only when they are used.
"""

from __future__ import annotations

from index.errors import DossierError
from rag.assistant import Assistant
from rag.settings import AnswerSettings
from rag.types import (
    Answer,
    Citation,
    Claim,
    Conversation,
    Disagreement,
    Done,
    Event,
    Hits,
    Searching,
    Sentence,
    Statement,
    Turn,
    Waiting,
)

__all__ = [
    "Answer",
    "AnswerSettings",
    "Assistant",
    "Citation",
    "Claim",
    "Conversation",
    "Disagreement",
    "Done",
    "DossierError",
    "Event",
    "Hits",
    "Searching",
    "Sentence",
    "Statement",
    "Turn",
    "Waiting",
]
