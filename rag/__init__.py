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

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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

_ELSEWHERE = {"Assistant": "rag.assistant", "AnswerSettings": "rag.settings", "DossierError": "index.errors"}


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used: `dossier sync` needs settings of `rag`, and nothing that answers."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(_ELSEWHERE.get(name, "rag.types")), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
