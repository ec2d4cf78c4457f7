"""Suggested questions are asked before they are shown, as they will be when somebody chooses them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from rag.suggest import suggest_next
from rag.types import Conversation

PORT = ("port", "Port", "Piet Ormsley, chief inspector, came to the berth.")
MINUTES = ("minutes", "Minutes", "The board thanked Piet Ormsley, chief inspector.")


def hit(document: str, heading: str, text: str) -> Any:
    """A hit, as far as suggestions look at it."""
    return SimpleNamespace(passage=SimpleNamespace(document_id=document, heading=heading, text=text))


class Answering:
    """An assistant that answers each question from the same documents."""

    def __init__(self, *documents: str) -> None:
        self.cited = documents
        self.asked: list[tuple[str, Conversation | None]] = []

    def ask(self, question: str, conversation: Conversation | None = None) -> Any:
        """Answer, or abstain if there is no document to cite."""
        self.asked.append((question, conversation))
        citations = [SimpleNamespace(document_id=name) for name in self.cited]
        return SimpleNamespace(abstained=not citations, citations=citations)


def suggested(assistant: Answering, conversation: Conversation) -> list[str]:
    """What is suggested after an answer from both documents."""
    return suggest_next(assistant, SimpleNamespace(hits=[hit(*PORT), hit(*MINUTES)]), conversation)  # type: ignore[arg-type]


def test_a_question_of_two_documents_may_be_answered_from_either() -> None:
    """It is asked once, and counts as answered from the second as well as from the first; from a third it does not."""
    conversation = Conversation.from_pairs([("Who came?", "The inspector.")])
    for document, expected in {"port": True, "minutes": True, "tides": False}.items():
        assistant = Answering(document)
        assert ("Who is Piet Ormsley?" in suggested(assistant, conversation)) is expected
        assert [q for q, _ in assistant.asked].count("Who is Piet Ormsley?") == 1
    assert suggested(Answering(), conversation) == []


def test_what_is_to_follow_is_asked_after_the_turns_before_it() -> None:
    """Asked by itself a question may be answered that is refused in the conversation it is suggested in."""
    conversation = Conversation.from_pairs([("Who came?", "The inspector.")])
    assistant = Answering("port")
    suggested(assistant, conversation)
    assert assistant.asked
    assert all(before is conversation for _, before in assistant.asked)
